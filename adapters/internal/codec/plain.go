package codec

import (
	"encoding/binary"
	"errors"
	"slices"
	"unsafe"
)

var (
	_ owner[string] = text[string]{}
	_ owner[[]byte] = raw[[]byte]{}
)

// text is the codec of a V of a string kind. The encoding is the string's bytes.
type text[V any] struct{}

func (text[V]) Append(dst []byte, value V) ([]byte, error) {
	return append(dst, *(*string)(unsafe.Pointer(&value))...), nil
}

func (text[V]) Decode(data []byte) (V, error) {
	s := string(data)
	return *(*V)(unsafe.Pointer(&s)), nil
}

func (text[V]) decodeOwned(data []byte) (V, error) {
	s := unsafe.String(unsafe.SliceData(data), len(data))
	return *(*V)(unsafe.Pointer(&s)), nil
}

// raw is the codec of a V that is a slice of bytes. The encoding is the bytes themselves, and the byte mark for nil.
// A value that begins with mark gets another mark before it. The byte mark never occurs in UTF-8.
type raw[V any] struct{}

const mark = 0xc1

func (raw[V]) Append(dst []byte, value V) ([]byte, error) {
	b := *(*[]byte)(unsafe.Pointer(&value))
	if b == nil || len(b) > 0 && b[0] == mark {
		dst = append(dst, mark)
	}
	return append(dst, b...), nil
}

func (c raw[V]) Decode(data []byte) (V, error) {
	return c.decodeOwned(append(make([]byte, 0, len(data)), data...))
}

func (raw[V]) decodeOwned(data []byte) (V, error) {
	b := slices.Clip(data)
	if len(b) > 0 && b[0] == mark {
		b = b[1:]
		if len(b) == 0 {
			b = nil
		}
	} else if b == nil {
		b = []byte{}
	}
	return *(*V)(unsafe.Pointer(&b)), nil
}

// fixed is the codec of a V that is a number or a boolean: its memory in little-endian order.
type fixed[V any] struct{ size, max uint8 } // a byte is at most max, which is 1 for a boolean

func (c fixed[V]) Append(dst []byte, value V) ([]byte, error) {
	p := unsafe.Pointer(&value)
	switch c.size {
	case 8:
		return binary.LittleEndian.AppendUint64(dst, *(*uint64)(p)), nil
	case 4:
		return binary.LittleEndian.AppendUint32(dst, *(*uint32)(p)), nil
	case 2:
		return binary.LittleEndian.AppendUint16(dst, *(*uint16)(p)), nil
	}
	return append(dst, *(*uint8)(p)), nil
}

func (c fixed[V]) Decode(data []byte) (value V, err error) {
	if len(data) != int(c.size) || c.size == 1 && data[0] > c.max {
		return value, errMalformed
	}
	p := unsafe.Pointer(&value)
	switch c.size {
	case 8:
		*(*uint64)(p) = binary.LittleEndian.Uint64(data)
	case 4:
		*(*uint32)(p) = binary.LittleEndian.Uint32(data)
	case 2:
		*(*uint16)(p) = binary.LittleEndian.Uint16(data)
	default:
		*(*uint8)(p) = data[0]
	}
	return value, nil
}

var errMalformed = errors.New("codec: decode: malformed bytes")

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

// text is the codec of a V of a string kind: its own bytes.
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

// raw is the codec of a V that is a slice of bytes: those bytes, and for nil the
// byte mark. A value that begins with mark gets another one before it. UTF-8
// never has that byte.
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

// fixed8 to fixed64 are the codecs of a V that is a number or boolean of as many
// bits: its memory, least byte first.
type (
	fixed8[V any]  struct{ max uint8 } // 1 for a boolean
	fixed16[V any] struct{}
	fixed32[V any] struct{}
	fixed64[V any] struct{}
)

func (fixed8[V]) Append(dst []byte, value V) ([]byte, error) {
	return append(dst, *(*uint8)(unsafe.Pointer(&value))), nil
}

func (fixed16[V]) Append(dst []byte, value V) ([]byte, error) {
	return binary.LittleEndian.AppendUint16(dst, *(*uint16)(unsafe.Pointer(&value))), nil
}

func (fixed32[V]) Append(dst []byte, value V) ([]byte, error) {
	return binary.LittleEndian.AppendUint32(dst, *(*uint32)(unsafe.Pointer(&value))), nil
}

func (fixed64[V]) Append(dst []byte, value V) ([]byte, error) {
	return binary.LittleEndian.AppendUint64(dst, *(*uint64)(unsafe.Pointer(&value))), nil
}

func (c fixed8[V]) Decode(data []byte) (value V, err error) {
	if len(data) != 1 || data[0] > c.max {
		return value, errMalformed
	}
	b := data[0]
	return *(*V)(unsafe.Pointer(&b)), nil
}

func (fixed16[V]) Decode(data []byte) (value V, err error) {
	if len(data) != 2 {
		return value, errMalformed
	}
	bits := binary.LittleEndian.Uint16(data)
	return *(*V)(unsafe.Pointer(&bits)), nil
}

func (fixed32[V]) Decode(data []byte) (value V, err error) {
	if len(data) != 4 {
		return value, errMalformed
	}
	bits := binary.LittleEndian.Uint32(data)
	return *(*V)(unsafe.Pointer(&bits)), nil
}

func (fixed64[V]) Decode(data []byte) (value V, err error) {
	if len(data) != 8 {
		return value, errMalformed
	}
	bits := binary.LittleEndian.Uint64(data)
	return *(*V)(unsafe.Pointer(&bits)), nil
}

var errMalformed = errors.New("codec: decode: malformed bytes")

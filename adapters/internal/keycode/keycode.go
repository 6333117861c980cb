// Package keycode encodes keys of any comparable type as bytes, for libraries whose keys are strings or bytes.
//
// Two keys have the same bytes exactly when == reports that they are equal. The bytes are valid in one process only.
// An [Encoder] numbers the dynamic types of interfaces, because the name and the hash of a type are not unique.
package keycode

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"unsafe"

	"github.com/cachepact/cachepact/backend"
)

// An Encoder encodes keys of type K. Any number of goroutines may use it at once.
//
// The encoding of a string is its bytes, and that of an integer is a fixed number of bytes. In other types, the
// length precedes a string and the number of its dynamic type precedes the value of an interface. So different keys
// have different bytes. Blank fields, which == ignores, are not encoded.
type Encoder[K comparable] struct {
	raw   bool // K is of a string kind
	root  *plan
	types registry
}

// New returns an encoder of K. If K contains a pointer, a channel or an unsafe.Pointer, the error wraps
// [backend.ErrKey] and names the field. An encoded address would not keep the object alive, so a later object at the
// same address would get its entries.
func New[K comparable]() (*Encoder[K], error) {
	t := reflect.TypeFor[K]()
	root, err := compile(t, t.String())
	if err != nil {
		return nil, fmt.Errorf("keycode: new: %w", err)
	}
	return &Encoder[K]{raw: root.op == opString, root: root}, nil
}

// Raw returns key as a string without a copy, or false if K is not of a string kind.
func (e *Encoder[K]) Raw(key K) (string, bool) {
	if e.raw {
		return *(*string)(unsafe.Pointer(&key)), true
	}
	return "", false
}

// Fixed returns the number of bytes of every key, or 0 if it depends on the key.
func (e *Encoder[K]) Fixed() int { return e.root.fixed }

// Append appends the bytes of key to dst and returns the extended slice. The error wraps [backend.ErrKey] if key
// contains a NaN, or an interface that holds an uncomparable type or a type that New rejects. Append does not keep
// dst or key.
func (e *Encoder[K]) Append(dst []byte, key K) ([]byte, error) {
	p := unsafe.Pointer(&key)
	switch e.root.op {
	case opString:
		return append(dst, *(*string)(p)...), nil
	case op64:
		return binary.LittleEndian.AppendUint64(dst, *(*uint64)(p)), nil
	}
	return e.types.append(dst, e.root, p)
}

// Decode returns the key that Append of the same encoder encoded as b. The key equals the original, and its blank
// fields are zero. Other bytes give another key or an error. Decode does not keep b.
func (e *Encoder[K]) Decode(b []byte) (K, error) {
	key, zero := new(K), *new(K)
	if e.root.op == opString {
		*(*string)(unsafe.Pointer(key)) = string(b)
		return *key, nil
	}
	rest, err := e.types.decode(b, e.root, unsafe.Pointer(key))
	if err == nil && len(rest) > 0 {
		err = errMalformed
	}
	if err != nil {
		return zero, fmt.Errorf("keycode: decode: %w", err)
	}
	return *key, nil
}

func (r *registry) append(dst []byte, t *plan, p unsafe.Pointer) (_ []byte, err error) {
	switch t.op {
	case opString:
		s := *(*string)(p)
		return append(binary.AppendUvarint(dst, uint64(len(s))), s...), nil
	case op8:
		return append(dst, *(*uint8)(p)), nil
	case op16:
		return binary.LittleEndian.AppendUint16(dst, *(*uint16)(p)), nil
	case op32:
		return binary.LittleEndian.AppendUint32(dst, *(*uint32)(p)), nil
	case op64:
		return binary.LittleEndian.AppendUint64(dst, *(*uint64)(p)), nil
	case opFloat32:
		f := *(*float32)(p)
		if f != f {
			return dst, errNaN
		}
		return binary.LittleEndian.AppendUint32(dst, math.Float32bits(f+0)), nil // -0+0 is 0
	case opFloat64:
		f := *(*float64)(p)
		if f != f {
			return dst, errNaN
		}
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(f+0)), nil
	case opStruct:
		for _, f := range t.fields {
			if dst, err = r.append(dst, f.plan, unsafe.Add(p, f.offset)); err != nil {
				return dst, err
			}
		}
		return dst, nil
	case opArray:
		for i := range t.length {
			if dst, err = r.append(dst, t.elem, unsafe.Add(p, uintptr(i)*t.elem.size)); err != nil {
				return dst, err
			}
		}
		return dst, nil
	case opBytes:
		return append(dst, unsafe.Slice((*byte)(p), t.length)...), nil
	}
	v := dynamic(t, p)
	if v == nil {
		return append(dst, nilID), nil
	}
	d, err := r.lookup(reflect.TypeOf(v))
	if err != nil {
		return dst, err
	}
	return r.append(binary.AppendUvarint(dst, d.id), d.plan, data(v))
}

func (r *registry) decode(b []byte, t *plan, p unsafe.Pointer) (_ []byte, err error) {
	if len(b) < t.fixed {
		return b, errMalformed
	}
	switch t.op {
	case opString:
		n, w := binary.Uvarint(b)
		if w <= 0 || n > uint64(len(b)-w) {
			return b, errMalformed
		}
		b = b[w:]
		*(*string)(p) = string(b[:n])
		return b[n:], nil
	case op8:
		if t.bool && b[0] > 1 {
			return b, errMalformed
		}
		*(*uint8)(p) = b[0]
	case op16:
		*(*uint16)(p) = binary.LittleEndian.Uint16(b)
	case op32, opFloat32:
		*(*uint32)(p) = binary.LittleEndian.Uint32(b)
	case op64, opFloat64:
		*(*uint64)(p) = binary.LittleEndian.Uint64(b)
	case opStruct:
		for _, f := range t.fields {
			if b, err = r.decode(b, f.plan, unsafe.Add(p, f.offset)); err != nil {
				return b, err
			}
		}
	case opArray:
		for i := range t.length {
			if b, err = r.decode(b, t.elem, unsafe.Add(p, uintptr(i)*t.elem.size)); err != nil {
				return b, err
			}
		}
	case opBytes:
		copy(unsafe.Slice((*byte)(p), t.length), b)
	case opInterface:
		return r.decodeInterface(b, t, p)
	}
	return b[t.fixed:], nil
}

func (r *registry) decodeInterface(b []byte, t *plan, p unsafe.Pointer) ([]byte, error) {
	id, w := binary.Uvarint(b)
	if w <= 0 {
		return b, errMalformed
	}
	b = b[w:]
	if id == nilID {
		return b, nil
	}
	d := r.byID(id)
	if d == nil || !d.plan.typ.AssignableTo(t.typ) {
		return b, errMalformed
	}
	v := reflect.New(d.plan.typ)
	b, err := r.decode(b, d.plan, v.UnsafePointer())
	if err == nil {
		reflect.NewAt(t.typ, p).Elem().Set(v.Elem())
	}
	return b, err
}

var (
	errNaN       = fmt.Errorf("%w: NaN", backend.ErrKey)
	errMalformed = fmt.Errorf("%w: malformed bytes", backend.ErrKey)
)

// Package keycode encodes keys of any comparable type as bytes, for libraries
// whose keys are strings or bytes.
//
// The encoding is injective: two keys have the same bytes exactly when == says
// that they are equal. It is meant for one process. The bytes of an interface
// depend on the [Encoder] that made them, which numbers the dynamic types it
// meets, because neither the name of a type nor its hash is unique.
package keycode

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"unsafe"

	"github.com/cachepact/cachepact/backend"
)

// An Encoder encodes keys of type K. Any number of goroutines may use it at
// once.
//
// A K of a string kind is encoded as its own bytes and a K of an integer kind as
// a fixed number of bytes. Within other types strings have their length before
// them and interfaces the number of their dynamic type, so that no two keys run
// into each other. Blank fields, which == ignores, leave no bytes.
type Encoder[K comparable] struct {
	raw   bool // K is of a string kind
	root  *plan
	types registry
}

// New returns an encoder of K. It fails with an error that wraps
// [backend.ErrKey] and names the field when K contains a pointer, a channel or
// an unsafe.Pointer: an encoded address does not keep the object alive, so that
// a later object could take over its entries.
func New[K comparable]() (*Encoder[K], error) {
	t := reflect.TypeFor[K]()
	root, err := compile(t, t.String())
	if err != nil {
		return nil, fmt.Errorf("keycode: new: %w", err)
	}
	return &Encoder[K]{raw: root.op == opString, root: root}, nil
}

// Raw returns the bytes of key as a string that shares the memory of key, if K
// is of a string kind, and otherwise false.
func (e *Encoder[K]) Raw(key K) (string, bool) {
	if e.raw {
		return *(*string)(unsafe.Pointer(&key)), true
	}
	return "", false
}

// Fixed returns how many bytes every key has, or 0 if that depends on the key.
func (e *Encoder[K]) Fixed() int { return e.root.fixed }

// Append appends the bytes of key to dst and returns the extended slice. It
// fails with an error that wraps [backend.ErrKey] for a NaN and for an interface
// that holds an uncomparable type or one that New refuses. It keeps neither dst
// nor key.
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

// Decode returns the key that Append of this very encoder turned into b. The key
// equals the original; its blank fields are zero. Other bytes give another key
// or an error. It does not keep b.
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

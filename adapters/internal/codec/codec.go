// Package codec turns values into bytes for caches that hold bytes.
//
// [Default] gives the codec that carries every value of a type without loss, or
// says which field of the type stands in the way. [CBOR], [JSON] and [Gob] are
// for those who accept what these formats lose.
package codec

import (
	"fmt"
	"reflect"
)

// A Codec turns values into bytes and back. Any number of goroutines may use one
// at once.
type Codec[V any] interface {
	// Append appends the encoded value to dst and returns the extended slice. It
	// keeps neither dst nor memory of value.
	Append(dst []byte, value V) ([]byte, error)
	// Decode returns the value that Append made data of. It does not keep data,
	// which the caller may change afterwards.
	Decode(data []byte) (V, error)
}

// Default returns the codec for V: byte slices and strings are their own bytes,
// integers, floats and booleans a fixed number of bytes, and everything else is
// CBOR.
//
// It fails, naming the field, if V has a part that would come back changed: an
// unexported field or one that its tag leaves out, an interface, a channel, a
// function, a pointer to what can itself be nil, a pointer within a map key, a
// complex number, or a type that contains itself. A type that encodes itself,
// with MarshalCBOR and UnmarshalCBOR or MarshalBinary and UnmarshalBinary, is
// trusted to do so in full.
//
// Two things about a value have no place in the bytes: where pointers lead to
// the same variable, each gets its own, and a time.Time keeps its instant and
// its offset from UTC but neither the name of its zone nor its monotonic
// reading. A time that even so would change is an error of Append.
func Default[V any]() (Codec[V], error) {
	t := reflect.TypeFor[V]()
	switch t.Kind() {
	case reflect.String:
		return text[V]{}, nil
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return raw[V]{}, nil
		}
	case reflect.Bool:
		return fixed8[V]{max: 1}, nil
	case reflect.Int8, reflect.Uint8:
		return fixed8[V]{max: 255}, nil
	case reflect.Int16, reflect.Uint16:
		return fixed16[V]{}, nil
	case reflect.Int32, reflect.Uint32, reflect.Float32:
		return fixed32[V]{}, nil
	case reflect.Int64, reflect.Uint64, reflect.Float64:
		return fixed64[V]{}, nil
	case reflect.Int, reflect.Uint, reflect.Uintptr:
		if t.Size() == 8 {
			return fixed64[V]{}, nil
		}
		return fixed32[V]{}, nil
	}
	times, err := check(t)
	if err != nil {
		return nil, fmt.Errorf("codec: %w", err)
	}
	c := newCBOR[V]()
	c.times = times
	var zero V
	data, err := c.Append(nil, zero)
	if err == nil {
		_, err = c.Decode(data)
	}
	if err != nil {
		return nil, fmt.Errorf("codec: type %s: %w", t, err)
	}
	return c, nil
}

// Owned returns c's Decode for data that nobody else uses. It spares a copy if
// the value can be made of data itself.
func Owned[V any](c Codec[V]) func(data []byte) (V, error) {
	if o, ok := c.(owner[V]); ok {
		return o.decodeOwned
	}
	return c.Decode
}

// Owns reports whether [Owned] spares a copy.
func Owns[V any](c Codec[V]) bool {
	_, ok := c.(owner[V])
	return ok
}

// Fixed reports whether c is a codec of this package that makes at most eight
// bytes of any value.
func Fixed[V any](c Codec[V]) bool {
	switch c.(type) {
	case fixed8[V], fixed16[V], fixed32[V], fixed64[V]:
		return true
	}
	return false
}

type owner[V any] interface {
	decodeOwned(data []byte) (V, error)
}

// An Error is a failure to encode or decode. Its text names the cause's type
// only, because the text of the cause may contain the value.
type Error struct {
	Op    string // "encode" or "decode"
	Cause error
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("codec: %s: %T", e.Op, e.Cause) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

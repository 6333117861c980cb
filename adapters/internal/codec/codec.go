// Package codec turns values into bytes for caches that store bytes.
//
// [Default] returns a codec that loses nothing of any value of a type, or an error that names the field that it would
// lose. [CBOR], [JSON] and [Gob] take any type and lose what these formats lose.
package codec

import (
	"fmt"
	"math"
	"reflect"
)

// A Codec turns values into bytes and back. Any number of goroutines may use one at once.
type Codec[V any] interface {
	// Append appends the encoded value to dst and returns the extended slice. It does not keep dst or memory of
	// value.
	Append(dst []byte, value V) ([]byte, error)
	// Decode returns the value that Append encoded as data. It does not keep data: the caller may change it
	// afterwards.
	Decode(data []byte) (V, error)
}

// Default returns the codec for V. It stores byte slices and strings as they are, numbers and booleans in a fixed
// number of bytes, and everything else as CBOR.
//
// Default fails, and names the field, if V has a part that decoding would change: an unexported field, a field that
// its tag leaves out, an interface, a channel, a function, a pointer to a type that can be nil, a pointer in a map
// key, a complex number, or a type that contains itself. Default trusts a type that encodes itself, with MarshalCBOR
// and UnmarshalCBOR or with MarshalBinary and UnmarshalBinary.
//
// The bytes do not carry two properties of a value. Pointers to the same variable become pointers to different
// variables. A time.Time keeps its instant and its offset from UTC, but not the name of its zone nor its monotonic
// reading. Append fails for a time that would change otherwise.
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
		return fixed[V]{size: 1, max: 1}, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Float32, reflect.Float64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return fixed[V]{size: uint8(t.Size()), max: math.MaxUint8}, nil
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

// Owned returns c's Decode for data that nothing else uses. It saves a copy if the value can use the memory of data.
func Owned[V any](c Codec[V]) func(data []byte) (V, error) {
	if o, ok := c.(owner[V]); ok {
		return o.decodeOwned
	}
	return c.Decode
}

// Owns reports whether [Owned] saves a copy.
func Owns[V any](c Codec[V]) bool {
	_, ok := c.(owner[V])
	return ok
}

// Fixed reports whether c is a codec of this package that encodes every value in at most eight bytes.
func Fixed[V any](c Codec[V]) bool {
	_, ok := c.(fixed[V])
	return ok
}

type owner[V any] interface {
	decodeOwned(data []byte) (V, error)
}

// An Error is a failure to encode or decode. Its text names only the type of the cause, because the cause's text may
// contain the value.
type Error struct {
	Op    string // "encode" or "decode"
	Cause error
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("codec: %s: %T", e.Op, e.Cause) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

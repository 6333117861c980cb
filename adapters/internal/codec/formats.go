package codec

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"sync"

	"github.com/fxamacker/cbor/v2"
)

// CBOR returns a codec for deterministic CBOR (RFC 8949) by github.com/fxamacker/cbor/v2. It takes any V. The library
// leaves out unexported fields and fields with the tag "-", without an error, and chooses the types of decoded
// interface values. A value that contains itself overflows the stack. [Default] rejects all such types.
func CBOR[V any]() Codec[V] { return newCBOR[V]() }

// JSON returns a codec for JSON by encoding/json. It takes any V. It leaves out what that package leaves out, without
// an error, replaces invalid UTF-8 by U+FFFD, and fails for a NaN.
func JSON[V any]() Codec[V] { return jsonCodec[V]{} }

// Gob returns a codec for encoding/gob. It takes any V. Without an error it loses unexported fields and the
// difference between nil, empty and zero values. It fails for a nil pointer. Each encoded value contains a
// description of its type, so this codec is the largest and slowest.
func Gob[V any]() Codec[V] { return gobCodec[V]{} }

// cborCodec keeps scratch memory, so that neither Append nor Decode allocates for V itself.
type cborCodec[V any] struct {
	times   *times
	scratch *sync.Pool // of *cborScratch[V]
}

type cborScratch[V any] struct {
	buf   bytes.Buffer
	value V
}

func newCBOR[V any]() cborCodec[V] {
	return cborCodec[V]{scratch: &sync.Pool{New: func() any { return new(cborScratch[V]) }}}
}

func (c cborCodec[V]) Append(dst []byte, value V) ([]byte, error) {
	s := c.scratch.Get().(*cborScratch[V])
	defer c.release(s)
	s.value = value
	if c.times != nil {
		if err := c.times.check(reflect.ValueOf(&s.value).Elem()); err != nil {
			return dst, err
		}
	}
	if err := cborMode.enc.MarshalToBuffer(&s.value, &s.buf); err != nil {
		return dst, &Error{"encode", err}
	}
	return append(dst, s.buf.Bytes()...), nil
}

func (c cborCodec[V]) Decode(data []byte) (V, error) {
	s := c.scratch.Get().(*cborScratch[V])
	defer c.release(s)
	if err := cborMode.dec.Unmarshal(data, &s.value); err != nil {
		var zero V
		return zero, &Error{"decode", err}
	}
	return s.value, nil
}

func (c cborCodec[V]) release(s *cborScratch[V]) {
	var zero V
	s.value = zero
	s.buf.Reset()
	if s.buf.Cap() <= maxScratch {
		c.scratch.Put(s)
	}
}

// maxScratch is the size of the largest buffer that is kept.
const maxScratch = 64 << 10

type mode struct {
	enc cbor.UserBufferEncMode
	dec cbor.DecMode
}

// cborMode has the library's options that lose the least.
var cborMode = newMode()

func newMode() (m mode) {
	enc := cbor.CoreDetEncOptions()
	enc.NaNConvert = cbor.NaNConvertNone
	enc.Time = cbor.TimeRFC3339Nano
	enc.OmitEmpty = cbor.OmitEmptyGoValue
	dec := cbor.DecOptions{
		UTF8:              cbor.UTF8DecodeInvalid,
		FieldNameMatching: cbor.FieldNameMatchingCaseSensitive,
		MaxNestedLevels:   math.MaxUint16,
		MaxArrayElements:  math.MaxInt32,
		MaxMapPairs:       math.MaxInt32,
	}
	var errEnc, errDec error
	m.enc, errEnc = enc.UserBufferEncMode()
	m.dec, errDec = dec.DecMode()
	if err := errors.Join(errEnc, errDec); err != nil {
		panic(err) // unreachable: the options are constants
	}
	return m
}

type jsonCodec[V any] struct{}

func (jsonCodec[V]) Append(dst []byte, value V) ([]byte, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return dst, &Error{"encode", err}
	}
	return append(dst, data...), nil
}

func (jsonCodec[V]) Decode(data []byte) (value V, err error) {
	if err := json.Unmarshal(data, &value); err != nil {
		var zero V
		return zero, &Error{"decode", err}
	}
	return value, nil
}

type gobCodec[V any] struct{}

func (gobCodec[V]) Append(dst []byte, value V) ([]byte, error) {
	for v := reflect.ValueOf(&value).Elem(); v.Kind() == reflect.Pointer; v = v.Elem() {
		if v.IsNil() { // gob would panic, or write bytes that it cannot read
			return dst, &Error{"encode", errNil}
		}
	}
	w := appender{dst}
	if err := gob.NewEncoder(&w).Encode(&value); err != nil {
		return dst, &Error{"encode", err}
	}
	return w.data, nil
}

func (gobCodec[V]) Decode(data []byte) (value V, err error) {
	if err := gob.NewDecoder(bytes.NewReader(data)).Decode(&value); err != nil {
		var zero V
		return zero, &Error{"decode", err}
	}
	return value, nil
}

var errNil = errors.New("codec: gob cannot encode a nil pointer")

// An appender is a writer that appends to a slice.
type appender struct{ data []byte }

func (a *appender) Write(p []byte) (int, error) {
	a.data = append(a.data, p...)
	return len(p), nil
}

// Package bytecache has what the adapters of caches that hold bytes share: how
// a key and an entry become bytes, scratch memory for them, and when to look for
// expired entries.
package bytecache

import (
	"unsafe"

	"github.com/cachepact/cachepact/adapters/internal/codec"
	"github.com/cachepact/cachepact/adapters/internal/expiry"
	"github.com/cachepact/cachepact/adapters/internal/keycode"
)

// A Coder turns keys and entries into bytes and back. Any number of goroutines
// may use it at once.
type Coder[K comparable, V any] struct {
	Clock  expiry.Clock // that of the deadlines
	Limits Limits
	// Lead is what an entry begins with, before its deadline.
	Lead []byte
	// NamesKept says that the library may keep the names that it is shown.
	NamesKept bool

	keys   *keycode.Encoder[K]
	values codec.Codec[V]
	owned  func(data []byte) (V, error) // decodes data that may be kept
	given  bool                         // the codec is the user's
	read   Read
	small  bool // keys have at most Small bytes
}

// Read says into which memory to read an entry.
type Read uint8

const (
	// ReadSmall means that each entry has at most [Small] bytes, which are
	// nobody's once it is decoded.
	ReadSmall Read = iota
	// ReadOwned means that the value keeps the memory.
	ReadOwned
	// ReadSpare means that the value has memory of its own.
	ReadSpare
)

// NewCoder returns a coder that encodes values with the codec, or if that is nil
// with the default for V. It fails if a K cannot be a key or the default codec
// cannot carry a V.
func NewCoder[K comparable, V any](values codec.Codec[V]) (*Coder[K, V], error) {
	c := &Coder[K, V]{Clock: expiry.NewClock(), values: values, given: values != nil}
	var err error
	if c.keys, err = keycode.New[K](); err != nil {
		return nil, err
	}
	if !c.given {
		if c.values, err = codec.Default[V](); err != nil {
			return nil, err
		}
	}
	c.owned = codec.Owned(c.values)
	c.small = c.keys.Fixed() > 0 && c.keys.Fixed() <= Small
	c.read = ReadSpare
	switch {
	case codec.Fixed(c.values):
		c.read = ReadSmall
	case codec.Owns(c.values):
		c.read = ReadOwned
	}
	return c, nil
}

// Read returns how to read an entry.
func (c *Coder[K, V]) Read() Read { return c.read }

// RawKey returns key as it is if K is of a string kind.
func (c *Coder[K, V]) RawKey(key K) (string, bool) { return c.keys.Raw(key) }

// AppendKey appends the bytes of key to dst, which it does not keep. It fails
// with an error that wraps backend.ErrKey.
func (c *Coder[K, V]) AppendKey(dst []byte, key K) ([]byte, error) { return c.keys.Append(dst, key) }

// DecodeKey returns the key that name was made of.
func (c *Coder[K, V]) DecodeKey(name string) (K, error) {
	return c.keys.Decode(unsafe.Slice(unsafe.StringData(name), len(name)))
}

// Value returns that of an entry, without its deadline. The caller may use the
// memory again.
func (c *Coder[K, V]) Value(data []byte) (V, error) {
	v, err := c.values.Decode(data)
	return v, c.hide("decode", err)
}

// ValueOwned is Value for memory that nobody uses again: the value may keep it.
func (c *Coder[K, V]) ValueOwned(data []byte) (V, error) {
	v, err := c.owned(data)
	return v, c.hide("decode", err)
}

// Unescaped returns b as a string that does not make the compiler move b to the
// heap, although it is given to a library that could keep it. The caller knows
// that the library does not.
func Unescaped(b []byte) string { return unsafe.String(noescape(unsafe.SliceData(b)), len(b)) }

// unescaped is Unescaped for memory that is written.
func unescaped(b []byte) []byte { return unsafe.Slice(noescape(unsafe.SliceData(b)), cap(b))[:len(b)] }

// noescape hides p from escape analysis. A check of the pointer could move the stack
// while u is but a number.
//
//go:nocheckptr
func noescape(p *byte) *byte {
	u := uintptr(unsafe.Pointer(p))
	return *(**byte)(unsafe.Pointer(&u))
}

// Bytes returns the bytes of name. Nobody may write them.
func Bytes(name string) []byte { return unsafe.Slice(unsafe.StringData(name), len(name)) }

// hide hides the text of an error of the user's codec, which may contain the
// value.
func (c *Coder[K, V]) hide(op string, err error) error {
	if err == nil || !c.given {
		return err
	}
	if _, ok := err.(*codec.Error); ok { //nolint:errorlint // what wraps it has a text of its own
		return err
	}
	return &codec.Error{Op: op, Cause: err}
}

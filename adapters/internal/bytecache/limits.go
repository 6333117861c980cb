package bytecache

import (
	"fmt"

	"github.com/cachepact/cachepact/backend"
)

// Limits are the largest key and the largest value, in bytes, that an entry can
// have at the same time.
type Limits struct{ Key, Value int }

// CheckKey fails with an error that wraps [backend.ErrTooLarge].
func (l Limits) CheckKey(name string) error {
	if len(name) > l.Key {
		return tooLarge("key", len(name), l.Key)
	}
	return nil
}

// CheckValue is CheckKey for the size of an encoded value.
func (l Limits) CheckValue(size int) error {
	if size > l.Value {
		return tooLarge("value", size, l.Value)
	}
	return nil
}

func tooLarge(what string, size, limit int) error {
	return fmt.Errorf("%w: %s of %d bytes, at most %d", backend.ErrTooLarge, what, size, limit)
}

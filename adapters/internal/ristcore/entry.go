package ristcore

import (
	"math"
	"reflect"
	"sync/atomic"

	"github.com/cachepact/cachepact/adapters/internal/expiry"
)

// never is the due time of what has no deadline. It comes after all others.
const never int64 = math.MaxInt64

// An Entry is what the library stores. It holds its key, because the library
// knows only a hash, and its value behind a pointer that is swapped when the
// value is replaced, which the library need not know.
type Entry[K comparable, V any] struct {
	key  K
	hash uint64

	// payload is nil once the entry has been dropped, for ever.
	payload atomic.Pointer[payload[V]]
	// first is the payload that the entry begins with: one allocation for both.
	first payload[V]

	// cell is where the stripe lists the entry. Whoever drops it clears the cell.
	cell *atomic.Pointer[Entry[K, V]]

	// due is where the stripe's heap has the entry, no later than its deadline, or
	// never if it is not there. It is written under the index lock.
	due atomic.Int64
	at  int // in the heap, or -1, under the index lock

	// Of the pending entries:
	older atomic.Pointer[Entry[K, V]]
	order uint64 // the library has it once it has applied so many; under the insert lock
}

type payload[V any] struct {
	value    V
	deadline int64
}

// Hash returns the hash of the entry's key.
func (e *Entry[K, V]) Hash() uint64 { return e.hash }

// due returns when a deadline is due.
func due(deadline int64) int64 {
	if deadline == expiry.Never {
		return never
	}
	return deadline
}

// hasPointers reports whether a value of t can keep something else in memory.
func hasPointers(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Array:
		return t.Len() > 0 && hasPointers(t.Elem())
	case reflect.Struct:
		for f := range t.Fields() {
			if hasPointers(f.Type) {
				return true
			}
		}
		return false
	case reflect.Chan, reflect.Func, reflect.Interface, reflect.Map, reflect.Pointer, reflect.Slice, reflect.String, reflect.UnsafePointer:
		return true
	default:
		return false
	}
}

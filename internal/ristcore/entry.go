package ristcore

import (
	"math"
	"sync/atomic"

	"github.com/cachepact/cachepact/internal/clock"
)

// never is the due time of what has no deadline. It comes after all others.
const never int64 = math.MaxInt64

// An Entry is what the library stores. It holds its key, because the library
// knows only a hash, and its value behind a pointer that is swapped when the
// value is replaced, which the library need not know.
type Entry[K comparable, V any] struct {
	key  K
	hash uint64

	// payload is nil once the entry has been dropped, for ever. It becomes nil
	// only under the index lock of the entry's stripe.
	payload atomic.Pointer[payload[V]]

	// due is where the stripe's heap has the entry: no later than its deadline.
	// It is written under the index lock.
	due atomic.Int64

	// Under the index lock:
	next    *Entry[K, V] // in its bucket, while pending
	at      int32        // in the heap; -1 when dropped
	pending bool         // in a bucket: the library may not have it yet
}

type payload[V any] struct {
	value    V
	deadline int64
}

// Hash returns the hash of the entry's key.
func (e *Entry[K, V]) Hash() uint64 { return e.hash }

// due returns when a deadline is due.
func due(deadline int64) int64 {
	if deadline == clock.Never {
		return never
	}
	return deadline
}

package ristcore

import (
	"sync/atomic"

	"github.com/cachepact/cachepact/internal/spread"
)

// A bucket lists the entries of some hashes that the library may not have yet, the
// newest first. It changes under the insert lock of its stripe, and is read
// without.
type bucket[K comparable, V any] struct {
	bits atomic.Uint64 // of the hashes that are listed; mostly none
	head atomic.Pointer[Entry[K, V]]
}

// bit returns one of 64, which depends on other bits of the hash than its bucket.
func bit(hash uint64) uint64 { return 1 << (spread.Of(hash) << (stripeBits + bucketBits) >> 58) }

// find returns the entry of a hash, or nil.
func (b *bucket[K, V]) find(hash uint64) *Entry[K, V] {
	if b.bits.Load()&bit(hash) == 0 {
		return nil
	}
	e := b.head.Load()
	for e != nil && e.hash != hash {
		e = e.older.Load()
	}
	return e
}

// link adds e.
func (b *bucket[K, V]) link(e *Entry[K, V]) {
	if head := b.head.Load(); head != nil {
		e.older.Store(head)
	}
	b.head.Store(e)
	b.bits.Store(b.bits.Load() | bit(e.hash))
}

// prune removes what the library has when it has applied so many inserts. An entry
// is older than those before it, and so is applied no later.
func (b *bucket[K, V]) prune(applied uint64) {
	next, bits := &b.head, uint64(0)
	e := next.Load()
	for e != nil && e.order > applied {
		bits |= bit(e.hash)
		next = &e.older
		e = next.Load()
	}
	if e != nil {
		next.Store(nil)
		b.bits.Store(bits)
	}
	for e != nil { // lest one that is used keep older ones in memory
		older := e.older.Load()
		if older != nil {
			e.older.Store(nil) // whoever comes here now finds what follows in the library
		}
		e = older
	}
}

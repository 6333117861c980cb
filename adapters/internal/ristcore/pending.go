package ristcore

import (
	"sync/atomic"

	"github.com/cachepact/cachepact/adapters/internal/spread"
)

// marks has a bit for each group of hashes, which is set while there is a pending
// entry of the group: that there is none is what most Gets ask. The marks of a stripe
// are written under its insert lock, and read without.
type marks [1 << markBits]atomic.Uint64

// of returns the word of a hash, and its bit there.
func (m *marks) of(hash uint64) (word *atomic.Uint64, bit uint64) {
	h := spread.Of(hash)
	return &m[h>>(64-markBits)], 1 << (h << markBits >> (64 - 6))
}

// A bucket lists the entries of some hashes that the library may not have yet, the
// newest first. It changes under the insert lock of its stripe, and is read
// without.
type bucket[K comparable, V any] struct{ head atomic.Pointer[Entry[K, V]] }

// pending returns the pending entry of a hash, or nil.
func (g *generation[K, V]) pending(hash uint64) *Entry[K, V] {
	if word, bit := g.marks.of(hash); word.Load()&bit == 0 {
		return nil
	}
	return g.stripeOf(hash).bucketOf(hash).find(hash)
}

// find returns the entry of a hash, or nil.
func (b *bucket[K, V]) find(hash uint64) *Entry[K, V] {
	e := b.head.Load()
	for e != nil && e.hash != hash {
		e = e.older.Load()
	}
	return e
}

// link adds e.
func (b *bucket[K, V]) link(e *Entry[K, V], m *marks) {
	if head := b.head.Load(); head != nil {
		e.older.Store(head)
	}
	b.head.Store(e)
	word, bit := m.of(e.hash)
	word.Store(word.Load() | bit)
}

// prune removes what the library has when it has applied so many inserts. An entry
// is older than those before it, and so is applied no later.
func (b *bucket[K, V]) prune(applied uint64, m *marks) {
	next, kept := &b.head, uint64(0)
	e := next.Load()
	for e != nil && e.order > applied {
		_, bit := m.of(e.hash)
		kept |= bit
		next = &e.older
		e = next.Load()
	}
	if e == nil {
		return
	}
	word, _ := m.of(e.hash) // the bucket's, of which other bits are other buckets'
	next.Store(nil)
	word.Store(word.Load()&^bitsOf(e.hash) | kept)
	for e != nil { // lest one that is used keep older ones in memory
		older := e.older.Load()
		if older != nil {
			e.older.Store(nil) // whoever comes here now finds what follows in the library
		}
		e = older
	}
}

// bitsOf returns the bits in its word of all hashes of a hash's bucket.
func bitsOf(hash uint64) uint64 {
	const share = 64 >> (stripeBits + bucketBits - markBits)
	in := spread.Of(hash) << markBits >> (64 - (stripeBits + bucketBits - markBits)) // the bucket, of those of the word
	return (1<<share - 1) << (in * share)
}

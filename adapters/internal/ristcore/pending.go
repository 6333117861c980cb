package ristcore

import (
	"sync/atomic"

	"github.com/cachepact/cachepact/adapters/internal/spread"
)

// marks have one bit for each group of hashes. The bit is set while an entry of the group is pending, so that most
// Gets learn from one bit that no entry is. The marks of a stripe are written under its insert lock and read without
// it.
type marks [1 << markBits]atomic.Uint64

// of returns the word of a hash and its bit in the word.
func (m *marks) of(hash uint64) (word *atomic.Uint64, bit uint64) {
	h := spread.Of(hash)
	return &m[h>>(64-markBits)], 1 << (h << markBits >> (64 - 6))
}

// A bucket lists the pending entries of some hashes, the newest first: the entries that the library may not have yet.
// It is changed under its stripe's insert lock and read without it.
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

// prune removes the entries that the library has once it has applied this many inserts. The list is ordered by age,
// so all entries after the first such entry go too.
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
	word, _ := m.of(e.hash) // one word holds the bits of this bucket and of others
	next.Store(nil)
	word.Store(word.Load()&^bitsOf(e.hash) | kept)
	for e != nil { // unlink all, so that an entry in use does not keep older ones in memory
		older := e.older.Load()
		if older != nil {
			e.older.Store(nil) // a Get that is here finds the older entries in the library
		}
		e = older
	}
}

// bitsOf returns the bits that a hash's bucket has in its word.
func bitsOf(hash uint64) uint64 {
	const share = 64 >> (stripeBits + bucketBits - markBits)
	in := spread.Of(hash) << markBits >> (64 - (stripeBits + bucketBits - markBits)) // the bucket's place in the word
	return (1<<share - 1) << (in * share)
}

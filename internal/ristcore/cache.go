// Package ristcore makes a backend of a cache library that applies its inserts
// later, on a goroutine of its own: both majors of ristretto.
//
// # How
//
// The library stores an [Entry] under a 64-bit hash of the key. The entry holds
// the key, so that two keys of one hash are told apart, and a pointer to the
// value.
//
//   - A Put over an entry swaps that pointer, which takes effect at once and needs
//     no call of the library.
//   - A Put of a new key hands the entry to the library and keeps it pending,
//     where Get looks first, until the library calls its Cost hook for a later
//     entry. The library works through its buffer in order, so that by then it
//     has the entry, or has refused it and said so.
//   - An entry whose pointer is nil is over. The library's eviction and refusal
//     end an entry, as Invalidate does, and nothing revives one.
//
// The library is never asked to remove a hash whose insert is still in its
// buffer, or to insert a hash that it holds: it would lose the later of the two.
//
// No TTL is given to the library. The deadline is in the payload, and a heap of
// the entries by deadline finds what has expired.
package ristcore

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/internal/clock"
)

// maxInserts is how many inserts are made at most before one waits until the
// library has applied them. That is seldom enough to cost next to nothing.
const maxInserts = 256

// A Library is a cache library. Each entry counts as one against its capacity.
// The library must call Applying for each entry that it is about to insert,
// before it does so and after it has done with the one before, Evicted for each
// that it removes and Rejected for each that it does not take.
type Library[K comparable, V any] interface {
	// Get returns the entry of a hash, or nil, and counts that as a use.
	Get(hash uint64) *Entry[K, V]
	// Peek is Get, but need count no use of a hash that it does not find.
	Peek(hash uint64) *Entry[K, V]
	// Set buffers the insertion of e under its hash. It reports whether there was
	// room in the buffer.
	Set(e *Entry[K, V]) bool
	// Del removes the entry of e's hash.
	Del(e *Entry[K, V])
	// Wait returns when all that was buffered has been applied.
	Wait()
	// Clear removes all entries.
	Clear()
	// Close ends the library's goroutines. Nothing else is called during Close
	// or after.
	Close()
}

// Cache is a backend over a Library.
type Cache[K comparable, V any] struct {
	gate  gate
	close sync.Once

	name     string // of the adapter, for errors
	lib      Library[K, V]
	capacity int64
	slack    uint64 // one in so many inserts waits for the library
	keys     backend.KeyChecker[K]
	hash     func(K) uint64
	clock    clock.Clock
	soonest  atomic.Int64 // no entry is due before; never if none is
	sweep    sync.Mutex   // held to remove the expired

	_       [64]byte // apart: written with every insert
	inserts atomic.Uint64

	_                                              [64]byte     // apart: written by the library's goroutine
	last                                           *Entry[K, V] // the one it is applying
	evictions, expirations, rejections, collisions atomic.Uint64
	_                                              [64]byte

	stripe [stripes]stripe[K, V]
}

// New returns a cache of the given capacity in entries, which must be positive.
// The name is that of the adapter. Open makes the library, with c's hooks.
func New[K comparable, V any](name string, capacity int64, open func(c *Cache[K, V]) (Library[K, V], error)) (*Cache[K, V], error) {
	c := &Cache[K, V]{
		name:     name,
		capacity: capacity,
		slack:    uint64(min(maxInserts, 1+capacity/16)),
		keys:     backend.NewKeyChecker[K](),
		hash:     hasher[K](),
		clock:    clock.New(),
	}
	c.soonest.Store(never)
	var err error
	if c.lib, err = open(c); err != nil {
		return nil, err
	}
	return c, nil
}

// Get implements [backend.Backend].
func (c *Cache[K, V]) Get(_ context.Context, key K) (value V, hit bool, err error) {
	p, err := c.get(key)
	if p == nil {
		return value, false, err
	}
	return p.value, true, nil
}

// GetEntry implements [backend.EntryGetter].
func (c *Cache[K, V]) GetEntry(_ context.Context, key K) (backend.Entry[V], bool, error) {
	p, err := c.get(key)
	if p == nil {
		return backend.Entry[V]{}, false, err
	}
	return backend.Entry[V]{Value: p.value, Deadline: c.clock.Time(p.deadline)}, true, nil
}

// get returns the live payload of key, or nil.
func (c *Cache[K, V]) get(key K) (*payload[V], error) {
	if err := c.keys.Check(key); err != nil {
		return nil, c.fail("get", err)
	}
	hash := c.hash(key)
	lane := c.gate.enter(hash)
	if lane == nil {
		return nil, c.fail("get", backend.ErrClosed)
	}
	// An entry leaves the pending only when the library has it, so that one that
	// is missed here is found there.
	e := c.stripeOf(hash).find(hash)
	if found := c.lib.Get(hash); e == nil {
		e = found
	}
	if e != nil {
		if e.key != key {
			c.collisions.Add(1)
		} else if p := e.payload.Load(); p != nil && !c.clock.Expired(p.deadline) {
			lane.hit()
			return p, nil
		}
	}
	lane.miss()
	return nil, nil
}

// Put implements [backend.Backend].
func (c *Cache[K, V]) Put(_ context.Context, key K, value V, ttl *time.Duration) error {
	if ttl != nil && *ttl <= 0 {
		return c.remove("put", key)
	}
	if err := c.keys.Check(key); err != nil {
		return c.fail("put", err)
	}
	hash := c.hash(key)
	lane := c.gate.enter(hash)
	if lane == nil {
		return c.fail("put", backend.ErrClosed)
	}
	defer lane.leave()
	p := &payload[V]{value: value}
	if ttl != nil {
		p.deadline = c.clock.Deadline(*ttl)
	}
	inserts := c.stripeOf(hash).inserts.Load()
	if e := c.find(hash); e == nil || e.key != key || !c.replace(e, p) {
		c.insert(key, hash, p, e, inserts)
	}
	return nil
}

// Invalidate implements [backend.Backend].
func (c *Cache[K, V]) Invalidate(_ context.Context, key *K) error {
	if key != nil {
		return c.remove("invalidate", *key)
	}
	lane := c.gate.enter(0)
	if lane == nil {
		return c.fail("invalidate", backend.ErrClosed)
	}
	defer lane.leave()
	for i := range c.stripe {
		c.stripe[i].insert.Lock()
	}
	for i := range c.stripe {
		c.stripe[i].dropAll()
	}
	c.lib.Clear()
	for i := range c.stripe {
		c.stripe[i].insert.Unlock()
	}
	return nil
}

// Stats implements [backend.Backend].
func (c *Cache[K, V]) Stats(context.Context) (backend.Stats, error) {
	lane := c.gate.enter(0)
	if lane == nil {
		return backend.Stats{}, c.fail("stats", backend.ErrClosed)
	}
	defer lane.leave()
	c.expire()
	hits, misses := c.gate.counts()
	return backend.Stats{Size: c.size(), Counters: map[string]uint64{
		backend.CounterHits:        hits,
		backend.CounterMisses:      misses,
		backend.CounterEvictions:   c.evictions.Load(),
		backend.CounterExpirations: c.expirations.Load(),
		backend.CounterRejections:  c.rejections.Load(),
		backend.CounterCollisions:  c.collisions.Load(),
	}}, nil
}

// All implements [backend.Ranger].
func (c *Cache[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		var entries []*Entry[K, V]
		for i := range c.stripe {
			// The gate is not held while yield runs, which may call Close.
			lane := c.gate.enter(0)
			if lane == nil {
				return
			}
			s := &c.stripe[i]
			s.index.Lock()
			entries = append(entries[:0], s.heap...)
			s.index.Unlock()
			lane.leave()
			for _, e := range entries {
				if p := e.payload.Load(); p != nil && !c.clock.Expired(p.deadline) && !yield(e.key, p.value) {
					return
				}
			}
		}
	}
}

// Flush implements [backend.Flusher].
func (c *Cache[K, V]) Flush(ctx context.Context) error {
	lane := c.gate.enter(0)
	if lane == nil {
		return c.fail("flush", backend.ErrClosed)
	}
	defer lane.leave()
	if err := ctx.Err(); err != nil {
		return c.fail("flush", err)
	}
	c.lib.Wait()
	return nil
}

// Traits implements [backend.Describer].
func (c *Cache[K, V]) Traits() backend.Traits {
	return backend.Traits{Values: backend.ByReference, Refuses: true}
}

// Close implements [io.Closer].
func (c *Cache[K, V]) Close() error {
	c.close.Do(func() {
		c.gate.shut()
		for i := range c.stripe {
			c.stripe[i].dropAll()
		}
		c.lib.Close()
	})
	return nil
}

// size returns the number of entries.
func (c *Cache[K, V]) size() (n int64) {
	for i := range c.stripe {
		n += c.stripe[i].size()
	}
	return n
}

func (c *Cache[K, V]) fail(what string, err error) error {
	return fmt.Errorf("%s: %s: %w", c.name, what, err)
}

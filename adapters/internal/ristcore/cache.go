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
//   - A Put of a new key hands the entry to the library and lists it as pending,
//     where Get looks first. The library works through its buffer in order and
//     calls its Cost hook for each entry. So when it has called it more often than
//     entries were handed to it until that one was, it has the entry, or has
//     refused it and said so. The list is pruned now and then.
//   - An entry whose pointer is nil is over. The library's eviction and refusal
//     end an entry, as Invalidate does, and nothing revives one.
//   - Invalidate of all keys begins another [generation] with a library of its
//     own, which is made in the background, as the old one is closed.
//
// The library is never asked to remove a hash whose insert is still in its
// buffer, or to insert a hash that it holds: it would lose the later of the two.
//
// No TTL is given to the library. The deadline is in the payload, and a heap of
// the entries that have one finds what has expired.
package ristcore

import (
	"context"
	"fmt"
	"iter"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cachepact/cachepact/adapters/internal/expiry"
	"github.com/cachepact/cachepact/backend"
)

// maxStep bounds the step of a cache. Inserts wait when the library is two steps
// behind, until it is one behind: it has work while more are made.
const maxStep = 1024

// maxRetired is how many generations may be in the process of being closed. When
// there are more, an Invalidate of all keys waits for one.
const maxRetired = 4

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
	// Close ends the library's goroutines. Nothing else is called during Close
	// or after.
	Close()
}

// An Open makes an empty library that calls the hooks. If it has succeeded once it
// must succeed again.
type Open[K comparable, V any] = func(Hooks[K, V]) (Library[K, V], error)

// Cache is a backend over a Library.
type Cache[K comparable, V any] struct {
	now      atomic.Pointer[generation[K, V]]
	name     string // of the adapter, for errors
	open     Open[K, V]
	capacity int64
	step     uint64 // see maxStep
	release  bool   // values keep other memory
	keys     backend.KeyChecker[K]
	hash     func(K) uint64
	clock    expiry.Clock

	closed  atomic.Bool
	life    sync.Mutex     // held to begin a generation, and to close
	retired chan struct{}  // as many as there are generations being closed
	work    sync.WaitGroup // on generations, in the background

	past struct {
		sync.Mutex
		hits, misses uint64             // of generations that have been closed
		gates        map[*gate]struct{} // of those that are being closed
	}

	_                                              [64]byte // apart: written by the library's goroutine
	evictions, expirations, rejections, collisions atomic.Uint64
}

// New returns a cache of the given capacity in entries, which must be positive.
// The name is that of the adapter.
func New[K comparable, V any](name string, capacity int64, open Open[K, V]) (*Cache[K, V], error) {
	c := &Cache[K, V]{
		name:     name,
		open:     open,
		capacity: capacity,
		step:     uint64(min(maxStep, 1+capacity/32)),
		release:  hasPointers(reflect.TypeFor[V]()),
		keys:     backend.NewKeyChecker[K](),
		hash:     hasher[K](),
		clock:    expiry.NewClock(),
		retired:  make(chan struct{}, maxRetired),
	}
	c.past.gates = map[*gate]struct{}{}
	g := newGeneration(c)
	lib, err := open(Hooks[K, V]{g})
	if err != nil {
		return nil, err
	}
	g.start(lib)
	c.now.Store(g)
	return c, nil
}

// enter returns the generation and the lane of its gate to leave through, or nil if
// the cache is closed.
func (c *Cache[K, V]) enter(hash uint64) (*generation[K, V], *lane) {
	for {
		g := c.now.Load()
		if l := g.gate.laneOf(hash); l.enter() {
			return g, l
		}
		if c.closed.Load() {
			return nil, nil
		}
	}
}

// Get implements [backend.Backend].
func (c *Cache[K, V]) Get(_ context.Context, key K) (value V, hit bool, err error) {
	value, _, hit, err = c.get(key)
	return value, hit, err
}

// GetEntry implements [backend.EntryGetter].
func (c *Cache[K, V]) GetEntry(_ context.Context, key K) (backend.Entry[V], bool, error) {
	value, deadline, hit, err := c.get(key)
	if !hit {
		return backend.Entry[V]{}, false, err
	}
	return backend.Entry[V]{Value: value, Deadline: c.clock.Time(deadline)}, true, nil
}

func (c *Cache[K, V]) get(key K) (value V, deadline int64, hit bool, err error) {
	if err := c.keys.Check(key); err != nil {
		return value, 0, false, c.fail("get", err)
	}
	hash := c.hash(key)
	g := c.now.Load()
	lane := g.gate.laneOf(hash)
	if !lane.enter() { // enter, but in line
		if g, lane = c.enter(hash); lane == nil {
			return value, 0, false, c.fail("get", backend.ErrClosed)
		}
	}
	// An entry leaves the pending only when the library has it, so that one that
	// is missed here is found there. The library is asked in any case, to count a
	// use.
	e := g.pending(hash)
	if g.ready.Load() {
		if found := g.lib.Get(hash); e == nil {
			e = found
		}
	}
	if e != nil {
		if e.key != key {
			c.collisions.Add(1)
		} else if p := e.payload.Load(); p != nil && !c.clock.Expired(p.deadline) {
			value, deadline = p.value, p.deadline // before leaving, see replace
			lane.hit()
			return value, deadline, true, nil
		}
	}
	lane.miss()
	return value, 0, false, nil
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
	g, lane := c.enter(hash)
	if lane == nil {
		return c.fail("put", backend.ErrClosed)
	}
	defer lane.leave()
	deadline, moment := expiry.Never, c.clock.Reading()
	if ttl != nil {
		deadline = moment.Deadline(*ttl)
	}
	inserts := g.stripeOf(hash).inserts.Load()
	if e := g.peek(hash); e == nil || e.key != key || !g.replace(e, value, deadline, lane) {
		g.insert(key, hash, value, deadline, &moment, e, inserts, lane)
	}
	return nil
}

// Invalidate implements [backend.Backend].
func (c *Cache[K, V]) Invalidate(_ context.Context, key *K) error {
	if key != nil {
		return c.remove("invalidate", *key)
	}
	c.life.Lock()
	defer c.life.Unlock()
	if c.closed.Load() {
		return c.fail("invalidate", backend.ErrClosed)
	}
	// Whoever uses the old generation from now on came before this returned, and
	// what it does is as if it had been done before.
	if old := c.now.Load(); old.sent.Load() != 0 {
		c.begin(old)
	}
	return nil
}

// begin begins another generation than old, which it closes in the background. The
// caller holds life.
func (c *Cache[K, V]) begin(old *generation[K, V]) {
	c.retired <- struct{}{}
	g := newGeneration(c)
	c.past.Lock()
	c.past.gates[&old.gate] = struct{}{}
	c.now.Store(g)
	c.past.Unlock()
	old.retired.Store(true)
	c.work.Go(func() {
		if lib, err := c.open(Hooks[K, V]{g}); err == nil {
			g.start(lib)
		} else {
			g.start(nothing[K, V]{new(sync.Mutex), Hooks[K, V]{g}})
		}
	})
	c.work.Go(func() {
		old.close()
		c.forget(&old.gate)
		<-c.retired
	})
}

// Stats implements [backend.Backend].
func (c *Cache[K, V]) Stats(context.Context) (backend.Stats, error) {
	g, lane := c.enter(0)
	if lane == nil {
		return backend.Stats{}, c.fail("stats", backend.ErrClosed)
	}
	defer lane.leave()
	g.expire()
	hits, misses := c.counts()
	return backend.Stats{Size: g.size(), Counters: map[string]uint64{
		backend.CounterHits:        hits,
		backend.CounterMisses:      misses,
		backend.CounterEvictions:   c.evictions.Load(),
		backend.CounterExpirations: c.expirations.Load(),
		backend.CounterRejections:  c.rejections.Load(),
		backend.CounterCollisions:  c.collisions.Load(),
	}}, nil
}

// counts returns the number of hits and misses.
func (c *Cache[K, V]) counts() (hits, misses uint64) {
	c.past.Lock()
	defer c.past.Unlock()
	hits, misses = c.now.Load().gate.counts()
	for gate := range c.past.gates {
		h, m := gate.counts()
		hits, misses = hits+h, misses+m
	}
	return hits + c.past.hits, misses + c.past.misses
}

// forget keeps the counts of a gate that is shut, and not the gate.
func (c *Cache[K, V]) forget(g *gate) {
	c.past.Lock()
	defer c.past.Unlock()
	hits, misses := g.counts()
	c.past.hits += hits
	c.past.misses += misses
	delete(c.past.gates, g)
}

// All implements [backend.Ranger].
func (c *Cache[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		g := c.now.Load()
		var listed []*Entry[K, V]
		newest := map[uint64]*Entry[K, V]{}
		for i := range g.stripe {
			listed = g.stripe[i].list(listed[:0])
			// What was put after that is not yielded, and so no key twice. But the
			// library may not have said yet that it has evicted an entry that
			// another has followed.
			clear(newest)
			for _, e := range listed {
				if other := newest[e.hash]; other == nil || other.order < e.order {
					newest[e.hash] = e
				}
			}
			for _, e := range newest {
				if !c.yield(g, e, yield) {
					return
				}
			}
		}
	}
}

// yield yields an entry that is live. It returns false when there is no more to be
// done.
func (c *Cache[K, V]) yield(g *generation[K, V], e *Entry[K, V], yield func(K, V) bool) bool {
	// The gate is not held during yield, which may call Close.
	lane := g.gate.laneOf(e.hash)
	if !lane.enter() {
		return false
	}
	p := e.payload.Load()
	if p == nil || c.clock.Expired(p.deadline) || g.retired.Load() {
		lane.leave()
		return true
	}
	value := p.value // before leaving, see replace
	lane.leave()
	return yield(e.key, value)
}

// Sync implements [backend.Syncer].
func (c *Cache[K, V]) Sync(ctx context.Context) error {
	g, lane := c.enter(0)
	if lane == nil {
		return c.fail("sync", backend.ErrClosed)
	}
	defer lane.leave()
	if err := ctx.Err(); err != nil {
		return c.fail("sync", err)
	}
	g.settle()
	return nil
}

// Traits implements [backend.Describer].
func (c *Cache[K, V]) Traits() backend.Traits {
	return backend.Traits{Values: backend.ByReference, Rejects: true}
}

// Close implements [io.Closer].
func (c *Cache[K, V]) Close() error {
	c.life.Lock()
	defer c.life.Unlock()
	if c.closed.Swap(true) {
		return nil
	}
	g := c.now.Load()
	g.close()
	c.work.Wait()
	none := newGeneration(c) // keeps nothing in memory
	none.gate.shut()
	c.now.Store(none)
	return nil
}

func (c *Cache[K, V]) fail(what string, err error) error {
	return fmt.Errorf("%s: %s: %w", c.name, what, err)
}

// Package ristcore makes a backend of a cache library that applies its inserts later, on its own goroutine. Both
// major versions of ristretto are such libraries.
//
// # How it works
//
// The library stores an [Entry] under a 64-bit hash of the key. The entry holds the key, so that keys whose hashes
// collide are told apart, and a pointer to the value.
//
//   - A Put over an entry swaps the pointer. The new value is visible at once, and the library is not called.
//   - A Put of a new key sends the entry to the library and adds it to a list of pending entries, which Get reads
//     first. The library applies its buffer in order and calls its Cost hook for each entry. The number of these
//     calls tells which entries the library has applied: it has admitted them, or has reported that it rejected them.
//     Applied entries are removed from the list from time to time.
//   - An entry whose pointer is nil has been dropped: the library evicted or rejected it, it expired, or Invalidate
//     removed it. A dropped entry stays dropped.
//   - Invalidate(nil) starts another [generation] with its own library, which is made in the background. The old one
//     is closed in the background.
//
// The library is never asked to remove a hash whose insert is still in its buffer, nor to insert a hash that it has.
// It would lose the later of the two operations.
//
// The library gets no TTLs. The payload holds the deadline, and a heap of the entries with a deadline finds the
// expired ones.
package ristcore

import (
	"context"
	"fmt"
	"io"
	"iter"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cachepact/cachepact/adapters/internal/expiry"
	"github.com/cachepact/cachepact/backend"
)

// maxStep bounds the step of a cache. Inserts wait when the library is two steps behind, and go on when it is one
// step behind. So the library always has work.
const maxStep = 1024

// maxRetired is the number of generations that may be closing at once. Beyond it Invalidate(nil) waits.
const maxRetired = 4

// A Library is a cache library in which each entry costs 1. It must call Applying before it inserts an entry and
// after it has finished with the entry before, Evicted for each entry that it removes, and Rejected for each that it
// does not admit.
type Library[K comparable, V any] interface {
	// Get returns the entry of a hash, or nil. The library counts a use of the hash.
	Get(hash uint64) *Entry[K, V]
	// Peek is Get, but the library need not count a use of a hash that it does not have.
	Peek(hash uint64) *Entry[K, V]
	// Set buffers the insert of e under its hash. It returns false if the buffer is full.
	Set(e *Entry[K, V]) bool
	// Del removes the entry of e's hash.
	Del(e *Entry[K, V])
	// Wait returns when everything in the buffer has been applied.
	Wait()
	// Close ends the library's goroutines. No other method is called during or after Close.
	Close()
}

// Cache is a backend over a Library. Each adapter's Backend embeds one, so the comments here are the guarantees of
// both.
type Cache[K comparable, V any] struct {
	now      atomic.Pointer[generation[K, V]]
	name     string // the adapter's package name, for errors
	open     func(Hooks[K, V]) (Library[K, V], error)
	capacity int64
	step     uint64 // see maxStep
	release  bool   // values can keep other memory alive
	keys     backend.KeyChecker[K]
	hash     func(K) uint64
	clock    expiry.Clock

	closed  atomic.Bool
	life    sync.Mutex     // locked to start a generation and to close
	retired chan struct{}  // holds one element for each generation that is closing
	work    sync.WaitGroup // background work on generations

	past struct {
		sync.Mutex
		hits, misses uint64             // of generations that are closed
		gates        map[*gate]struct{} // of generations that are closing
	}

	_                                              [64]byte // keeps the library's counters apart
	evictions, expirations, rejections, collisions atomic.Uint64
}

var (
	_ backend.Backend[string, any]     = (*Cache[string, any])(nil)
	_ backend.Ranger[string, any]      = (*Cache[string, any])(nil)
	_ backend.EntryGetter[string, any] = (*Cache[string, any])(nil)
	_ backend.Syncer                   = (*Cache[string, any])(nil)
	_ backend.Describer                = (*Cache[string, any])(nil)
	_ io.Closer                        = (*Cache[string, any])(nil)
)

// New returns a cache for the adapter of a name. The config is the library's own, of type C. Invalidate(nil) calls
// open again with a copy of it, and open must succeed again if it has succeeded once.
func New[K comparable, V, C any](
	name string, config *C, open func(C, Hooks[K, V]) (Library[K, V], error),
) (*Cache[K, V], error) {
	if config == nil {
		return nil, fmt.Errorf("%s: new: config is nil", name)
	}
	own := *config
	capacity, err := check(reflect.ValueOf(own))
	if err != nil {
		return nil, fmt.Errorf("%s: new: %w", name, err)
	}
	return newCache(name, capacity, func(h Hooks[K, V]) (Library[K, V], error) { return open(own, h) })
}

func newCache[K comparable, V any](
	name string, capacity int64, open func(Hooks[K, V]) (Library[K, V], error),
) (*Cache[K, V], error) {
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
		return nil, c.fail("new", err)
	}
	g.start(lib)
	c.now.Store(g)
	return c, nil
}

// enter returns the generation and the lane to leave through, or nil if the cache is closed.
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
	if !lane.enter() { // the first turn of c.enter, inlined
		if g, lane = c.enter(hash); lane == nil {
			return value, 0, false, c.fail("get", backend.ErrClosed)
		}
	}
	// An entry leaves the pending list only after the library has it. So an entry that pending misses is found in the
	// library. The library is asked even if the entry is pending, because it must count a use.
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
			value, deadline = p.value, p.deadline // before hit leaves the gate: replace may clear the first value then
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

// Invalidate implements [backend.Backend]. With a nil key its time does not depend on the number of entries.
func (c *Cache[K, V]) Invalidate(_ context.Context, key *K) error {
	if key != nil {
		return c.remove("invalidate", *key)
	}
	c.life.Lock()
	defer c.life.Unlock()
	if c.closed.Load() {
		return c.fail("invalidate", backend.ErrClosed)
	}
	// A call that still uses the old generation started before Invalidate returned. It takes effect as if it had run
	// before Invalidate.
	if old := c.now.Load(); old.sent.Load() != 0 {
		c.begin(old)
	}
	return nil
}

// begin starts the generation after old, and closes old in the background. The caller holds life.
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
			g.start(noLibrary[K, V]{new(sync.Mutex), Hooks[K, V]{g}})
		}
	})
	c.work.Go(func() {
		old.close()
		c.forget(&old.gate)
		<-c.retired
	})
}

// Stats implements [backend.Backend]. It looks at entries only if one may have expired since the last call.
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

// forget adds the counts of a gate that is shut to past, so that the gate can be freed.
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
			// Entries that are put after list are not yielded, so no key is yielded twice. But list can hold two
			// entries of a hash: the library may have evicted the older one without having called the hook yet.
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

// yield yields e if it is live. It returns false if All must stop.
func (c *Cache[K, V]) yield(g *generation[K, V], e *Entry[K, V], yield func(K, V) bool) bool {
	// The call leaves the gate before it calls yield, because yield may call Close.
	lane := g.gate.laneOf(e.hash)
	if !lane.enter() {
		return false
	}
	p := e.payload.Load()
	if p == nil || c.clock.Expired(p.deadline) || g.retired.Load() {
		lane.leave()
		return true
	}
	value := p.value // before leave: replace may clear the first value then
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
	g.wait()
	g.prune()
	return nil
}

// Traits implements [backend.Describer].
func (c *Cache[K, V]) Traits() backend.Traits {
	return backend.Traits{Values: backend.ByReference, Rejects: true}
}

// Close ends the library's goroutines and implements [io.Closer].
func (c *Cache[K, V]) Close() error {
	c.life.Lock()
	defer c.life.Unlock()
	if c.closed.Swap(true) {
		return nil
	}
	g := c.now.Load()
	g.close()
	c.work.Wait()
	empty := newGeneration(c) // lets the entries be freed
	empty.gate.shut()
	c.now.Store(empty)
	return nil
}

func (c *Cache[K, V]) fail(op string, err error) error {
	return fmt.Errorf("%s: %s: %w", c.name, op, err)
}

package ristcore

import (
	"sync"
	"sync/atomic"

	"github.com/cachepact/cachepact/adapters/internal/spread"
)

// A generation is the content of a cache between two calls of Invalidate(nil): one library and its bookkeeping.
type generation[K comparable, V any] struct {
	cache *Cache[K, V]
	gate  gate

	// ready is set once lib is usable, and then opened is closed. Until then Get works without lib, and inserts wait
	// in early.
	ready   atomic.Bool
	retired atomic.Bool // calls that start later do not use this generation
	lib     Library[K, V]
	opened  chan struct{}
	opening sync.Mutex
	early   []*Entry[K, V]

	soonest atomic.Int64 // no entry is due earlier; never if no entry has a deadline
	sweep   sync.Mutex   // locked to remove expired entries

	_    [64]byte // keeps sent, which every insert writes, on its own cache line
	sent atomic.Uint64

	_       [64]byte // keeps apart the fields that the library's goroutine writes
	backlog backlog
	dropped atomic.Int64 // entries that the library dropped
	_       [64 + 48]byte

	// marks and stripe start at a cache line, and a stripe is a whole number of cache lines. Two stripes share one
	// line of marks.
	marks  marks
	stripe [1 << stripeBits]stripe[K, V]
}

func newGeneration[K comparable, V any](c *Cache[K, V]) *generation[K, V] {
	g := &generation[K, V]{cache: c, opened: make(chan struct{})}
	g.soonest.Store(never)
	g.backlog.init(c.step)
	return g
}

// start gives g its library, and gives the library the inserts that have come already.
func (g *generation[K, V]) start(lib Library[K, V]) {
	g.opening.Lock()
	defer g.opening.Unlock()
	g.lib = lib
	for _, e := range g.early {
		g.push(e)
	}
	g.early = nil
	g.ready.Store(true)
	close(g.opened)
}

// send hands an insert to the library, or keeps it in early if there is no library yet.
func (g *generation[K, V]) send(e *Entry[K, V]) {
	if !g.ready.Load() && g.delay(e) {
		return
	}
	g.push(e)
}

func (g *generation[K, V]) push(e *Entry[K, V]) {
	for !g.lib.Set(e) {
		g.lib.Wait()
	}
}

func (g *generation[K, V]) delay(e *Entry[K, V]) bool {
	g.opening.Lock()
	defer g.opening.Unlock()
	if g.ready.Load() {
		return false
	}
	g.early = append(g.early, e)
	return true
}

// wait returns when the library has applied all inserts that were sent to it.
func (g *generation[K, V]) wait() {
	<-g.opened
	g.lib.Wait()
}

// prune removes from the pending lists the entries that the library has applied. The caller holds no lock.
func (g *generation[K, V]) prune() {
	if !g.ready.Load() {
		return // the library may have applied some, but Get does not ask it yet
	}
	applied := g.backlog.applied.Load()
	for i := range g.stripe {
		g.stripe[i].prune(applied, &g.marks)
	}
}

// close waits for the calls inside g and closes the library.
func (g *generation[K, V]) close() {
	g.retired.Store(true)
	g.gate.shut()
	<-g.opened
	g.lib.Close()
}

// peek returns the entry of a hash, or nil. If it finds none, the library counts no use of the hash.
func (g *generation[K, V]) peek(hash uint64) *Entry[K, V] {
	if e := g.pending(hash); e != nil || !g.ready.Load() {
		return e
	}
	return g.lib.Peek(hash)
}

// size returns the number of entries.
func (g *generation[K, V]) size() (n int64) {
	for i := range g.stripe {
		g.stripe[i].insert.Lock()
	}
	for i := range g.stripe {
		n += g.stripe[i].live
	}
	n -= g.dropped.Load()
	for i := range g.stripe {
		g.stripe[i].insert.Unlock()
	}
	return n
}

func (g *generation[K, V]) stripeOf(hash uint64) *stripe[K, V] {
	return &g.stripe[spread.Of(hash)>>(64-stripeBits)]
}

// lower makes soonest no later than at.
func (g *generation[K, V]) lower(at int64) {
	for {
		if soonest := g.soonest.Load(); soonest <= at || g.soonest.CompareAndSwap(soonest, at) {
			return
		}
	}
}

// Hooks are the functions that a library calls, one at a time, on its own goroutines.
type Hooks[K comparable, V any] struct {
	g *generation[K, V]
}

// Applying is the library's Cost hook. The library calls it before it inserts an entry, and after it has finished
// with the entry before. Applying returns the entry's cost.
func (h Hooks[K, V]) Applying(*Entry[K, V]) int64 {
	h.g.backlog.apply()
	return 1
}

// Evicted is called for an entry that the library has removed.
func (h Hooks[K, V]) Evicted(e *Entry[K, V]) {
	c := h.g.cache
	if p := h.drop(e); p == nil {
		return
	} else if c.clock.Expired(p.deadline) {
		c.expirations.Add(1)
	} else {
		c.evictions.Add(1)
	}
}

// Rejected is called for an entry that the library has not admitted.
func (h Hooks[K, V]) Rejected(e *Entry[K, V]) {
	if h.drop(e) != nil {
		h.g.cache.rejections.Add(1)
	}
}

func (h Hooks[K, V]) drop(e *Entry[K, V]) *payload[V] {
	if h.g.retired.Load() {
		return nil // the library is being closed, and no later call reads this generation
	}
	p := h.g.stripeOf(e.hash).drop(e)
	if p != nil {
		h.g.dropped.Add(1)
	}
	return p
}

// noLibrary stands in for a library that could not be made. It rejects every entry.
type noLibrary[K comparable, V any] struct {
	lock  *sync.Mutex
	hooks Hooks[K, V]
}

func (n noLibrary[K, V]) Set(e *Entry[K, V]) bool {
	n.lock.Lock()
	defer n.lock.Unlock()
	n.hooks.Applying(e)
	n.hooks.Rejected(e)
	return true
}

func (noLibrary[K, V]) Get(uint64) *Entry[K, V]  { return nil }
func (noLibrary[K, V]) Peek(uint64) *Entry[K, V] { return nil }
func (noLibrary[K, V]) Del(*Entry[K, V])         {}
func (noLibrary[K, V]) Wait()                    {}
func (noLibrary[K, V]) Close()                   {}

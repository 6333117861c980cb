package ristcore

import (
	"sync"
	"sync/atomic"

	"github.com/cachepact/cachepact/adapters/internal/spread"
)

// A generation is what a cache holds from one Invalidate of all keys to the next:
// a library and what goes with it.
type generation[K comparable, V any] struct {
	cache *Cache[K, V]
	gate  gate

	// ready says that lib is there, after which opened is closed. A Get does
	// without, and the first Puts wait in early.
	ready   atomic.Bool
	retired atomic.Bool // nobody who comes later sees this generation
	lib     Library[K, V]
	opened  chan struct{}
	opening sync.Mutex
	early   []*Entry[K, V]

	soonest atomic.Int64 // no entry is due before; never if none is
	sweep   sync.Mutex   // held to remove the expired

	_    [64]byte // apart: written with every insert
	sent atomic.Uint64

	_       [64]byte // apart: written by the library's goroutine
	backlog backlog
	dropped atomic.Int64 // entries, by the library
	_       [64 + 48]byte

	// Both begin with a cache line, and a stripe is whole ones. Two stripes share one of
	// the marks.
	marks  marks
	stripe [1 << stripeBits]stripe[K, V]
}

func newGeneration[K comparable, V any](c *Cache[K, V]) *generation[K, V] {
	g := &generation[K, V]{cache: c, opened: make(chan struct{})}
	g.soonest.Store(never)
	g.backlog.init(c.step)
	return g
}

// start gives g its library, and that the inserts that have come.
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

// set hands an insert to the library.
func (g *generation[K, V]) set(e *Entry[K, V]) {
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

// delay keeps e for the library if there is none yet.
func (g *generation[K, V]) delay(e *Entry[K, V]) bool {
	g.opening.Lock()
	defer g.opening.Unlock()
	if g.ready.Load() {
		return false
	}
	g.early = append(g.early, e)
	return true
}

// wait returns when all inserts have been applied that were handed to the library.
func (g *generation[K, V]) wait() {
	<-g.opened
	g.lib.Wait()
}

// settle waits, and prunes. Nothing is locked.
func (g *generation[K, V]) settle() {
	g.wait()
	g.prune()
}

// prune forgets which entries were pending that the library has. Nothing is locked.
func (g *generation[K, V]) prune() {
	if !g.ready.Load() {
		return // the library may have some, but nobody asks it yet
	}
	applied := g.backlog.applied.Load()
	for i := range g.stripe {
		g.stripe[i].prune(applied, &g.marks)
	}
}

// close ends g's library once those have left that were inside.
func (g *generation[K, V]) close() {
	g.retired.Store(true)
	g.gate.shut()
	<-g.opened
	g.lib.Close()
}

// peek returns the entry of a hash, or nil. It counts no use of one that it does
// not find.
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

package ristcore

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// fake is a library whose every step the test controls. It applies inserts and removals in order. It fails the test
// when the cache calls it in a way that makes ristretto lose a write.
type fake struct {
	t         *testing.T
	h         Hooks[int, int]
	queue     []item
	size      int // of the queue
	held      map[uint64]*Entry[int, int]
	reject    bool          // reject the next insert
	onDrop    func(key int) // called before the library drops an entry on its own
	onGet     func()        // called once, in the next Get
	onSet     func(key int) // called in each Set
	full      bool          // Set has returned false
	waits     int
	closed    atomic.Bool
	evictions uint64 // of entries that had not expired
	rejects   uint64
}

type item struct {
	insert *Entry[int, int]
	remove uint64
}

func (f *fake) Get(hash uint64) *Entry[int, int] {
	e := f.held[hash]
	if onGet := f.onGet; onGet != nil {
		f.onGet = nil
		onGet()
	}
	return e
}

func (f *fake) Peek(hash uint64) *Entry[int, int] { return f.Get(hash) }

func (f *fake) Set(e *Entry[int, int]) bool {
	if f.onSet != nil {
		f.onSet(e.key)
	}
	f.checkLocked(e.hash)
	if f.held[e.hash] != nil || f.queued(e.hash) {
		f.t.Error("Set of a hash that the library has")
	}
	if len(f.queue) >= f.size {
		f.full = true
		return false
	}
	f.queue = append(f.queue, item{insert: e})
	return true
}

func (f *fake) Del(e *Entry[int, int]) {
	f.checkLocked(e.hash)
	if f.queued(e.hash) {
		f.t.Error("Del of a hash whose insert is queued")
	}
	delete(f.held, e.hash)
	f.queue = append(f.queue, item{remove: e.hash})
}

func (f *fake) checkLocked(hash uint64) {
	if l := &f.h.g.stripeOf(hash).insert; l.TryLock() {
		l.Unlock()
		if f.h.g.ready.Load() { // before that, the lock was held when the insert was stored in early
			f.t.Error("the insert lock is not held")
		}
	}
}

func (f *fake) queued(hash uint64) bool {
	return slices.ContainsFunc(f.queue, func(it item) bool { return it.insert != nil && it.insert.hash == hash })
}

// apply applies the first operation of the queue.
func (f *fake) apply() {
	it := f.queue[0]
	f.queue = f.queue[1:]
	if it.insert == nil {
		if f.held[it.remove] != nil {
			f.t.Error("a removal is applied after a later insert")
		}
		return
	}
	f.h.Applying(it.insert)
	if f.reject {
		f.reject = false
		f.drop(it.insert, f.h.Rejected, &f.rejects)
		return
	}
	f.held[it.insert.hash] = it.insert
}

// evict evicts an entry, if there is one.
func (f *fake) evict() {
	for hash := range f.held {
		f.evictHash(hash)
		return
	}
}

func (f *fake) evictHash(hash uint64) {
	e := f.held[hash]
	delete(f.held, hash)
	f.drop(e, f.h.Evicted, &f.evictions)
}

func (f *fake) drop(e *Entry[int, int], hook func(*Entry[int, int]), count *uint64) {
	if p := e.payload.Load(); p != nil {
		f.onDrop(e.key)
		if !f.h.g.cache.clock.Expired(p.deadline) || count == &f.rejects {
			*count++
		}
	}
	hook(e)
}

func (f *fake) Wait() {
	f.waits++
	for len(f.queue) > 0 {
		f.apply()
	}
}

func (f *fake) Close() {
	f.onDrop = func(key int) { f.t.Errorf("a closed library reports that it dropped key %d", key) }
	f.reject = false
	for _, it := range f.queue {
		if it.insert != nil {
			f.h.Evicted(it.insert)
		}
	}
	for _, e := range f.held {
		f.h.Evicted(e)
	}
	f.queue, f.held = nil, nil
	f.closed.Store(true)
}

// A fixture is a cache over fakes. The first library is made at once; the fields control how later ones are made.
type fixture struct {
	*Cache[int, int]
	t     *testing.T
	fake  *fake         // the first library
	delay time.Duration // until a later library is made
	err   error         // of making a later library
	onSet func(key int) // of later libraries

	lock      sync.Mutex
	libraries []*fake
}

func open(t *testing.T) *fixture {
	x := &fixture{t: t}
	c, err := newCache("fake", 1000, func(h Hooks[int, int]) (Library[int, int], error) {
		if len(x.all()) > 0 {
			time.Sleep(x.delay)
			if x.err != nil {
				return nil, x.err
			}
		}
		f := &fake{t: t, h: h, size: 3, held: map[uint64]*Entry[int, int]{}, onDrop: func(int) {}, onSet: x.onSet}
		x.lock.Lock()
		defer x.lock.Unlock()
		x.libraries = append(x.libraries, f)
		return f, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	x.Cache, x.fake = c, x.all()[0]
	return x
}

func (x *fixture) all() []*fake {
	x.lock.Lock()
	defer x.lock.Unlock()
	return slices.Clone(x.libraries)
}

func (x *fixture) last() *fake {
	all := x.all()
	return all[len(all)-1]
}

func (x *fixture) prune() { x.now.Load().prune() }

func (x *fixture) put(key, value int) {
	x.t.Helper()
	if err := x.Put(context.Background(), key, value, nil); err != nil {
		x.t.Errorf("Put(%d) = %v", key, err)
	}
}

// hits fails the test unless a Get of key returns value.
func (x *fixture) hits(key, value int) {
	x.t.Helper()
	if got, hit, err := x.Get(context.Background(), key); got != value || !hit || err != nil {
		x.t.Errorf("Get(%d) = %d, %t, %v, want %d, true, nil", key, got, hit, err, value)
	}
}

func (x *fixture) misses(key int) {
	x.t.Helper()
	if got, hit, err := x.Get(context.Background(), key); hit || err != nil {
		x.t.Errorf("Get(%d) = %d, %t, %v, want a miss", key, got, hit, err)
	}
}

func (x *fixture) hasSize(want int64) {
	x.t.Helper()
	if s, err := x.Stats(context.Background()); s.Size != want || err != nil {
		x.t.Errorf("Stats = %+v, %v, want %d entries", s, err, want)
	}
}

// invalidate removes one key, or all if key is nil.
func (x *fixture) invalidate(key *int) {
	x.t.Helper()
	if err := x.Invalidate(context.Background(), key); err != nil {
		x.t.Errorf("Invalidate = %v", err)
	}
}

// gather returns hashes of one stripe, and of different buckets for small numbers.
func gather(n int) uint64 { return uint64(n) << (64 - stripeBits - bucketBits) * unspread }

const unspread = 0xf1de83e19937733d // the inverse of the factor in spread.Of

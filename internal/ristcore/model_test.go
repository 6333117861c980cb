package ristcore

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// fake is a library whose every step the test decides. It applies inserts and
// removals in order when told to, and it fails the test when it is used in a way
// in which ristretto would lose a write.
type fake struct {
	t      *testing.T
	c      *Cache[int, int]
	queue  []item
	room   int // of the queue
	held   map[uint64]*Entry[int, int]
	refuse bool          // the next insert
	gone   func(key int) // told of entries that the library drops on its own
	found  func()        // called once, when a hash has been looked up
	full   bool          // Set has returned false
	closed atomic.Bool

	evicted, rejected uint64 // that had not expired
}

type item struct {
	insert *Entry[int, int]
	remove uint64
}

func (f *fake) Get(hash uint64) *Entry[int, int] {
	e := f.held[hash]
	if found := f.found; found != nil {
		f.found = nil
		found()
	}
	return e
}

func (f *fake) Peek(hash uint64) *Entry[int, int] { return f.Get(hash) }

func (f *fake) Set(e *Entry[int, int]) bool {
	f.locked(e.hash)
	if f.held[e.hash] != nil || f.queued(e.hash) {
		f.t.Error("Set of a hash that the library has")
	}
	if len(f.queue) >= f.room {
		f.full = true
		return false
	}
	f.queue = append(f.queue, item{insert: e})
	return true
}

func (f *fake) Del(e *Entry[int, int]) {
	f.locked(e.hash)
	if f.queued(e.hash) {
		f.t.Error("Del of a hash whose insert is queued")
	}
	delete(f.held, e.hash)
	f.queue = append(f.queue, item{remove: e.hash})
}

func (f *fake) locked(hash uint64) {
	if l := &f.c.stripeOf(hash).insert; l.TryLock() {
		l.Unlock()
		f.t.Error("the insert lock is not held")
	}
}

func (f *fake) queued(hash uint64) bool {
	return slices.ContainsFunc(f.queue, func(it item) bool { return it.insert != nil && it.insert.hash == hash })
}

func (f *fake) apply() {
	it := f.queue[0]
	f.queue = f.queue[1:]
	if it.insert == nil {
		if f.held[it.remove] != nil {
			f.t.Error("a removal is applied after a later insert")
		}
		return
	}
	f.c.Applying(it.insert)
	if f.refuse {
		f.refuse = false
		f.drop(it.insert, f.c.Rejected, &f.rejected)
		return
	}
	f.held[it.insert.hash] = it.insert
}

// evict drops an entry, as the library does when another needs its room.
func (f *fake) evict() {
	if f.c.last != nil {
		f.c.Applying(f.c.last) // an eviction follows the hook for an insert
	}
	for hash, e := range f.held {
		delete(f.held, hash)
		f.drop(e, f.c.Evicted, &f.evicted)
		return
	}
}

func (f *fake) drop(e *Entry[int, int], hook func(*Entry[int, int]), count *uint64) {
	if p := e.payload.Load(); p != nil {
		f.gone(e.key)
		if !f.c.clock.Expired(p.deadline) || count == &f.rejected {
			*count++
		}
	}
	hook(e)
}

func (f *fake) Wait() {
	for len(f.queue) > 0 {
		f.apply()
	}
}

func (f *fake) Clear() {
	for i := range uint64(stripes) {
		f.locked(i)
	}
	f.clear()
}

func (f *fake) clear() {
	for _, it := range f.queue {
		if it.insert != nil {
			f.c.Evicted(it.insert)
		}
	}
	for _, e := range f.held {
		f.c.Evicted(e)
	}
	f.queue, f.held = nil, map[uint64]*Entry[int, int]{}
}

func (f *fake) Close() { f.clear(); f.closed.Store(true) }

func open(t *testing.T) (*Cache[int, int], *fake) {
	f := &fake{t: t, room: 3, held: map[uint64]*Entry[int, int]{}, gone: func(int) {}}
	c, err := New("fake", 1000, func(c *Cache[int, int]) (Library[int, int], error) {
		f.c = c
		return f, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return c, f
}

// Random operations, with every step of the library in between and most keys
// sharing a hash, agree with a map that forgets what the library drops.
func TestModel(t *testing.T) {
	type value struct {
		n        int
		deadline time.Time
	}
	for seed := range uint64(100) {
		synctest.Test(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 0))
			ctx := context.Background()
			c, f := open(t)
			hash := func(key int) uint64 { return uint64(key % 5 * stripes * 7) } // of one stripe and few buckets
			c.hash = hash
			model := map[int]value{}
			f.gone = func(key int) { delete(model, key) }
			live := func(key int) (value, bool) {
				v, ok := model[key]
				return v, ok && (v.deadline.IsZero() || time.Now().Before(v.deadline))
			}
			var hits, misses, superseded uint64
			supersede := func(key int) { // by one with the same hash
				if _, ok := live(key); ok {
					superseded++
				}
				delete(model, key)
			}
			for n := range 2000 {
				key := rnd.IntN(10)
				switch op := rnd.IntN(100); {
				case op < 30:
					supersede((key + 5) % 10)
					model[key] = value{n: n}
					if err := c.Put(ctx, key, n, nil); err != nil {
						t.Fatal(err)
					}
				case op < 45:
					ttl := time.Duration(rnd.IntN(10)-1) * time.Second
					delete(model, key)
					if ttl > 0 {
						supersede((key + 5) % 10)
						model[key] = value{n, time.Now().Add(ttl)}
					}
					if err := c.Put(ctx, key, n, &ttl); err != nil {
						t.Fatal(err)
					}
				case op < 65:
					got, hit, err := c.Get(ctx, key)
					want, ok := live(key)
					if err != nil || hit != ok || hit && got != want.n {
						t.Fatalf("seed %d, step %d: Get = %d, %t, %v; want %d, %t", seed, n, got, hit, err, want.n, ok)
					}
					if hit {
						hits++
					} else {
						misses++
					}
				case op < 75:
					if err := c.Invalidate(ctx, &key); err != nil {
						t.Fatal(err)
					}
					delete(model, key)
				case op < 76:
					if err := c.Invalidate(ctx, nil); err != nil {
						t.Fatal(err)
					}
					clear(model)
				case op < 80:
					time.Sleep(time.Duration(rnd.IntN(4000)) * time.Millisecond)
				case op < 84:
					f.evict()
				case op < 86:
					f.refuse = true
				case op < 95:
					if len(f.queue) > 0 {
						f.apply()
					}
				default:
					s, err := c.Stats(ctx) // may make the library apply and refuse
					want := map[int]int{}
					for key := range model {
						if v, ok := live(key); ok {
							want[key] = v.n
						}
					}
					counters := map[string]uint64{
						backend.CounterHits: hits, backend.CounterMisses: misses,
						backend.CounterEvictions: f.evicted + superseded, backend.CounterRejections: f.rejected,
					}
					for name, want := range counters {
						if got := s.Counters[name]; got != want {
							t.Fatalf("seed %d, step %d: %d %s, want %d", seed, n, got, name, want)
						}
					}
					if err != nil || s.Size != int64(len(want)) {
						t.Fatalf("seed %d, step %d: Stats = %+v, %v; want %d entries", seed, n, s, err, len(want))
					}
					for key, got := range c.All() {
						if v, ok := want[key]; !ok || v != got {
							t.Fatalf("seed %d, step %d: All yields %d, %d; want %d, %t", seed, n, key, got, v, ok)
						}
						delete(want, key)
					}
					if len(want) != 0 {
						t.Fatalf("seed %d, step %d: All lacks %d keys", seed, n, len(want))
					}
				}
			}
			if !f.full {
				t.Error("the queue was never full")
			}
			if err := c.Close(); err != nil || !f.closed.Load() {
				t.Errorf("Close() = %v, library closed %t", err, f.closed.Load())
			}
		})
	}
}

// A Get that starts after Put has returned hits, wherever the entry is when.
func TestGetWhileApplied(t *testing.T) {
	ctx := context.Background()
	c, f := open(t)
	defer c.Close()
	for key := range 2 {
		if err := c.Put(ctx, key, key, nil); err != nil {
			t.Fatal(err)
		}
	}
	f.found = f.Wait
	if got, hit, err := c.Get(ctx, 0); got != 0 || !hit || err != nil {
		t.Errorf("Get = %d, %t, %v, want 0, true, nil", got, hit, err)
	}
}

// A Put that finds nothing and is overtaken by another Put of the key replaces
// that one's value.
func TestPutWhilePut(t *testing.T) {
	ctx := context.Background()
	c, f := open(t)
	defer c.Close()
	f.found = func() {
		if err := c.Put(ctx, 0, 1, nil); err != nil {
			t.Error(err)
		}
	}
	if err := c.Put(ctx, 0, 2, nil); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got, hit, err := c.Get(ctx, 0); got != 2 || !hit || err != nil {
			t.Errorf("Get = %d, %t, %v, want 2, true, nil", got, hit, err)
		}
		f.Wait()
	}
}

// Close waits for the calls that it finds.
func TestCloseWaits(t *testing.T) {
	ctx := context.Background()
	c, f := open(t)
	done := make(chan error)
	f.found = func() {
		go func() { done <- c.Close() }()
		for range 1000 {
			runtime.Gosched()
		}
		if f.closed.Load() {
			t.Error("the library was closed during a Get")
		}
	}
	if _, _, err := c.Get(ctx, 0); err != nil {
		t.Errorf("Get: %v", err)
	}
	if err := <-done; err != nil || !f.closed.Load() {
		t.Errorf("Close() = %v, library closed %t", err, f.closed.Load())
	}
}

package ristcore

import (
	"context"
	"math/rand/v2"
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
	gone   func(key int) // told what the library drops on its own
	full   bool          // Set has returned false
	closed bool
}

type item struct {
	insert *Entry[int, int]
	remove uint64
}

func (f *fake) Get(hash uint64) *Entry[int, int]  { return f.held[hash] }
func (f *fake) Peek(hash uint64) *Entry[int, int] { return f.held[hash] }

func (f *fake) Set(e *Entry[int, int]) bool {
	if f.held[e.Hash()] != nil {
		f.t.Error("Set of a hash that the library holds")
	}
	if len(f.queue) >= f.room {
		f.full = true
		return false
	}
	f.queue = append(f.queue, item{insert: e})
	return true
}

func (f *fake) Del(e *Entry[int, int]) {
	for _, it := range f.queue {
		if it.insert != nil && it.insert.Hash() == e.Hash() {
			f.t.Error("Del of a hash whose insert is queued")
		}
	}
	delete(f.held, e.Hash())
	f.queue = append(f.queue, item{remove: e.Hash()})
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
		f.drop(it.insert, f.c.Rejected)
		return
	}
	f.held[it.insert.Hash()] = it.insert
}

// evict drops an entry, as the library does when another needs its room.
func (f *fake) evict() {
	if f.c.last != nil {
		f.c.Applying(f.c.last) // an eviction follows the hook for an insert
	}
	for hash, e := range f.held {
		delete(f.held, hash)
		f.drop(e, f.c.Evicted)
		return
	}
}

func (f *fake) drop(e *Entry[int, int], hook func(*Entry[int, int])) {
	if e.payload.Load() != nil {
		f.gone(e.key)
	}
	hook(e)
}

func (f *fake) Wait() {
	for len(f.queue) > 0 {
		f.apply()
	}
}

func (f *fake) Clear() {
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

func (f *fake) Close() { f.Clear(); f.closed = true }

func open(t *testing.T, capacity int64) (*Cache[int, int], *fake) {
	f := &fake{t: t, room: 3, held: map[uint64]*Entry[int, int]{}, gone: func(int) {}}
	c, err := New("fake", capacity, func(c *Cache[int, int]) (Library[int, int], error) {
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
			c, f := open(t, 1000)
			hash := func(key int) uint64 { return uint64(key % 5 * stripes * 7) } // of one stripe and few buckets
			c.hash = hash
			model := map[int]value{}
			f.gone = func(key int) { delete(model, key) }
			live := func(key int) (value, bool) {
				v, ok := model[key]
				return v, ok && (v.deadline.IsZero() || time.Now().Before(v.deadline))
			}
			var hits, misses uint64
			for n := range 2000 {
				key := rnd.IntN(10)
				switch op := rnd.IntN(100); {
				case op < 30:
					delete(model, (key+5)%10) // has the same hash
					model[key] = value{n: n}
					if err := c.Put(ctx, key, n, nil); err != nil {
						t.Fatal(err)
					}
				case op < 45:
					ttl := time.Duration(rnd.IntN(10)-1) * time.Second
					delete(model, key)
					if ttl > 0 {
						delete(model, (key+5)%10)
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
					if err != nil || s.Size != int64(len(want)) || s.Counters[backend.CounterHits] != hits || s.Counters[backend.CounterMisses] != misses {
						t.Fatalf("seed %d, step %d: Stats = %+v, %v; want %d entries, %d hits, %d misses", seed, n, s, err, len(want), hits, misses)
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
			if err := c.Close(); err != nil || !f.closed {
				t.Errorf("Close() = %v, library closed %t", err, f.closed)
			}
		})
	}
}

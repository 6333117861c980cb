package ristcore

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
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
	h      Hooks[int, int]
	queue  []item
	room   int // of the queue
	held   map[uint64]*Entry[int, int]
	refuse bool          // the next insert
	gone   func(key int) // told of entries that the library drops on its own
	found  func()        // called once, when a hash has been looked up
	stall  func(key int) // called when an insert is handed over, if there is one
	full   bool          // Set has returned false
	waits  int
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
	if f.stall != nil {
		f.stall(e.key)
	}
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
	if l := &f.h.g.stripeOf(hash).insert; l.TryLock() {
		l.Unlock()
		if f.h.g.ready.Load() { // else the lock was held when the insert was kept
			f.t.Error("the insert lock is not held")
		}
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
	f.h.Applying(it.insert)
	if f.refuse {
		f.refuse = false
		f.drop(it.insert, f.h.Rejected, &f.rejected)
		return
	}
	f.held[it.insert.hash] = it.insert
}

// evict drops an entry, as the library does when another needs its room.
func (f *fake) evict() {
	for hash, e := range f.held {
		delete(f.held, hash)
		f.drop(e, f.h.Evicted, &f.evicted)
		return
	}
}

func (f *fake) drop(e *Entry[int, int], hook func(*Entry[int, int]), count *uint64) {
	if p := e.payload.Load(); p != nil {
		f.gone(e.key)
		if !f.h.g.cache.clock.Expired(p.deadline) || count == &f.rejected {
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
	f.gone = func(key int) { f.t.Errorf("an entry of a closed library is told of: %d", key) }
	f.refuse = false
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

// A shelf makes the libraries of a cache.
type shelf struct {
	lock      sync.Mutex
	libraries []*fake
	delay     time.Duration // until all but the first are made
	err       error         // of all but the first
	stall     func(key int) // of all but the first
}

func (s *shelf) all() []*fake {
	s.lock.Lock()
	defer s.lock.Unlock()
	return slices.Clone(s.libraries)
}

func (s *shelf) last() *fake {
	all := s.all()
	return all[len(all)-1]
}

// of returns the library of g.
func (s *shelf) of(g *generation[int, int]) *fake {
	all := s.all()
	return all[slices.IndexFunc(all, func(f *fake) bool { return f.h.g == g })]
}

func open(t *testing.T) (*Cache[int, int], *shelf) {
	shelf := &shelf{}
	c, err := New("fake", 1000, func(h Hooks[int, int]) (Library[int, int], error) {
		if len(shelf.all()) > 0 {
			time.Sleep(shelf.delay)
			if shelf.err != nil {
				return nil, shelf.err
			}
		}
		f := &fake{t: t, h: h, room: 3, held: map[uint64]*Entry[int, int]{}, gone: func(int) {}, stall: shelf.stall}
		shelf.lock.Lock()
		defer shelf.lock.Unlock()
		shelf.libraries = append(shelf.libraries, f)
		return f, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return c, shelf
}

// gather returns hashes of one stripe, for small numbers of different buckets.
func gather(n int) uint64 { return uint64(n) << (64 - stripeBits - bucketBits) * unspread }

const unspread = 0xf1de83e19937733d // the inverse of the factor of spread.Of

// prune removes from the pending entries those that the library has.
func prune(c *Cache[int, int]) {
	c.now.Load().prune()
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
			c, shelf := open(t)
			shelf.delay = time.Nanosecond
			hash := func(key int) uint64 { return gather(key % 5 * 3) } // of one stripe and few buckets
			c.hash = hash
			model := map[int]value{}
			gone := func(key int) { delete(model, key) }
			var full, early bool
			// library returns the library, or nil if it has not been made.
			library := func() *fake {
				g := c.now.Load()
				if !g.ready.Load() {
					g.opening.Lock()
					early = early || len(g.early) > 0
					g.opening.Unlock()
					return nil
				}
				f := shelf.of(g)
				f.gone = gone
				full = full || f.full
				return f
			}
			live := func(key int) (value, bool) {
				v, ok := model[key]
				return v, ok && (v.deadline.IsZero() || time.Now().Before(v.deadline))
			}
			var hits, misses, superseded uint64
			evicted := func() (n uint64) {
				for _, f := range shelf.all() {
					n += f.evicted
				}
				return n
			}
			rejected := func() (n uint64) {
				for _, f := range shelf.all() {
					n += f.rejected
				}
				return n
			}
			supersede := func(key int) { // by one with the same hash
				if _, ok := live(key); ok {
					superseded++
				}
				delete(model, key)
			}
			for n := range 2000 {
				key := rnd.IntN(10)
				f := library()
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
				case op < 84 && f != nil:
					f.evict()
				case op < 86 && f != nil:
					f.refuse = true
				case op < 94:
					if f != nil && len(f.queue) > 0 {
						f.apply()
					}
				case op < 95:
					prune(c)
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
						backend.CounterEvictions: evicted() + superseded, backend.CounterRejections: rejected(),
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
			if !full || !early {
				t.Errorf("the queue was full: %t, an insert came before the library: %t; want both", full, early)
			}
			err := c.Close()
			for i, f := range shelf.all() {
				if err != nil || !f.closed.Load() {
					t.Errorf("Close() = %v, library %d closed %t", err, i, f.closed.Load())
				}
			}
		})
	}
}

// A Get that starts after Put has returned hits, wherever the entry is when.
func TestGetWhileApplied(t *testing.T) {
	ctx := context.Background()
	c, shelf := open(t)
	f := shelf.last()
	defer c.Close()
	for key := range 2 {
		if err := c.Put(ctx, key, key, nil); err != nil {
			t.Fatal(err)
		}
	}
	f.found = func() {
		f.Wait()
		if err := c.Put(ctx, 2, 2, nil); err != nil {
			t.Error(err)
		}
		f.Wait()
		prune(c)
	}
	if got, hit, err := c.Get(ctx, 0); got != 0 || !hit || err != nil {
		t.Errorf("Get = %d, %t, %v, want 0, true, nil", got, hit, err)
	}
}

// A Put that finds nothing and is overtaken by another Put of the key replaces
// that one's value.
func TestPutWhilePut(t *testing.T) {
	ctx := context.Background()
	c, shelf := open(t)
	f := shelf.last()
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

// A key that was refused can be put again, and invalidated, without a wait for the
// library, which does not have it.
func TestPutAfterRefusal(t *testing.T) {
	ctx := context.Background()
	c, shelf := open(t)
	f := shelf.last()
	defer c.Close()
	refuse := func(value int) {
		if err := c.Put(ctx, 0, value, nil); err != nil {
			t.Fatal(err)
		}
		if got, hit, err := c.Get(ctx, 0); got != value || !hit || err != nil {
			t.Errorf("Get = %d, %t, %v, want %d, true, nil", got, hit, err, value)
		}
		f.refuse = true
		f.apply()
		if _, hit, err := c.Get(ctx, 0); hit || err != nil {
			t.Errorf("Get of what was refused = %t, %v, want a miss", hit, err)
		}
	}
	refuse(1)
	refuse(2)
	if err := c.Invalidate(ctx, new(int)); err != nil {
		t.Fatal(err)
	}
	if f.waits != 0 || len(f.queue) != 0 {
		t.Errorf("waited %d times, and %d removals are queued; want neither", f.waits, len(f.queue))
	}
}

// All yields no key twice, whatever is done in between.
func TestAllOnce(t *testing.T) {
	ctx := context.Background()
	c, shelf := open(t)
	c.hash = gather
	f := shelf.last()
	defer c.Close()
	put := func(key, value int) {
		if err := c.Put(ctx, key, value, nil); err != nil {
			t.Error(err)
		}
	}
	put(0, 1)
	put(1, 1)
	put(2, 1)
	f.Wait()
	prune(c)
	all := func(want int) {
		got := map[int]int{}
		for key, value := range c.All() {
			if _, ok := got[key]; ok || key == 0 && value != want {
				t.Errorf("All yields %d, %d; before that %v", key, value, got)
			}
			got[key] = value
			if err := c.Invalidate(ctx, &key); err != nil {
				t.Error(err)
			}
			put(key, value)
		}
		if got[0] != want {
			t.Errorf("All yields %v, want %d for 0", got, want)
		}
	}
	f.gone = func(int) { // the library has not yet said that the first is evicted
		put(0, 2)
		all(2)
	}
	e := f.held[c.hash(0)]
	delete(f.held, e.hash)
	f.drop(e, f.h.Evicted, &f.evicted)
	f.gone = func(int) {}
	all(2)
}

// What expires while the library evicts it takes nothing with it that was put under
// its hash in between.
func TestExpireWhileEvicted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		c, shelf := open(t)
		f := shelf.last()
		defer c.Close()
		if err := c.Put(ctx, 0, 1, new(time.Second)); err != nil {
			t.Fatal(err)
		}
		if err := c.Put(ctx, 1, 1, nil); err != nil { // tells that the first is applied
			t.Fatal(err)
		}
		f.Wait()
		prune(c)
		time.Sleep(2 * time.Second)
		f.gone = func(int) {
			if err := c.Put(ctx, 0, 2, nil); err != nil {
				t.Error(err)
			}
			if s, err := c.Stats(ctx); s.Size != 2 || err != nil {
				t.Errorf("Stats = %+v, %v, want 2 entries", s, err)
			}
		}
		e := f.held[c.hash(0)]
		delete(f.held, e.hash)
		f.drop(e, f.h.Evicted, &f.evicted)
		f.gone = func(int) {}
		f.Wait()
		if len(f.held) != 2 {
			t.Errorf("the library holds %d entries, want both that were put last", len(f.held))
		}
		if got, hit, err := c.Get(ctx, 0); got != 2 || !hit || err != nil {
			t.Errorf("Get = %d, %t, %v, want 2, true, nil", got, hit, err)
		}
	})
}

// Invalidate of all keys returns before there is a library, and the cache does all
// but wait without one.
func TestInvalidateAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		c, shelf := open(t)
		defer c.Close()
		shelf.delay = time.Hour
		start := time.Now()
		put := func(key int) {
			t.Helper()
			if err := c.Put(ctx, key, key, nil); err != nil {
				t.Fatal(err)
			}
		}
		get := func(key int, want bool) {
			t.Helper()
			if got, hit, err := c.Get(ctx, key); hit != want || hit && got != key || err != nil {
				t.Errorf("Get(%d) = %d, %t, %v, want a hit: %t", key, got, hit, err, want)
			}
		}
		put(0)
		put(1)
		if err := c.Invalidate(ctx, nil); err != nil {
			t.Fatal(err)
		}
		put(1)
		get(0, false)
		get(1, true)
		if s, err := c.Stats(ctx); s.Size != 1 || err != nil {
			t.Errorf("Stats = %+v, %v, want 1 entry", s, err)
		}
		if time.Since(start) != 0 {
			t.Errorf("took %v, waiting for the library", time.Since(start))
		}
		if err := c.Sync(ctx); err != nil {
			t.Fatal(err)
		}
		get(0, false)
		get(1, true)
		if !shelf.libraries[0].closed.Load() || len(shelf.libraries) != 2 || len(shelf.last().held) != 1 {
			t.Errorf("the old library is closed: %t; %d libraries, the last of which holds %d entries; want 2 and 1",
				shelf.libraries[0].closed.Load(), len(shelf.libraries), len(shelf.last().held))
		}
	})
}

// Without a library nothing is kept, and that is counted.
func TestNoLibrary(t *testing.T) {
	ctx := context.Background()
	c, shelf := open(t)
	defer c.Close()
	shelf.err = errors.New("none")
	for range 2 {
		if err := c.Put(ctx, 1, 1, nil); err != nil {
			t.Fatal(err)
		}
		if err := c.Invalidate(ctx, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Put(ctx, 2, 2, nil); err != nil {
		t.Fatal(err)
	}
	if err := c.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	s, err := c.Stats(ctx)
	if _, hit, _ := c.Get(ctx, 2); hit || s.Size != 0 || s.Counters[backend.CounterRejections] == 0 || err != nil {
		t.Errorf("Get hits: %t, Stats = %+v, %v; want a miss, no entry and a rejection", hit, s, err)
	}
}

// An entry whose value was replaced keeps nothing of its first value in memory.
func TestRelease(t *testing.T) {
	ctx := context.Background()
	c, err := New("fake", 1000, func(Hooks[int, *int]) (Library[int, *int], error) { return nowhere{}, nil })
	if err != nil {
		t.Fatal(err)
	}
	put := func(key int) {
		if err := c.Put(ctx, key, new(1), nil); err != nil {
			t.Fatal(err)
		}
	}
	holdsFirst := func(key int) bool {
		e := c.now.Load().peek(c.hash(key))
		return e == nil || e.first.value != nil
	}
	put(0)
	put(0)
	if holdsFirst(0) {
		t.Error("the entry holds its first value")
	}
	// But as long as a call for the key is inside it could be reading that, whatever
	// lane it came through.
	row := c.now.Load().gate.rowOf(c.hash(1))
	for i := range row {
		put(1)
		row[i].enter()
		put(1)
		if !holdsFirst(1) {
			t.Errorf("the first value was cleared while a call was in lane %d", i)
		}
		row[i].leave()
		put(1)
		if holdsFirst(1) {
			t.Error("the entry holds its first value when the call has left")
		}
		if err := backend.InvalidateKey(ctx, c, 1); err != nil {
			t.Fatal(err)
		}
	}
}

// nowhere is a library whose buffer is never worked through.
type nowhere struct{}

func (nowhere) Get(uint64) *Entry[int, *int]  { return nil }
func (nowhere) Peek(uint64) *Entry[int, *int] { return nil }
func (nowhere) Set(*Entry[int, *int]) bool    { return true }
func (nowhere) Del(*Entry[int, *int])         {}
func (nowhere) Wait()                         {}
func (nowhere) Close()                        {}

// Entries come and go, and the cells list those that are there in little more room
// than they need.
func TestCells(t *testing.T) {
	const live, turns = 1000, 50_000
	rnd := rand.New(rand.NewPCG(1, 2))
	var c cells[int, int]
	var entries []*Entry[int, int]
	for n := range turns {
		e := &Entry[int, int]{key: n}
		c.add(e)
		if len(entries) < live {
			entries = append(entries, e)
			continue
		}
		i := rnd.IntN(live)
		entries[i].cell.Store(nil)
		entries[i] = e
	}
	listed := map[*Entry[int, int]]int{}
	for _, page := range c.pages {
		for i := range page {
			if e := page[i].Load(); e != nil {
				listed[e]++
			}
		}
	}
	for _, e := range entries {
		if listed[e] != 1 {
			t.Fatalf("entry %d is listed %d times", e.key, listed[e])
		}
	}
	if len(listed) != live || c.n > live*3/2 {
		t.Errorf("%d entries in %d cells, want %d in at most half as many more", len(listed), c.n, live)
	}
}

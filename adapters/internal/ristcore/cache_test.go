package ristcore

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// A Get that starts after Put has returned hits, even if the library applies the entry during the Get.
func TestGetWhileApplied(t *testing.T) {
	x := open(t)
	defer x.Close()
	x.put(0, 0)
	x.put(1, 1)
	x.fake.onGet = func() {
		x.fake.Wait()
		x.put(2, 2)
		x.fake.Wait()
		x.prune()
	}
	x.hits(0, 0)
}

// A Put that found no entry replaces the value of a Put of the same key that finished meanwhile.
func TestPutWhilePut(t *testing.T) {
	x := open(t)
	defer x.Close()
	x.fake.onGet = func() { x.put(0, 1) }
	x.put(0, 2)
	for range 2 {
		x.hits(0, 2)
		x.fake.Wait()
	}
}

// A rejected key can be put again, and invalidated, without a wait for the library, which does not have it.
func TestPutAfterRejection(t *testing.T) {
	x := open(t)
	defer x.Close()
	for value := 1; value <= 2; value++ {
		x.put(0, value)
		x.hits(0, value)
		x.fake.reject = true
		x.fake.apply()
		x.misses(0)
	}
	x.invalidate(new(int))
	if x.fake.waits != 0 || len(x.fake.queue) != 0 {
		t.Errorf("waited %d times, and %d removals are queued; want neither", x.fake.waits, len(x.fake.queue))
	}
}

// All yields no key twice, although keys are removed and put again meanwhile.
func TestAllOnce(t *testing.T) {
	x := open(t)
	x.hash = gather
	defer x.Close()
	for key := range 3 {
		x.put(key, 1)
	}
	x.fake.Wait()
	x.prune()
	all := func(want int) {
		got := map[int]int{}
		for key, value := range x.All() {
			if _, ok := got[key]; ok || key == 0 && value != want {
				t.Errorf("All yields %d, %d; before that %v", key, value, got)
			}
			got[key] = value
			x.invalidate(&key)
			x.put(key, value)
		}
		if got[0] != want {
			t.Errorf("All yields %v, want %d for 0", got, want)
		}
	}
	x.fake.onDrop = func(int) { // the library has evicted the first entry, but has not called the hook
		x.put(0, 2)
		all(2)
	}
	x.fake.evictHash(x.hash(0))
	x.fake.onDrop = func(int) {}
	all(2)
}

// An entry that expires while the library evicts it does not take with it a later entry of the same hash.
func TestExpireWhileEvicted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := open(t)
		defer x.Close()
		if err := x.Put(context.Background(), 0, 1, new(time.Second)); err != nil {
			t.Fatal(err)
		}
		x.put(1, 1) // shows that the first is applied
		x.fake.Wait()
		x.prune()
		time.Sleep(2 * time.Second)
		x.fake.onDrop = func(int) {
			x.put(0, 2)
			x.hasSize(2)
		}
		x.fake.evictHash(x.hash(0))
		x.fake.onDrop = func(int) {}
		x.fake.Wait()
		if len(x.fake.held) != 2 {
			t.Errorf("the library holds %d entries, want the last entry of each of 2 keys", len(x.fake.held))
		}
		x.hits(0, 2)
	})
}

// Invalidate(nil) returns before there is a new library. Without a library all methods but Sync work at once.
func TestInvalidateAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := open(t)
		defer x.Close()
		x.delay = time.Hour
		start := time.Now()
		x.put(0, 0)
		x.put(1, 0)
		x.invalidate(nil)
		x.put(1, 1)
		x.misses(0)
		x.hits(1, 1)
		x.hasSize(1)
		if time.Since(start) != 0 {
			t.Errorf("took %v, waiting for the library", time.Since(start))
		}
		if err := x.Sync(context.Background()); err != nil {
			t.Fatal(err)
		}
		x.misses(0)
		x.hits(1, 1)
		if n := len(x.all()); !x.fake.closed.Load() || n != 2 || len(x.last().held) != 1 {
			t.Errorf("the old library is closed: %t; %d libraries, the last of which holds %d entries; want 2 and 1",
				x.fake.closed.Load(), n, len(x.last().held))
		}
	})
}

// If no new library can be made, every entry is rejected and counted.
func TestNoLibrary(t *testing.T) {
	x := open(t)
	defer x.Close()
	x.err = errors.New("no library")
	for range 2 {
		x.put(1, 1)
		x.invalidate(nil)
	}
	x.put(2, 2)
	if err := x.Sync(context.Background()); err != nil {
		t.Fatal(err)
	}
	x.misses(2)
	s, err := x.Stats(context.Background())
	if s.Size != 0 || s.Counters[backend.CounterRejections] == 0 || err != nil {
		t.Errorf("Stats = %+v, %v; want no entry and a rejection", s, err)
	}
}

// An entry whose value was replaced does not keep its first value in memory.
func TestRelease(t *testing.T) {
	ctx := context.Background()
	c, err := newCache("fake", 1000, func(Hooks[int, *int]) (Library[int, *int], error) { return neverApplies{}, nil })
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
	// A call for the key that is inside, through any lane, may be reading the first value.
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
			t.Error("the entry holds its first value after the call has left")
		}
		if err := backend.InvalidateKey(ctx, c, 1); err != nil {
			t.Fatal(err)
		}
	}
}

// neverApplies is a library that applies nothing of its buffer.
type neverApplies struct{ noLibrary[int, *int] }

func (neverApplies) Set(*Entry[int, *int]) bool { return true }

// The cells list each entry once, in at most half as many more cells than entries, although entries come and go.
func TestCells(t *testing.T) {
	const live, turns = 1000, 50_000
	rnd := rand.New(rand.NewPCG(1, 2))
	var s stripe[int, int]
	var entries []*Entry[int, int]
	for n := range turns {
		e := &Entry[int, int]{key: n}
		s.cells.add(e)
		if len(entries) < live {
			entries = append(entries, e)
			continue
		}
		i := rnd.IntN(live)
		entries[i].cell.Store(nil)
		entries[i] = e
	}
	listed := map[*Entry[int, int]]int{}
	for _, e := range s.list(nil) {
		listed[e]++
	}
	for _, e := range entries {
		if listed[e] != 1 {
			t.Fatalf("entry %d is listed %d times", e.key, listed[e])
		}
	}
	if len(listed) != live || s.cells.n > live*3/2 {
		t.Errorf("%d entries in %d cells, want %d in at most half as many more", len(listed), s.cells.n, live)
	}
}

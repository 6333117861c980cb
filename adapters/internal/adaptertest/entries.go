package adaptertest

import (
	"container/list"
	"errors"
	"maps"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

// Ints is the type of the backends that the tests of this file use.
type Ints = backend.Backend[int, int]

// Put puts a value that must be accepted.
func Put[K comparable, V any](t *testing.T, b backend.Backend[K, V], key K, value V, ttl *time.Duration) {
	t.Helper()
	if err := b.Put(t.Context(), key, value, ttl); err != nil {
		t.Errorf("Put = %v", err)
	}
}

// Stats returns the statistics of a backend that is not closed.
func Stats[K comparable, V any](t *testing.T, b backend.Backend[K, V]) backend.Stats {
	t.Helper()
	s, err := b.Stats(t.Context())
	if err != nil {
		t.Errorf("Stats = %v", err)
	}
	return s
}

// Allocs tests that Get and Put of a key that is present allocate at most so often. Puts with and without a TTL are
// told apart. A Get that misses must not allocate.
func Allocs(t *testing.T, open Open[int, int], get, put, putTTL float64) {
	t.Helper()
	b := openInts(t, open, 10)
	ctx, ttl := t.Context(), new(time.Hour)
	Put(t, b, 1, 1, nil)
	Put(t, b, 2, 2, ttl)
	for name, op := range map[string]struct {
		run  func()
		most float64
	}{
		"Get":          {func() { _, _, _ = b.Get(ctx, 1) }, get},
		"Get with TTL": {func() { _, _, _ = b.Get(ctx, 2) }, get},
		"miss":         {func() { _, _, _ = b.Get(ctx, 3) }, 0},
		"Put":          {func() { _ = b.Put(ctx, 1, 2, nil) }, put},
		"Put with TTL": {func() { _ = b.Put(ctx, 2, 3, ttl) }, putTTL},
	} {
		if n := testing.AllocsPerRun(1000, op.run); n > op.most {
			t.Errorf("%s allocates %v times, want at most %v", name, n, op.most)
		}
	}
}

// ExpiredMakeRoom tests that a backend with an exact bound evicts no live entry while it holds expired ones.
func ExpiredMakeRoom(t *testing.T, open Open[int, int]) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		const capacity = 100
		b := openInts(t, open, capacity)
		for i := range capacity { // every other entry expires
			ttl := new(time.Hour)
			if i%2 == 1 {
				ttl = new(time.Duration(i))
			}
			Put(t, b, i, i, ttl)
		}
		time.Sleep(capacity)
		for i := range capacity / 2 {
			Put(t, b, capacity+i, i, nil)
		}
		for i := range capacity + capacity/2 {
			want := i >= capacity || i%2 == 0
			if _, got, err := b.Get(t.Context(), i); got != want || err != nil {
				t.Errorf("Get(%d) = %v, %v; want %v", i, got, err, want)
			}
		}
		counters := Stats(t, b).Counters
		if n, counted := counters[backend.CounterEvictions]; counted && n != 0 {
			t.Errorf("%d evictions, want none", n)
		}
		if n, counted := counters[backend.CounterExpirations]; counted && n != capacity/2 {
			t.Errorf("%d expirations, want %d", n, capacity/2)
		}
		Put(t, b, -1, 0, nil)
		if n, counted := Stats(t, b).Counters[backend.CounterEvictions]; counted && n != 1 {
			t.Errorf("%d evictions after one entry too many, want 1", n)
		}
	})
}

// FreesDeadlines tests that a backend frees the deadline of an entry with the entry, whatever ends the entry.
func FreesDeadlines(t *testing.T, open Open[int, int]) {
	t.Helper()
	const capacity, rounds = 100, 100
	ctx, hour := t.Context(), new(time.Hour)
	for name, end := range map[string]func(b Ints, key int) error{
		"Put without a TTL":  func(b Ints, key int) error { return b.Put(ctx, key, 1, nil) },
		"Put with a TTL":     func(b Ints, key int) error { return b.Put(ctx, key, 1, hour) },
		"Put with TTL never": func(b Ints, key int) error { return b.Put(ctx, key, 1, new(time.Duration(math.MaxInt64))) },
		"Put with TTL 0":     func(b Ints, key int) error { return b.Put(ctx, key, 1, new(time.Duration)) },
		"Invalidate":         func(b Ints, key int) error { return b.Invalidate(ctx, &key) },
		"Invalidate all": func(b Ints, key int) error {
			if key < capacity-1 {
				return nil
			}
			return b.Invalidate(ctx, nil)
		},
		"eviction":   nil,
		"expiration": nil,
	} {
		room, ttl := capacity, hour
		if name == "expiration" {
			room, ttl = 1<<17, new(time.Duration(1))
		}
		b := openInts(t, open, room)
		if name == "eviction" && backend.TraitsOf(b).Bound == backend.BoundNone {
			continue
		}
		next := 0 // a key that was never put
		churn := func() {
			for i := range capacity * rounds {
				key := i % capacity
				if end == nil {
					Put(t, b, next, 1, ttl)
					next++
					continue
				}
				Put(t, b, key, 1, hour)
				Put(t, b, key, 2, hour)
				if err := end(b, key); err != nil {
					t.Errorf("%s = %v", name, err)
				}
			}
		}
		churn() // so that buffers have their size
		before := heapAlloc(t, b)
		churn()
		grown := heapAlloc(t, b) - before
		for tries := 0; grown > capacity*rounds*16 && tries < 20; tries++ {
			time.Sleep(10 * time.Millisecond) // a goroutine of the library can hold a cache that was replaced
			grown = heapAlloc(t, b) - before
		}
		if grown > capacity*rounds*16 {
			t.Errorf("%s: the heap has grown by %d bytes in %d rounds of %d entries", name, grown, rounds, capacity)
		}
	}
}

// AllIsCurrent tests that All yields no entry that was removed or has expired before its turn, and that it ends after
// Close.
func AllIsCurrent(t *testing.T, open Open[int, int]) {
	t.Helper()
	const entries, first = 10, 3
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		for name, end := range map[string]func(Ints) error{
			"Invalidate all": func(b Ints) error { return b.Invalidate(ctx, nil) },
			"Close":          backend.Close[int, int],
			"Invalidate each": func(b Ints) (err error) {
				for key := range entries {
					err = errors.Join(err, b.Invalidate(ctx, &key))
				}
				return err
			},
			"expiration": func(Ints) error { time.Sleep(time.Hour); return nil },
		} {
			b := openInts(t, open, 100)
			for key := range entries {
				Put(t, b, key, key, new(time.Minute))
			}
			got := 0
			for range b.(backend.Ranger[int, int]).All() {
				if got++; got == first {
					if err := end(b); err != nil {
						t.Fatalf("%s = %v", name, err)
					}
				}
			}
			if got != first {
				t.Errorf("%s: All yields %d entries, want the %d before it", name, got, first)
			}
			_ = backend.Close(b)
		}
	})
}

// LRU tests that each Get of a random workload, which puts the keys that miss, hits exactly if it hits in a textbook
// LRU. Get, GetEntry and Put make an entry the most recently used one. Stats and All do not.
func LRU(t *testing.T, open Open[int, int]) {
	t.Helper()
	for _, capacity := range []int{1, 2, 10, 300} {
		b := openInts(t, open, capacity)
		recent, where := list.New(), map[int]*list.Element{}
		var hits, evictions uint64
		r := rand.New(rand.NewPCG(1, uint64(capacity)))
		for i := range 20_000 {
			key := int(r.ExpFloat64() * 200)
			_, got, err := b.Get(t.Context(), key)
			el, want := where[key]
			if got != want || err != nil {
				t.Fatalf("capacity %d, access %d: Get(%d) = %v, %v; want %v", capacity, i, key, got, err, want)
			}
			if want {
				hits++
				recent.MoveToFront(el)
				continue
			}
			Put(t, b, key, i, nil)
			if recent.Len() == capacity {
				delete(where, recent.Remove(recent.Back()).(int))
				evictions++
			}
			where[key] = recent.PushFront(key)
		}
		s := Stats(t, b)
		if n, counted := s.Counters[backend.CounterEvictions]; counted && n != evictions {
			t.Errorf("capacity %d: %d evictions, want %d", capacity, n, evictions)
		}
		if n := s.Counters[backend.CounterHits]; n != hits || s.Size != int64(recent.Len()) {
			t.Errorf("capacity %d: %d hits and size %d, want %d and %d", capacity, n, s.Size, hits, recent.Len())
		}
	}
	ctx := t.Context()
	for name, use := range map[string]func(b Ints) (used bool){
		"Get":      func(b Ints) bool { _, _, _ = b.Get(ctx, 0); return true },
		"GetEntry": func(b Ints) bool { _, _, _ = backend.GetEntry(ctx, b, 0); return true },
		"Put":      func(b Ints) bool { Put(t, b, 0, 0, nil); return true },
		"Stats":    func(b Ints) bool { Stats(t, b); return false },
		"All":      func(b Ints) bool { _ = maps.Collect(b.(backend.Ranger[int, int]).All()); return false },
	} {
		b := openInts(t, open, 2)
		Put(t, b, 0, 0, nil)
		Put(t, b, 1, 1, nil)
		want := use(b)
		Put(t, b, 2, 2, nil)
		if _, got, _ := b.Get(ctx, 0); got != want {
			t.Errorf("after %s the oldest entry stays = %v, want %v", name, got, want)
		}
	}
}

func openInts(t *testing.T, open Open[int, int], capacity int) Ints {
	t.Helper()
	b, err := open(conformance.Options{Capacity: capacity})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = backend.Close(b) })
	return b
}

// heapAlloc returns the bytes in use once earlier writes of b have settled.
func heapAlloc(t *testing.T, b Ints) int64 {
	t.Helper()
	if err := backend.Sync(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	runtime.KeepAlive(b)
	return int64(m.HeapAlloc)
}

// A Block is a value whose memory the garbage collector frees as soon as nothing refers to it.
type Block = *[1 << 16]byte

// FreesValues tests that a backend refers to no value that was overwritten or removed, whichever call did so.
func FreesValues(t *testing.T, open Open[int, Block]) {
	t.Helper()
	ctx := t.Context()
	type backendOf = backend.Backend[int, Block]
	for name, end := range map[string]func(b backendOf) error{
		"Put":            func(b backendOf) error { return b.Put(ctx, 1, nil, nil) },
		"Put with TTL":   func(b backendOf) error { return b.Put(ctx, 1, nil, new(time.Hour)) },
		"Invalidate":     func(b backendOf) error { return b.Invalidate(ctx, new(1)) },
		"Invalidate all": func(b backendOf) error { return b.Invalidate(ctx, nil) },
		"Close":          backend.Close[int, Block],
	} {
		for puts := range 3 {
			b, err := open(conformance.Options{})
			if err != nil {
				t.Fatal(err)
			}
			var values []weak.Pointer[[1 << 16]byte]
			for range puts + 1 {
				v := new([1 << 16]byte)
				values = append(values, weak.Make(v))
				Put(t, b, 1, v, nil)
			}
			if err := end(b); err != nil {
				t.Fatalf("%s = %v", name, err)
			}
			for key := range 1000 { // a library may keep a value in a buffer until later calls
				_ = b.Put(ctx, 2+key, nil, nil) // fails after Close
			}
			_ = backend.Sync(ctx, b)
			for i, v := range values {
				for tries := 0; v.Value() != nil; tries++ {
					if tries == 100 {
						t.Errorf("%s after %d puts: value %d is still in memory", name, puts+1, i)
						break
					}
					runtime.GC() // the library's goroutines may end shortly after Close
					runtime.Gosched()
				}
			}
			runtime.KeepAlive(b)
			_ = backend.Close(b)
		}
	}
}

package ttlcache

import (
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jellydator/ttlcache/v3"

	"github.com/cachepact/cachepact/backend"
)

func TestNewRejectsCapacity(t *testing.T) {
	b, err := New[string, int](-1)
	if b != nil || err == nil || !strings.HasPrefix(err.Error(), "ttlcache: new: ") {
		t.Errorf("New(-1) = %v, %v; want an error of ttlcache", b, err)
	}
}

func TestTraits(t *testing.T) {
	for capacity, want := range map[int]backend.Bound{0: backend.BoundNone, 1: backend.BoundExact} {
		if got := newBackend(t, capacity).Traits().Bound; got != want {
			t.Errorf("capacity %d: Bound = %v, want %v", capacity, got, want)
		}
	}
}

// TestExpiredMakesRoom fills a cache in which every other entry expires. As many
// new entries fit without the loss of a live one, and the library holds no
// expired ones.
func TestExpiredMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const capacity = 100
		b := newBackend(t, capacity)
		for i := range capacity {
			ttl := new(time.Hour)
			if i%2 == 1 {
				ttl = new(time.Minute)
			}
			put(t, b, i, i, ttl)
		}
		time.Sleep(time.Minute + 1)
		for i := range capacity / 2 {
			put(t, b, capacity+i, i, nil)
		}
		for i := range capacity + capacity/2 {
			want := i >= capacity || i%2 == 0
			if _, got, err := b.Get(t.Context(), i); got != want || err != nil {
				t.Errorf("Get(%d) = %v, %v; want %v", i, got, err, want)
			}
		}
	})
}

// TestStatsReclaims checks that Stats gets rid of what has expired.
func TestStatsReclaims(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t, 0)
		for i := range 1000 {
			put(t, b, i, i, new(time.Minute))
		}
		time.Sleep(time.Minute + 1)
		stats(t, b)
		removed := b.cache.Load().Metrics().Evictions
		if want := uint64(1000); removed != want {
			t.Errorf("the library has removed %d entries, want %d", removed, want)
		}
	})
}

// TestCountersSurviveInvalidate checks that no counter falls.
func TestCountersSurviveInvalidate(t *testing.T) {
	b := newBackend(t, 10)
	for range 3 {
		put(t, b, 1, 1, nil)
		b.Get(t.Context(), 1)
		b.Get(t.Context(), 2)
		b.Get(t.Context(), 3)
		if err := b.Invalidate(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	c := stats(t, b).Counters
	if c[backend.CounterHits] != 3 || c[backend.CounterMisses] != 6 {
		t.Errorf("counters = %v, want 3 hits and 6 misses", c)
	}
}

// TestEntryIsOfOnePut reads entries while they are replaced by others of another
// lifetime. A value never comes with the deadline of the other.
func TestEntryIsOfOnePut(t *testing.T) {
	b := newBackend(t, 10)
	ttl := new(time.Hour)
	put(t, b, 1, 0, nil)
	var wg sync.WaitGroup
	wg.Go(func() {
		for range 20_000 {
			put(t, b, 1, 1, ttl)
			put(t, b, 1, 0, nil)
		}
	})
	for range 20_000 {
		e, hit, err := b.GetEntry(t.Context(), 1)
		if !hit || err != nil || (e.Value == 0) != e.Deadline.IsZero() {
			t.Errorf("GetEntry = %+v, %v, %v; want value 0 without deadline or 1 with one", e, hit, err)
			break
		}
	}
	wg.Wait()
}

// TestAllEndsWithItsEntries lists entries that are all removed meanwhile.
func TestAllEndsWithItsEntries(t *testing.T) {
	for name, remove := range map[string]func(*Backend[int, int]) error{
		"invalidate": func(b *Backend[int, int]) error { return b.Invalidate(t.Context(), nil) },
		"close":      (*Backend[int, int]).Close,
		"one by one": func(b *Backend[int, int]) error {
			for i := range 10 {
				b.Invalidate(t.Context(), &i)
			}
			return nil
		},
	} {
		b := newBackend(t, 10)
		for i := range 10 {
			put(t, b, i, i, nil)
		}
		got := 0
		for range b.All() {
			if got++; got == 3 {
				if err := remove(b); err != nil {
					t.Fatal(err)
				}
			}
		}
		if got != 3 {
			t.Errorf("%s: All yields %d entries, want the 3 before the removal", name, got)
		}
	}
}

// TestAllLeavesOutExpired lets entries expire under way. None is yielded then, also
// if its key has been put again.
func TestAllLeavesOutExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t, 0)
		for i := range 10 {
			put(t, b, i, -1, new(time.Minute))
		}
		first := true
		for key, value := range b.All() {
			if !first && value == -1 {
				t.Errorf("All yields key %d after its deadline", key)
			}
			if first {
				time.Sleep(time.Hour)
				for i := range 10 {
					put(t, b, i, i, nil)
				}
			}
			first = false
		}
	})
}

// TestNoGoroutine checks that a cache that nobody closes leaves nothing behind.
func TestNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 10 {
		b := newBackend(t, 10)
		put(t, b, 1, 1, new(time.Hour))
	}
	if got := runtime.NumGoroutine(); got != before {
		t.Errorf("%d goroutines, want %d", got, before)
	}
}

func TestNoAllocation(t *testing.T) {
	b := newBackend(t, 10)
	put(t, b, 1, 1, nil)
	put(t, b, 2, 2, new(time.Hour))
	ttl := new(time.Hour)
	for name, f := range map[string]func(){
		"Get":           func() { b.Get(t.Context(), 1) },
		"Get with TTL":  func() { b.Get(t.Context(), 2) },
		"miss":          func() { b.Get(t.Context(), 3) },
		"overwrite":     func() { b.Put(t.Context(), 1, 2, nil) },
		"overwrite TTL": func() { b.Put(t.Context(), 2, 3, ttl) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s allocates %v times, want 0", name, n)
		}
	}
}

// TestLibraryConstants puts with the TTLs that have a meaning of their own in the
// library. Each is already over.
func TestLibraryConstants(t *testing.T) {
	for _, ttl := range []time.Duration{ttlcache.DefaultTTL, ttlcache.NoTTL, ttlcache.PreviousOrDefaultTTL} {
		b := newBackend(t, 10)
		put(t, b, 1, 1, new(time.Hour))
		put(t, b, 1, 2, &ttl)
		if got, hit, err := b.Get(t.Context(), 1); hit || err != nil {
			t.Errorf("after a Put with TTL %d: Get = %v, %v, %v; want a miss", ttl, got, hit, err)
		}
	}
}

func newBackend(t *testing.T, capacity int) *Backend[int, int] {
	t.Helper()
	b, err := New[int, int](capacity)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func put(t *testing.T, b *Backend[int, int], key, value int, ttl *time.Duration) {
	t.Helper()
	if err := b.Put(t.Context(), key, value, ttl); err != nil {
		t.Errorf("Put(%d) = %v", key, err)
	}
}

func stats(t *testing.T, b *Backend[int, int]) backend.Stats {
	t.Helper()
	s, err := b.Stats(t.Context())
	if err != nil {
		t.Fatalf("Stats = %v", err)
	}
	return s
}

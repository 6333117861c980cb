package theine

import (
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/cachepact/cachepact/backend"
)

func TestNewRefusesCapacity(t *testing.T) {
	for _, capacity := range []int{0, -1} {
		b, err := New[string, int](capacity)
		if b != nil || err == nil || !strings.HasPrefix(err.Error(), "theine: new: ") {
			t.Errorf("New(%d) = %v, %v; want an error of theine", capacity, b, err)
		}
	}
}

// TestStrandsNobody closes and empties the cache under writers that fill the
// library's channel, whose reader the library then ends. It hangs if one is left
// waiting.
func TestStrandsNobody(t *testing.T) {
	for i := range 40 {
		b := newBackend(t, 100)
		var stop atomic.Bool
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				for i := 0; !stop.Load(); i++ {
					if b.Put(t.Context(), g*1000+i%1000, i, nil) != nil {
						return
					}
					b.Sync(t.Context())
					b.Invalidate(t.Context(), &i)
				}
			})
		}
		for range 10 {
			if err := b.Invalidate(t.Context(), nil); err != nil {
				t.Error(err)
			}
		}
		if i%2 == 0 {
			b.Close()
		}
		stop.Store(true)
		wg.Wait()
	}
}

// TestTakenTimer writes to a key while its timer, the only one, has been taken to
// remove the expired entry, and is not forgotten yet. Whoever took it must find that
// it is no longer the key's.
func TestTakenTimer(t *testing.T) {
	ctx := t.Context()
	for name, write := range map[string]func(b *Backend[int, int]) error{
		"Put":        func(b *Backend[int, int]) error { return b.Put(ctx, 1, 2, nil) },
		"Invalidate": func(b *Backend[int, int]) error { return b.Invalidate(ctx, new(1)) },
	} {
		b := newBackend(t, 100)
		if err := b.Put(ctx, 1, 1, new(time.Duration(1))); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
		s := b.store.Load()
		taken := s.timers.pop(b.clock.Now())
		if err := write(b); err != nil {
			t.Fatal(err)
		}
		if s.timers.removeThis(taken) {
			t.Errorf("%s has left the timer of the expired entry", name)
		}
	}
}

// TestCountersSurviveInvalidate checks that no counter falls, and that a Get of
// an expired entry is a miss.
func TestCountersSurviveInvalidate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, err := New[int, int](10)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		for range 3 {
			put(t, b, 1, nil)
			put(t, b, 2, new(time.Second))
			time.Sleep(time.Second)
			b.Get(t.Context(), 1)
			b.Get(t.Context(), 2)
			b.Get(t.Context(), 3)
			if err := b.Invalidate(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
		}
		s, err := b.Stats(t.Context())
		if c := s.Counters; c[backend.CounterHits] != 3 || c[backend.CounterMisses] != 6 || err != nil {
			t.Errorf("counters = %v, %v; want 3 hits and 6 misses", c, err)
		}
	})
}

// TestPutReclaims checks that Put alone, without Stats, gets rid of expired
// entries, and faster than new ones come.
func TestPutReclaims(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, err := New[int, int](10_000)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		for i := range 1000 {
			put(t, b, i, new(time.Minute))
		}
		time.Sleep(time.Minute)
		for i := range 1000 / reclaimed {
			put(t, b, 1000+i%5, new(time.Hour))
		}
		if got := b.store.Load().cache.Len(); got != 5 {
			t.Errorf("the library holds %d entries, want 5", got)
		}
	})
}

// TestNoTimerOutlivesItsEntry removes and replaces an entry with a TTL in every
// way. Nothing of it may remain.
func TestNoTimerOutlivesItsEntry(t *testing.T) {
	for name, replace := range map[string]func(b *Backend[int, int]) error{
		"put without TTL": func(b *Backend[int, int]) error { return b.Put(t.Context(), 1, 1, nil) },
		"put largest TTL": func(b *Backend[int, int]) error { return b.Put(t.Context(), 1, 1, new(time.Duration(1<<63-1))) },
		"put TTL zero":    func(b *Backend[int, int]) error { return b.Put(t.Context(), 1, 1, new(time.Duration)) },
		"invalidate":      func(b *Backend[int, int]) error { return b.Invalidate(t.Context(), new(1)) },
		"invalidate all":  func(b *Backend[int, int]) error { return b.Invalidate(t.Context(), nil) },
	} {
		b := newBackend(t, 10)
		for range 3 {
			put(t, b, 1, new(time.Hour))
		}
		if got := b.store.Load().timers; got.queue.Len() != 1 || len(got.byKey) != 1 {
			t.Errorf("%d timers of %d keys for one entry, want 1", got.queue.Len(), len(got.byKey))
		}
		if err := replace(b); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := b.store.Load().timers; got.queue.Len() != 0 || len(got.byKey) != 0 {
			t.Errorf("%s: %d timers of %d keys left, want none", name, got.queue.Len(), len(got.byKey))
		}
	}
}

// TestEvictionForgetsTimers puts far more entries with a TTL than there is room
// for. Their timers go with them.
func TestEvictionForgetsTimers(t *testing.T) {
	b := newBackend(t, 100)
	ttl := new(time.Hour)
	for i := range 10_000 {
		put(t, b, i, ttl)
	}
	if err := b.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	s, err := b.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	timers := b.store.Load().timers
	timers.mu.Lock()
	defer timers.mu.Unlock()
	if got := timers.queue.Len(); int64(got) != s.Size || len(timers.byKey) != got || s.Size > 100 {
		t.Errorf("%d timers of %d keys for %d entries with room for 100", got, len(timers.byKey), s.Size)
	}
	if got := s.Counters[backend.CounterEvictions]; got != uint64(10_000-s.Size) {
		t.Errorf("%d evictions, want %d", got, 10_000-s.Size)
	}
}

// TestMemoryIsFreed checks that nothing holds the values once the cache has been
// emptied or closed, though the backend itself stays.
func TestMemoryIsFreed(t *testing.T) {
	for name, end := range map[string]func(b *Backend[int, *[1 << 16]byte]) error{
		"invalidate all": func(b *Backend[int, *[1 << 16]byte]) error { return b.Invalidate(t.Context(), nil) },
		"close":          (*Backend[int, *[1 << 16]byte]).Close,
	} {
		b, err := New[int, *[1 << 16]byte](10)
		if err != nil {
			t.Fatal(err)
		}
		value := new([1 << 16]byte)
		held := weak.Make(value)
		if err := b.Put(t.Context(), 1, value, nil); err != nil {
			t.Fatal(err)
		}
		if err := end(b); err != nil {
			t.Fatal(err)
		}
		for range 1000 { // the library's goroutines need a moment to end
			if runtime.GC(); held.Value() == nil {
				break
			}
			runtime.Gosched()
		}
		if held.Value() != nil {
			t.Errorf("%s: the value is still in memory", name)
		}
		b.Close()
	}
}

func TestAllocations(t *testing.T) {
	b := newBackend(t, 10)
	put(t, b, 1, nil)
	put(t, b, 2, new(time.Hour))
	ttl := new(time.Hour)
	for name, tt := range map[string]struct {
		f    func()
		most float64
	}{
		"Get":           {func() { b.Get(t.Context(), 1) }, 1}, // the library's
		"Get with TTL":  {func() { b.Get(t.Context(), 2) }, 1},
		"miss":          {func() { b.Get(t.Context(), 3) }, 0},
		"overwrite":     {func() { b.Put(t.Context(), 1, 2, nil) }, 0},
		"overwrite TTL": {func() { b.Put(t.Context(), 2, 3, ttl) }, 1},
	} {
		if n := testing.AllocsPerRun(1000, tt.f); n > tt.most {
			t.Errorf("%s allocates %v times, want at most %v", name, n, tt.most)
		}
	}
}

func newBackend(t *testing.T, capacity int) *Backend[int, int] {
	t.Helper()
	b, err := New[int, int](capacity)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func put(t *testing.T, b *Backend[int, int], key int, ttl *time.Duration) {
	t.Helper()
	if err := b.Put(t.Context(), key, 1, ttl); err != nil {
		t.Errorf("Put(%d) = %v", key, err)
	}
}

package gocache

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	gocache "github.com/patrickmn/go-cache"

	"github.com/cachepact/cachepact/backend"
)

func TestNewRefusesKeyType(t *testing.T) {
	b, err := New[struct{ Owner *int }, string]()
	if b != nil || !errors.Is(err, backend.ErrKey) || !strings.Contains(err.Error(), ".Owner") {
		t.Errorf("New = %v, %v; want an error that wraps ErrKey and names the field", b, err)
	}
}

// TestPutReclaims checks that Put alone, without Stats, gets rid of expired
// entries, and faster than new ones come.
func TestPutReclaims(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend[int](t)
		for i := range 1000 {
			put(t, b, i, new(time.Minute))
		}
		put(t, b, -1, nil)
		time.Sleep(time.Minute)
		if reclaim < 2 {
			t.Error("expired entries do not become fewer")
		}
		for i := range 1000 / reclaim {
			put(t, b, 1000+i%5, new(time.Hour))
		}
		if got, want := b.cache.ItemCount(), 6; got != want {
			t.Errorf("the library holds %d entries, want %d", got, want)
		}
		s, err := b.Stats(t.Context())
		if got := s.Counters[backend.CounterExpirations]; got != 1000 || s.Size != 6 || err != nil {
			t.Errorf("Stats = %+v, %v; want 1000 expirations and size 6", s, err)
		}
	})
}

// TestNoTimerOutlivesItsEntry removes and replaces entries with a TTL in every
// way. Nothing of it may remain.
func TestNoTimerOutlivesItsEntry(t *testing.T) {
	for name, replace := range map[string]func(b *Backend[int, int]) error{
		"put without TTL": func(b *Backend[int, int]) error { return b.Put(t.Context(), 1, 1, nil) },
		"put largest TTL": func(b *Backend[int, int]) error { return b.Put(t.Context(), 1, 1, new(time.Duration(1<<63-1))) },
		"put TTL zero":    func(b *Backend[int, int]) error { return b.Put(t.Context(), 1, 1, new(time.Duration)) },
		"invalidate":      func(b *Backend[int, int]) error { return b.Invalidate(t.Context(), new(1)) },
		"invalidate all":  func(b *Backend[int, int]) error { return b.Invalidate(t.Context(), nil) },
		"close":           func(b *Backend[int, int]) error { return b.Close() },
		"close after all": func(b *Backend[int, int]) error { b.Invalidate(t.Context(), nil); return b.Close() },
		"put, then remove": func(b *Backend[int, int]) error {
			put(t, b, 1, new(time.Hour))
			return b.Invalidate(t.Context(), new(1))
		},
	} {
		b := newBackend[int](t)
		put(t, b, 1, new(time.Minute))
		if err := replace(b); err != nil || b.queue.Len() != 0 {
			t.Errorf("%s: %v; %d timers left, want none", name, err, b.queue.Len())
		}
	}
}

// TestOverwriteKeepsOneTimer puts a key again and again.
func TestOverwriteKeepsOneTimer(t *testing.T) {
	b := newBackend[int](t)
	for i := range 1000 {
		put(t, b, 1, new(time.Hour+time.Duration(i%7)))
	}
	if got := b.queue.Len(); got != 1 {
		t.Errorf("%d timers for one key, want 1", got)
	}
}

// TestLateUnlockedPut lets a Put that found that it needed no lock come through
// after one with a TTL. The timer of the other must not remove its entry.
func TestLateUnlockedPut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend[string](t)
		put(t, b, "k", new(time.Minute))
		b.cache.Set("k", plain[int]{7}, gocache.NoExpiration)
		time.Sleep(time.Hour)
		if s, err := b.Stats(t.Context()); s.Size != 1 || s.Counters[backend.CounterExpirations] != 0 || err != nil {
			t.Errorf("Stats = %+v, %v; want size 1 and no expiration", s, err)
		}
		if got, hit, err := b.Get(t.Context(), "k"); got != 7 || !hit || err != nil {
			t.Errorf("Get = %v, %v, %v; want 7", got, hit, err)
		}
	})
}

func TestGetAllocatesNothing(t *testing.T) {
	noAllocation(t, strings.Repeat("k", 200))
	noAllocation[uint64](t, 1<<40)
	noAllocation(t, struct {
		a string
		b int
	}{"some", 1})
	noAllocation[any](t, "some")
}

func noAllocation[K comparable](t *testing.T, key K) {
	t.Helper()
	for name, ttl := range map[string]*time.Duration{"no TTL": nil, "a TTL": new(time.Hour)} {
		b := newBackend[K](t)
		put(t, b, key, ttl)
		if n := testing.AllocsPerRun(100, func() {
			if _, hit, err := b.Get(t.Context(), key); !hit || err != nil {
				t.Errorf("Get = %v, %v; want a hit", hit, err)
			}
		}); n != 0 {
			t.Errorf("Get of a %T with %s allocates %v times, want 0", key, name, n)
		}
	}
}

func newBackend[K comparable](t *testing.T) *Backend[K, int] {
	t.Helper()
	b, err := New[K, int]()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func put[K comparable](t *testing.T, b *Backend[K, int], key K, ttl *time.Duration) {
	t.Helper()
	if err := b.Put(t.Context(), key, 1, ttl); err != nil {
		t.Fatalf("Put = %v", err)
	}
}

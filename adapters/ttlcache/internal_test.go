package ttlcache

import (
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jellydator/ttlcache/v3"

	"github.com/cachepact/cachepact/adapters/internal/adaptertest"
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

func TestStatsRemovesExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t, 0)
		for i := range 1000 {
			adaptertest.Put(t, b, i, i, new(time.Minute))
		}
		time.Sleep(time.Minute + 1)
		adaptertest.Stats(t, b)
		if removed := b.cache.Load().Metrics().Evictions; removed != 1000 {
			t.Errorf("the library has removed %d entries, want 1000", removed)
		}
	})
}

// TestGetEntryReadsOneVersion overwrites an entry that has a TTL with one that has none, and the reverse. GetEntry must
// not return the value of one with the deadline of the other.
func TestGetEntryReadsOneVersion(t *testing.T) {
	b := newBackend(t, 10)
	ttl := new(time.Hour)
	adaptertest.Put(t, b, 1, 0, nil)
	var wg sync.WaitGroup
	wg.Go(func() {
		for range 20_000 {
			adaptertest.Put(t, b, 1, 1, ttl)
			adaptertest.Put(t, b, 1, 0, nil)
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

// TestNoGoroutine checks that a cache that is not closed leaves no goroutine.
func TestNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 10 {
		adaptertest.Put(t, newBackend(t, 10), 1, 1, new(time.Hour))
	}
	if got := runtime.NumGoroutine(); got != before {
		t.Errorf("%d goroutines, want %d", got, before)
	}
}

// TestLibraryConstants puts with the negative TTLs that have a meaning of their own in the library. Each removes the
// entry.
func TestLibraryConstants(t *testing.T) {
	for _, ttl := range []time.Duration{ttlcache.DefaultTTL, ttlcache.NoTTL, ttlcache.PreviousOrDefaultTTL} {
		b := newBackend(t, 10)
		adaptertest.Put(t, b, 1, 1, new(time.Hour))
		adaptertest.Put(t, b, 1, 2, &ttl)
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

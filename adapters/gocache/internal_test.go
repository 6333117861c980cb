package gocache

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	gocache "github.com/patrickmn/go-cache"

	"github.com/cachepact/cachepact/adapters/internal/adaptertest"
	"github.com/cachepact/cachepact/backend"
)

func TestNewRejectsKeyType(t *testing.T) {
	b, err := New[struct{ Owner *int }, string]()
	if b != nil || !errors.Is(err, backend.ErrKey) || !strings.Contains(err.Error(), ".Owner") {
		t.Errorf("New = %v, %v; want an error that wraps ErrKey and names the field", b, err)
	}
}

// TestLateUnlockedPut lets a Put without the lock finish after a Put with a TTL. The deadline of the other entry must
// not remove its entry.
func TestLateUnlockedPut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend[string](t)
		adaptertest.Put(t, b, "k", 1, new(time.Minute))
		b.cache.Set("k", plain[int]{7}, gocache.NoExpiration)
		time.Sleep(time.Hour)
		if s := adaptertest.Stats(t, b); s.Size != 1 || s.Counters[backend.CounterExpirations] != 0 {
			t.Errorf("Stats = %+v, want size 1 and no expiration", s)
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
		adaptertest.Put(t, b, key, 1, ttl)
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

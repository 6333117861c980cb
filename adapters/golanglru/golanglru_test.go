package golanglru_test

import (
	"cmp"
	"container/list"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cachepact/cachepact/adapters/golanglru"
	"github.com/cachepact/cachepact/adapters/internal/adaptertest"
	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

func open[K comparable, V any](o conformance.Options) (backend.Backend[K, V], error) {
	return golanglru.New[K, V](cmp.Or(o.Capacity, 1<<20))
}

func TestConformance(t *testing.T)     { adaptertest.Run(t, open, open, open, open) }
func TestExpiredMakeRoom(t *testing.T) { adaptertest.ExpiredMakeRoom(t, open) }
func TestFreesDeadlines(t *testing.T)  { adaptertest.FreesDeadlines(t, open) }
func TestFreesValues(t *testing.T)     { adaptertest.FreesValues(t, open) }
func TestAllocs(t *testing.T)          { adaptertest.Allocs(t, newBackend(t, 10), 0, 0, 0) }

func Example() {
	ctx := context.Background()
	b, err := golanglru.New[string, int](2) // entries
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()

	_ = b.Put(ctx, "one", 1, nil) // never expires
	_ = b.Put(ctx, "two", 2, new(5*time.Minute))
	_, _, _ = b.Get(ctx, "one")
	_ = b.Put(ctx, "three", 3, nil) // evicts "two", the least recently used
	for _, key := range []string{"one", "two", "three"} {
		fmt.Println(b.Get(ctx, key))
	}
	// Output:
	// 1 true <nil>
	// 0 false <nil>
	// 3 true <nil>
}

func TestNewRejectsCapacity(t *testing.T) {
	for _, capacity := range []int{0, -1} {
		b, err := golanglru.New[string, int](capacity)
		if b != nil || err == nil || !strings.HasPrefix(err.Error(), "golanglru: new: ") {
			t.Errorf("New(%d) = %v, %v; want an error of golanglru", capacity, b, err)
		}
	}
}

// TestExactLRU compares each Get of a random workload, which puts the keys that miss, with a textbook LRU.
func TestExactLRU(t *testing.T) {
	for _, capacity := range []int{1, 2, 10, 300} {
		b := newBackend(t, capacity)
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
			adaptertest.Put(t, b, key, i, nil)
			if recent.Len() == capacity {
				delete(where, recent.Remove(recent.Back()).(int))
				evictions++
			}
			where[key] = recent.PushFront(key)
		}
		s := adaptertest.Stats(t, b)
		if s.Size != int64(recent.Len()) || s.Counters[backend.CounterHits] != hits ||
			s.Counters[backend.CounterEvictions] != evictions || s.Counters[backend.CounterExpirations] != 0 {
			t.Errorf("capacity %d: Stats = %+v; want size %d, hits %d, evictions %d", capacity, s, recent.Len(), hits, evictions)
		}
	}
}

// TestRecency checks which calls make an entry the most recently used one.
func TestRecency(t *testing.T) {
	ctx := t.Context()
	for name, use := range map[string]func(b adaptertest.Ints) (used bool){
		"Get":      func(b adaptertest.Ints) bool { _, _, _ = b.Get(ctx, 0); return true },
		"GetEntry": func(b adaptertest.Ints) bool { _, _, _ = backend.GetEntry(ctx, b, 0); return true },
		"Put":      func(b adaptertest.Ints) bool { _ = b.Put(ctx, 0, 0, nil); return true },
		"Stats":    func(b adaptertest.Ints) bool { _, _ = b.Stats(ctx); return false },
		"All": func(b adaptertest.Ints) bool {
			for range b.(backend.Ranger[int, int]).All() {
				continue
			}
			return false
		},
	} {
		b := newBackend(t, 2)
		adaptertest.Put(t, b, 0, 0, nil)
		adaptertest.Put(t, b, 1, 1, nil)
		want := use(b)
		adaptertest.Put(t, b, 2, 2, nil)
		if _, got, _ := b.Get(ctx, 0); got != want {
			t.Errorf("after %s the oldest entry stays = %v, want %v", name, got, want)
		}
	}
}

func newBackend(t *testing.T, capacity int) adaptertest.Ints {
	t.Helper()
	b, err := golanglru.New[int, int](capacity)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

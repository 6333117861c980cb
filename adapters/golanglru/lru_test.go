package golanglru_test

import (
	"container/list"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cachepact/cachepact/adapters/golanglru"
	"github.com/cachepact/cachepact/backend"
)

func TestNewRefusesCapacity(t *testing.T) {
	for _, capacity := range []int{0, -1} {
		b, err := golanglru.New[string, int](capacity)
		if b != nil || err == nil || !strings.HasPrefix(err.Error(), "golanglru: new: ") {
			t.Errorf("New(%d) = %v, %v; want an error of golanglru", capacity, b, err)
		}
	}
}

// TestExactLRU compares each Get of a cache-aside replay with a textbook LRU.
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
			put(t, b, key, i, nil)
			if recent.Len() == capacity {
				delete(where, recent.Remove(recent.Back()).(int))
				evictions++
			}
			where[key] = recent.PushFront(key)
		}
		s := stats(t, b)
		if s.Size != int64(recent.Len()) || s.Counters[backend.CounterHits] != hits || s.Counters[backend.CounterEvictions] != evictions {
			t.Errorf("capacity %d: Stats = %+v; want size %d, hits %d, evictions %d", capacity, s, recent.Len(), hits, evictions)
		}
	}
}

// TestExpiredMakesRoom fills a cache in which every other entry expires. As many
// new entries fit without the loss of a live one.
func TestExpiredMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const capacity = 100
		b := newBackend(t, capacity)
		for i := range capacity {
			ttl := new(time.Hour)
			if i%2 == 1 {
				ttl = new(time.Duration(i))
			}
			put(t, b, i, i, ttl)
		}
		time.Sleep(capacity)
		for i := range capacity / 2 {
			put(t, b, capacity+i, i, nil)
		}
		for i := range capacity + capacity/2 {
			want := i >= capacity || i%2 == 0
			if _, got, err := b.Get(t.Context(), i); got != want || err != nil {
				t.Errorf("Get(%d) = %v, %v; want %v", i, got, err, want)
			}
		}
		s := stats(t, b)
		if got := s.Counters[backend.CounterEvictions]; got != 0 {
			t.Errorf("%d evictions, want none", got)
		}
		if got := s.Counters[backend.CounterExpirations]; got != capacity/2 {
			t.Errorf("%d expirations, want %d", got, capacity/2)
		}
		put(t, b, -1, 0, nil)
		if got := stats(t, b).Counters[backend.CounterEvictions]; got != 1 {
			t.Errorf("%d evictions after one entry too many, want 1", got)
		}
	})
}

// TestNoTimerOutlivesItsEntry churns entries with a TTL through a small cache and
// checks that the memory for their deadlines does not grow.
func TestNoTimerOutlivesItsEntry(t *testing.T) {
	b := newBackend(t, 10)
	ttl := new(time.Hour)
	churn := func() {
		for i := range 10_000 {
			put(t, b, i, i, ttl)
		}
	}
	churn()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range 10 {
		churn()
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 1<<20 {
		t.Errorf("the heap has grown by %d bytes for 10 entries", grown)
	}
	runtime.KeepAlive(b)
}

// TestRecency checks what makes an entry recently used and what does not.
func TestRecency(t *testing.T) {
	ctx := t.Context()
	for name, use := range map[string]func(b *golanglru.Backend[int, int]) (used bool){
		"Get":      func(b *golanglru.Backend[int, int]) bool { b.Get(ctx, 0); return true },
		"GetEntry": func(b *golanglru.Backend[int, int]) bool { b.GetEntry(ctx, 0); return true },
		"Put":      func(b *golanglru.Backend[int, int]) bool { b.Put(ctx, 0, 0, nil); return true },
		"Stats":    func(b *golanglru.Backend[int, int]) bool { b.Stats(ctx); return false },
		"All": func(b *golanglru.Backend[int, int]) bool {
			for range b.All() {
				continue
			}
			return false
		},
	} {
		b := newBackend(t, 2)
		put(t, b, 0, 0, nil)
		put(t, b, 1, 1, nil)
		want := use(b)
		put(t, b, 2, 2, nil)
		if _, got, _ := b.Get(ctx, 0); got != want {
			t.Errorf("after %s the oldest entry stays = %v, want %v", name, got, want)
		}
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

func newBackend(t *testing.T, capacity int) *golanglru.Backend[int, int] {
	t.Helper()
	b, err := golanglru.New[int, int](capacity)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func put(t *testing.T, b *golanglru.Backend[int, int], key, value int, ttl *time.Duration) {
	t.Helper()
	if err := b.Put(t.Context(), key, value, ttl); err != nil {
		t.Fatalf("Put(%d) = %v", key, err)
	}
}

func stats(t *testing.T, b *golanglru.Backend[int, int]) backend.Stats {
	t.Helper()
	s, err := b.Stats(t.Context())
	if err != nil {
		t.Fatalf("Stats = %v", err)
	}
	return s
}

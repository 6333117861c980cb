package theine

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cachepact/cachepact/adapters/internal/adaptertest"
	"github.com/cachepact/cachepact/backend"
)

func TestNewRejectsCapacity(t *testing.T) {
	for _, capacity := range []int{0, -1} {
		b, err := New[string, int](capacity)
		if b != nil || err == nil || !strings.HasPrefix(err.Error(), "theine: new: ") {
			t.Errorf("New(%d) = %v, %v; want an error of theine", capacity, b, err)
		}
	}
}

// TestNoWriterBlocks closes and empties the cache while writers fill the library's channel. The library then ends the
// reader of the channel. The test hangs if a writer remains blocked.
func TestNoWriterBlocks(t *testing.T) {
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

// TestPoppedTimer writes to a key after pop has returned the timer of its expired entry and before removeThis. Then
// removeThis must report that the timer is no longer the key's.
func TestPoppedTimer(t *testing.T) {
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
		popped := s.timers.pop(b.clock.Now())
		if err := write(b); err != nil {
			t.Fatal(err)
		}
		if s.timers.removeThis(popped) {
			t.Errorf("%s has left the timer of the expired entry", name)
		}
	}
}

// TestEvictionRemovesTimers puts far more entries with a TTL than the capacity. Evicted entries must have no timer.
func TestEvictionRemovesTimers(t *testing.T) {
	b := newBackend(t, 100)
	ttl := new(time.Hour)
	for i := range 10_000 {
		adaptertest.Put(t, b, i, 1, ttl)
	}
	if err := b.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := adaptertest.Stats(t, b)
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

func newBackend(t *testing.T, capacity int) *Backend[int, int] {
	t.Helper()
	b, err := New[int, int](capacity)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

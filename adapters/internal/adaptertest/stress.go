package adaptertest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// A history is what must hold of the values of one key. Its one writer puts 1, 2,
// 3 and so on.
type history struct {
	done  atomic.Int64 // the last value whose Put has returned
	begun atomic.Int64 // the last whose Put has started
	floor atomic.Int64 // no Get that starts now may return less
}

func (h *history) raise(floor int64) {
	for {
		if f := h.floor.Load(); f >= floor || h.floor.CompareAndSwap(f, floor) {
			return
		}
	}
}

// Stress tests, under load and while a backend is closed, that every Get returns a value
// that was neither replaced nor removed when it started, and that no Get has
// missed before.
//
// The backend that open returns must implement the optional interfaces.
func Stress(t *testing.T, open func(capacity int) (backend.Backend[int, int64], error)) {
	t.Helper()
	for _, procs := range []int{1, 2, 8} {
		for _, capacity := range []int{1, 40, 1000} {
			t.Run(fmt.Sprintf("procs-%d/capacity-%d", procs, capacity), func(t *testing.T) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
				stress(t, open, capacity)
			})
		}
	}
}

func stress(t *testing.T, open func(capacity int) (backend.Backend[int, int64], error), capacity int) {
	t.Helper()
	const keys, writers, readers, writes = 400, 4, 3, 500
	ctx := context.Background()
	b, err := open(capacity)
	if err != nil {
		t.Fatal(err)
	}
	all, err := backend.All(b)
	if err != nil {
		t.Fatal(err)
	}
	var histories [keys]history
	var reading, writing sync.WaitGroup
	stop := make(chan struct{})
	running := func() bool {
		select {
		case <-stop:
			return false
		default:
			return !t.Failed()
		}
	}
	for w := range writers { // of the keys k with k%writers == w
		writing.Go(func() {
			for range writes {
				k := rand.IntN(keys/writers)*writers + w
				h := &histories[k]
				if rand.IntN(8) == 0 {
					if err := b.Invalidate(ctx, &k); err != nil {
						t.Errorf("Invalidate() = %v", err)
					}
					h.raise(h.done.Load() + 1)
					continue
				}
				n := h.begun.Add(1)
				var ttl *time.Duration
				switch rand.IntN(6) {
				case 0:
					ttl = new(time.Hour)
				case 1:
					ttl = new(time.Duration(rand.IntN(200_000)))
				}
				if err := b.Put(ctx, k, n, ttl); err != nil {
					t.Errorf("Put() = %v", err)
				}
				h.raise(n)
				h.done.Store(n)
			}
		})
	}
	for range readers {
		reading.Go(func() {
			for running() {
				k := rand.IntN(keys)
				h := &histories[k]
				floor, done := h.floor.Load(), h.done.Load()
				n, hit, err := b.Get(ctx, k)
				if err != nil {
					t.Errorf("Get() = %v", err)
				}
				if hit && (n < floor || n > h.begun.Load()) {
					t.Errorf("Get(%d) = %d, want at least %d and at most %d", k, n, floor, h.begun.Load())
				}
				if !hit {
					h.raise(done + 1) // what was there is lost for ever
				}
			}
		})
	}
	reading.Go(func() { // disturbs the others
		for running() {
			switch rand.IntN(40) {
			case 0:
				var done [keys]int64
				for k := range done {
					done[k] = histories[k].done.Load()
				}
				if err := backend.InvalidateAll(ctx, b); err != nil {
					t.Errorf("InvalidateAll() = %v", err)
				}
				for k := range done {
					histories[k].raise(done[k] + 1)
				}
			case 1:
				if err := backend.Sync(ctx, b); err != nil {
					t.Errorf("Flush() = %v", err)
				}
			case 2:
				for k, n := range all {
					if n > histories[k].begun.Load() {
						t.Errorf("All yields %d for %d, which was not put", n, k)
					}
				}
			default:
				if s, err := b.Stats(ctx); err != nil || s.Size < 0 || s.Size > keys {
					t.Errorf("Stats() = %+v, %v", s, err)
				}
			}
		}
	})
	writing.Wait()
	close(stop)
	reading.Wait()
	settled(t, b, keys, capacity)
	closing(t, b)
}

// settled checks that Size is within the capacity and counts what hits.
func settled(t *testing.T, b backend.Backend[int, int64], keys, capacity int) {
	ctx := context.Background()
	if err := backend.Sync(ctx, b); err != nil {
		t.Errorf("Flush() = %v", err)
	}
	before, _ := b.Stats(ctx)
	var hits int64
	for k := range keys {
		if _, hit, _ := b.Get(ctx, k); hit {
			hits++
		}
	}
	after, _ := b.Stats(ctx) // less what has expired meanwhile
	if before.Size > int64(capacity) || before.Size < hits || hits < after.Size {
		t.Errorf("Size = %d, then %d keys hit, then Size = %d; the capacity is %d", before.Size, hits, after.Size, capacity)
	}
}

// closing closes b while it is used.
func closing(t *testing.T, b backend.Backend[int, int64]) {
	ctx := context.Background()
	var users sync.WaitGroup
	for i := range 6 {
		users.Go(func() {
			for k := i; ; k = (k + 7) % 1000 {
				var err error
				switch k % 5 {
				case 0:
					_, _, err = b.Get(ctx, k)
				case 1:
					err = b.Invalidate(ctx, &k)
				case 2:
					_, err = b.Stats(ctx)
				case 3:
					err = backend.Sync(ctx, b)
				default:
					err = b.Put(ctx, k, 0, nil)
				}
				if errors.Is(err, backend.ErrClosed) {
					return
				}
				if err != nil {
					t.Errorf("during Close: %v", err)
				}
			}
		})
	}
	for range 2 {
		users.Go(func() {
			if err := backend.Close(b); err != nil {
				t.Errorf("Close() = %v", err)
			}
		})
	}
	users.Wait()
}

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
	"github.com/cachepact/cachepact/conformance"
)

const (
	stressKeys    = 400
	stressWriters = 4
	stressReaders = 3
	stressWrites  = 500 // of each writer
)

// A history has the values of one key. Its only writer puts 1, 2, 3 and so on.
type history struct {
	done   atomic.Int64 // the last value whose Put has returned
	begun  atomic.Int64 // the last value whose Put has started
	oldest atomic.Int64 // the smallest value that a Get may return if it starts now
}

func (h *history) raise(oldest int64) {
	for {
		if o := h.oldest.Load(); o >= oldest || h.oldest.CompareAndSwap(o, oldest) {
			return
		}
	}
}

// Stress tests a backend that evicts entries, under load and during Close. No Get returns a value that was overwritten
// or removed before the Get started, or that an earlier Get has missed. The backend must be a [backend.Ranger].
func Stress(t *testing.T, open Open[uint64, int]) {
	t.Helper()
	for _, procs := range []int{1, 2, 8} {
		for _, capacity := range []int{1, 40, 1000} {
			t.Run(fmt.Sprintf("procs-%d/capacity-%d", procs, capacity), func(t *testing.T) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
				b, err := open(conformance.Options{Capacity: capacity})
				if err != nil {
					t.Fatal(err)
				}
				s := &stress{t: t, b: b}
				s.run()
				s.settled(capacity)
				s.closing()
			})
		}
	}
}

// A stress is a backend with the histories of its keys.
type stress struct {
	t         *testing.T
	b         backend.Backend[uint64, int]
	histories [stressKeys]history
	done      atomic.Bool
}

func (s *stress) run() {
	var reading, writing sync.WaitGroup
	for w := range stressWriters {
		writing.Go(func() { s.write(w) })
	}
	for range stressReaders {
		reading.Go(s.read)
	}
	reading.Go(s.disturb)
	writing.Wait()
	s.done.Store(true)
	reading.Wait()
}

// write puts and removes the keys of one writer.
func (s *stress) write(writer int) {
	ctx := context.Background()
	for range stressWrites {
		k := uint64(rand.IntN(stressKeys/stressWriters)*stressWriters + writer)
		h := &s.histories[k]
		if rand.IntN(8) == 0 {
			if err := s.b.Invalidate(ctx, &k); err != nil {
				s.t.Errorf("Invalidate() = %v", err)
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
		if err := s.b.Put(ctx, k, int(n), ttl); err != nil {
			s.t.Errorf("Put() = %v", err)
		}
		h.raise(n)
		h.done.Store(n)
	}
}

func (s *stress) read() {
	for !s.done.Load() && !s.t.Failed() {
		k := uint64(rand.IntN(stressKeys))
		h := &s.histories[k]
		oldest, done := h.oldest.Load(), h.done.Load()
		n, hit, err := s.b.Get(context.Background(), k)
		if err != nil {
			s.t.Errorf("Get() = %v", err)
		}
		if hit && (int64(n) < oldest || int64(n) > h.begun.Load()) {
			s.t.Errorf("Get(%d) = %d, want at least %d and at most %d", k, n, oldest, h.begun.Load())
		}
		if !hit {
			h.raise(done + 1) // the value was evicted or removed, and must not come back
		}
	}
}

// disturb empties, syncs, lists and counts the backend at random times.
func (s *stress) disturb() {
	ctx := context.Background()
	all, err := backend.All(s.b)
	if err != nil {
		s.t.Error(err)
	}
	for !s.done.Load() && !s.t.Failed() {
		switch rand.IntN(40) {
		case 0:
			var done [stressKeys]int64
			for k := range done {
				done[k] = s.histories[k].done.Load()
			}
			if err := backend.InvalidateAll(ctx, s.b); err != nil {
				s.t.Errorf("InvalidateAll() = %v", err)
			}
			for k := range done {
				s.histories[k].raise(done[k] + 1)
			}
		case 1:
			if err := backend.Sync(ctx, s.b); err != nil {
				s.t.Errorf("Sync() = %v", err)
			}
		case 2:
			for k, n := range all {
				if int64(n) > s.histories[k].begun.Load() {
					s.t.Errorf("All yields %d for %d, which was not put", n, k)
				}
			}
		default:
			if st, err := s.b.Stats(ctx); err != nil || st.Size < 0 || st.Size > stressKeys {
				s.t.Errorf("Stats() = %+v, %v", st, err)
			}
		}
	}
}

// settled checks that Size is within the capacity and is the number of keys that hit.
func (s *stress) settled(capacity int) {
	ctx := context.Background()
	if err := backend.Sync(ctx, s.b); err != nil {
		s.t.Errorf("Sync() = %v", err)
	}
	before, _ := s.b.Stats(ctx)
	var hits int64
	for k := range uint64(stressKeys) {
		if _, hit, _ := s.b.Get(ctx, k); hit {
			hits++
		}
	}
	after, _ := s.b.Stats(ctx) // smaller if entries have expired since
	if before.Size > int64(capacity) || before.Size < hits || hits < after.Size {
		s.t.Errorf("Size = %d, then %d keys hit, then Size = %d; the capacity is %d", before.Size, hits, after.Size, capacity)
	}
}

// closing closes the backend during calls of every method. Each call works or fails with ErrClosed.
func (s *stress) closing() {
	ctx := context.Background()
	var users sync.WaitGroup
	for i := range uint64(6) {
		users.Go(func() {
			for k := i; ; k = (k + 7) % 1000 {
				var err error
				switch k % 5 {
				case 0:
					_, _, err = s.b.Get(ctx, k)
				case 1:
					err = s.b.Invalidate(ctx, &k)
				case 2:
					_, err = s.b.Stats(ctx)
				case 3:
					err = backend.Sync(ctx, s.b)
				default:
					err = s.b.Put(ctx, k, 0, nil)
				}
				if errors.Is(err, backend.ErrClosed) {
					return
				}
				if err != nil {
					s.t.Errorf("during Close: %v", err)
				}
			}
		})
	}
	for range 2 {
		users.Go(func() {
			if err := backend.Close(s.b); err != nil {
				s.t.Errorf("Close() = %v", err)
			}
		})
	}
	users.Wait()
}

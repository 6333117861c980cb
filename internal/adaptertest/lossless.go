package adaptertest

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

// Lossless tests a backend that has room for all. Under load, with entries that expire and are removed and with others that
// list, count and empty it, no Put is lost that has returned, and each Get counts as
// what it was.
//
// The suite cannot ask that of a backend that may refuse entries under load.
func Lossless(t *testing.T, open Open[int, int64]) {
	t.Helper()
	b, err := open(conformance.Options{Capacity: 4000}) // wherever it places them
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = backend.Close(b) }()
	const (
		writers = 3
		each    = 64 // keys of a writer, which nobody else writes
	)
	ctx, ops := context.Background(), 100_000
	if testing.Short() {
		ops /= 10
	}
	var (
		writing, others    sync.WaitGroup
		done               atomic.Bool
		cleared            atomic.Int64 // odd while all is being invalidated
		lost, hits, misses atomic.Uint64
	)
	get := func(key int) (int64, bool) {
		value, hit, err := b.Get(ctx, key)
		switch {
		case err != nil:
			t.Errorf("Get() = %v", err)
		case hit:
			hits.Add(1)
		default:
			misses.Add(1)
		}
		return value, hit
	}
	counted := func() (h, m uint64) {
		s, err := b.Stats(ctx)
		if err != nil {
			t.Errorf("Stats() = %v", err)
		}
		return s.Counters[backend.CounterHits], s.Counters[backend.CounterMisses]
	}
	// watch sees what is counted too early: a counter that is put right again falls,
	// or stays too high if the adapter keeps it from falling.
	watch := func() {
		var h, m uint64
		for !done.Load() {
			h2, m2 := counted()
			if h2 < h || m2 < m {
				t.Errorf("counters fall from %d hits and %d misses to %d and %d", h, m, h2, m2)
				return
			}
			h, m = h2, m2
		}
	}
	for w := range writers {
		writing.Go(func() {
			for n := range int64(ops) {
				key := rand.IntN(each)*writers + w
				before := cleared.Load()
				var err error
				switch rand.IntN(10) {
				case 0:
					err = b.Invalidate(ctx, &key)
					if _, hit := get(key); hit {
						t.Error("a hit after Invalidate")
					}
				case 1, 2, 3:
					err = b.Put(ctx, key, n, new(time.Duration(1+rand.IntN(50_000))))
					if value, hit := get(key); hit && value != n {
						t.Error("Get returned a value that had been replaced")
					}
				default:
					err = b.Put(ctx, key, n, nil)
					for range rand.IntN(4) {
						switch value, hit := get(key); {
						case hit && value != n:
							t.Error("Get returned a value that had been replaced")
						case !hit && before%2 == 0 && cleared.Load() == before:
							lost.Add(1)
						}
					}
				}
				if err != nil {
					t.Errorf("a write under load = %v", err)
				}
			}
		})
	}
	others.Go(func() {
		for !done.Load() {
			switch rand.IntN(200) {
			case 0:
				cleared.Add(1)
				if err := b.Invalidate(ctx, nil); err != nil {
					t.Errorf("Invalidate(nil) = %v", err)
				}
				cleared.Add(1)
			case 1:
				if all, err := backend.All(b); err == nil {
					for range all {
						continue
					}
				}
			case 2, 3, 4, 5:
				if s, err := b.Stats(ctx); err != nil || s.Size < 0 || s.Size > writers*each {
					t.Errorf("Stats() = %+v, %v", s, err)
				}
			default:
				time.Sleep(10 * time.Microsecond)
			}
		}
	})
	others.Go(watch)
	writing.Wait()
	done.Store(true)
	others.Wait()
	if n := lost.Load(); n > 0 {
		t.Errorf("%d Gets missed what had been put", n)
	}
	s, _ := b.Stats(ctx)
	if _, counts := s.Counters[backend.CounterHits]; !counts {
		return
	}
	h, m := counted()
	if h > hits.Load() || m > misses.Load() {
		t.Errorf("counted are %d hits and %d misses, of %d and %d", h, m, hits.Load(), misses.Load())
	}
	// Nothing but misses of what is there and has expired: one that is counted as a hit
	// first has no hit to hide behind.
	done.Store(false)
	before := hits.Load()
	for w := range writers {
		writing.Go(func() {
			for range ops / 2 {
				if err := b.Put(ctx, w, 0, new(time.Duration(1))); err != nil {
					t.Errorf("Put() = %v", err)
				}
				get(w)
				get(w)
			}
		})
	}
	others.Go(watch)

	writing.Wait()
	done.Store(true)
	others.Wait()
	h2, m := counted()
	if h2-h > hits.Load()-before || m > misses.Load() {
		t.Errorf("of entries that have expired are counted %d hits, of %d, and %d misses in all, of %d", h2-h, hits.Load()-before, m, misses.Load())
	}
	if err := b.Put(ctx, 0, 0, nil); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		get(0)
		get(-1)
	}
	if h3, m3 := counted(); h3 != h2+10 || m3 != m+10 {
		t.Errorf("ten hits and ten misses raise the counters by %d and %d", h3-h2, m3-m)
	}
}

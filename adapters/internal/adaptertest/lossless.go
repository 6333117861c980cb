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

// Lossless tests a backend that has room for all. Under load, with entries that
// expire and are removed and with others that list, count and empty it, no Put is
// lost that has returned, and each Get counts as what it was.
//
// The suite cannot ask that of a backend that may refuse entries under load.
func Lossless(t *testing.T, open Open[int, int64]) {
	t.Helper()
	b, err := open(conformance.Options{Capacity: 4000}) // wherever it places them
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = backend.Close(b) }()
	l := &load{t: t, b: b, ops: 100_000}
	if testing.Short() {
		l.ops /= 10
	}
	l.beside(l.write, l.disturb, l.watch)
	if n := l.lost.Load(); n > 0 {
		t.Errorf("%d Gets missed what had been put", n)
	}
	s, _ := b.Stats(context.Background())
	if _, counts := s.Counters[backend.CounterHits]; !counts {
		return
	}
	hits, misses := l.counted()
	if hits > l.hits.Load() || misses > l.misses.Load() {
		t.Errorf("counted are %d hits and %d misses, of %d and %d", hits, misses, l.hits.Load(), l.misses.Load())
	}
	seen := l.hits.Load()
	l.beside(l.expire, l.watch)
	more, misses := l.counted()
	if more-hits > l.hits.Load()-seen || misses > l.misses.Load() {
		t.Errorf("of entries that have expired are counted %d hits, of %d, and %d misses in all, of %d", more-hits, l.hits.Load()-seen, misses, l.misses.Load())
	}
	if err := b.Put(context.Background(), 0, 0, nil); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		l.get(0)
		l.get(-1)
	}
	if h, m := l.counted(); h != more+10 || m != misses+10 {
		t.Errorf("ten hits and ten misses raise the counters by %d and %d", h-more, m-misses)
	}
}

// A load is what several goroutines do to a backend, and what they see.
type load struct {
	t   *testing.T
	b   backend.Backend[int, int64]
	ops int // of a writer

	done               atomic.Bool
	cleared            atomic.Int64 // odd while all is being invalidated
	lost, hits, misses atomic.Uint64
}

const (
	writers = 3
	each    = 64 // keys of a writer, which nobody else writes
)

// beside runs the writers, and others until these are done.
func (l *load) beside(write func(writer int), others ...func()) {
	l.done.Store(false)
	var writing, watching sync.WaitGroup
	for w := range writers {
		writing.Go(func() { write(w) })
	}
	for _, other := range others {
		watching.Go(other)
	}
	writing.Wait()
	l.done.Store(true)
	watching.Wait()
}

// write puts values with TTLs and without, removes some, and reads its own writes.
func (l *load) write(writer int) {
	ctx := context.Background()
	for n := range int64(l.ops) {
		key := rand.IntN(each)*writers + writer
		before := l.cleared.Load()
		var err error
		switch rand.IntN(10) {
		case 0:
			err = l.b.Invalidate(ctx, &key)
			if _, hit := l.get(key); hit {
				l.t.Error("a hit after Invalidate")
			}
		case 1, 2, 3:
			err = l.b.Put(ctx, key, n, new(time.Duration(1+rand.IntN(50_000))))
			l.fresh(key, n)
		default:
			err = l.b.Put(ctx, key, n, nil)
			for range rand.IntN(4) {
				if hit := l.fresh(key, n); !hit && before%2 == 0 && l.cleared.Load() == before {
					l.lost.Add(1)
				}
			}
		}
		if err != nil {
			l.t.Errorf("a write under load = %v", err)
		}
	}
}

// expire reads nothing but what is there and has expired: one that is counted as a
// hit first has no hit to hide behind.
func (l *load) expire(writer int) {
	for range l.ops / 2 {
		if err := l.b.Put(context.Background(), writer, 0, new(time.Duration(1))); err != nil {
			l.t.Errorf("Put() = %v", err)
		}
		l.get(writer)
		l.get(writer)
	}
}

// disturb empties, lists and counts the backend now and then.
func (l *load) disturb() {
	ctx := context.Background()
	for !l.done.Load() {
		switch rand.IntN(200) {
		case 0:
			l.cleared.Add(1)
			if err := l.b.Invalidate(ctx, nil); err != nil {
				l.t.Errorf("Invalidate(nil) = %v", err)
			}
			l.cleared.Add(1)
		case 1:
			if all, err := backend.All(l.b); err == nil {
				for range all {
					continue
				}
			}
		case 2, 3, 4, 5:
			if s, err := l.b.Stats(ctx); err != nil || s.Size < 0 || s.Size > writers*each {
				l.t.Errorf("Stats() = %+v, %v", s, err)
			}
		default:
			time.Sleep(10 * time.Microsecond)
		}
	}
}

// watch sees what is counted too early: a counter that is put right again falls, or
// stays too high if the adapter keeps it from falling.
func (l *load) watch() {
	var hits, misses uint64
	for !l.done.Load() {
		h, m := l.counted()
		if h < hits || m < misses {
			l.t.Errorf("counters fall from %d hits and %d misses to %d and %d", hits, misses, h, m)
			return
		}
		hits, misses = h, m
	}
}

// get reads key, and counts what it was.
func (l *load) get(key int) (int64, bool) {
	value, hit, err := l.b.Get(context.Background(), key)
	switch {
	case err != nil:
		l.t.Errorf("Get() = %v", err)
	case hit:
		l.hits.Add(1)
	default:
		l.misses.Add(1)
	}
	return value, hit
}

// fresh reads key, whose last value is n, and reports whether it hit.
func (l *load) fresh(key int, n int64) bool {
	value, hit := l.get(key)
	if hit && value != n {
		l.t.Error("Get returned a value that had been replaced")
	}
	return hit
}

// counted returns the hits and misses that the backend reports.
func (l *load) counted() (hits, misses uint64) {
	s, err := l.b.Stats(context.Background())
	if err != nil {
		l.t.Errorf("Stats() = %v", err)
	}
	return s.Counters[backend.CounterHits], s.Counters[backend.CounterMisses]
}

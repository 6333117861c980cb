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

// underLoad tests a backend that has room for all keys, while goroutines write entries that expire and are removed,
// list and count the entries, and empty the backend. Every Get after a Put hits, and every Get is counted once, as a
// hit or as a miss.
//
// The conformance suite cannot test this, because it must accept a backend that evicts entries under load.
func underLoad(t *testing.T, open Open[uint64, int]) {
	b, err := open(conformance.Options{Capacity: 4000}) // enough even if all keys fall into a few shards
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = backend.Close(b) }()
	l := &load{t: t, b: b, ops: 100_000}
	if testing.Short() {
		l.ops /= 10
	}
	l.run(l.write, l.disturb, l.watch)
	if n := l.lost.Load(); n > 0 {
		t.Errorf("%d Gets missed an entry whose Put had returned", n)
	}
	s, _ := b.Stats(context.Background())
	if _, counts := s.Counters[backend.CounterHits]; !counts {
		return
	}
	hits, misses := l.counted()
	if hits > l.hits.Load() || misses > l.misses.Load() {
		t.Errorf("the counters have %d hits and %d misses, after %d hits and %d misses",
			hits, misses, l.hits.Load(), l.misses.Load())
	}
	before := l.hits.Load()
	l.run(l.expire, l.watch)
	more, misses := l.counted()
	if more-hits > l.hits.Load()-before || misses > l.misses.Load() {
		t.Errorf("while entries expired, the counter of hits rose by %d after %d hits; it has %d misses, after %d in all",
			more-hits, l.hits.Load()-before, misses, l.misses.Load())
	}
	if err := b.Put(context.Background(), 0, 0, nil); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		l.get(0)
		l.get(absent)
	}
	if h, m := l.counted(); h != more+10 || m != misses+10 {
		t.Errorf("ten hits and ten misses raise the counters by %d and %d", h-more, m-misses)
	}
}

// A load is a backend with the goroutines that use it, and the results of their Gets.
type load struct {
	t   *testing.T
	b   backend.Backend[uint64, int]
	ops int // of each writer

	done               atomic.Bool
	cleared            atomic.Int64 // odd during an Invalidate(nil)
	lost, hits, misses atomic.Uint64
}

const (
	writers = 3
	each    = 64 // keys of each writer; no other goroutine writes them
	absent  = 1 << 40
)

// run runs write on several goroutines, and each of others until all of these have returned.
func (l *load) run(write func(writer int), others ...func()) {
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

// write puts values with and without TTLs, removes some keys, and reads its own writes.
func (l *load) write(writer int) {
	ctx := context.Background()
	for n := range l.ops {
		key := uint64(rand.IntN(each)*writers + writer)
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

// expire reads only entries that have expired, so that a miss that is first counted as a hit is noticed.
func (l *load) expire(writer int) {
	for range l.ops / 2 {
		if err := l.b.Put(context.Background(), uint64(writer), 0, new(time.Duration(1))); err != nil {
			l.t.Errorf("Put() = %v", err)
		}
		l.get(uint64(writer))
		l.get(uint64(writer))
	}
}

// disturb empties, lists and counts the backend at random times.
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

// watch fails if a counter falls. An adapter that counts a Get too early and then corrects the counter makes it fall.
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

// get reads key and counts the hit or miss.
func (l *load) get(key uint64) (int, bool) {
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
func (l *load) fresh(key uint64, n int) bool {
	value, hit := l.get(key)
	if hit && value != n {
		l.t.Error("Get returned a value that had been overwritten")
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

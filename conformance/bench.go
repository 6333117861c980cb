package conformance

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// Bench measures s in sub-benchmarks of b: GetHit, GetMiss, PutNew, PutOverwrite, PutTTL, InvalidateOne and
// MixedZipf90_10. The last one runs in parallel, with a capacity of a tenth of the keys, nine Gets per Put and Zipf
// distributed keys. The others run on one goroutine with ample capacity.
//
// Bench first runs a few checks for about 50 ms. It fails b if the backend does not pass them.
//
// The time includes a [backend.Sync] after the writes, so that delayed work is measured too. The metric dropped/op
// counts Puts that returned nil but whose entries are absent afterwards; hit-ratio is the share of Gets that hit.
func Bench[K comparable, V any](b *testing.B, s Subject[K, V]) {
	b.Helper()
	if s.Name == "" {
		s.Name = b.Name()
	}
	if err := smoke(s); err != nil {
		b.Fatal(err)
	}
	for _, bm := range benchmarks[K, V]() {
		b.Run(bm.name, func(b *testing.B) { bm.measure(b, s) })
	}
}

// smokeChecks are the checks that run before a benchmark.
var smokeChecks = []string{
	"hit/put/at-once", "hit/overwrite/last-wins", "hit/overwrite/back-to-back", "ttl/expires/after", "ttl/zero/removes",
	"invalidate/key/at-once", "invalidate/nil/at-once",
}

// smoke returns the first fault that makes a measurement of s useless.
func smoke[K comparable, V any](s Subject[K, V]) error {
	r, err := newRunner(nil, s)
	if err != nil {
		return err
	}
	defer r.stop()
	for _, c := range checks[K, V]() {
		if slices.Contains(smokeChecks, c.id()) {
			r.do(nil, c)
		}
	}
	if failed := r.finish().Failed(); len(failed) > 0 {
		return fmt.Errorf("conformance: not measured, because it is broken: %s", failed[0].Detail)
	}
	return nil
}

type benchmark[K comparable, V any] struct {
	name     string
	capacity int // passed to New
	run      func(x *bench[K, V])
}

// Every benchmark uses these numbers of keys, or fewer if the type has fewer.
const (
	benchKeys  = 8192 // fits in ample room
	mixedRoom  = benchKeys / 10
	mixedDraws = 1 << 16
)

func benchmarks[K comparable, V any]() []benchmark[K, V] {
	return []benchmark[K, V]{
		{name: "GetHit", run: func(x *bench[K, V]) {
			x.load()
			x.gets(x.keys)
		}},
		{name: "GetMiss", run: func(x *bench[K, V]) {
			half := len(x.keys) / 2
			for i, key := range x.keys[:half] {
				x.put(key, x.values[i], nil)
			}
			x.flush()
			x.gets(x.keys[half:])
		}},
		{name: "PutNew", run: func(x *bench[K, V]) { x.puts(nil, true) }},
		{name: "PutOverwrite", run: func(x *bench[K, V]) {
			x.load()
			x.puts(nil, false)
		}},
		{name: "PutTTL", run: func(x *bench[K, V]) { x.puts(new(time.Hour), true) }},
		{name: "InvalidateOne", run: func(x *bench[K, V]) { x.invalidations() }},
		{name: "MixedZipf90_10", capacity: mixedRoom, run: func(x *bench[K, V]) { x.mixed() }},
	}
}

// measure opens a backend, makes keys and values, and runs the benchmark.
func (m benchmark[K, V]) measure(b *testing.B, s Subject[K, V]) {
	keys, err := keysOf(s.Keys)
	if err != nil {
		b.Fatal(err)
	}
	values, err := valuesOf(s.Values)
	if err != nil {
		b.Fatal(err)
	}
	x := &bench[K, V]{b: b, ctx: context.Background()}
	for i := range min(benchKeys, keys.N) {
		x.keys = append(x.keys, keys.At(i))
		x.values = append(x.values, values.At(i))
	}
	if x.backend, err = s.New(Options{Capacity: m.capacity}); err != nil {
		b.Fatal(err)
	}
	defer backend.Close(x.backend)
	b.ReportAllocs()
	m.run(x)
}

// bench is a running benchmark.
type bench[K comparable, V any] struct {
	b       *testing.B
	ctx     context.Context
	backend backend.Backend[K, V]
	keys    []K
	values  []V
}

func (x *bench[K, V]) put(key K, value V, ttl *time.Duration) {
	if err := x.backend.Put(x.ctx, key, value, ttl); err != nil {
		x.b.Fatal(err)
	}
}

func (x *bench[K, V]) flush() {
	if err := backend.Sync(x.ctx, x.backend); err != nil {
		x.b.Fatal(err)
	}
}

func (x *bench[K, V]) load() {
	for i, key := range x.keys {
		x.put(key, x.values[i], nil)
	}
	x.flush()
}

// missing returns the number of keys that miss.
func (x *bench[K, V]) missing(keys []K) int {
	n := 0
	for _, key := range keys {
		if _, hit, err := x.backend.Get(x.ctx, key); err != nil {
			x.b.Fatal(err)
		} else if !hit {
			n++
		}
	}
	return n
}

// gets measures Gets of the keys in turn.
func (x *bench[K, V]) gets(keys []K) {
	hits, next := 0, 0
	for x.b.Loop() {
		_, hit, err := x.backend.Get(x.ctx, keys[next])
		if err != nil {
			x.b.Fatal(err)
		}
		if hit {
			hits++
		}
		if next++; next == len(keys) {
			next = 0
		}
	}
	x.b.ReportMetric(float64(hits)/float64(x.b.N), "hit-ratio")
}

// puts measures Puts of the keys in turn. If fresh is true, all keys are new each time.
func (x *bench[K, V]) puts(ttl *time.Duration, fresh bool) {
	next, dropped, looked := 0, 0, 0
	settle := func() { // while the clock runs
		x.flush()
		x.b.StopTimer()
		dropped, looked = dropped+x.missing(x.keys[:next]), looked+next
	}
	for x.b.Loop() {
		if next == len(x.keys) {
			if settle(); fresh {
				if err := x.backend.Invalidate(x.ctx, nil); err != nil {
					x.b.Fatal(err)
				}
				x.flush()
			}
			next = 0
			x.b.StartTimer()
		}
		x.put(x.keys[next], x.values[len(x.keys)-1-next], ttl)
		next++
	}
	x.b.StartTimer()
	settle()
	x.b.ReportMetric(float64(dropped)/float64(max(looked, 1)), "dropped/op")
}

// invalidations measures Invalidate of present keys.
func (x *bench[K, V]) invalidations() {
	x.load()
	next := 0
	settle := func() {
		x.flush()
		x.b.StopTimer()
		if left := next - x.missing(x.keys[:next]); left > 0 {
			x.b.Fatalf("%d of %d keys are there after Invalidate", left, next)
		}
	}
	for x.b.Loop() {
		if next == len(x.keys) {
			settle()
			x.load()
			next = 0
			x.b.StartTimer()
		}
		if err := x.backend.Invalidate(x.ctx, &x.keys[next]); err != nil {
			x.b.Fatal(err)
		}
		next++
	}
	x.b.StartTimer()
	settle()
}

// mixed measures Gets and Puts in parallel. It draws the keys before, so that drawing is not measured.
func (x *bench[K, V]) mixed() {
	x.load()
	draws := make([]int, mixedDraws)
	zipf := rand.NewZipf(rand.New(rand.NewPCG(1, 2)), 1.01, 1, uint64(len(x.keys)-1))
	for i := range draws {
		draws[i] = int(zipf.Uint64())
	}
	var start, gets, hits atomic.Int64
	x.b.ResetTimer()
	x.b.RunParallel(func(pb *testing.PB) {
		next := int(start.Add(1)) * (mixedDraws / 7) // goroutines start apart
		var ownGets, ownHits int64
		for ; pb.Next(); next++ {
			i := draws[next%mixedDraws]
			if next%10 == 0 {
				if err := x.backend.Put(x.ctx, x.keys[i], x.values[i], nil); err != nil {
					x.b.Error(err)
					return
				}
				continue
			}
			_, hit, err := x.backend.Get(x.ctx, x.keys[i])
			if err != nil {
				x.b.Error(err)
				return
			}
			if ownGets++; hit {
				ownHits++
			}
		}
		gets.Add(ownGets)
		hits.Add(ownHits)
	})
	x.flush()
	x.b.StopTimer()
	x.b.ReportMetric(float64(hits.Load())/float64(max(gets.Load(), 1)), "hit-ratio")
}

package memory

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/compare/internal/contest"
	"github.com/cachepact/cachepact/compare/report"
)

// A job measures the memory of a contestant that was given so many entries.
type job struct {
	Contestant string
	Entries    int
	Value      int // bytes; 0: numbers
}

// A result is a point, and what it is compared with.
type result struct {
	report.MemoryPoint
	// GCEmpty is what a full collection took before there was a cache.
	GCEmpty time.Duration
}

// fill fills a cache and measures its memory.
func fill(ctx context.Context, all []contest.Contestant, j job) (result, error) {
	c, err := contest.Find(all, j.Contestant)
	if err != nil {
		return result{}, err
	}
	o := contest.Options{Capacity: j.Entries, Value: j.Value}
	if j.Value > 0 && c.NewBytes != nil {
		return weigh(ctx, c.NewBytes, o, func(i int) []byte {
			b := make([]byte, j.Value)
			for at := range b {
				b[at] = byte(i >> (at % 4 * 8)) // a page of zeros may cost nothing
			}
			return b
		})
	}
	o.Value = 0
	return weigh(ctx, c.New, o, func(i int) uint64 { return uint64(i) })
}

func weigh[V any](ctx context.Context, construct func(contest.Options) (backend.Backend[uint64, V], error), o contest.Options, value func(int) V) (r result, err error) {
	n := o.Capacity
	keys := make([]uint64, n)
	for i := range keys {
		keys[i] = contest.Mix(uint64(i))
	}
	empty := weighProcess()
	r.GCEmpty = collectionTime()
	values := make([]V, n)
	for i := range values {
		values[i] = value(i)
	}
	before := weighProcess()

	b, err := construct(o)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, backend.Close(b)) }()
	for i, key := range keys {
		if err := b.Put(ctx, key, values[i], nil); err != nil {
			return r, err
		}
	}
	if err := backend.Sync(ctx, b); err != nil {
		return r, err
	}
	full := weighProcess()
	runtime.KeepAlive(values)
	// From here on the values that the cache does not hold are free.
	kept := weighProcess()
	r.GC = collectionTime()
	for _, key := range keys {
		_, hit, err := b.Get(ctx, key)
		if err != nil {
			return r, err
		}
		if hit {
			r.Present++
		}
	}
	runtime.KeepAlive(b)
	runtime.KeepAlive(keys)
	r.Entries = n
	r.Heap, r.RSS = full.heap-before.heap, full.rss-before.rss
	r.Kept = kept.heap - empty.heap
	if off := kept.offHeap() - empty.offHeap(); off > r.Kept {
		r.Kept += off // a cache with memory of its own; less are pages of the program
	}
	r.Scan = kept.scan - empty.scan
	return r, nil
}

// A weight is the memory of the process, in bytes.
type weight struct {
	heap    int64 // live objects
	rss     int64 // resident; 0: not known
	runtime int64 // that Go has mapped and not given back
	scan    int64 // of the heap, that the collector looks at
}

// offHeap returns the resident memory that Go does not know of, as far as the system
// tells.
func (w weight) offHeap() int64 {
	if !residentExact {
		return 0
	}
	return w.rss - w.runtime
}

// weighProcess collects garbage and weighs what is left.
func weighProcess() weight {
	runtime.GC() // twice: what a finalizer or a pool held is free only after the second
	debug.FreeOSMemory()
	samples := []metrics.Sample{
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/gc/scan/heap:bytes"},
		{Name: "/memory/classes/total:bytes"},
		{Name: "/memory/classes/heap/released:bytes"},
	}
	metrics.Read(samples)
	value := func(i int) int64 { return int64(samples[i].Value.Uint64()) }
	return weight{heap: value(0), scan: value(1), runtime: value(2) - value(3), rss: residentBytes()}
}

// collections is how many are timed.
const collections = 7

// collectionTime returns how long a full collection takes.
func collectionTime() time.Duration {
	all := make([]time.Duration, collections)
	for i := range all {
		start := time.Now()
		runtime.GC()
		all[i] = time.Since(start)
	}
	return medianTime(all)
}

// parseStatm returns the resident bytes of /proc/self/statm.
func parseStatm(text []byte, page int) (int64, error) {
	var size, resident int64
	if _, err := fmt.Sscan(string(text), &size, &resident); err != nil {
		return 0, err
	}
	return resident * int64(page), nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// million is the number of entries of the caches that this file and memory.go measure.
const million = 1_000_000

// openMillion opens the library's adapter with a capacity of more than a million entries.
func openMillion(name string) (backend.Backend[uint64, int], error) {
	l, err := find(name)
	if err != nil {
		return nil, err
	}
	return l.openAdapter(capacities{entries: million + million/8, bytes: 4 * byteBound})
}

// fillMillion puts a million entries and returns the keys of the last ones, which have no TTL. If ttls is true, the
// others have TTLs, of which a hundredth ends each second.
func fillMillion(ctx context.Context, b backend.Backend[uint64, int], ttls bool) (hot []uint64, err error) {
	const seconds = 100
	keys := keysFrom(make([]uint64, million), 0)
	for i, key := range keys {
		var ttl *time.Duration
		if ttls && i < million-hotKeys {
			ttl = new(time.Second + time.Duration(i)*seconds*time.Second/million)
		}
		if err := b.Put(ctx, key, million+i, ttl); err != nil {
			return nil, err
		}
	}
	return keys[million-hotKeys:], backend.Sync(ctx, b)
}

// scrapeScenarios measure Gets during calls of Stats, as a metrics scraper makes them.
var scrapeScenarios = []scenario{{name: "Scrape"}, {name: "Scrape/ttl", ttl: true}}

const (
	// scrapeSlice is the time in which Gets run during one call of Stats. Two calls a second are more than usual.
	scrapeSlice = 500 * time.Millisecond
	scrapeBound = 1.1
)

// measureScrape compares Gets on one goroutine while another calls Stats with Gets alone, which take the place of the
// raw library.
func measureScrape(ctx context.Context, name string, s scenario, count int) (result, error) {
	b, err := openMillion(name)
	if err != nil {
		return result{}, err
	}
	defer backend.Close(b)
	hot, err := fillMillion(ctx, b, s.ttl)
	if err != nil {
		return result{}, err
	}
	sides := make([]side, 3)
	err = rounds(ctx, count, len(sides), func(i int) error {
		ns, err := scrape(ctx, b, hot, i == 1)
		sides[i].ns = append(sides[i].ns, ns)
		return err
	})
	if err != nil {
		return result{}, err
	}
	alone, scraped := sides[0], sides[1]
	return result{
		Case: s.name, Library: name, Key: "uint64", Value: "int", Raw: alone.cost(), Adapter: scraped.cost(), Bound: scrapeBound,
		Ratio: ratioOf(scraped.ns, alone.ns), Control: ratioOf(sides[2].ns, alone.ns),
	}, nil
}

// scrape gets hot keys for a slice and returns the nanoseconds per Get. If stats is true, it calls Stats once meanwhile.
func scrape(ctx context.Context, b backend.Backend[uint64, int], hot []uint64, stats bool) (float64, error) {
	var wait sync.WaitGroup
	defer wait.Wait()
	done := make(chan error, 1)
	if stats {
		wait.Go(func() {
			time.Sleep(scrapeSlice / 4)
			_, err := b.Stats(ctx)
			done <- err
		})
	} else {
		done <- nil
	}
	d, n := adapterDriver[uint64, int]{b}, 0
	start := time.Now()
	for took := time.Duration(0); ; took = time.Since(start) {
		if took >= scrapeSlice && len(done) > 0 {
			return float64(took) / float64(n), <-done
		}
		some := hot[n%hotKeys:][:min(batch, hotKeys-n%hotKeys)]
		hits, err := d.gets(some)
		if err == nil && hits < len(some)*9/10 {
			err = errors.New("keys that are never evicted miss")
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			return 0, err
		}
		n += len(some)
	}
}

// invalidateAll is the name of the case of measureInvalidateAll.
const invalidateAll = "InvalidateAll"

// clearBound is the longest acceptable time of Invalidate.
const clearBound = time.Millisecond

// A clearing is the cost of Invalidate of all of a million entries, in nanoseconds.
type clearing struct {
	Library string `json:"library"`
	// Took is the median, and Longest the maximum.
	Took    float64 `json:"took"`
	Longest float64 `json:"longest"`
	// Before and Meanwhile are the times of Gets on another goroutine.
	Before    latency `json:"before"`
	Meanwhile latency `json:"meanwhile"`
	// Bound is the longest acceptable time of Invalidate.
	Bound float64 `json:"bound"`
}

// A latency is a distribution of times in nanoseconds.
type latency struct {
	Count  int     `json:"count"`
	Median float64 `json:"median"`
	P99    float64 `json:"p99"`
	Max    float64 `json:"max"`
}

func latencyOf(times []float64) latency {
	if len(times) == 0 {
		return latency{}
	}
	return latency{len(times), quantile(times, 0.5), quantile(times, 0.99), slices.Max(times)}
}

// measureInvalidateAll fills and empties a cache in each round.
func measureInvalidateAll(ctx context.Context, name string, count int) (clearing, error) {
	b, err := openMillion(name)
	if err != nil {
		return clearing{}, err
	}
	defer backend.Close(b)
	var took []float64
	var r reader
	err = rounds(ctx, count, 1, func(int) error {
		d, err := r.clear(ctx, b)
		took = append(took, float64(d))
		return err
	})
	if err != nil {
		return clearing{}, err
	}
	return clearing{
		Library: name, Took: quantile(took, 0.5), Longest: slices.Max(took), Bound: float64(clearBound),
		Before: latencyOf(r.times[before]), Meanwhile: latencyOf(r.times[meanwhile]),
	}, nil
}

// The phases of a reader.
const (
	before int32 = iota
	meanwhile
	after
)

// A reader measures Gets until the phase is after. A Get that overlaps the phase meanwhile is counted for that phase.
type reader struct {
	phase atomic.Int32
	times [after][]float64
}

// clear fills b, invalidates all entries while a goroutine reads, and returns the time that Invalidate took.
func (r *reader) clear(ctx context.Context, b backend.Backend[uint64, int]) (time.Duration, error) {
	hot, err := fillMillion(ctx, b, false)
	if err != nil {
		return 0, err
	}
	r.phase.Store(before)
	var done sync.WaitGroup
	var failed error
	done.Go(func() { failed = r.read(ctx, b, hot) })
	time.Sleep(20 * time.Millisecond)
	r.phase.Store(meanwhile)
	start := time.Now()
	err = b.Invalidate(ctx, nil)
	took := time.Since(start)
	r.phase.Store(after)
	done.Wait()
	if err = errors.Join(err, failed); err != nil {
		return 0, err
	}
	if hits, err := (adapterDriver[uint64, int]{b}).gets(hot); err != nil || hits > 0 {
		return 0, fmt.Errorf("%d entries are present after Invalidate of all: %w", hits, err)
	}
	return took, nil
}

func (r *reader) read(ctx context.Context, b backend.Backend[uint64, int], hot []uint64) error {
	for i := 0; ; i++ {
		phase := r.phase.Load()
		if phase == after {
			return nil
		}
		start := time.Now()
		_, _, err := b.Get(ctx, hot[i%len(hot)])
		took := time.Since(start)
		if err != nil {
			return err
		}
		if phase == before && r.phase.Load() != before {
			phase = meanwhile
		}
		r.times[phase] = append(r.times[phase], float64(took))
	}
}

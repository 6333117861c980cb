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
		Case: s.name, Library: name, Key: "uint64", Value: "int",
		Raw: alone.cost(), Adapter: scraped.cost(), Bound: scrapeBound,
		Ratio: ratioOf(scraped.ns, alone.ns), Control: ratioOf(sides[2].ns, alone.ns),
	}, nil
}

// scrape gets hot keys for a slice and returns the nanoseconds per Get. If stats is true, it calls Stats once.
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
	d, ops, n := adapterDriver[uint64, int]{b}, appendOps(nil, get, hot, 0), 0
	start := time.Now()
	for took := time.Duration(0); ; took = time.Since(start) {
		if took >= scrapeSlice && len(done) > 0 {
			return float64(took) / float64(n), <-done
		}
		some := ops[n%hotKeys:][:min(batch, hotKeys-n%hotKeys)]
		t, err := d.do(some, nil, nil)
		if err == nil && t.hits < len(some)*9/10 {
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
	var took, before, meanwhile []float64
	err = rounds(ctx, count, 1, func(int) error {
		c, err := clearOnce(ctx, b)
		took = append(took, float64(c.ended-c.started))
		for _, g := range c.gets {
			if g.ended < c.started {
				before = append(before, float64(g.ended-g.started))
			} else if g.started < c.ended {
				meanwhile = append(meanwhile, float64(g.ended-g.started))
			}
		}
		return err
	})
	if err != nil {
		return clearing{}, err
	}
	return clearing{
		Library: name, Took: quantile(took, 0.5), Longest: slices.Max(took), Bound: float64(clearBound),
		Before: latencyOf(before), Meanwhile: latencyOf(meanwhile),
	}, nil
}

// A span is a period of time since the start of a round.
type span struct{ started, ended time.Duration }

// A cleared is one call of Invalidate, and the Gets that another goroutine made before and meanwhile.
type cleared struct {
	span
	gets []span
}

// clearOnce fills b and invalidates all entries while another goroutine reads.
func clearOnce(ctx context.Context, b backend.Backend[uint64, int]) (c cleared, err error) {
	hot, err := fillMillion(ctx, b, false)
	if err != nil {
		return c, err
	}
	var done atomic.Bool
	var wait sync.WaitGroup
	var failed error
	begin := time.Now()
	wait.Go(func() {
		for i := 0; !done.Load() && failed == nil; i++ {
			started := time.Since(begin)
			_, _, failed = b.Get(ctx, hot[i%len(hot)])
			c.gets = append(c.gets, span{started, time.Since(begin)})
		}
	})
	time.Sleep(20 * time.Millisecond)
	started := time.Since(begin)
	err = b.Invalidate(ctx, nil)
	c.span = span{started, time.Since(begin)}
	done.Store(true)
	wait.Wait()
	if err = errors.Join(err, failed); err != nil {
		return c, err
	}
	t, err := adapterDriver[uint64, int]{b}.do(appendOps(nil, get, hot, 0), nil, nil)
	if err != nil || t.hits > 0 {
		return c, fmt.Errorf("%d entries are present after Invalidate of all: %w", t.hits, err)
	}
	return c, nil
}

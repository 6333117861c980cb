package bench

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/internal/stat"
)

// ScrapeCases are those of [MeasureScrape]: a million entries without TTLs, and
// with TTLs of which a hundredth ends each second.
var ScrapeCases = []Case{{Name: "Scrape"}, {Name: "Scrape/ttl", TTL: true}}

const (
	// scrapeSlice is how long Gets run with one call of Stats: two calls a second,
	// which is harder than one.
	scrapeSlice = 500 * time.Millisecond
	scrapeBound = 1.1
	// lives is how many seconds the entries with TTLs live at most.
	lives = 100
)

// MeasureScrape measures Gets on one goroutine while another calls Stats, beside
// Gets alone, which stand in the place of the raw library.
func MeasureScrape(ctx context.Context, name string, c Case, rounds int) (Result, error) {
	l, err := find(name)
	if err != nil {
		return Result{}, err
	}
	b, err := openMillion(l)
	if err != nil {
		return Result{}, err
	}
	defer backend.Close(b)
	hot, err := loadMillion(ctx, b, c.TTL)
	if err != nil {
		return Result{}, err
	}
	sides := []*side{{}, {}, {}}
	order := rand.New(rand.NewPCG(1, 2))
	for range rounds {
		for _, i := range order.Perm(len(sides)) {
			ns, err := scrapeFor(ctx, b, hot, i == 1)
			if err != nil {
				return Result{}, err
			}
			sides[i].samples = append(sides[i].samples, sample{ns: ns})
		}
	}
	alone, scraped := sides[0].times(), sides[1].times()
	return Result{
		Case: c.Name, Library: name, Key: "uint64", Value: "int",
		Raw: sides[0].cost(), Adapter: sides[1].cost(), Bound: scrapeBound,
		Ratio: new(stat.Paired(scraped, alone)), Control: new(stat.Paired(sides[2].times(), alone)),
	}, nil
}

// loadMillion puts a million entries and returns the keys of some that stay.
func loadMillion(ctx context.Context, b backend.Backend[uint64, int], ttls bool) (hot []uint64, err error) {
	keys := keysFrom(make([]uint64, million), 0)
	for i, key := range keys[hotKeys:] {
		var ttl *time.Duration
		if ttls {
			ttl = new(time.Second + time.Duration(i)*lives*time.Second/million)
		}
		if err := b.Put(ctx, key, million+i, ttl); err != nil {
			return nil, err
		}
	}
	hot = keys[:hotKeys]
	for _, key := range hot {
		if err := b.Put(ctx, key, million, nil); err != nil {
			return nil, err
		}
	}
	return hot, backend.Sync(ctx, b)
}

// scrapeFor gets hot keys for a slice and returns the nanoseconds of each. If asked
// to, it calls Stats once meanwhile.
func scrapeFor(ctx context.Context, b backend.Backend[uint64, int], hot []uint64, scrape bool) (float64, error) {
	var wait sync.WaitGroup
	defer wait.Wait()
	scraped := make(chan error, 1)
	if scrape {
		wait.Go(func() {
			time.Sleep(scrapeSlice / 4)
			_, err := b.Stats(ctx)
			scraped <- err
		})
	} else {
		scraped <- nil
	}
	d, n := adapterDriver[uint64, int]{b}, 0
	start := time.Now()
	for took := time.Duration(0); ; took = time.Since(start) {
		if took >= scrapeSlice && len(scraped) > 0 {
			return float64(took) / float64(n), <-scraped
		}
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		some := hot[n%hotKeys:][:min(batch, hotKeys-n%hotKeys)]
		hits, err := d.gets(some)
		if err == nil && hits < len(some)*9/10 {
			err = errors.New("bench: hot keys miss")
		}
		if err != nil {
			return 0, err
		}
		n += len(some)
	}
}

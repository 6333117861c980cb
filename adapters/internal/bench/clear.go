package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/internal/stat"
)

// InvalidateAll is the name of the case of [MeasureInvalidateAll].
const InvalidateAll = "InvalidateAll"

// A Clearing is what Invalidate of all of a million entries took, and the Gets of
// one goroutine before and meanwhile.
type Clearing struct {
	Library string `json:"library"`
	// Took is the median, in nanoseconds, and Longest the longest.
	Took    float64 `json:"took"`
	Longest float64 `json:"longest"`
	// Before and Meanwhile are how long Gets took, in nanoseconds.
	Before    Latency `json:"before"`
	Meanwhile Latency `json:"meanwhile"`
	// Bound is how long Invalidate may take.
	Bound float64 `json:"bound"`
}

// A Latency is a distribution of times in nanoseconds.
type Latency struct {
	Count  int     `json:"count"`
	Median float64 `json:"median"`
	P99    float64 `json:"p99"`
	Max    float64 `json:"max"`
}

const clearBound = time.Millisecond

// MeasureInvalidateAll fills a cache and empties it, so many times.
func MeasureInvalidateAll(ctx context.Context, name string, rounds int) (Clearing, error) {
	l, err := find(name)
	if err != nil {
		return Clearing{}, err
	}
	b, err := openMillion(l)
	if err != nil {
		return Clearing{}, err
	}
	defer backend.Close(b)
	var took []float64
	var r reader
	for range rounds {
		d, err := clearOnce(ctx, b, &r)
		if err != nil {
			return Clearing{}, err
		}
		took = append(took, float64(d))
	}
	return Clearing{
		Library: name, Took: stat.Median(took), Longest: slices.Max(took), Bound: float64(clearBound),
		Before: latency(r.times[before]), Meanwhile: latency(r.times[meanwhile]),
	}, nil
}

func clearOnce(ctx context.Context, b backend.Backend[uint64, int], r *reader) (time.Duration, error) {
	hot, err := loadMillion(ctx, b, false)
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
		return 0, fmt.Errorf("bench: %d entries are there after Invalidate of all: %w", hits, err)
	}
	return took, nil
}

// The phases of a reader.
const (
	before int32 = iota
	meanwhile
	after
)

// A reader times Gets until the phase is after. A Get is counted for the phase in
// which it ends, or in which it began if that is meanwhile.
type reader struct {
	phase atomic.Int32
	times [after][]float64
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

func latency(times []float64) Latency {
	if len(times) == 0 {
		return Latency{}
	}
	return Latency{Count: len(times), Median: stat.Median(times), P99: stat.Quantile(times, 0.99), Max: slices.Max(times)}
}

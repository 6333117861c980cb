// Package memory measures how many bytes an entry of a cache takes, and what the cache costs the garbage collector.
package memory

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cachepact/cachepact/compare/internal/contest"
	intervals "github.com/cachepact/cachepact/compare/internal/stat"
	"github.com/cachepact/cachepact/compare/internal/worker"
	"github.com/cachepact/cachepact/compare/report"
)

// Config says what to measure.
type Config struct {
	contest.Config
	// Entries are the numbers of entries with which each cache is filled, at least two different ones.
	Entries []int
	// Patience is how long a worker may take to answer. Zero means two minutes.
	Patience time.Duration
}

// The smallest and the largest number of entries.
const minEntries, maxEntries = 100, 1 << 27

// Check returns an error for the first setting that is out of range.
func (c Config) Check() error {
	for _, n := range c.Entries {
		if n < minEntries || n > maxEntries {
			return fmt.Errorf("entries %d: out of range; use a number from %d to %d", n, minEntries, maxEntries)
		}
	}
	if len(c.distinct()) < 2 {
		return errors.New("entries: too few; use two different numbers or more")
	}
	return nil
}

// distinct returns the numbers of entries in ascending order.
func (c Config) distinct() []int { return slices.Compact(slices.Sorted(slices.Values(c.Entries))) }

// Result is what was measured.
type Result struct {
	contest.Log
	Memory *report.Memory
}

// defaultValue is the size of a value if the configuration does not state it.
const defaultValue = 64

// Run measures each contestant at each number of entries, in a process of its own.
func Run(ctx context.Context, c Config) (Result, error) {
	if err := c.Check(); err != nil {
		return Result{}, err
	}
	var r Result
	r.Memory = &report.Memory{Value: cmp.Or(c.Value, defaultValue)}
	entries := c.distinct()
	c.Progress.Expect(len(c.Contestants) * len(entries))
	for _, contestant := range c.Contestants {
		row := report.MemoryRow{Name: contestant.Name, Numbers: contestant.NewBytes == nil}
		var results []result
		for _, n := range entries {
			c.Progress.Step(fmt.Sprintf("%s: memory of %s entries", contestant.Name, report.Count(n)))
			one, err := measure(ctx, c.Contestants, c.Patience, job{contestant.Name, n, r.Memory.Value})
			if ctx.Err() != nil {
				return r, ctx.Err()
			}
			if err != nil {
				row.Failed = err.Error()
				where := "memory of " + report.Count(n) + " entries"
				r.Found(report.Finding{Name: row.Name, Check: report.CheckFailed, Where: where, Text: row.Failed})
				break
			}
			results = append(results, one)
		}
		r.Memory.Rows = append(r.Memory.Rows, fitted(row, results))
	}
	return r, nil
}

// measure measures one contestant at one number of entries, in a process of its own.
func measure(ctx context.Context, all []contest.Contestant, patience time.Duration, j job) (r result, err error) {
	w, err := worker.Start(ctx, func() worker.Handler { return NewHandler(all) })
	if err != nil {
		return r, err
	}
	defer w.Close()
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(patience, 2*time.Minute))
	defer cancel()
	err = w.Call(ctx, jobName, j, &r)
	if err == nil && r.Present == 0 {
		err = fmt.Errorf("the cache holds none of %s entries", report.Count(r.Entries))
	}
	return r, err
}

const jobName = "memory" // a job to a result

// NewHandler returns the handler of the jobs that Run gives to workers.
func NewHandler(all []contest.Contestant) worker.Handler { return handler(all) }

type handler []contest.Contestant

// Do implements [worker.Handler].
func (all handler) Do(ctx context.Context, name string, in json.RawMessage) (any, error) {
	if name != jobName {
		return nil, worker.ErrUnknown
	}
	return worker.Job(ctx, in, func(ctx context.Context, j job) (result, error) { return fill(ctx, all, j) })
}

// Close implements [worker.Handler].
func (handler) Close() {}

// fitted computes the figures of a row from its points.
func fitted(row report.MemoryRow, results []result) report.MemoryRow {
	for _, r := range results {
		row.Points = append(row.Points, r.MemoryPoint)
	}
	if len(results) < 2 {
		return row
	}
	fit := func(of func(report.MemoryPoint) int64) (slope, intercept float64) {
		xs, ys := make([]float64, len(results)), make([]float64, len(results))
		for i, r := range results {
			xs[i], ys[i] = float64(r.Present), float64(of(r.MemoryPoint))
		}
		return line(xs, ys)
	}
	row.HeapPerEntry, row.HeapFixed = fit(func(p report.MemoryPoint) int64 { return p.Heap })
	row.RSSPerEntry, row.RSSFixed = fit(func(p report.MemoryPoint) int64 { return p.RSS })
	row.KeptPerEntry, row.KeptFixed = fit(func(p report.MemoryPoint) int64 { return p.Kept })
	row.ScanPerEntry, _ = fit(func(p report.MemoryPoint) int64 { return p.Scan })
	last := results[len(results)-1]
	row.GC = max(0, last.GC-last.GCEmpty)
	return row
}

// line returns the least-squares line through points. If all points have the same x, it goes through the origin.
func line(xs, ys []float64) (slope, intercept float64) {
	var mx, my, xx, xy float64
	n := float64(len(xs))
	for i := range xs {
		mx, my = mx+xs[i]/n, my+ys[i]/n
	}
	for i := range xs {
		xx += (xs[i] - mx) * (xs[i] - mx)
		xy += (xs[i] - mx) * (ys[i] - my)
	}
	if xx == 0 {
		return my / max(mx, 1), 0
	}
	return xy / xx, my - xy/xx*mx
}

// bytesEntries are the numbers of entries that BytesPerEntry measures.
var bytesEntries = []int{50_000, 100_000}

// BytesPerEntry returns all the memory that an entry of c keeps, the value included. Without NewBytes, c holds numbers;
// the result then adds the bytes by which the value is larger than a number.
func BytesPerEntry(ctx context.Context, all []contest.Contestant, c contest.Contestant, value int) (float64, error) {
	var results []result
	for _, n := range bytesEntries {
		r, err := measure(ctx, all, 0, job{c.Name, n, value})
		if err != nil {
			return 0, fmt.Errorf("memory of %s: %w", c.Name, err)
		}
		results = append(results, r)
	}
	row := fitted(report.MemoryRow{}, results)
	if row.KeptPerEntry <= 0 {
		return 0, fmt.Errorf("memory of %s: the measured %.0f bytes per entry are impossible", c.Name, row.KeptPerEntry)
	}
	if c.NewBytes == nil {
		return row.KeptPerEntry + float64(max(0, value-8)), nil
	}
	return row.KeptPerEntry, nil
}

// medianTime returns the median of times.
func medianTime(all []time.Duration) time.Duration {
	xs := make([]float64, len(all))
	for i, d := range all {
		xs[i] = float64(d)
	}
	return time.Duration(intervals.Median(xs))
}

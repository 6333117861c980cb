package compare

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"github.com/cachepact/cachepact/compare/report"
	intervals "github.com/cachepact/cachepact/internal/stat"
)

func memoryPart() part {
	o := &memorySettings{patience: 2 * time.Minute}
	return part{
		name:  "memory",
		short: "Measure what an entry takes, and what it costs the garbage collector",
		long: `Measure what an entry takes, and what it costs the garbage collector.

Each contestant is filled in a process of its own, once for each number of entries.
What it takes is what the process has more of than before, divided among the entries
that a Get of every key finds: bytes per entry is the slope over the numbers of
entries. "heap" and "rss" leave out the values that were there before and that a
cache refers to; "kept" is all that would be free without the cache.`,
		examples: [3]string{
			"--value 256",
			"--entries 100000,200000,400000 --adapters golanglru,bigcache",
			"--html memory.html --json memory.json",
		},
		load:    noLoad,
		flags:   o.flags,
		check:   o.check,
		measure: o.measure,
	}
}

// memorySettings are the settings of the part about memory.
type memorySettings struct {
	entriesText []string
	entries     []int
	patience    time.Duration // after which a worker that does not answer is given up
}

// memoryValue is the size of a value if nothing is said.
const memoryValue = 64

func (o *memorySettings) flags(f *pflag.FlagSet) {
	f.StringSliceVar(&o.entriesText, "entries", []string{"50000", "100000", "200000"},
		"comma-separated `list` of numbers of entries, two or more; tables that double do so at the same point if these do")
}

func (o *memorySettings) check() error {
	o.entries = nil
	for _, text := range o.entriesText {
		n, err := strconv.Atoi(text)
		if err != nil || n < 100 || n > 1<<27 {
			return fmt.Errorf("entries %q: expected a number from 100 to %d", text, 1<<27)
		}
		o.entries = append(o.entries, n)
	}
	slices.Sort(o.entries)
	if o.entries = slices.Compact(o.entries); len(o.entries) < 2 {
		return errors.New("entries: expected two different numbers or more")
	}
	return nil
}

// measure fills s.report.Memory.
func (o *memorySettings) measure(ctx context.Context, s *session) error {
	value := s.value
	if value == 0 {
		value = memoryValue
	}
	m := &report.Memory{Value: value}
	s.progress.Expect(len(s.contestants) * len(o.entries))
	for _, c := range s.contestants {
		row := report.MemoryRow{Name: c.Name, Numbers: c.NewBytes == nil}
		var results []memoryResult
		for _, n := range o.entries {
			s.progress.Step(fmt.Sprintf("%s: memory of %s entries", c.Name, report.Count(n)))
			r, err := s.weigh(ctx, o.patience, memoryJob{c.Name, n, value})
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				row.Failed = err.Error()
				s.found(report.Finding{Name: c.Name, Check: report.CheckFailed, Where: "memory of " + report.Count(n) + " entries", Text: err.Error()})
				break
			}
			results = append(results, r)
		}
		m.Rows = append(m.Rows, fitted(row, results))
	}
	s.report.Memory = m
	return nil
}

// weigh measures one contestant at one number of entries in a process of its own.
func (s *session) weigh(ctx context.Context, patience time.Duration, j memoryJob) (r memoryResult, err error) {
	w, err := startWorker(ctx, s.contestants)
	if err != nil {
		return r, err
	}
	defer w.close()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err = w.call(ctx, jobMemory, j, &r)
	if err == nil && r.Present == 0 {
		err = fmt.Errorf("holds none of %s entries", report.Count(r.Entries))
	}
	return r, err
}

// fitted works out the row's figures from its points.
func fitted(row report.MemoryRow, results []memoryResult) report.MemoryRow {
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

// line returns the line through points that has the least squares of distances. If
// all points have the same x, it goes through the origin.
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

// bytesEntries are the numbers of entries from which bytesPerEntry works out its
// result.
var bytesEntries = []int{50_000, 100_000}

// bytesPerEntry returns all the memory that an entry of c with a value of so many
// bytes keeps from being free, that of its value included. For a contestant without
// NewBytes it is that of a number, and what the value has more than one.
func bytesPerEntry(ctx context.Context, s *session, c Contestant, value int) (float64, error) {
	var results []memoryResult
	for _, n := range bytesEntries {
		r, err := s.weigh(ctx, 2*time.Minute, memoryJob{c.Name, n, value})
		if err != nil {
			return 0, fmt.Errorf("memory of %s: %w", c.Name, err)
		}
		results = append(results, r)
	}
	row := fitted(report.MemoryRow{}, results)
	if row.KeptPerEntry <= 0 {
		return 0, fmt.Errorf("memory of %s: an entry takes %.0f bytes, which cannot be", c.Name, row.KeptPerEntry)
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

package hits

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/compare/internal/contest"
	"github.com/cachepact/cachepact/compare/internal/load"
	"github.com/cachepact/cachepact/compare/report"
	"github.com/cachepact/cachepact/compare/trace"
)

// A fit is a capacity for one contestant.
type fit struct {
	bound    load.Bound
	options  contest.Options
	perEntry float64 // bytes on the heap, measured if the capacity is in bytes
	sizes    *sizes  // of values that are byte slices; nil: they are numbers
	failed   string  // why it cannot take part
}

// An entry's bytes are measured in a cache of about as many entries as fit, but of
// no less and no more than these.
const leastFilled, mostFilled = 1000, 200_000

// fitIn gives a contestant its capacity. One in bytes goes as it is to a cache that
// is bounded by bytes, and any other gets as many entries as it needs these bytes
// for.
func fitIn(ctx context.Context, c contest.Contestant, r load.Bound, values sizes) (fit, error) {
	if r.Bytes == 0 {
		return fit{bound: r, options: contest.Options{Capacity: r.Entries}}, nil
	}
	if c.Bytes && c.NewBytes == nil {
		return fit{bound: r, failed: "it is bounded by bytes, and cannot hold byte slices"}, nil
	}
	o := contest.Options{Capacity: max(1, int(r.Bytes/int64(values.mean))), Value: values.mean}
	if c.Bytes {
		o.Bytes = r.Bytes
	}
	probe := o
	if !c.Bytes {
		const overhead = 100 // about
		probe.Capacity = min(max(leastFilled, int(r.Bytes/int64(values.mean+overhead))), mostFilled)
	}
	per, err := bytesPerEntry(ctx, c, probe)
	switch {
	case ctx.Err() != nil:
		return fit{}, ctx.Err()
	case err != nil:
		return fit{bound: r, failed: err.Error()}, nil
	case c.Bytes:
		return fit{bound: r, options: o, perEntry: per, sizes: &values}, nil
	}
	return fit{bound: r, options: contest.Options{Capacity: max(1, int(float64(r.Bytes)/per))}, perEntry: per}, nil
}

// middle returns the median of what the caches of entries got, or other if there
// are none.
func middle(fits []fit, other int) int {
	var all []int
	for _, f := range fits {
		if f.perEntry > 0 && f.sizes == nil {
			all = append(all, f.options.Capacity)
		}
	}
	if len(all) == 0 {
		return max(1, other)
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// open returns an empty cache.
func open(c contest.Contestant, f fit) (backend.Backend[uint64, uint64], error) {
	if f.sizes == nil {
		return c.New(f.options)
	}
	b, err := c.NewBytes(f.options)
	if err != nil {
		return nil, err
	}
	return newSized(b, *f.sizes), nil
}

// rows replays l through c at each pace. A cache that does not buffer writes is the
// same flat and settled. What goes wrong with the cache is in the row; the error is
// that of the context or of the load.
func (s *comparison) rows(ctx context.Context, l *load.Load, c contest.Contestant, f fit) ([]report.Row, error) {
	var rows []report.Row
	done := false // flat or settled, for a cache that does not buffer
	for _, pace := range s.Paces {
		s.Progress.Step(c.Name + " " + string(pace))
		if done && pace != report.Paced {
			continue
		}
		row, buffers, err := s.row(ctx, l, c, f, s.pacing(pace))
		if err != nil {
			return nil, err
		}
		if !buffers && pace != report.Paced {
			row.Pace, done = "", true
		}
		rows = append(rows, row)
		if row.Failed != "" && row.Runs == 0 {
			break // it would fail again
		}
	}
	return rows, nil
}

// row replays l through c at one pace, again if the hits differ from run to run, and
// returns the median run. It reports whether the cache buffers writes.
func (s *comparison) row(ctx context.Context, l *load.Load, c contest.Contestant, f fit, p pacing) (row report.Row, buffers bool, err error) {
	row = report.Row{Name: c.Name, Pace: p.Pace, BytesPerEntry: f.perEntry, Failed: f.failed}
	if row.Failed != "" {
		return row, false, nil
	}
	var all []outcome
	for len(all) < s.Runs && !settledOn(c, all) && row.Failed == "" {
		b, err := open(c, f)
		if err != nil {
			row.Failed = err.Error()
			break
		}
		row.Bounds, row.Rejects = contest.Bounds(c, b), backend.TraitsOf(b).Rejects
		_, buffers = backend.As[backend.Syncer](b)
		runtime.GC() // of what the one before left
		o, err := replay(ctx, b, l, p)
		if closeErr := backend.Close(b); err == nil {
			err = closeErr
		}
		if ctx.Err() != nil {
			return row, buffers, ctx.Err()
		}
		if err != nil {
			row.Failed = err.Error()
		} else if mix := executed(l, o); mix != "" {
			s.Found(report.Finding{Name: c.Name, Check: report.CheckMix, Where: string(p.Pace) + " hits at " + f.bound.String(), Text: mix})
		}
		all = append(all, o)
	}
	if row.Bounds != report.BoundsBytes || f.options.Bytes == 0 {
		row.Entries = f.options.Capacity
	}
	if len(all) > 0 {
		set(&row, all)
	}
	return row, buffers, nil
}

// settledOn reports whether another run would have the same hits: one run of an
// exact LRU says so, and two equal ones of any other cache.
func settledOn(c contest.Contestant, all []outcome) bool {
	n := len(all)
	return n > 0 && c.LRU || n == 2 && all[0].hits == all[1].hits && all[0].misses == all[1].misses
}

// executed says what is wrong with the operations that a replay executed: those of
// the driver must be those of the load, and what the cache has counted, if it
// counts, what it was asked.
func executed(l *load.Load, o outcome) string {
	for op, n := range o.ops {
		if off(n, l.Ops[op]) {
			return fmt.Sprintf("%s of %s requests to %v were executed", report.Count(n), report.Count(l.Ops[op]), trace.Op(op))
		}
	}
	if o.says && (off(o.said[0], o.asked[0]) || off(o.said[1], o.asked[1])) {
		return fmt.Sprintf("it counted %s hits and %s misses where the driver had %s and %s",
			report.Count(o.said[1]), report.Count(o.said[0]), report.Count(o.asked[1]), report.Count(o.asked[0]))
	}
	return ""
}

// off reports whether n differs from what is due by more than 1 %.
func off(n, due int64) bool { return max(n-due, due-n)*100 > due }

// set fills in the figures of the median run.
func set(row *report.Row, all []outcome) {
	slices.SortFunc(all, func(a, b outcome) int { return cmp.Compare(a.hits, b.hits) })
	share := func(o outcome) float64 { return report.Ratio(o.hits, o.hits+o.misses) }
	o := all[(len(all)-1)/2]
	row.Runs = len(all)
	row.HitRatio, row.Low, row.High = share(o), share(all[0]), share(all[len(all)-1])
	row.Hits, row.Misses, row.Peak, row.Time, row.Series = o.hits, o.misses, o.peak, o.time, o.series
	row.Writes, row.Probed, row.Dropped, row.Rejected = o.writes, o.probed, o.dropped, o.rejected
	for _, o := range all {
		row.Wrong, row.Stale = max(row.Wrong, o.wrong), max(row.Stale, o.stale)
		row.Peak = max(row.Peak, o.peak)
	}
}

package compare

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/compare/report"
	"github.com/cachepact/cachepact/compare/trace"
)

// A fit is a capacity for one contestant.
type fit struct {
	room     room
	options  Options
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
func (c Contestant) fitIn(ctx context.Context, r room, values sizes) (fit, error) {
	if r.bytes == 0 {
		return fit{room: r, options: Options{Capacity: r.entries}}, nil
	}
	if c.Bytes && c.NewBytes == nil {
		return fit{room: r, failed: "it is bounded by bytes, and cannot hold byte slices"}, nil
	}
	o := Options{Capacity: max(1, int(r.bytes/int64(values.mean))), Value: values.mean}
	if c.Bytes {
		o.Bytes = r.bytes
	}
	probe := o
	if !c.Bytes {
		const overhead = 100 // about
		probe.Capacity = min(max(leastFilled, int(r.bytes/int64(values.mean+overhead))), mostFilled)
	}
	per, err := c.bytesPerEntry(ctx, probe)
	switch {
	case ctx.Err() != nil:
		return fit{}, ctx.Err()
	case err != nil:
		return fit{room: r, failed: err.Error()}, nil
	case c.Bytes:
		return fit{room: r, options: o, perEntry: per, sizes: &values}, nil
	}
	return fit{room: r, options: Options{Capacity: max(1, int(float64(r.bytes)/per))}, perEntry: per}, nil
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
func (c Contestant) open(f fit) (backend.Backend[uint64, uint64], error) {
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
func (h *hits) rows(ctx context.Context, s *session, l *load, c Contestant, f fit) ([]report.Row, error) {
	var rows []report.Row
	done := false // flat or settled, for a cache that does not buffer
	for _, p := range h.pacings {
		s.progress.Step(c.Name + " " + string(p.Pace))
		if done && p.Pace != report.Paced {
			continue
		}
		row, buffers, err := h.row(ctx, s, l, c, f, p)
		if err != nil {
			return nil, err
		}
		if !buffers && p.Pace != report.Paced {
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
func (h *hits) row(ctx context.Context, s *session, l *load, c Contestant, f fit, p pacing) (row report.Row, buffers bool, err error) {
	row = report.Row{Name: c.Name, Pace: p.Pace, BytesPerEntry: f.perEntry, Failed: f.failed}
	if row.Failed != "" {
		return row, false, nil
	}
	var all []outcome
	for len(all) < h.runs && !settledOn(c, all) && row.Failed == "" {
		b, err := c.open(f)
		if err != nil {
			row.Failed = err.Error()
			break
		}
		row.Bounds, row.Rejects = bounds(c, b), backend.TraitsOf(b).Rejects
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
			s.found(report.Finding{Name: c.Name, Check: report.CheckMix, Where: string(p.Pace) + " hits at " + f.room.String(), Text: mix})
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
func settledOn(c Contestant, all []outcome) bool {
	n := len(all)
	return n > 0 && c.LRU || n == 2 && all[0].hits == all[1].hits && all[0].misses == all[1].misses
}

// executed says what is wrong with the operations that a replay executed: those of
// the driver must be those of the load, and what the cache has counted, if it
// counts, what it was asked.
func executed(l *load, o outcome) string {
	for op, n := range o.ops {
		if off(n, l.ops[op]) {
			return fmt.Sprintf("%s of %s requests to %v were executed", report.Count(n), report.Count(l.ops[op]), trace.Op(op))
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
	share := func(o outcome) float64 { return ratio(o.hits, o.hits+o.misses) }
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

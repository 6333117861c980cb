package compare

import (
	"context"
	"runtime"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/compare/policy"
	"github.com/cachepact/cachepact/compare/trace"
)

// run replays l through every contestant at every capacity.
func run(ctx context.Context, l *load, contestants []Contestant, capacities []Capacity) (*Report, error) {
	report := &Report{
		Workload: Workload{Name: l.name, Format: l.format, Requests: l.requests, Distinct: l.distinct, Sample: l.sample()},
		Machine:  thisMachine(),
	}
	all, err := resolve(capacities, l)
	if err != nil {
		return nil, err
	}
	refs := newReferences(l)
	for _, entries := range all {
		t := Table{Capacity: entries, References: refs.at(entries)}
		for _, c := range contestants {
			rows, err := c.rows(ctx, l, entries)
			if err != nil {
				return nil, err
			}
			t.Rows = append(t.Rows, rows...)
		}
		t.judge(contestants)
		report.Tables = append(report.Tables, t)
	}
	if l.ttls {
		report.Notes = append(report.Notes, Note{"the trace", "has TTLs, which are not honoured: a cache that does has fewer hits"})
	}
	for _, c := range contestants {
		if c.Note != "" {
			report.Notes = append(report.Notes, Note{c.Name, c.Note})
		}
	}
	return report, nil
}

// rows replays l through c. A cache that buffers its writes gets a row at each
// pace. What goes wrong with the cache is in the row; the error is that of the
// context or of the load.
func (c Contestant) rows(ctx context.Context, l *load, entries int) ([]Row, error) {
	var rows []Row
	for _, pace := range []Pace{Flat, Settled} {
		row := Row{Name: c.Name, Version: c.version()}
		b, err := c.New(Options{Capacity: entries})
		if err != nil {
			row.Failed = err.Error()
			return append(rows, row), nil
		}
		row.Bounds = c.bounds(b)
		_, buffers := backend.As[backend.Flusher](b)
		if buffers {
			row.Pace = pace
		}
		runtime.GC() // of what the one before left
		row.Outcome, err = replay(ctx, b, l, pace)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if closeErr := backend.Close(b); err == nil {
			err = closeErr
		}
		if err != nil {
			row.Failed = err.Error()
		}
		rows = append(rows, row)
		if !buffers {
			break
		}
	}
	return rows, nil
}

// references computes the reference lines of a load.
type references struct {
	requests policy.Requests
	future   policy.Future
	gets     int64
}

// newReferences returns nothing for a load too long to hold.
func newReferences(l *load) *references {
	if l.streamed() {
		return &references{}
	}
	r := &references{requests: policy.Requests{IDs: l.all.ids, Ops: l.all.ops, Distinct: l.distinct}}
	r.future = policy.NewFuture(r.requests)
	r.gets = int64(len(l.all.ids))
	for _, op := range l.all.ops {
		if op != trace.Get {
			r.gets--
		}
	}
	return r
}

func (r *references) at(entries int) []Reference {
	if r.requests.IDs == nil {
		return nil
	}
	var all []Reference
	for _, p := range []struct {
		name string
		hits func() int
	}{
		{refOPTBypass, func() int { return policy.OPTBypass(r.future, entries) }},
		{refOPT, func() int { return policy.OPT(r.future, entries) }},
		{refLRU, func() int { return policy.LRU(r.requests, entries) }},
		{refFIFO, func() int { return policy.FIFO(r.requests, entries) }},
	} {
		start := time.Now()
		hits := int64(p.hits())
		all = append(all, Reference{p.name, hits, r.gets - hits, time.Since(start)})
	}
	return all
}

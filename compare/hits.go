package compare

import (
	"context"
	"runtime"

	"github.com/spf13/pflag"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/compare/report"
)

func hitsPart() part {
	var h hits
	return part{
		name:  "hits",
		short: "Replay requests through caches and compare their hits",
		examples: [3]string{
			"--trace oltp.gz --capacity 1%,5%,10%",
			"--trace keys.txt.zst --format keys --capacity 1000 --adapters golanglru",
			"--workload zipf:s=0.99,keys=100000,requests=1000000",
		},
		load:    mustLoad,
		flags:   h.flags,
		measure: h.measure,
	}
}

// hits are the settings of the part about hit ratios.
type hits struct{}

func (h *hits) flags(*pflag.FlagSet) {}

// measure replays the load through every contestant at every capacity.
func (h *hits) measure(ctx context.Context, s *session) error {
	all, err := resolve(s.capacities, s.load)
	if err != nil {
		return err
	}
	s.report.Hits = &report.Hits{Mode: "fill", TTL: "none", Runs: 1}
	refs := newReferences(s.load)
	s.progress.Expect(len(all) * len(s.contestants))
	for _, entries := range all {
		t := report.Table{Capacity: entries, Share: float64(entries) / float64(s.load.distinct), References: refs.at(entries)}
		for _, c := range s.contestants {
			s.progress.Step(c.Name)
			rows, err := c.rows(ctx, s.load, entries)
			if err != nil {
				return err
			}
			t.Rows = append(t.Rows, rows...)
		}
		s.judge(&t)
		s.report.Hits.Tables = append(s.report.Hits.Tables, t)
	}
	if s.load.ttls {
		s.note("the trace", "has TTLs, which are not honoured: a cache that does has fewer hits")
	}
	return nil
}

// rows replays l through c. A cache that buffers its writes gets a row at each
// pace. What goes wrong with the cache is in the row; the error is that of the
// context or of the load.
func (c Contestant) rows(ctx context.Context, l *load, entries int) ([]report.Row, error) {
	var rows []report.Row
	for _, pace := range []report.Pace{report.Flat, report.Settled} {
		row := report.Row{Name: c.Name, Entries: entries, Runs: 1}
		b, err := c.New(Options{Capacity: entries})
		if err != nil {
			row.Failed = err.Error()
			return append(rows, row), nil
		}
		row.Bounds = bounds(c, b)
		_, buffers := backend.As[backend.Flusher](b)
		if buffers {
			row.Pace = pace
		}
		runtime.GC() // of what the one before left
		o, err := replay(ctx, b, l, pace)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if closeErr := backend.Close(b); err == nil {
			err = closeErr
		}
		if err != nil {
			row.Failed = err.Error()
		}
		row.Hits, row.Misses, row.Peak, row.Wrong, row.Time = o.Hits, o.Misses, o.Peak, o.Wrong, o.Time
		row.HitRatio = ratio(o.Hits, o.Hits+o.Misses)
		row.Low, row.High = row.HitRatio, row.HitRatio
		rows = append(rows, row)
		if !buffers {
			break
		}
	}
	return rows, nil
}

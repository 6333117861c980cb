package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/cachepact/cachepact/compare/internal/stat"
)

func (r *Report) timeSection() section {
	s := section{ID: "over-time", Title: "Hit ratio over time", Short: "Over time"}
	if r.Hits == nil {
		return s
	}
	b := block{}
	for i := range r.Hits.Tables {
		if c := r.seriesChart(&r.Hits.Tables[i], i); c != nil {
			b.Charts = append(b.Charts, c)
		}
	}
	if len(b.Charts) > 0 {
		s.Intro = []string{"The hit ratio in equally long parts of the requests, in order. " +
			"The first parts warm up the caches."}
		s.Blocks = []block{b}
	}
	return s
}

func (r *Report) ratioSection() section {
	s := section{ID: "ratios", Title: "Speed against the baseline", Short: "Ratios"}
	if r.Speed == nil {
		return s
	}
	b := block{}
	noisy := 0
	for i := range r.Speed.Cases {
		c := &r.Speed.Cases[i]
		if c.Noisy {
			noisy++
		}
		if f := r.forest(c, i); f != nil {
			b.Charts = append(b.Charts, f)
		}
	}
	if len(b.Charts) == 0 {
		return s
	}
	s.Intro = []string{fmt.Sprintf("The time per operation divided by that of %s in the same round: "+
		"the median of %s of %s, with 95 %% bootstrap intervals. %s is measured twice and differs from itself within "+
		"the shaded zone. A cache in this zone ties.",
		r.Speed.Baseline, plural(r.Speed.Rounds, "round"), setting(r.Speed.Slice), r.Speed.Baseline)}
	if noisy > 0 {
		s.Intro = append(s.Intro, fmt.Sprintf("The machine was too noisy to rank the caches in %d of %d cases: "+
			"the zone is wider than 10 %%.", noisy, len(r.Speed.Cases)))
	}
	s.Blocks = []block{b}
	return s
}

func (r *Report) speedSection() section {
	s := section{ID: "speed", Title: "Speed", Short: "Speed"}
	if r.Speed == nil {
		return s
	}
	for i := range r.Speed.Cases {
		c := &r.Speed.Cases[i]
		if len(c.Rows) > 0 {
			b := block{Title: c.title(), Tables: []*table{r.speedTable(c, i)}, Intro: c.words()}
			s.Blocks = append(s.Blocks, b)
		}
	}
	return s
}

// words describes the intended mix of operations and the noise of the machine.
func (c *SpeedCase) words() string {
	text := fmt.Sprintf("Intended mix: %s.", mixWords(c.Mix))
	if c.Capacity > 0 {
		text += fmt.Sprintf(" Capacity %s entries.", thousands(c.Capacity))
	}
	text += fmt.Sprintf(" Control: %s.", interval3(c.Control))
	if c.Noisy {
		text += " The machine was too noisy to rank."
	}
	return text
}

func mixWords(m Mix) string {
	var parts []string
	for _, p := range []struct {
		share float64
		name  string
	}{{m.Gets, "Get"}, {m.Puts, "Put"}, {m.Invalidates, "Invalidate"}} {
		if p.share > 0 {
			parts = append(parts, decimals(100*p.share, 1)+" % "+p.name)
		}
	}
	if len(parts) == 0 {
		return "no operations"
	}
	return strings.Join(parts, ", ")
}

func interval3(i stat.Interval) string {
	return fmt.Sprintf("%.3f (%.3f–%.3f)", i.Median, i.Low, i.High)
}

func (r *Report) speedTable(c *SpeedCase, n int) *table {
	t := &table{
		ID: fmt.Sprintf("speed-%d", n), Caption: "Speed: " + c.title(), Said: true,
		Columns: columnsOf("Cache", "ns/op", "÷ "+r.Speed.Baseline, "CPU ns/op", "Operations", "Hit ratio",
			"Useful hits", mixHead(c), "Puts dropped", "B/op", "allocs/op"),
	}
	rows := slices.Clone(c.Rows)
	if !c.Noisy {
		slices.SortStableFunc(rows, func(a, b SpeedRow) int { return cmp.Compare(a.Wall.Median, b.Wall.Median) })
	}
	for _, row := range rows {
		if row.Failed != "" {
			t.failed(row.Name, row.Failed)
		} else {
			t.Rows = append(t.Rows, r.speedCells(c, row))
		}
	}
	t.drop()
	return t
}

func (r *Report) speedCells(c *SpeedCase, s SpeedRow) row {
	ratio := cell{Text: decimals(s.Ratio.Median, 2), Sub: decimals(s.Ratio.Low, 2) + "–" + decimals(s.Ratio.High, 2)}
	switch {
	case s.Name == r.Speed.Baseline:
		ratio = cell{Text: "1", Note: "baseline"}
	case s.Tie:
		ratio.Kind, ratio.Note = "tie", "tie"
	}
	executed := decimals(100*s.Executed.Gets, 1) + " / " + decimals(100*s.Executed.Puts, 1)
	if c.invalidates() {
		executed += " / " + decimals(100*s.Executed.Invalidates, 1)
	}
	off := differs(s.Executed, c.Mix)
	return row{Cells: []cell{
		{Text: s.Name},
		{Text: figures(s.Wall.Median), Sub: figureRange(s.Wall)},
		ratio,
		{Text: when(s.CPU.Median > 0, figures(s.CPU.Median))},
		{Text: perSecond(s.OpsPerSec)},
		{Text: share(s.HitRatio)},
		{Text: perSecond(s.HitsPerSec)},
		bad(executed, off, "not the intended mix"),
		bad(when(s.Dropped > 0, share(s.Dropped)), s.Dropped > 0, ""),
		{Text: figures(s.BytesPerOp)},
		{Text: figures(s.AllocsPerOp)},
	}}
}

// invalidates reports whether the case intended or executed any Invalidate.
func (c *SpeedCase) invalidates() bool {
	executed := func(r SpeedRow) bool { return r.Executed.Invalidates > 0 }
	return c.Mix.Invalidates > 0 || slices.ContainsFunc(c.Rows, executed)
}

func mixHead(c *SpeedCase) string {
	if c.invalidates() {
		return "Executed % of Get / Put / Invalidate"
	}
	return "Executed % of Get / Put"
}

// differs reports whether the mixes differ by more than 1 %.
func differs(a, b Mix) bool {
	const most = 0.01
	far := func(x, y float64) bool { return x-y > most || y-x > most }
	return far(a.Gets, b.Gets) || far(a.Puts, b.Puts) || far(a.Invalidates, b.Invalidates)
}

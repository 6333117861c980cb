package report

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/cachepact/cachepact/compare/internal/stat"
)

// speed writes the tables of times per operation.
func (t *text) speed(r *Report) {
	s := r.Speed
	if s == nil {
		return
	}
	for i := range s.Cases {
		t.speedCase(s, &s.Cases[i])
	}
	t.latency(s.Latency)
}

var caseTitles = map[string]string{
	"hit":      "every Get hits, nothing is evicted",
	"miss":     "every Get misses, every Put evicts",
	"workload": "the requests of the workload",
}

func (t *text) speedCase(s *Speed, c *SpeedCase) {
	t.line(plain, "")
	t.line(bold, "speed, %s: %s; capacity %s, GOMAXPROCS %d, %s; intended mix %s", c.Name, caseTitles[c.Name],
		thousands(c.Capacity), c.Procs, plural(c.Goroutines, "goroutine"), c.Mix.String())
	g := &textTable{}
	g.add(bold, "cache", "ns/op", "95 %", "cpu ns/op", "of "+s.Baseline, "95 %", "", "Mops/s", "hits", "Mhits/s",
		"executed", "dropped", "B/op", "allocs/op")
	for _, r := range c.Floors {
		t.speedRow(g, faint, c, s.Baseline, r)
	}
	for _, r := range c.Rows {
		t.speedRow(g, plain, c, s.Baseline, r)
	}
	t.table(g)
	for _, r := range c.Rows {
		if r.Failed != "" {
			t.line(faint, "%s failed: %s", r.Name, r.Failed)
		}
	}
	zone := fmt.Sprintf("%s against itself: %s", s.Baseline, ratioRange(c.Control))
	switch {
	case c.Control == stat.Interval{}:
		t.line(red, "%s has no figures, so nothing is ranked", s.Baseline)
	case c.Noisy:
		t.line(red, "%s: too noisy, so nothing is ranked", zone)
	default:
		t.line(faint, "%s: a difference within this range is a tie; medians of %d rounds of %v", zone,
			s.Rounds, s.Slice)
	}
}

func (t *text) speedRow(g *textTable, s lineStyle, c *SpeedCase, baseline string, r SpeedRow) {
	if r.Failed != "" {
		g.add(red, r.Name, "failed")
		return
	}
	verdict := ""
	switch {
	case c.Noisy || r.Name == baseline:
	case r.Tie:
		verdict = "tie"
	case r.Ratio.Median < 1:
		verdict = "faster"
	default:
		verdict = "slower"
	}
	g.add(s, r.Name, figures(r.Wall.Median), figureRange(r.Wall), figures(r.CPU.Median),
		fmt.Sprintf("%.2f", r.Ratio.Median), ratioRange(r.Ratio), verdict,
		figures(r.OpsPerSec/1e6), share(r.HitRatio), figures(r.HitsPerSec/1e6), r.Executed.String(),
		when(r.Dropped > 0, share(r.Dropped)), figures(r.BytesPerOp), fmt.Sprintf("%.2f", r.AllocsPerOp))
}

// String writes the shares in percent, such as 90/9/1.
func (m Mix) String() string {
	var parts []string
	for _, share := range []float64{m.Gets, m.Puts, m.Invalidates} {
		parts = append(parts, strconv.FormatFloat(100*share, 'f', 0, 64))
	}
	return strings.Join(parts, "/")
}

func ratioRange(i stat.Interval) string { return fmt.Sprintf("%.2f–%.2f", i.Low, i.High) }

// latency writes a table of percentiles for each kind of loop.
func (t *text) latency(all []Latency) {
	for _, loop := range []struct{ name, title string }{
		{"closed", "latency in a closed loop: an operation starts when the previous one has ended"},
		{"open", "latency in an open loop: operations start at a rate, times count from the scheduled start"},
	} {
		g := &textTable{}
		for _, l := range all {
			if l.Loop != loop.name {
				continue
			}
			name := l.Name + ", " + l.Class
			if l.Share > 0 {
				name = fmt.Sprintf("%s at %.0f %%", l.Name, 100*l.Share)
			}
			if l.Count == 0 {
				g.add(red, name, "failed")
				continue
			}
			row := plain
			if l.Failed != "" {
				row, name = red, name+" (not reached)"
			}
			g.add(row, name, when(l.Rate > 0, figures(l.Rate/1e6)), thousands(l.Count),
				span(l.P50), span(l.P99), span(l.P999), span(l.Max), span(l.Clock))
		}
		if len(g.rows) == 0 {
			continue
		}
		t.line(plain, "")
		t.line(bold, "%s", loop.title)
		head := &textTable{}
		head.add(bold, "cache", "Mops/s", "timed", "p50", "p99", "p99.9", "max", "clock")
		head.rows, head.styles = append(head.rows, g.rows...), append(head.styles, g.styles...)
		t.table(head)
		for _, l := range all {
			if l.Loop == loop.name && l.Failed != "" {
				t.line(faint, "%s, %s: %s", l.Name, l.label(), l.Failed)
			}
		}
	}
}

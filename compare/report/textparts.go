package report

import (
	"fmt"

	"github.com/cachepact/cachepact/internal/stat"
)

// speed writes a table for each case, and one for the latencies.
func (t *text) speed(r *Report) {
	if r.Speed == nil {
		return
	}
	for i := range r.Speed.Cases {
		c := &r.Speed.Cases[i]
		t.line(plain, "")
		t.line(bold, "speed: %s, %s entries, %s; the baseline to itself %s", c.label(), thousands(c.Capacity), c.Mix.text(), intervalText(c.Control))
		if c.Noisy {
			t.line(red, "the machine is too noisy to rank")
		}
		g := &textTable{}
		g.add(bold, "cache", "ns/op", "95 %", "CPU ns/op", "to "+r.Speed.Baseline, "95 %", "", "hits", "hits/s", "ops/s", "B/op", "allocs/op", "dropped", "executed")
		for _, row := range c.Rows {
			if row.Failed != "" {
				g.add(red, row.Name, "failed")
				continue
			}
			tie, dropped := "", ""
			if row.Tie {
				tie = "tie"
			}
			if row.Dropped > 0 {
				dropped = share(row.Dropped)
			}
			g.add(plain, row.Name, figures(row.Wall.Median), rangeText(row.Wall), figures(row.CPU.Median),
				decimals(row.Ratio.Median, 2), rangeText(row.Ratio), tie, share(row.HitRatio), perSecond(row.HitsPerSec), perSecond(row.OpsPerSec),
				figures(row.BytesPerOp), figures(row.AllocsPerOp), dropped, row.Executed.text())
		}
		t.table(g)
	}
	t.latency(r.Speed.Latency)
}

func (t *text) latency(all []Latency) {
	if len(all) == 0 {
		return
	}
	t.line(plain, "")
	t.line(bold, "latency")
	g := &textTable{}
	g.add(bold, "cache", "loop", "operation", "p50", "p99", "p99.9", "max", "count")
	for i := range all {
		l := &all[i]
		if l.Failed != "" {
			g.add(red, l.Name, l.Loop, l.label(), "failed")
			continue
		}
		g.add(plain, l.Name, l.Loop, l.label(), span(l.P50), span(l.P99), span(l.P999), span(l.Max), thousands(l.Count))
	}
	t.table(g)
}

// text writes the mix in percent, gets first.
func (m Mix) text() string {
	return fmt.Sprintf("%s/%s/%s", figures(round(100*m.Gets)), figures(round(100*m.Puts)), figures(round(100*m.Invalidates)))
}

// round rounds to one decimal.
func round(x float64) float64 { return float64(int64(x*10+0.5)) / 10 }

func intervalText(i stat.Interval) string {
	return fmt.Sprintf("%s [%s]", decimals(i.Median, 3), rangeText(i))
}

func rangeText(i stat.Interval) string { return figures(i.Low) + "–" + figures(i.High) }

func (t *text) memory(r *Report) {
	if r.Memory == nil {
		return
	}
	t.line(plain, "")
	t.line(bold, "memory, with values of %s", size(float64(r.Memory.Value)))
	g := &textTable{}
	g.add(bold, "cache", "heap/entry", "heap fixed", "RSS/entry", "RSS fixed", "scanned/entry", "full GC")
	for _, row := range r.Memory.Rows {
		if row.Failed != "" {
			g.add(red, row.Name, "failed")
			continue
		}
		g.add(plain, row.Name, bytesText(row.HeapPerEntry), bytesText(row.HeapFixed), bytesText(row.RSSPerEntry), bytesText(row.RSSFixed),
			bytesText(row.ScanPerEntry), span(row.GC))
	}
	t.table(g)
}

func (t *text) ttl(r *Report) {
	if r.TTL == nil {
		return
	}
	t.line(plain, "")
	t.line(bold, "TTL: from the deadline to the first miss")
	g := &textTable{}
	g.add(bold, "cache", "TTL", "use", "early", "late p50", "p99", "max", "stale", "until Size 0", "until memory free", "resolution")
	for _, row := range r.TTL.Rows {
		if row.Failed != "" {
			g.add(red, row.Name, span(row.TTL), row.Use, "failed")
			continue
		}
		style, early := plain, ""
		if row.Early > 0 {
			style, early = red, fmt.Sprintf("%s of %s, by %s", thousands(row.Early), thousands(row.Keys), span(row.Earliest))
		}
		g.add(style, row.Name, span(row.TTL), row.Use, early, span(row.P50), span(row.P99), span(row.Max), span(row.Stale),
			lag(row.SizeLag), lag(row.MemoryLag), span(row.Resolution))
	}
	t.table(g)
}

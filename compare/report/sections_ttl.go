package report

import (
	"fmt"
	"time"
)

func (r *Report) ttlSection() section {
	s := section{ID: "ttl", Title: "Expiry", Short: "Expiry"}
	if r.TTL == nil || len(r.TTL.Rows) == 0 {
		return s
	}
	t := &table{ID: "ttl-table", Caption: "Lag: time from an entry's deadline to the first miss"}
	t.Columns = columnsOf("Cache", "TTL", "Use", "Keys", "Expired early", "Early by up to", "Lag p50", "Lag p99",
		"Lag max", "Stale value up to", "Size 0 after", "Memory free after", "Resolution")
	t.Columns[2].Words = true
	strip := &chart{
		ID: "ttl-strip", Title: "Share of the keys that hit, around the deadline", Kind: "strip", Wide: true,
		X: axis{Name: "since the deadline", Unit: "ns"}, Lines: []mark{{0, "deadline"}},
		Summary: "A strip for each cache, TTL and use: dark while the keys hit, light after they have expired. " +
			"An exact cache changes at the deadline. The table has the figures.",
	}
	for _, row := range r.TTL.Rows {
		if row.Failed != "" {
			t.failed(row.Name+", "+setting(row.TTL)+", "+row.Use, row.Failed)
			continue
		}
		t.Rows = append(t.Rows, ttlCells(row))
		if len(row.Strip) > 1 {
			x := r.series(row.Name, fmt.Sprintf("%s · %s · %s", row.Name, setting(row.TTL), row.Use))
			for i, y := range row.Strip {
				x.Points = append(x.Points, []float64{float64(row.stripAt(i)), y})
			}
			strip.Series = append(strip.Series, x)
		}
	}
	t.drop()
	b := block{Tables: []*table{t}}
	if len(strip.Series) > 0 {
		b.Charts = []*chart{strip}
	}
	s.Blocks = []block{b}
	return s
}

func ttlCells(t TTLRow) row {
	return row{Cells: []cell{
		{Text: t.Name},
		{Text: setting(t.TTL)},
		{Text: t.Use},
		{Text: thousands(t.Keys)},
		bad(thousands(t.Early), t.Early > 0, ""),
		{Text: when(t.Early > 0, span(t.Earliest))},
		{Text: span(t.P50)},
		{Text: span(t.P99)},
		{Text: span(t.Max)},
		bad(span(t.Stale), t.Stale >= noticeable, ""),
		{Text: lag(t.SizeLag)},
		{Text: lag(t.MemoryLag)},
		{Text: setting(t.Resolution)},
	}}
}

func lag(d time.Duration) string {
	if d < 0 {
		return "not seen"
	}
	return span(d)
}

package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

func (r *Report) memorySection() section {
	s := section{ID: "memory", Title: "Memory", Short: "Memory"}
	if r.Memory == nil || len(r.Memory.Rows) == 0 {
		return s
	}
	s.Intro = []string{fmt.Sprintf("Heap and RSS are the memory beyond that of a process with the same keys and "+
		"values of %s. Kept is all memory that would be free without the cache, including the values. "+
		"Bytes per entry are the slope over the number of entries present; fixed bytes are the intercept.",
		bytesOf(int64(r.Memory.Value)))}
	t := &table{ID: "memory-table", Caption: "Memory"}
	t.Columns = columnsOf("Cache", "Heap per entry", "Heap, fixed", "RSS per entry", "RSS, fixed", "Kept per entry",
		"Scannable per entry", "Most entries put", "Present")
	rows := slices.Clone(r.Memory.Rows)
	slices.SortStableFunc(rows, func(a, b MemoryRow) int { return cmp.Compare(a.perEntry(), b.perEntry()) })
	for _, row := range rows {
		if row.Failed != "" {
			t.failed(row.Name, row.Failed)
			continue
		}
		p, ok := row.most()
		present := float64(p.Present) / float64(max(p.Entries, 1))
		t.add(row.Name, bytesText(row.HeapPerEntry), bytesText(row.HeapFixed), bytesText(row.RSSPerEntry),
			bytesText(row.RSSFixed), when(row.KeptPerEntry > 0, bytesText(row.KeptPerEntry)),
			bytesText(row.ScanPerEntry), when(ok, thousands(p.Entries)), when(p.Entries > 0, share(present)))
	}
	t.drop()
	b := block{Tables: []*table{t}}
	for _, c := range []*chart{
		r.memoryChart("heap", "Heap", func(p MemoryPoint) float64 { return float64(p.Heap) }),
		r.memoryChart("rss", "Resident set", func(p MemoryPoint) float64 { return float64(p.RSS) }),
	} {
		if c != nil {
			b.Charts = append(b.Charts, c)
		}
	}
	s.Blocks = []block{b}
	return s
}

// bytesText writes bytes, with a decimal if they are few or negative.
func bytesText(x float64) string {
	if x > -1024 && x < 1024 {
		return decimals(x, 1) + " B"
	}
	return size(x)
}

// most returns the point with the most entries, false if there is none.
func (r *MemoryRow) most() (MemoryPoint, bool) {
	if len(r.Points) == 0 {
		return MemoryPoint{}, false
	}
	return slices.MaxFunc(r.Points, func(a, b MemoryPoint) int { return cmp.Compare(a.Entries, b.Entries) }), true
}

// memoryChart draws a figure over the number of entries present.
func (r *Report) memoryChart(id, title string, y func(MemoryPoint) float64) *chart {
	c := &chart{
		ID: "memory-" + id, Title: title, Kind: "lines",
		X: axis{Name: "entries present", Unit: "count", Zero: true},
		Y: axis{Name: strings.ToLower(title), Unit: "bytes", Zero: true},
		Summary: title + " over the number of entries, a line for each cache. " +
			"A steep line means many bytes per entry. The table has the slopes.",
	}
	if id == "gc" {
		c.Y.Unit, c.Y.Name = "ns", "full collection"
		c.Summary = "The time of a full collection over the number of entries, a line for each cache. " +
			"The table has the figures."
	}
	seen := false
	for _, row := range r.Memory.Rows {
		if row.Failed != "" || len(row.Points) == 0 {
			continue
		}
		s := r.series(row.Name, row.Name)
		for _, p := range row.Points {
			s.Points = append(s.Points, []float64{float64(p.Present), y(p)})
			seen = seen || y(p) != 0
		}
		slices.SortFunc(s.Points, func(a, b []float64) int { return cmp.Compare(a[0], b[0]) })
		c.Series = append(c.Series, s)
	}
	if !seen {
		return nil
	}
	return c
}

func (r *Report) gcSection() section {
	s := section{ID: "gc", Title: "Garbage collection", Short: "GC"}
	if r.Memory == nil {
		return s
	}
	c := r.memoryChart("gc", "Full collection", func(p MemoryPoint) float64 { return float64(p.GC) })
	if c == nil {
		return s
	}
	t := &table{ID: "gc-table", Caption: "Time of a full collection"}
	t.Columns = columnsOf("Cache", "Beyond an empty cache", "With the most entries", "Entries")
	rows := slices.Clone(r.Memory.Rows)
	slices.SortStableFunc(rows, func(a, b MemoryRow) int { return cmp.Compare(a.GC, b.GC) })
	for _, row := range rows {
		if p, ok := row.most(); ok && row.Failed == "" {
			t.add(row.Name, span(row.GC), span(p.GC), thousands(p.Entries))
		}
	}
	s.Intro = []string{"The time of a full collection while the cache's entries are live. Each collection scans " +
		"the entries again, even if there are few requests."}
	s.Blocks = []block{{Tables: []*table{t}, Charts: []*chart{c}}}
	return s
}

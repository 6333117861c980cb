package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// textPaces are the paces in the order of their columns.
var textPaces = []Pace{Flat, Settled, Paced}

// hits writes a table for each capacity, with a line for each cache.
func (t *text) hits(r *Report) {
	if r.Hits == nil {
		return
	}
	for i := range r.Hits.Tables {
		t.line(plain, "")
		t.line(bold, "%s", r.Hits.Tables[i].title(r.Workload))
		t.table(r.hitsTable(&r.Hits.Tables[i]))
	}
	if r.Hits.Curve != nil {
		t.curve(r.Hits.Curve)
	}
	if r.Hits.Clients > 0 {
		t.line(plain, "")
		t.paragraph(faint, "", fmt.Sprintf("paced: %s, a miss costs %s, the client's own work %s per request",
			plural(r.Hits.Clients, "client"), span(r.Hits.Load), span(r.Hits.Work)))
	}
}

// title names the capacity and its share of the keys.
func (t *Table) title(w *Workload) string {
	s := "capacity " + t.at()
	if t.Bytes > 0 {
		s += fmt.Sprintf(", about %s entries", thousands(t.Capacity))
	}
	s += fmt.Sprintf(", %s of the keys", share(t.Share))
	if w != nil && w.Sample > 0 && w.Sample < 1 {
		s += fmt.Sprintf(" (%s without sampling)", t.unsampled(w.Sample))
	}
	return s
}

// A cacheRows holds the rows of one cache.
type cacheRows struct {
	name string
	rows []*Row
}

// at returns the row of a pace. A row without a pace counts as flat and settled.
func (c cacheRows) at(p Pace) *Row {
	for _, row := range c.rows {
		if row.Pace == p || row.Pace == "" && p != Paced {
			return row
		}
	}
	return nil
}

// main returns the row that ranks the cache: paced, else settled, else flat.
func (c cacheRows) main() *Row {
	for _, p := range slices.Backward(textPaces) {
		if row := c.at(p); row != nil && row.Failed == "" {
			return row
		}
	}
	return c.rows[0]
}

// byCache groups the rows by cache. The best cache comes first, unranked caches last.
func (t *Table) byCache() []cacheRows {
	var all []cacheRows
	for i := range t.Rows {
		row := &t.Rows[i]
		at := slices.IndexFunc(all, func(c cacheRows) bool { return c.name == row.Name })
		if at < 0 {
			at = len(all)
			all = append(all, cacheRows{name: row.Name})
		}
		all[at].rows = append(all[at].rows, row)
	}
	slices.SortStableFunc(all, func(a, b cacheRows) int {
		x, y := a.main(), b.main()
		return cmp.Or(rankedFirst(x, y), cmp.Compare(y.HitRatio, x.HitRatio))
	})
	return all
}

// rankedFirst compares rows so that ranked rows come before the others.
func rankedFirst(a, b *Row) int {
	switch {
	case a.Ranked == b.Ranked:
		return 0
	case a.Ranked:
		return -1
	}
	return 1
}

// notRanked is the heading of the rows that are not ranked.
const notRanked = "not comparable:"

func (r *Report) hitsTable(t *Table) *textTable {
	g := &textTable{}
	g.add(bold, "cache", "flat", "settled", "paced", "of OPT", "peak live", "of capacity", "B/entry", "bounds", "time",
		"checks")
	for _, ref := range t.References {
		exact := " (exact)"
		if ref.Bound {
			exact = " (bound)"
		}
		g.add(faint, r.referenceCells(t, ref.Name+exact, ref.HitRatio)...)
	}
	ranked := true
	for _, c := range t.byCache() {
		if ranked && !c.main().Ranked {
			ranked = false
			g.add(faint, notRanked)
		}
		style, cells := r.cacheCells(t, c)
		g.add(style, cells...)
	}
	return g
}

// referenceCells writes the ratio under each pace whose requests keep the recorded order.
func (r *Report) referenceCells(t *Table, name string, ratio float64) []string {
	cells := []string{name, "", "", ""}
	shown := false
	for i, p := range textPaces {
		if p == Paced && shown {
			continue
		}
		for _, row := range t.Rows {
			if row.Pace == p || row.Pace == "" && p != Paced {
				cells[1+i], shown = share(ratio), true
				break
			}
		}
	}
	if !shown {
		cells[1] = share(ratio)
	}
	return cells
}

func (r *Report) cacheCells(t *Table, c cacheRows) (lineStyle, []string) {
	main := c.main()
	cells := []string{strings.TrimSpace(c.name + " " + r.version(c.name))}
	for _, p := range textPaces {
		cells = append(cells, ratioText(c.at(p)))
	}
	checks := r.checksOf(c.name, " at "+t.at())
	style := plain
	if len(checks) > 0 {
		style = red
	}
	if main.Failed != "" {
		return red, append(cells, "", "", "", "", string(main.Bounds), "", strings.Join(checks, " "))
	}
	opt := ""
	for _, ref := range t.References {
		if ref.Name == RefOPTBypass && ref.Hits > 0 && main.Ranked {
			opt = decimals(100*main.HitRatio/ref.HitRatio, 0) + " %"
		}
	}
	if len(checks) == 0 {
		checks = []string{"ok"}
	}
	return style, append(cells, opt, thousands(main.Peak),
		when(main.Entries > 0, decimals(float64(main.Peak)/float64(main.Entries), 2)),
		when(main.BytesPerEntry > 0, decimals(main.BytesPerEntry, 0)),
		string(main.Bounds), span(main.Time), strings.Join(checks, " "))
}

// ratioText writes a hit ratio and, if the runs differ, its range.
func ratioText(row *Row) string {
	switch {
	case row == nil:
		return ""
	case row.Failed != "":
		return "failed"
	case row.Low == row.High:
		return share(row.HitRatio)
	}
	return fmt.Sprintf("%s (%s–%s)", share(row.HitRatio), decimals(100*row.Low, 1), decimals(100*row.High, 1))
}

// checksOf returns the checks that the named cache fails in a part of the report.
func (r *Report) checksOf(name, where string) []string {
	var all []string
	for _, f := range r.Findings {
		if f.Name == name && strings.HasSuffix(f.Where, where) && !slices.Contains(all, f.Check) {
			all = append(all, f.Check)
		}
	}
	return all
}

// curve writes a line for each curve and a column for each capacity of a replay.
func (t *text) curve(c *Curve) {
	var capacities []int
	for _, line := range c.Lines {
		for _, p := range line.Points {
			if !line.Reference {
				capacities = append(capacities, p.Capacity)
			}
		}
	}
	if capacities == nil && len(c.Lines) > 0 {
		for i := 0; i < len(c.Lines[0].Points); i += 1 + len(c.Lines[0].Points)/12 {
			capacities = append(capacities, c.Lines[0].Points[i].Capacity)
		}
	}
	slices.Sort(capacities)
	capacities = slices.Compact(capacities)
	title := "miss ratio by capacity, in percent"
	if c.SHARDS < 1 {
		title += fmt.Sprintf("; %s is estimated from %s of the keys", RefLRU, share(c.SHARDS))
	}
	t.line(plain, "")
	t.line(bold, "%s", title)
	g := &textTable{}
	head := []string{"cache"}
	for _, n := range capacities {
		head = append(head, thousands(n))
	}
	g.add(bold, head...)
	for _, line := range c.Lines {
		style, cells := plain, []string{strings.TrimSpace(line.Name + " " + string(line.Pace))}
		if line.Reference {
			style = faint
		}
		for _, n := range capacities {
			cells = append(cells, line.at(n))
		}
		g.add(style, cells...)
	}
	t.table(g)
}

// at returns the miss ratio at a capacity, in percent.
func (l Line) at(capacity int) string {
	i := slices.IndexFunc(l.Points, func(p Point) bool { return p.Capacity == capacity })
	if i < 0 {
		return ""
	}
	return decimals(100*l.Points[i].MissRatio, 2)
}

package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

func (r *Report) hitSection() section {
	s := section{ID: "hits", Title: "Hit ratio", Short: "Hits"}
	if r.Hits == nil {
		return s
	}
	s.Intro = append(s.Intro, r.Hits.words())
	for i := range r.Hits.Tables {
		t := &r.Hits.Tables[i]
		if len(t.Rows) > 0 || len(t.References) > 0 {
			s.Blocks = append(s.Blocks, block{Title: "At " + r.at(t), Tables: []*table{r.hitTable(t, i)}})
		}
	}
	return s
}

// words describes how the hit ratios were measured.
func (h *Hits) words() string {
	text := "After a Get that misses, the driver stores the key. Recorded writes are applied too."
	if h.Mode == "trace" {
		text = "Only recorded writes store keys."
	}
	switch h.TTL {
	case "", "none":
	case "trace":
		text += " The TTLs are those of the trace, in the trace's own time."
	default:
		text += " Each entry has a TTL of " + h.TTL + "."
	}
	if h.Runs > 1 {
		text += fmt.Sprintf(" If the hits of a cache differ from run to run, "+
			"the table shows the median and the range of %d runs.", h.Runs)
	}
	paces := map[Pace]bool{}
	for _, t := range h.Tables {
		for _, row := range t.Rows {
			paces[row.Pace] = true
		}
	}
	for _, p := range []struct {
		pace  Pace
		words string
	}{
		{Flat, " Flat: the driver replays in a tight loop."},
		{Settled, " Settled: after each write the driver waits for background work of the cache."},
		{Paced, fmt.Sprintf(" Paced: %s wait for a load of %s after a miss.",
			plural(h.Clients, "client"), setting(h.Load))},
	} {
		if paces[p.pace] {
			text += p.words
		}
	}
	return text
}

// advisedRows returns, for each cache with figures, the row at the pace most like a real
// program, even if the cache is not ranked.
func (t *Table) advisedRows() []*Row {
	order := []Pace{Paced, "", Settled, Flat}
	best := map[string]*Row{}
	var rows []*Row
	for i := range t.Rows {
		row := &t.Rows[i]
		if row.Failed != "" {
			continue
		}
		old, ok := best[row.Name]
		switch {
		case !ok:
			rows = append(rows, row)
			best[row.Name] = row
		case slices.Index(order, row.Pace) < slices.Index(order, old.Pace):
			rows[slices.Index(rows, old)] = row
			best[row.Name] = row
		}
	}
	return rows
}

// hitTable returns the table of one capacity, with a row for each cache and a column for
// each pace.
func (r *Report) hitTable(t *Table, n int) *table {
	paces := t.paces()
	out := &table{ID: fmt.Sprintf("hits-%d", n), Caption: "Hit ratios at " + r.at(t) + r.shareOf(t)}
	out.Columns = columnsOf("Cache")
	for _, p := range paces {
		out.Columns = append(out.Columns, column{Title: strings.TrimSpace("Hit ratio " + string(p))})
	}
	out.Columns = append(out.Columns, columnsOf("", "of OPT", "Entries", "Bytes per entry", "Peak live ÷ capacity",
		"Writes dropped", "Rejected", "Wrong", "Stale", "Bounds")[1:]...)
	out.Columns[len(out.Columns)-1].Words = true
	opt, _ := t.opt()
	for _, ref := range t.References {
		cells := t.referenceCells(ref, len(paces), opt, len(out.Columns))
		out.Rows = append(out.Rows, row{Kind: "reference", Cells: cells})
	}
	leaders := r.leadersOf(t)
	rows := t.advisedRows()
	slices.SortStableFunc(rows, func(a, b *Row) int {
		return cmp.Or(rankedFirst(a, b), cmp.Compare(b.HitRatio, a.HitRatio))
	})
	for i, a := range rows {
		if !a.Ranked && (i == 0 || rows[i-1].Ranked) {
			text := "Not comparable: the capacity does not limit the cache, or its figures are wrong"
			out.Rows = append(out.Rows, row{Kind: "divider", Cells: []cell{{Text: text, Span: len(out.Columns)}}})
		}
		out.Rows = append(out.Rows, row{Cells: t.hitCells(a, paces, opt, slices.Contains(leaders, a.Name))})
	}
	failed := map[string]bool{}
	for _, row := range t.Rows {
		if label := pacedLabel(row.Name, row.Pace); row.Failed != "" && !failed[label] {
			failed[label] = true
			out.failed(label, row.Failed)
		}
	}
	out.drop()
	return out
}

func (t *Table) paces() []Pace {
	var paces []Pace
	for _, p := range []Pace{Flat, Settled, Paced} {
		if slices.ContainsFunc(t.Rows, func(r Row) bool { return r.Pace == p && r.Failed == "" }) {
			paces = append(paces, p)
		}
	}
	if len(paces) == 0 {
		return []Pace{""}
	}
	return paces
}

// shareOf writes the table's share of the distinct keys.
func (r *Report) shareOf(t *Table) string {
	if t.Share <= 0 {
		return ""
	}
	return ", " + share(t.Share) + " of the keys"
}

func (r *Report) leadersOf(t *Table) []string {
	for _, f := range r.fields() {
		if f.table == t && len(f.rows) > 1 && !f.level() {
			return namesOf(f.leaders)
		}
	}
	return nil
}

func (t *Table) referenceCells(ref Reference, paces int, opt float64, columns int) []cell {
	out := make([]cell, 0, columns)
	out = append(out, cell{Text: ref.Name, Sub: "exact"})
	ratio := ratioCell(ref.HitRatio, ref.HitRatio, ref.HitRatio)
	ratio.Span = paces
	out = append(out, ratio, cell{Text: ofOPT(ref.HitRatio, opt)})
	return append(out, make([]cell, columns-2-paces)...)
}

func ofOPT(x, opt float64) string {
	if opt <= 0 {
		return ""
	}
	return decimals(100*x/opt, 0) + " %"
}

func ratioCell(x, low, high float64) cell {
	c := cell{Text: share(x), Bar: decimals(min(max(x, 0), 1), 4)}
	if low < high {
		c.Sub = decimals(100*low, 2) + "–" + decimals(100*high, 2)
	}
	return c
}

// hitCells returns the cells of a cache. The row a is the one from [Table.advisedRows].
func (t *Table) hitCells(a *Row, paces []Pace, opt float64, leads bool) []cell {
	out := []cell{{Text: a.Name}}
	if leads {
		out[0].Kind, out[0].Note = "best", "leads"
	}
	for i := 0; i < len(paces); i++ {
		if row, n := t.rowAt(a.Name, paces[i:]); row == nil {
			out = append(out, cell{Text: "–"})
		} else {
			c := ratioCell(row.HitRatio, row.Low, row.High)
			if n > 1 {
				c.Span = n
			}
			out = append(out, c)
			i += n - 1
		}
	}
	capacity := cmp.Or(a.Entries, t.Capacity)
	worst := t.worst(a.Name)
	bounded := a.Bounds == BoundsEntries || a.Bounds == BoundsAbout
	ofCapacity := float64(worst.Peak) / float64(max(capacity, 1))
	dropped := float64(worst.Dropped) / float64(max(worst.Writes, 1))
	return append(out,
		bad(ofOPT(a.HitRatio, opt), bounded && opt > 0 && a.HitRatio > opt, "above OPT"),
		cell{Text: when(t.Bytes > 0, thousands(a.Entries))},
		cell{Text: when(a.BytesPerEntry > 0, decimals(a.BytesPerEntry, 0))},
		bad(decimals(ofCapacity, 2), bounded && worst.Peak > int64(capacity), "over"),
		bad(when(dropped > 0, share(dropped)), dropped > 0, ""),
		cell{Text: when(worst.Rejected > 0, thousands(worst.Rejected))},
		bad(when(worst.Wrong > 0, thousands(worst.Wrong)), worst.Wrong > 0, ""),
		bad(when(worst.Stale > 0, thousands(worst.Stale)), worst.Stale > 0, ""),
		cell{Text: string(a.Bounds)},
	)
}

// rowAt returns the named cache's row at the first of the paces, and the number of paces
// that share it. A row without a pace counts for all paces that have no row.
func (t *Table) rowAt(name string, paces []Pace) (*Row, int) {
	at := func(p Pace) *Row {
		i := slices.IndexFunc(t.Rows, func(r Row) bool { return r.Name == name && r.Pace == p && r.Failed == "" })
		if i < 0 {
			return nil
		}
		return &t.Rows[i]
	}
	if row := at(paces[0]); row != nil {
		return row, 1
	}
	n := 1
	for n < len(paces) && at(paces[n]) == nil {
		n++
	}
	return at(""), n
}

// worst returns the greatest counts of the named cache over all paces.
func (t *Table) worst(name string) Row {
	var w Row
	for _, r := range t.Rows {
		if r.Name == name && r.Failed == "" {
			w.Peak, w.Wrong, w.Stale = max(w.Peak, r.Peak), max(w.Wrong, r.Wrong), max(w.Stale, r.Stale)
			w.Dropped, w.Writes = max(w.Dropped, r.Dropped), max(w.Writes, r.Writes)
			w.Rejected = max(w.Rejected, r.Rejected)
		}
	}
	return w
}

func when(cond bool, text string) string {
	if cond {
		return text
	}
	return ""
}

// bad returns a cell with the text. If is holds, the cell is red and shows why.
func bad(text string, is bool, why string) cell {
	if is {
		return cell{Text: text, Kind: "bad", Note: why}
	}
	return cell{Text: text}
}

func (r *Report) curveSection() section {
	s := section{ID: "curves", Title: "Miss-ratio curves", Short: "Curves"}
	if r.Hits == nil {
		return s
	}
	lines := r.Hits.linesOf()
	entries := 0
	for _, t := range r.Hits.Tables {
		if t.Bytes == 0 {
			entries++
		}
	}
	if curve := r.Hits.Curve; curve != nil && len(curve.Lines) > 0 {
		lines, entries = curve.Lines, 2
		text := "The grey lines are exact policies."
		if curve.SHARDS > 0 && curve.SHARDS < 1 {
			text = fmt.Sprintf("The grey lines are policies, computed from a sample of %s of the keys (SHARDS).",
				share(curve.SHARDS))
		}
		s.Intro = []string{text}
	}
	if entries < 2 || len(lines) == 0 {
		return s
	}
	s.Blocks = []block{{Charts: []*chart{r.curveChart(lines)}}}
	return s
}

package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cachepact/cachepact/internal/stat"
)

// sections returns the parts of the page between the findings and the
// environment, as far as they were measured.
func (r *Report) sections() []section {
	var all []section
	for _, s := range []section{
		r.hitSection(), r.curveSection(), r.timeSection(), r.ratioSection(), r.speedSection(), r.latencySection(),
		r.memorySection(), r.gcSection(), r.ttlSection(), r.paretoSection(),
	} {
		if len(s.Blocks) > 0 {
			all = append(all, s)
		}
	}
	return all
}

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

// words says how the hit ratios were measured.
func (h *Hits) words() string {
	text := "A Get that misses stores the key; recorded writes apply too."
	if h.Mode == "trace" {
		text = "Only recorded writes store."
	}
	switch h.TTL {
	case "", "none":
	case "trace":
		text += " Lifetimes are the trace's, in its own time."
	default:
		text += " Each entry lives " + h.TTL + "."
	}
	if h.Runs > 1 {
		text += fmt.Sprintf(" A cache whose hits differ from run to run has the median of %d, and their range.", h.Runs)
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
		{Flat, " Flat: a tight loop."},
		{Settled, " Settled: after each write the cache finishes the work it owes."},
		{Paced, fmt.Sprintf(" Paced: %s, for which a miss costs a load of %s.", plural(h.Clients, "client"), setting(h.Load))},
	} {
		if paces[p.pace] {
			text += p.words
		}
	}
	return text
}

// advisedRows returns, for each cache with figures, the row at the pace most like
// a program's, ranked or not.
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

// hitTable returns the table of one capacity: a row for each cache, a column for
// each pace.
func (r *Report) hitTable(t *Table, n int) *table {
	paces := t.paces()
	out := &table{ID: fmt.Sprintf("hits-%d", n), Caption: "Hit ratios at " + r.at(t) + r.shareOf(t), Columns: columnsOf("Cache")}
	for _, p := range paces {
		out.Columns = append(out.Columns, column{Title: strings.TrimSpace("Hit ratio " + string(p))})
	}
	out.Columns = append(out.Columns, columnsOf("", "of OPT", "Entries", "Bytes an entry", "Peak live ÷ capacity", "Writes dropped", "Refused", "Wrong", "Stale", "Bounds")[1:]...)
	out.Columns[len(out.Columns)-1].Words = true
	opt, _ := t.opt()
	for _, ref := range t.References {
		out.Rows = append(out.Rows, row{Kind: "reference", Cells: t.referenceCells(ref, len(paces), opt, len(out.Columns))})
	}
	leaders := r.leadersOf(t)
	rows := t.advisedRows()
	slices.SortStableFunc(rows, func(a, b *Row) int {
		if a.Ranked != b.Ranked {
			return map[bool]int{true: -1, false: 1}[a.Ranked]
		}
		return cmp.Compare(b.HitRatio, a.HitRatio)
	})
	for i, a := range rows {
		if !a.Ranked && (i == 0 || rows[i-1].Ranked) {
			out.Rows = append(out.Rows, row{Kind: "divider", Cells: []cell{{Text: "Not comparable: not bound by this capacity, or wrong", Span: len(out.Columns)}}})
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

// hitCells returns the cells of the cache whose row at the advised pace is a.
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
	return append(out,
		bad(ofOPT(a.HitRatio, opt), bounded && opt > 0 && a.HitRatio > opt, "above OPT"),
		cell{Text: when(t.Bytes > 0, thousands(a.Entries))},
		cell{Text: when(a.BytesPerEntry > 0, decimals(a.BytesPerEntry, 0))},
		bad(decimals(float64(worst.Peak)/float64(max(capacity, 1)), 2), bounded && worst.Peak > int64(capacity), "over"),
		bad(when(worst.Dropped > 0, share(float64(worst.Dropped)/float64(max(worst.Writes, 1)))), worst.Dropped > 0, ""),
		cell{Text: when(worst.Rejected > 0, thousands(worst.Rejected))},
		bad(when(worst.Wrong > 0, thousands(worst.Wrong)), worst.Wrong > 0, ""),
		bad(when(worst.Stale > 0, thousands(worst.Stale)), worst.Stale > 0, ""),
		cell{Text: string(a.Bounds)},
	)
}

// rowAt returns the named cache's row at the first of the paces, and at how many
// of them it is the same: a row without a pace is that of each that has no own.
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

// worst returns the greatest counts of the named cache at any pace.
func (t *Table) worst(name string) Row {
	var w Row
	for _, r := range t.Rows {
		if r.Name == name && r.Failed == "" {
			w.Peak, w.Wrong, w.Stale = max(w.Peak, r.Peak), max(w.Wrong, r.Wrong), max(w.Stale, r.Stale)
			w.Dropped, w.Writes, w.Rejected = max(w.Dropped, r.Dropped), max(w.Writes, r.Writes), max(w.Rejected, r.Rejected)
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

// bad returns a cell that is red, and says why, if it is so.
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
		s.Intro = append(s.Intro, "The grey lines are exact policies.")
		if curve.SHARDS > 0 && curve.SHARDS < 1 {
			s.Intro = []string{fmt.Sprintf("The grey lines are policies, computed from a sample of %s of the keys (SHARDS).", share(curve.SHARDS))}
		}
	}
	if entries < 2 || len(lines) == 0 {
		return s
	}
	s.Blocks = []block{{Charts: []*chart{r.curveChart(lines)}}}
	return s
}

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
		s.Intro = []string{"In each of equally long parts of the requests, in their order. The first parts warm the caches up."}
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
	s.Intro = []string{fmt.Sprintf("The time of an operation in terms of that of %s in the same round: median of %s of %s, with 95 %% bootstrap intervals. %s, measured once more as if it were another cache, differs from itself within the shaded zone: what is there is a tie.",
		r.Speed.Baseline, plural(r.Speed.Rounds, "round"), setting(r.Speed.Slice), r.Speed.Baseline)}
	if noisy > 0 {
		s.Intro = append(s.Intro, fmt.Sprintf("In %d of %d cases the machine was too noisy (the zone is wider than 10 %%): they rank nothing.", noisy, len(r.Speed.Cases)))
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

// words says what was due in the case, and how quiet the machine was.
func (c *SpeedCase) words() string {
	text := fmt.Sprintf("Due: %s.", mixWords(c.Mix))
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
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

func interval3(i stat.Interval) string {
	return fmt.Sprintf("%.3f (%.3f–%.3f)", i.Median, i.Low, i.High)
}

func (r *Report) speedTable(c *SpeedCase, n int) *table {
	t := &table{
		ID: fmt.Sprintf("speed-%d", n), Caption: "Speed: " + c.title(), Said: true,
		Columns: columnsOf("Cache", "ns/op", "÷ "+r.Speed.Baseline, "CPU ns/op", "Operations", "Hit ratio", "Useful hits", mixHead(c), "Puts dropped", "B/op", "allocs/op"),
	}
	rows := slices.Clone(c.Rows)
	if !c.Noisy {
		slices.SortStableFunc(rows, func(a, b SpeedRow) int { return cmp.Compare(a.Wall.Median, b.Wall.Median) })
	}
	for _, row := range rows {
		if row.Failed == "" {
			t.Rows = append(t.Rows, r.speedCells(c, row))
		}
	}
	for _, row := range rows {
		if row.Failed != "" {
			t.failed(row.Name, row.Failed)
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
		{Text: figures(s.Wall.Median), Sub: figures(s.Wall.Low) + "–" + figures(s.Wall.High)},
		ratio,
		{Text: when(s.CPU.Median > 0, figures(s.CPU.Median))},
		{Text: perSecond(s.OpsPerSec)},
		{Text: share(s.HitRatio)},
		{Text: perSecond(s.HitsPerSec)},
		bad(executed, off, "not what was due"),
		bad(when(s.Dropped > 0, share(s.Dropped)), s.Dropped > 0, ""),
		{Text: figures(s.BytesPerOp)},
		{Text: figures(s.AllocsPerOp)},
	}}
}

// invalidates reports whether any was due or executed.
func (c *SpeedCase) invalidates() bool {
	return c.Mix.Invalidates > 0 || slices.ContainsFunc(c.Rows, func(r SpeedRow) bool { return r.Executed.Invalidates > 0 })
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

func (r *Report) memorySection() section {
	s := section{ID: "memory", Title: "Memory", Short: "Memory"}
	if r.Memory == nil || len(r.Memory.Rows) == 0 {
		return s
	}
	s.Intro = []string{fmt.Sprintf("In excess of a process with the same keys and values of %s. Bytes an entry are the slope over the sizes, counted by the entries found by a Get of every key; what is fixed is the intercept. What is kept is all that would be free without the cache, the values included.", bytesOf(int64(r.Memory.Value)))}
	t := &table{ID: "memory-table", Caption: "Memory", Columns: columnsOf("Cache", "Heap an entry", "Heap, fixed", "RSS an entry", "RSS, fixed", "Kept an entry", "Scannable an entry", "Most entries put", "of which present")}
	rows := slices.Clone(r.Memory.Rows)
	slices.SortStableFunc(rows, func(a, b MemoryRow) int { return cmp.Compare(a.perEntry(), b.perEntry()) })
	for _, row := range rows {
		if row.Failed == "" {
			t.add(row.Name, bytesText(row.HeapPerEntry), bytesText(row.HeapFixed), bytesText(row.RSSPerEntry), bytesText(row.RSSFixed), when(row.KeptPerEntry > 0, bytesText(row.KeptPerEntry)), bytesText(row.ScanPerEntry), row.putText(), row.presentText())
		}
	}
	for _, row := range rows {
		if row.Failed != "" {
			t.failed(row.Name, row.Failed)
		}
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

// bytesText writes bytes, of which even small and negative ones are figures.
func bytesText(x float64) string {
	if x > -1024 && x < 1024 {
		return decimals(x, 1) + " B"
	}
	return size(x)
}

func (r *MemoryRow) most() (MemoryPoint, bool) {
	if len(r.Points) == 0 {
		return MemoryPoint{}, false
	}
	return slices.MaxFunc(r.Points, func(a, b MemoryPoint) int { return cmp.Compare(a.Entries, b.Entries) }), true
}

func (r *MemoryRow) putText() string {
	p, ok := r.most()
	return when(ok, thousands(p.Entries))
}

func (r *MemoryRow) presentText() string {
	p, ok := r.most()
	return when(ok && p.Entries > 0, share(float64(p.Present)/float64(max(p.Entries, 1))))
}

// memoryChart draws a figure over the entries that are present.
func (r *Report) memoryChart(id, title string, y func(MemoryPoint) float64) *chart {
	c := &chart{
		ID: "memory-" + id, Title: title, Kind: "lines",
		X: axis{Name: "entries present", Unit: "count", Zero: true}, Y: axis{Name: strings.ToLower(title), Unit: "bytes", Zero: true},
		Summary: title + " over the number of entries, a line for each cache: the steeper, the more an entry takes. The table has the slopes.",
	}
	if id == "gc" {
		c.Y.Unit, c.Y.Name = "ns", "full collection"
		c.Summary = "The time of a full collection over the number of entries, a line for each cache. The table has the figures."
	}
	if id == "rss" {
		c.Y.Name = "resident set"
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
	t := &table{ID: "gc-table", Caption: "A full collection", Columns: columnsOf("Cache", "Beyond an empty cache's", "With the most entries", "Entries")}
	rows := slices.Clone(r.Memory.Rows)
	slices.SortStableFunc(rows, func(a, b MemoryRow) int { return cmp.Compare(a.GC, b.GC) })
	for _, row := range rows {
		if p, ok := row.most(); ok && row.Failed == "" {
			t.add(row.Name, span(row.GC), span(p.GC), thousands(p.Entries))
		}
	}
	s.Intro = []string{"The time of a full collection with the cache's entries live: what the collector must look at costs time in each cycle, however few the requests."}
	s.Blocks = []block{{Tables: []*table{t}, Charts: []*chart{c}}}
	return s
}

func (r *Report) ttlSection() section {
	s := section{ID: "ttl", Title: "Lifetimes", Short: "Lifetimes"}
	if r.TTL == nil || len(r.TTL.Rows) == 0 {
		return s
	}
	t := &table{ID: "ttl-table", Caption: "Lateness: from an entry's deadline to the first miss", Columns: columnsOf(
		"Cache", "TTL", "Use", "Keys", "Gone early", "Earliest by", "Late p50", "p99", "Most", "Stale value up to", "Size 0 after", "Memory after", "Resolution")}
	t.Columns[2].Words = true
	strip := &chart{
		ID: "ttl-strip", Title: "Share of the keys still returned, around the deadline", Kind: "strip", Wide: true,
		X: axis{Name: "since the deadline", Unit: "ns"}, Lines: []mark{{0, "deadline"}},
		Summary: "A strip for each cache, TTL and use: dark where the keys are still returned, light where they are gone. An exact cache changes at the deadline. The table has the figures.",
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
		bad(span(t.Stale), t.Stale >= late, ""),
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

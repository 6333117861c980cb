package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// late is the lag of an entry that is worth a sentence: what a person notices.
const late = 100 * time.Millisecond

// muchDropped is the share of dropped writes that is worth a sentence.
const muchDropped = 0.01

// reasons returns the sentences that the answer rests on.
func (r *Report) reasons(fields []field) []string {
	var all []string
	add := func(sentences ...string) {
		for _, s := range sentences {
			if s != "" {
				all = append(all, s)
			}
		}
	}
	add(rule(fields))
	for i := range fields {
		add(r.why(&fields[i]))
	}
	if f := mainField(fields); f != nil {
		add(r.toOPT(f), r.latencyWords(f), r.breakEven(f))
	}
	names := r.able()
	if len(fields) > 0 {
		names = r.considered(fields)
	}
	add(r.speedWords(names), r.memoryWords(names))
	add(r.paces(fields)...)
	add(r.lostWrites(fields)...)
	add(r.ttlWords(names)...)
	add(r.excluded(fields)...)
	add(r.unranked(fields))
	add(r.measurement()...)
	return all
}

// considered returns the leaders, and the caches to take if the capacity must be
// exact.
func (r *Report) considered(fields []field) []string {
	names := leading(fields)
	for _, f := range fields {
		if exact, ok := f.exact(); ok && !slices.Contains(names, exact.Name) {
			names = append(names, exact.Name)
		}
	}
	return names
}

// rule says when caches are alike, if some are, and at which pace they are
// compared, if there are several.
func rule(fields []field) string {
	var parts []string
	if slices.ContainsFunc(fields, func(f field) bool { return len(f.leaders) > 1 }) {
		parts = append(parts, fmt.Sprintf("Caches named with an or are alike: the ranges of their runs overlap, or their misses differ by at most %.0f %%", 100*alikeMisses))
	}
	for _, f := range fields {
		if i := slices.IndexFunc(f.rows, func(row *Row) bool { return row.Pace != "" }); i >= 0 {
			parts = append(parts, fmt.Sprintf("hit ratios that depend on the pace are the %s ones", f.rows[i].Pace))
			break
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return capital(strings.Join(parts, "; ")) + "."
}

// why says what the caches at one capacity have, who comes next, and what exact
// policies have.
func (r *Report) why(f *field) string {
	if len(f.rows) == 0 {
		return ""
	}
	var parts []string
	for _, row := range f.leaders {
		parts = append(parts, row.words())
	}
	text := fmt.Sprintf("At %s: %s", r.at(f.table), list(parts, "or"))
	if n := len(f.leaders); n < len(f.rows) {
		text += "; then " + f.rows[n].words()
	}
	parts = nil
	for _, ref := range []string{RefLRU, RefFIFO} {
		if x, ok := f.table.reference(ref); ok {
			parts = append(parts, ref+" "+share(x))
		}
	}
	if opt, ok := f.table.opt(); ok {
		parts = append(parts, "OPT "+share(opt))
	}
	if len(parts) > 0 {
		text += "; for comparison, " + list(parts, "and")
	}
	return text + "."
}

// words writes the cache's hit ratio and its range.
func (r *Row) words() string {
	text := r.Name + " " + share(r.HitRatio)
	if r.Low < r.High {
		text += " (" + shareRange(r.Low, r.High) + ")"
	}
	return text
}

// toOPT says how far the best cache is from the best that is possible.
func (r *Report) toOPT(f *field) string {
	opt, ok := f.table.opt()
	if !ok {
		return ""
	}
	best := f.rows[0]
	text := fmt.Sprintf("No cache can have more than %s at %s (OPT)", share(opt), r.at(f.table))
	lru, ok := f.table.reference(RefLRU)
	switch {
	case !ok || opt-lru < alikePoints:
		return text + "."
	case near(best.HitRatio, lru) && near(lru, best.HitRatio):
		return text + fmt.Sprintf("; the best, %s, is where LRU is.", best.Name)
	case best.HitRatio < lru:
		return text + fmt.Sprintf("; the best, %s, is below LRU.", best.Name)
	}
	return text + fmt.Sprintf("; %s goes %.0f %% of the way there from LRU.", best.Name, 100*(best.HitRatio-lru)/(opt-lru))
}

// latencyWords says what a request takes in the mean if a miss costs a load.
func (r *Report) latencyWords(f *field) string {
	names := namesOf(f.leaders)
	if len(f.rows) > len(f.leaders) {
		names = append(names, f.rows[len(f.leaders)].Name)
	}
	if exact, ok := f.exact(); ok && !slices.Contains(names, exact.Name) {
		names = append(names, exact.Name)
	}
	all := r.effective(f, names)
	if len(all) == 0 {
		return ""
	}
	var parts []string
	for _, x := range all {
		parts = append(parts, fmt.Sprintf("%s with %s", nanoseconds(x.value), x.name))
	}
	text := fmt.Sprintf("If a miss costs %s, a request takes in the mean %s", setting(r.Hits.Load), list(parts, "and"))
	if hits := r.hitTimes(names); len(hits) > 0 {
		most := 0.0
		for _, x := range all {
			if row, ok := f.row(x.name); ok && x.value > 0 {
				most = max(most, row.HitRatio*hits[x.name]/x.value)
			}
		}
		text += fmt.Sprintf("; at most %s of that is the time of hits", smallShare(most))
	}
	return text + "."
}

// smallShare writes a share that may be tiny.
func smallShare(x float64) string { return share(max(x, 0.0001)) }

// breakEven says from which cost of a miss on more hits are worth slower ones, if
// that cost is not known.
func (r *Report) breakEven(f *field) string {
	if r.Hits.Load > 0 || len(f.rows) == len(f.leaders) {
		return ""
	}
	c := r.speedCase("hit", "workload")
	rows := r.timed(c, namesOf(f.rows))
	if len(rows) < 2 {
		return ""
	}
	i := slices.IndexFunc(rows, func(x *SpeedRow) bool { return x.Name == f.rows[0].Name })
	fast, _ := f.row(rows[0].Name)
	if i < 1 || !c.slower(rows[i], rows[0]) || alike(f.rows[0], fast) {
		return ""
	}
	best := f.rows[0]
	load := (best.HitRatio*rows[i].Wall.Median - fast.HitRatio*rows[0].Wall.Median) / (best.HitRatio - fast.HitRatio)
	if load <= 0 {
		return ""
	}
	return fmt.Sprintf("A hit takes %s in %s and %s in %s; the former's %s more hits are worth it if a miss costs more than %s.",
		nanoseconds(rows[i].Wall.Median), best.Name, nanoseconds(rows[0].Wall.Median), fast.Name,
		points(best.HitRatio-fast.HitRatio), nanoseconds(load))
}

// speedWords says what an operation takes, or why that is not said.
func (r *Report) speedWords(names []string) string {
	c := r.speedCase("workload", "hit", "miss")
	if c == nil {
		return ""
	}
	noise := 100 * (noiseOf(c.Control) - 1)
	if c.Noisy {
		return fmt.Sprintf("By speed nothing is ranked: the machine was so noisy that %s differed from itself by up to %.0f %%.", r.Speed.Baseline, noise)
	}
	rows := r.timed(c, names)
	if len(rows) < 2 {
		return ""
	}
	var parts []string
	for _, row := range rows {
		parts = append(parts, fmt.Sprintf("%s %s (%s–%s)", row.Name, nanoseconds(row.Wall.Median), figures(row.Wall.Low), figures(row.Wall.High)))
	}
	text := fmt.Sprintf("An operation takes (%s): %s", c.label(), strings.Join(parts, ", "))
	if c.fastest(rows) == len(rows) {
		return text + fmt.Sprintf("; that is a tie, as %s differed from itself by up to %.1f %%.", r.Speed.Baseline, noise)
	}
	return text + fmt.Sprintf("; differences below %.1f %% are ties.", noise)
}

// memoryWords says what an entry takes, if that differs much.
func (r *Report) memoryWords(names []string) string {
	all := r.sizes(names)
	if len(lean(all)) == 0 {
		return ""
	}
	var parts []string
	for _, f := range all {
		parts = append(parts, f.name+" "+size(f.value))
	}
	return fmt.Sprintf("An entry takes, with a value of %s: %s.", bytesOf(int64(r.Memory.Value)), strings.Join(parts, ", "))
}

// paces names the caches whose hit ratio depends on how fast requests come, each
// at the capacity at which it does so most.
func (r *Report) paces(fields []field) []string {
	type gap struct {
		low, high *Row
		at        string
	}
	most := map[string]gap{}
	for _, f := range fields {
		for i := range f.table.Rows {
			row := &f.table.Rows[i]
			low, high := f.table.extremes(row.Name)
			if low == nil {
				continue
			}
			if old, ok := most[row.Name]; !ok || high.HitRatio-low.HitRatio > old.high.HitRatio-old.low.HitRatio {
				most[row.Name] = gap{low, high, r.at(f.table)}
			}
		}
	}
	var all []string
	for _, c := range r.Contestants {
		if g, ok := most[c.Name]; ok && g.high.HitRatio-g.low.HitRatio > paceDiffers {
			all = append(all, fmt.Sprintf("%s depends on the pace: at %s it has %s %s and %s %s.",
				c.Name, g.at, share(g.low.HitRatio), paceWord(g.low.Pace), share(g.high.HitRatio), paceWord(g.high.Pace)))
		}
	}
	return all
}

func paceWord(p Pace) string { return cmp.Or(string(p), "unpaced") }

// extremes returns the named cache's rows with the least and the greatest hit
// ratio, nil if it has not several.
func (t *Table) extremes(name string) (low, high *Row) {
	var rows []*Row
	for i := range t.Rows {
		if row := &t.Rows[i]; row.Name == name && row.Failed == "" {
			rows = append(rows, row)
		}
	}
	if len(rows) < 2 {
		return nil, nil
	}
	by := func(a, b *Row) int { return cmp.Compare(a.HitRatio, b.HitRatio) }
	return slices.MinFunc(rows, by), slices.MaxFunc(rows, by)
}

// lostWrites names the caches without a finding that dropped writes, each where
// it dropped the greatest share.
func (r *Report) lostWrites(fields []field) []string {
	flaws := r.flaws()
	type loss struct {
		row *Row
		at  string
	}
	most := map[string]loss{}
	for _, f := range fields {
		for i := range f.table.Rows {
			row := &f.table.Rows[i]
			if old, ok := most[row.Name]; row.lost() > muchDropped && len(flaws[row.Name]) == 0 && (!ok || row.lost() > old.row.lost()) {
				most[row.Name] = loss{row, r.at(f.table)}
			}
		}
	}
	var all []string
	for _, c := range r.Contestants {
		if l, ok := most[c.Name]; ok {
			all = append(all, strings.TrimSpace(fmt.Sprintf("%s dropped %s of its %s writes at %s %s", c.Name, share(l.row.lost()), thousands(l.row.Writes), l.at, l.row.Pace))+".")
		}
	}
	return all
}

// lost returns the share of the writes that were dropped.
func (r *Row) lost() float64 {
	if r.Writes <= 0 || r.Failed != "" {
		return 0
	}
	return float64(r.Dropped) / float64(r.Writes)
}

// excluded says of each cache with findings what they are.
func (r *Report) excluded(fields []field) []string {
	flaws := r.flaws()
	var all []string
	for _, c := range r.Contestants {
		fs := flaws[c.Name]
		if len(fs) == 0 {
			continue
		}
		text := fmt.Sprintf("%s is left out: %s", c.Name, strings.TrimRight(fs[0].Text, ". "))
		if fs[0].Where != "" {
			text += " (" + fs[0].Where + ")"
		}
		if n := len(fs) - 1; n > 0 {
			text += fmt.Sprintf(", and %s more", plural(n, "finding"))
		}
		if s := aheadAt(fields, c.Name, r.at); s != "" {
			text += "; " + s
		}
		all = append(all, text+".")
	}
	return all
}

// aheadAt says what the named cache with findings had where it was the furthest
// ahead of those without.
func aheadAt(fields []field, name string, at func(*Table) string) string {
	most, text := 0.0, ""
	for _, f := range fields {
		for _, row := range f.flawed {
			if row.Name != name || len(f.rows) == 0 || alike(row, f.rows[0]) {
				continue
			}
			if by := row.HitRatio - f.rows[0].HitRatio; by > most {
				most, text = by, fmt.Sprintf("it had %s hits at %s, %s more than %s", share(row.HitRatio), at(f.table), points(by), f.rows[0].Name)
			}
		}
	}
	return text
}

// unranked names the caches without findings that have no place in the order.
func (r *Report) unranked(fields []field) string {
	if len(fields) == 0 {
		return ""
	}
	flaws := r.flaws()
	var names []string
	for _, c := range r.Contestants {
		placed := slices.ContainsFunc(fields, func(f field) bool { _, ok := f.row(c.Name); return ok })
		if !placed && len(flaws[c.Name]) == 0 {
			names = append(names, c.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("Not ranked: %s, as %s not bound by the capacity that is compared.", list(names, "and"), isAreThey(len(names)))
}

func isAreThey(n int) string {
	if n == 1 {
		return "it is"
	}
	return "they are"
}

// measurement repeats the findings about the measurement itself.
func (r *Report) measurement() []string {
	var all []string
	for _, f := range r.Findings {
		if f.Name == "" {
			text := "Of the measurement: " + strings.TrimRight(f.Text, ". ")
			if f.Where != "" {
				text += " (" + f.Where + ")"
			}
			all = append(all, text+".")
		}
	}
	return all
}

// worstTTL returns the row of each named cache with the greatest lag.
func (r *Report) worstTTL(names []string) []*TTLRow {
	if r.TTL == nil {
		return nil
	}
	worst := map[string]*TTLRow{}
	for i := range r.TTL.Rows {
		row := &r.TTL.Rows[i]
		if row.Failed == "" && (worst[row.Name] == nil || row.Stale > worst[row.Name].Stale) {
			worst[row.Name] = row
		}
	}
	var all []*TTLRow
	for _, name := range names {
		if row := worst[name]; row != nil {
			all = append(all, row)
		}
	}
	slices.SortStableFunc(all, func(a, b *TTLRow) int { return cmp.Compare(a.Stale, b.Stale) })
	return all
}

// ttlWords says which caches return values long after their TTL.
func (r *Report) ttlWords(names []string) []string {
	var all []string
	for _, row := range r.worstTTL(names) {
		if row.Stale >= late {
			all = append(all, fmt.Sprintf("%s returned values up to %s after their TTL of %s (%s).", row.Name, span(row.Stale), setting(row.TTL), row.Use))
		}
	}
	return all
}

func (r *Report) answerTTL() string {
	rows := r.worstTTL(r.able())
	if len(rows) == 0 {
		return "No cache can be advised: none without a finding against it kept lifetimes."
	}
	least := rows[0]
	var names []string
	for _, row := range rows {
		if row.Stale <= least.Stale+max(row.Resolution, least.Resolution) {
			names = append(names, row.Name)
		}
	}
	last := rows[len(rows)-1]
	if len(names) == len(rows) {
		return fmt.Sprintf("By lifetimes alone, nothing distinguishes the caches: none returned a value more than %s late.", span(last.Stale))
	}
	return fmt.Sprintf("By lifetimes alone: %s, at most %s late; %s was up to %s late.", list(names, "or"), span(rows[len(names)-1].Stale), last.Name, span(last.Stale))
}

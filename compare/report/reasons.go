package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// noticeable is the least lag of an expired entry that the reasons mention: a person
// notices it.
const noticeable = 100 * time.Millisecond

// muchDropped is the least share of dropped writes that the reasons mention.
const muchDropped = 0.01

// reasons returns the sentences that support the answer.
func (r *Report) reasons(fields []field) []string {
	var all []string
	add := func(sentences ...string) {
		for _, s := range sentences {
			if s != "" {
				all = append(all, s)
			}
		}
	}
	add(legend(fields))
	for i := range fields {
		add(r.why(&fields[i]))
	}
	if f := mainField(fields); f != nil {
		add(r.toOPT(f), r.latencyWords(f), r.breakEven(f))
	}
	names := r.sound()
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

// considered returns the leaders and the caches for a capacity that must be exact.
func (r *Report) considered(fields []field) []string {
	names := leading(fields)
	for _, f := range fields {
		if exact, ok := f.exact(); ok && !slices.Contains(names, exact.Name) {
			names = append(names, exact.Name)
		}
	}
	return names
}

// legend explains the word "or" and names the pace that counts, if the answer uses them.
func legend(fields []field) string {
	var parts []string
	if slices.ContainsFunc(fields, func(f field) bool { return len(f.leaders) > 1 }) {
		parts = append(parts, fmt.Sprintf(`"or" joins caches whose results do not differ by more than the noise: `+
			"the ranges of their runs overlap, or their misses differ by at most %.0f %%.", 100*alikeMisses))
	}
	for _, f := range fields {
		if i := slices.IndexFunc(f.rows, func(row *Row) bool { return row.Pace != "" }); i >= 0 {
			pace := f.rows[i].Pace
			parts = append(parts,
				fmt.Sprintf("If a cache was measured at several paces, the %s hit ratio counts.", pace))
			break
		}
	}
	return strings.Join(parts, " ")
}

// why lists the hit ratios at one capacity: the leaders', the next cache's and those of
// exact policies.
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

// toOPT compares the best cache with OPT, the best possible policy, and with LRU.
func (r *Report) toOPT(f *field) string {
	opt, ok := f.table.opt()
	if !ok {
		return ""
	}
	best := f.rows[0]
	text := fmt.Sprintf("No cache can exceed %s at %s (OPT)", share(opt), r.at(f.table))
	lru, ok := f.table.reference(RefLRU)
	switch {
	case !ok || opt-lru < alikePoints:
		return text + "."
	case near(best.HitRatio, lru) && near(lru, best.HitRatio):
		return text + "; " + best.Name + ", the best cache, equals LRU."
	case best.HitRatio < lru:
		return text + "; " + best.Name + ", the best cache, is below LRU."
	}
	return text + fmt.Sprintf("; %s closes %.0f %% of the gap between LRU and OPT.",
		best.Name, 100*(best.HitRatio-lru)/(opt-lru))
}

// latencyWords states the mean time of a request if a miss costs a load.
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
	text := fmt.Sprintf("If a miss costs %s, the mean time of a request is %s",
		setting(r.Hits.Load), list(parts, "and"))
	if hits := r.hitTimes(names); len(hits) > 0 {
		most := 0.0
		for _, x := range all {
			if row, ok := f.row(x.name); ok && x.value > 0 {
				most = max(most, row.HitRatio*hits[x.name]/x.value)
			}
		}
		text += fmt.Sprintf("; hits take at most %s of it", smallShare(most))
	}
	return text + "."
}

// smallShare writes a share that may be tiny.
func smallShare(x float64) string { return share(max(x, 0.0001)) }

// breakEven states the cost of a miss above which more hits make up for slower hits. It
// is empty if the cost of a miss is known.
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
	return fmt.Sprintf("A hit takes %s in %s and %s in %s; "+
		"the %s more hits of %s pay off if a miss costs more than %s.",
		nanoseconds(rows[i].Wall.Median), best.Name, nanoseconds(rows[0].Wall.Median), fast.Name,
		points(best.HitRatio-fast.HitRatio), best.Name, nanoseconds(load))
}

// speedWords states the times per operation, or why speed is not ranked.
func (r *Report) speedWords(names []string) string {
	c := r.speedCase("workload", "hit", "miss")
	if c == nil {
		return ""
	}
	noise := 100 * (noiseOf(c.Control) - 1)
	if c.Noisy {
		return fmt.Sprintf("Speed is not ranked: "+
			"the machine was so noisy that %s differed from itself by up to %.0f %%.",
			r.Speed.Baseline, noise)
	}
	rows := r.timed(c, names)
	if len(rows) < 2 {
		return ""
	}
	var parts []string
	for _, row := range rows {
		parts = append(parts, fmt.Sprintf("%s %s (%s)", row.Name, nanoseconds(row.Wall.Median), figureRange(row.Wall)))
	}
	text := fmt.Sprintf("Time per operation (%s): %s", c.label(), strings.Join(parts, ", "))
	if c.fastest(rows) == len(rows) {
		return text + fmt.Sprintf("; this is a tie, because %s differed from itself by up to %.1f %%.",
			r.Speed.Baseline, noise)
	}
	return text + fmt.Sprintf("; differences below %.1f %% are ties.", noise)
}

// memoryWords states the memory per entry, if it differs much.
func (r *Report) memoryWords(names []string) string {
	all := r.sizes(names)
	if len(lean(all)) == 0 {
		return ""
	}
	var parts []string
	for _, f := range all {
		parts = append(parts, f.name+" "+size(f.value))
	}
	return fmt.Sprintf("Memory per entry with values of %s: %s.",
		bytesOf(int64(r.Memory.Value)), strings.Join(parts, ", "))
}

// paces names the caches whose hit ratio depends on the pace, each at the capacity with
// the greatest difference.
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
			all = append(all, fmt.Sprintf("The hit ratio of %s depends on the pace: at %s it is %s %s and %s %s.",
				c.Name, g.at, share(g.low.HitRatio), paceWord(g.low.Pace),
				share(g.high.HitRatio), paceWord(g.high.Pace)))
		}
	}
	return all
}

func paceWord(p Pace) string { return cmp.Or(string(p), "unpaced") }

// extremes returns the named cache's rows with the least and the greatest hit ratio. It
// returns nil if the cache has fewer than two rows.
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

// lostWrites names the caches that dropped writes without a finding against them, each
// with the greatest share that it dropped.
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
			if len(flaws[row.Name]) > 0 || row.lost() <= muchDropped {
				continue
			}
			if old, ok := most[row.Name]; !ok || row.lost() > old.row.lost() {
				most[row.Name] = loss{row, r.at(f.table)}
			}
		}
	}
	var all []string
	for _, c := range r.Contestants {
		if l, ok := most[c.Name]; ok {
			at := l.at
			if l.row.Pace != "" {
				at += ", " + string(l.row.Pace)
			}
			all = append(all, fmt.Sprintf("%s dropped %s of its %s writes at %s.",
				c.Name, share(l.row.lost()), thousands(l.row.Writes), at))
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

// excluded names each cache with findings, and the findings.
func (r *Report) excluded(fields []field) []string {
	flaws := r.flaws()
	var all []string
	for _, c := range r.Contestants {
		fs := flaws[c.Name]
		if len(fs) == 0 {
			continue
		}
		text := c.Name + " is left out: " + fs[0].words()
		if n := len(fs) - 1; n > 0 {
			text += ", and " + plural(n, "more finding")
		}
		if s := aheadAt(fields, c.Name, r.at); s != "" {
			text += "; " + s
		}
		all = append(all, text+".")
	}
	return all
}

// aheadAt states the hit ratio of the named cache, which has findings, at the capacity
// with its greatest lead over the caches without findings.
func aheadAt(fields []field, name string, at func(*Table) string) string {
	most, text := 0.0, ""
	for _, f := range fields {
		for _, row := range f.flawed {
			if row.Name != name || !f.beatenBy(row) {
				continue
			}
			if by := row.HitRatio - f.rows[0].HitRatio; by > most {
				most, text = by, fmt.Sprintf("it had %s hits at %s, %s more than %s",
					share(row.HitRatio), at(f.table), points(by), f.rows[0].Name)
			}
		}
	}
	return text
}

// unranked names the caches without findings that are not ranked at any capacity.
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
	n := len(names)
	return fmt.Sprintf("%s %s not ranked, because the capacity does not limit %s.",
		list(names, "and"), choose(n, "is", "are"), choose(n, "it", "them"))
}

// words writes the finding's text and the part of the report that it is about.
func (f Finding) words() string {
	text := strings.TrimRight(f.Text, ". ")
	if f.Where != "" {
		text += " (" + f.Where + ")"
	}
	return text
}

// measurement repeats the findings about the measurement itself.
func (r *Report) measurement() []string {
	var all []string
	for _, f := range r.Findings {
		if f.Name == "" {
			all = append(all, "Finding about the measurement: "+f.words()+".")
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

// ttlWords names the caches that return values long after their TTL.
func (r *Report) ttlWords(names []string) []string {
	var all []string
	for _, row := range r.worstTTL(names) {
		if row.Stale >= noticeable {
			all = append(all, fmt.Sprintf("%s returned values up to %s after their TTL of %s had passed (%s).",
				row.Name, span(row.Stale), setting(row.TTL), row.Use))
		}
	}
	return all
}

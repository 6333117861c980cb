package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Conclude works out the answer from the rest of the report.
//
// It advises only caches that are ranked and have no finding against them. Where
// the ranges of the runs overlap, or the misses differ by at most 2 %, caches are
// alike; hit ratios are those at the pace most like a program's, paced before
// settled before flat. Speed counts only where the machine was quiet enough and
// the difference is beyond the control; memory, where it differs by half. If the
// report has no hit ratios, what it has decides. Every sentence follows from the
// figures of this report alone.
func (r *Report) Conclude() {
	r.Answer = nil
	fields := r.fields()
	a := Answer{Reasons: []string{}}
	switch {
	case len(fields) > 0:
		a.Text = r.answerHits(fields)
	case r.Speed != nil && len(r.Speed.Cases) > 0:
		a.Text = r.answerSpeed()
	case r.Memory != nil && len(r.Memory.Rows) > 0:
		a.Text = r.answerMemory()
	case r.TTL != nil && len(r.TTL.Rows) > 0:
		a.Text = r.answerTTL()
	default:
		a.Text = "Nothing was measured by which caches could be told apart."
	}
	if r.distrusted() {
		a.Text += " But the measurement itself has findings: do not rely on it."
	}
	r.Answer = &Answer{a.Text, append(a.Reasons, r.reasons(fields)...)}
}

// distrusted reports whether a finding is about the measurement as a whole.
func (r *Report) distrusted() bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool {
		return f.Name == "" && f.Check != CheckNoise && f.Check != CheckMix
	})
}

// able returns the names of the contestants without a finding against them.
func (r *Report) able() []string {
	flaws := r.flaws()
	var names []string
	for _, c := range r.Contestants {
		if len(flaws[c.Name]) == 0 {
			names = append(names, c.Name)
		}
	}
	return names
}

// requests names the requests in a sentence.
func (r *Report) requests() string {
	if r.Workload != nil && r.Workload.Format != "" {
		return "this trace"
	}
	return "this workload"
}

func (r *Report) answerHits(fields []field) string {
	if mainField(fields) == nil {
		return r.answerNone(fields)
	}
	return sentences(r.advices(sameLeaders(fields)), r.among(fields), r.sooner(fields), r.ahead(fields))
}

// mostRuns is the number of runs of capacities up to which the answer tells each.
const mostRuns = 3

// advices says which caches to take in each run, or, if they are many, in the one
// in which the choice matters most.
func (r *Report) advices(runs [][]field) string {
	if len(runs) == 1 {
		return "For " + r.requests() + " " + r.advice(runs[0]) + "."
	}
	text := "For " + r.requests() + " it depends on the capacity."
	if len(runs) <= mostRuns {
		all := []string{text}
		for _, run := range runs {
			all = append(all, capital(r.advice(run))+".")
		}
		return sentences(all...)
	}
	most := slices.MaxFunc(runs, func(a, b []field) int { return cmp.Compare(widest(a), widest(b)) })
	return text + " Where the choice matters most, " + r.advice(most) + ". Elsewhere others lead: see the reasons."
}

// widest returns the greatest spread of the fields.
func widest(run []field) float64 {
	most := run[0].spread()
	for _, f := range run {
		most = max(most, f.spread())
	}
	return most
}

// sentences joins those that are not empty.
func sentences(all ...string) string {
	return strings.Join(slices.DeleteFunc(all, func(s string) bool { return s == "" }), " ")
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// answerNone says why no cache can be advised.
func (r *Report) answerNone(fields []field) string {
	ranked := 0
	for _, f := range fields {
		ranked = max(ranked, len(f.flawed))
	}
	if ranked == 0 {
		return fmt.Sprintf("For %s no cache can be advised: none could be ranked.", r.requests())
	}
	return fmt.Sprintf("For %s no cache can be advised: each that could be ranked has a finding against it.", r.requests())
}

// sameLeaders cuts the fields into runs in which the same caches lead.
func sameLeaders(fields []field) [][]field {
	key := func(f field) string {
		names := namesOf(f.leaders)
		slices.Sort(names)
		return fmt.Sprint(f.table.Bytes > 0, f.level(), names)
	}
	var runs [][]field
	for i, f := range fields {
		if i > 0 && key(fields[i-1]) == key(f) {
			runs[len(runs)-1] = append(runs[len(runs)-1], f)
		} else {
			runs = append(runs, []field{f})
		}
	}
	return runs
}

// advice says which caches to take at the capacities of a run of fields.
func (r *Report) advice(run []field) string {
	at := r.capacities(run)
	f := run[0]
	switch {
	case len(f.rows) == 0:
		return at + ": none can be advised"
	case f.level():
		return fmt.Sprintf("%s: nothing distinguishes %s, %s hits%s; take the simplest", at, all(len(f.rows)), ratios(run), against(run))
	case len(f.rows) == 1:
		return fmt.Sprintf("%s: %s, the only one that can be ranked, %s hits%s", at, f.rows[0].Name, ratios(run), against(run))
	}
	text := fmt.Sprintf("%s: %s, %s hits%s", at, list(namesOf(f.leaders), "or"), ratios(run), against(run))
	if exact, ok := f.exact(); ok && len(run) == 1 {
		text += fmt.Sprintf("; %s (%s) if the capacity must be exact", exact.Name, shareRange(exact.HitRatio, exact.HitRatio))
	} else if ok {
		text += fmt.Sprintf("; %s if the capacity must be exact", exact.Name)
	}
	return text
}

// all names n caches that are all there are.
func all(n int) string {
	if n == 2 {
		return "the two caches"
	}
	return fmt.Sprintf("the %d caches", n)
}

// capacities names those of a run of fields.
func (r *Report) capacities(run []field) string {
	first, last := r.at(run[0].table), r.at(run[len(run)-1].table)
	if len(run) == 1 {
		return "at " + first
	}
	if run[0].table.Bytes == 0 {
		first = strings.TrimSuffix(first, " entries")
	}
	return "from " + first + " to " + last
}

// at names the table's capacity, and what it is without sampling.
func (r *Report) at(t *Table) string {
	at := t.at()
	if r.Workload != nil && r.Workload.Sample > 0 && r.Workload.Sample < 1 {
		if t.Bytes > 0 {
			return fmt.Sprintf("%s of the sample, as of %s", at, size(float64(t.Bytes)/r.Workload.Sample))
		}
		return fmt.Sprintf("%s of the sample, as of %s", at, thousands(int64(float64(t.Capacity)/r.Workload.Sample+0.5)))
	}
	return at
}

// ratios writes the hit ratios of the leaders of all fields.
func ratios(run []field) string {
	low, high := 1.0, 0.0
	for _, f := range run {
		for _, row := range f.leaders {
			low, high = min(low, row.HitRatio), max(high, row.HitRatio)
		}
	}
	return shareRange(low, high)
}

// against writes LRU's hit ratios, if they are known.
func against(run []field) string {
	low, high := 1.0, 0.0
	for _, f := range run {
		lru, ok := f.table.reference(RefLRU)
		if !ok {
			return ""
		}
		low, high = min(low, lru), max(high, lru)
	}
	return " against LRU's " + shareRange(low, high)
}

// among says which of several leaders is faster or smaller.
func (r *Report) among(fields []field) string {
	names := leading(slices.DeleteFunc(slices.Clone(fields), func(f field) bool { return f.level() && len(fields) > 1 }))
	if len(names) < 2 {
		return ""
	}
	var parts []string
	c := r.speedCase("workload", "hit", "miss")
	if rows := r.timed(c, names); len(rows) > 1 {
		if n := c.fastest(rows); n < len(rows) {
			var fast []string
			for _, row := range rows[:n] {
				fast = append(fast, row.Name)
			}
			parts = append(parts, fmt.Sprintf("%s %s the fastest (%s an operation; %s: %s)", list(fast, "and"), isAre(n),
				nanoseconds(rows[0].Wall.Median), rows[len(rows)-1].Name, nanoseconds(rows[len(rows)-1].Wall.Median)))
		}
	}
	sizes := r.sizes(names)
	if least := lean(sizes); len(least) > 0 {
		var small []string
		for _, f := range least {
			small = append(small, f.name)
		}
		last := sizes[len(sizes)-1]
		parts = append(parts, fmt.Sprintf("%s %s the least memory (%s an entry; %s: %s)", list(small, "and"), takes(len(small)),
			size(least[0].value), last.name, size(last.value)))
	}
	if len(parts) == 0 {
		return ""
	}
	return "Of these, " + strings.Join(parts, ", and ") + "."
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

func takes(n int) string {
	if n == 1 {
		return "takes"
	}
	return "take"
}

// sooner says which cache answers sooner in the mean than all leaders, if a miss
// costs so little that the time of a hit decides.
func (r *Report) sooner(fields []field) string {
	f := mainField(fields)
	best := r.effective(f, namesOf(f.rows))
	if len(best) < 2 || len(r.hitTimes(namesOf(f.rows))) < len(f.rows) {
		return ""
	}
	first := best[0]
	i := slices.IndexFunc(best, func(x figure) bool {
		return slices.ContainsFunc(f.leaders, func(row *Row) bool { return row.Name == x.name })
	})
	if i <= 0 || best[i].value <= first.value*(1+alikeMisses) {
		return ""
	}
	return fmt.Sprintf("But at %s a miss, %s answers soonest at %s: %s a request in the mean against %s with %s.",
		setting(r.Hits.Load), first.name, r.at(f.table), nanoseconds(first.value), nanoseconds(best[i].value), best[i].name)
}

// ahead names the caches that have more hits than the leaders, but findings.
func (r *Report) ahead(fields []field) string {
	var names []string
	for _, f := range fields {
		for _, row := range f.flawed {
			if len(f.rows) > 0 && row.HitRatio > f.rows[0].HitRatio && !alike(row, f.rows[0]) && !slices.Contains(names, row.Name) {
				names = append(names, row.Name)
			}
		}
	}
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("%s had more hits, but %s findings against %s.", list(names, "and"), hasHave(len(names)), itThem(len(names)))
}

func hasHave(n int) string {
	if n == 1 {
		return "has"
	}
	return "have"
}

func itThem(n int) string {
	if n == 1 {
		return "it"
	}
	return "them"
}

func (r *Report) answerSpeed() string {
	c := r.speedCase("workload", "hit", "miss")
	if c == nil {
		c = &r.Speed.Cases[0]
	}
	if c.Noisy {
		return "The machine was too noisy to rank the caches by speed, and nothing else was measured that ranks them."
	}
	rows := r.timed(c, r.able())
	if len(rows) == 0 {
		return "No cache can be advised: none without a finding against it has a speed."
	}
	if len(rows) == 1 {
		return fmt.Sprintf("By speed alone (%s): %s, the only one that can be ranked, %s an operation.", c.label(), rows[0].Name, nanoseconds(rows[0].Wall.Median))
	}
	n := c.fastest(rows)
	if n == len(rows) {
		return fmt.Sprintf("By speed alone (%s), nothing distinguishes %s: take the simplest.", c.label(), all(n))
	}
	var names []string
	for _, row := range rows[:n] {
		names = append(names, row.Name)
	}
	return fmt.Sprintf("By speed alone (%s): %s, %s an operation; the next, %s, takes %s. Hit ratios were not measured, and where a miss is dear they decide.",
		c.label(), list(names, "or"), nanoseconds(rows[0].Wall.Median), rows[n].Name, nanoseconds(rows[n].Wall.Median))
}

func (r *Report) answerMemory() string {
	all := r.sizes(r.able())
	switch least := lean(all); {
	case len(all) == 0:
		return "No cache can be advised: none without a finding against it has a size."
	case len(all) == 1:
		return fmt.Sprintf("By memory alone: %s, the only one that can be ranked, takes %s an entry.", all[0].name, size(all[0].value))
	case len(least) == 0:
		return fmt.Sprintf("By memory alone, little distinguishes the caches: %s to %s an entry.", size(all[0].value), size(all[len(all)-1].value))
	default:
		var names []string
		for _, f := range least {
			names = append(names, f.name)
		}
		last := all[len(all)-1]
		return fmt.Sprintf("By memory alone: %s, %s an entry; %s takes %s.", list(names, "or"), size(least[0].value), last.name, size(last.value))
	}
}

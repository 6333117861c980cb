package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Conclude sets the report's Answer from its other fields.
//
// It recommends only caches that are ranked and have no finding against them. Two
// caches are alike if the ranges of their runs overlap or if their misses differ by at
// most 2 %. The pace most like a real program counts: paced, else settled, else flat.
// Speed counts only if the machine was quiet and the difference exceeds the control.
// Memory counts only if the greatest is at least 1.5 times the least. A report without
// hit ratios is ranked by speed, else by memory, else by expiry.
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
		a.Text = "Nothing was measured that can rank the caches."
	}
	if r.distrusted() {
		a.Text += " The measurement itself has findings: do not rely on this answer."
	}
	r.Answer = &Answer{a.Text, append(a.Reasons, r.reasons(fields)...)}
}

// distrusted reports whether a finding makes the whole measurement unreliable.
func (r *Report) distrusted() bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool {
		return f.Name == "" && f.Check != CheckNoise && f.Check != CheckMix
	})
}

// sound returns the names of the contestants without a finding against them.
func (r *Report) sound() []string {
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

// mostRuns is the greatest number of groups of capacities that the answer lists.
const mostRuns = 3

// advices recommends caches for each group of capacities. If there are many groups, it
// does so only for the group in which the caches differ most.
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
	return text + " The choice matters most " + r.advice(most) +
		". At other capacities other caches lead; the reasons list them."
}

// widest returns the greatest spread of hit ratios in the fields.
func widest(run []field) float64 {
	most := run[0].spread()
	for _, f := range run {
		most = max(most, f.spread())
	}
	return most
}

// sentences joins the sentences that are not empty.
func sentences(all ...string) string {
	return strings.Join(slices.DeleteFunc(all, func(s string) bool { return s == "" }), " ")
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// answerNone states why no cache can be recommended.
func (r *Report) answerNone(fields []field) string {
	ranked := 0
	for _, f := range fields {
		ranked = max(ranked, len(f.flawed))
	}
	why := "every ranked cache has a finding against it"
	if ranked == 0 {
		why = "none could be ranked"
	}
	return fmt.Sprintf("No cache can be recommended for %s: %s.", r.requests(), why)
}

// sameLeaders groups consecutive fields in which the same caches lead.
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

// advice recommends caches for the capacities of a group of fields.
func (r *Report) advice(run []field) string {
	at := r.capacities(run)
	f := run[0]
	switch {
	case len(f.rows) == 0:
		return at + ": no cache can be recommended"
	case f.level():
		return fmt.Sprintf("%s: %s, %s hits%s; take the simplest",
			at, alikeHere(len(f.rows)), ratios(run), against(run))
	case len(f.rows) == 1:
		return fmt.Sprintf("%s: %s, the only cache that can be ranked, %s hits%s",
			at, f.rows[0].Name, ratios(run), against(run))
	}
	text := fmt.Sprintf("%s: %s, %s hits%s", at, list(namesOf(f.leaders), "or"), ratios(run), against(run))
	if exact, ok := f.exact(); ok && len(run) == 1 {
		text += fmt.Sprintf("; %s (%s) if the capacity must be exact",
			exact.Name, shareRange(exact.HitRatio, exact.HitRatio))
	} else if ok {
		text += fmt.Sprintf("; %s if the capacity must be exact", exact.Name)
	}
	return text
}

// alikeHere states that none of the n caches is better than the others.
func alikeHere(n int) string {
	if n == 2 {
		return "both caches perform alike here"
	}
	return fmt.Sprintf("all %d caches perform alike here", n)
}

// capacities names the capacities of a group of fields.
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

// at names the table's capacity. If the keys are a sample, it adds the capacity that
// corresponds to all keys.
func (r *Report) at(t *Table) string {
	at := t.at()
	if r.Workload == nil || r.Workload.Sample <= 0 || r.Workload.Sample >= 1 {
		return at
	}
	return fmt.Sprintf("%s of the sample (%s without sampling)", at, t.unsampled(r.Workload.Sample))
}

// unsampled writes the capacity for all keys that corresponds to the table's capacity
// for a sample of the keys.
func (t *Table) unsampled(sample float64) string {
	if t.Bytes > 0 {
		return size(float64(t.Bytes) / sample)
	}
	return thousands(int64(math.Round(float64(t.Capacity) / sample)))
}

// ratios writes the range of the leaders' hit ratios in all fields.
func ratios(run []field) string {
	low, high := 1.0, 0.0
	for _, f := range run {
		for _, row := range f.leaders {
			low, high = min(low, row.HitRatio), max(high, row.HitRatio)
		}
	}
	return shareRange(low, high)
}

// against writes the range of LRU's hit ratios, or nothing if they are not known.
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

// among names the fastest and the smallest of several leaders.
func (r *Report) among(fields []field) string {
	if len(fields) > 1 {
		fields = slices.DeleteFunc(slices.Clone(fields), func(f field) bool { return f.level() })
	}
	names := leading(fields)
	if len(names) < 2 {
		return ""
	}
	var parts []string
	c := r.speedCase("workload", "hit", "miss")
	if rows := r.timed(c, names); len(rows) > 1 {
		if n := c.fastest(rows); n < len(rows) {
			last := rows[len(rows)-1]
			parts = append(parts, fmt.Sprintf("%s %s the fastest of these caches (%s per operation; %s: %s)",
				list(namesOf(rows[:n]), "and"), choose(n, "is", "are"),
				nanoseconds(rows[0].Wall.Median), last.Name, nanoseconds(last.Wall.Median)))
		}
	}
	sizes := r.sizes(names)
	if least := lean(sizes); len(least) > 0 {
		last := sizes[len(sizes)-1]
		parts = append(parts, fmt.Sprintf("%s %s the least memory (%s per entry; %s: %s)",
			list(namesOf(least), "and"), choose(len(least), "takes", "take"),
			size(least[0].value), last.name, size(last.value)))
	}
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(parts, ", and ") + "."
}

// sooner names the cache with the lowest mean time per request, if it is not a leader.
// This happens if a miss costs so little that the time of a hit decides.
func (r *Report) sooner(fields []field) string {
	f := mainField(fields)
	names := namesOf(f.rows)
	best := r.effective(f, names)
	if len(best) < 2 || len(r.hitTimes(names)) < len(f.rows) {
		return ""
	}
	first, leaders := best[0], namesOf(f.leaders)
	i := slices.IndexFunc(best, func(x figure) bool { return slices.Contains(leaders, x.name) })
	if i <= 0 || best[i].value <= first.value*(1+alikeMisses) {
		return ""
	}
	return fmt.Sprintf("But if a miss costs %s, %s has the lowest mean time per request at %s: %s, against %s with %s.",
		setting(r.Hits.Load), first.name, r.at(f.table), nanoseconds(first.value),
		nanoseconds(best[i].value), best[i].name)
}

// ahead names the caches that have more hits than the leaders, but findings.
func (r *Report) ahead(fields []field) string {
	var names []string
	for _, f := range fields {
		for _, row := range f.flawed {
			if f.beatenBy(row) && !slices.Contains(names, row.Name) {
				names = append(names, row.Name)
			}
		}
	}
	if len(names) == 0 {
		return ""
	}
	n := len(names)
	return fmt.Sprintf("%s had more hits, but %s findings against %s.",
		list(names, "and"), choose(n, "has", "have"), choose(n, "it", "them"))
}

func (r *Report) answerSpeed() string {
	c := r.speedCase("workload", "hit", "miss")
	if c == nil {
		c = &r.Speed.Cases[0]
	}
	if c.Noisy {
		return "The machine was too noisy to rank the caches by speed, and nothing else that ranks them was measured."
	}
	rows := r.timed(c, r.sound())
	n := 0
	if len(rows) > 0 {
		n = c.fastest(rows)
	}
	text := "Ranked only by speed (" + c.label() + "): "
	switch {
	case len(rows) == 0:
		return "No cache can be recommended: speed was not measured for any cache without findings."
	case len(rows) == 1:
		return text + fmt.Sprintf("%s, the only cache that can be ranked, %s per operation.",
			rows[0].Name, nanoseconds(rows[0].Wall.Median))
	case n == len(rows):
		return text + alikeHere(n) + "; take the simplest."
	}
	return text + fmt.Sprintf("%s, %s per operation; %s is next with %s. "+
		"Hit ratios were not measured; they decide if a miss is expensive.",
		list(namesOf(rows[:n]), "or"), nanoseconds(rows[0].Wall.Median), rows[n].Name, nanoseconds(rows[n].Wall.Median))
}

func (r *Report) answerMemory() string {
	all := r.sizes(r.sound())
	if len(all) == 0 {
		return "No cache can be recommended: memory was not measured for any cache without findings."
	}
	first, last := all[0], all[len(all)-1]
	text := "Ranked only by memory: "
	switch least := lean(all); {
	case len(all) == 1:
		return text + fmt.Sprintf("%s, the only cache that can be ranked, takes %s per entry.",
			first.name, size(first.value))
	case len(least) == 0:
		return text + fmt.Sprintf("the caches differ little, %s to %s per entry.", size(first.value), size(last.value))
	default:
		return text + fmt.Sprintf("%s, %s per entry; %s takes %s.",
			list(namesOf(least), "or"), size(first.value), last.name, size(last.value))
	}
}

func (r *Report) answerTTL() string {
	rows := r.worstTTL(r.sound())
	if len(rows) == 0 {
		return "No cache can be recommended: expiry was not measured for any cache without findings."
	}
	least, last := rows[0], rows[len(rows)-1]
	n := 0
	for n < len(rows) && rows[n].Stale <= least.Stale+max(rows[n].Resolution, least.Resolution) {
		n++
	}
	text := "Ranked only by expiry: "
	if n == len(rows) {
		return text + fmt.Sprintf("the caches perform alike; none returned a value more than %s late.",
			span(last.Stale))
	}
	return text + fmt.Sprintf("%s, at most %s late; %s was up to %s late.",
		list(namesOf(rows[:n]), "or"), span(rows[n-1].Stale), last.Name, span(last.Stale))
}

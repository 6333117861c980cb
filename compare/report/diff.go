package report

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/cachepact/cachepact/compare/internal/stat"
)

// What [Diff] takes for noise.
const (
	// MemoryTolerance is the share, and MemoryTolerancePerEntry the bytes, by which
	// bytes per entry differ between runs without a cause: what the runtime itself
	// allocates, and how tables that grow by doubling happen to be filled.
	MemoryTolerance         = 0.05
	MemoryTolerancePerEntry = 2.0
	// RSSTolerance is the same for the resident set, which has the pages that the
	// allocator holds back too.
	RSSTolerance = 0.15
	// GCTolerance is the factor by which times of a full collection differ between
	// runs.
	GCTolerance = 1.5
	// ExpiryLagTolerance is the factor by which an entry's lag differs, beyond
	// the resolution of the measurement.
	ExpiryLagTolerance = 1.5
)

// A Change is a difference between two reports that is more than noise.
type Change struct {
	// Part is "report", "finding", "hits", "speed", "memory" or "ttl".
	Part string `json:"part"`
	// Where is the case, such as "10,000 entries, settled".
	Where string `json:"where,omitempty"`
	// Name is of the contestant; empty: of the whole.
	Name string `json:"name,omitempty"`
	// Text says what was and what is.
	Text string `json:"text"`
	// Verdict says whether it is better.
	Verdict Verdict `json:"verdict"`
}

// A Verdict is whether a change is good.
type Verdict int

// The verdicts.
const (
	Worse  Verdict = -1
	Other  Verdict = 0
	Better Verdict = 1
)

// Diff returns what changed from before to now beyond the noise.
//
// Hit ratios have changed if the ranges of the runs have no point in common,
// which for a cache that always has the same hits is any difference. Speed has
// changed if the intervals of the ratio to the baseline have no point in common
// and the medians differ by more than the controls of both reports do; nothing is
// said of a case that is noisy in one of them. For memory, see [MemoryTolerance].
//
// Parts that only one report has are not compared, and neither are hits of
// different workloads or settings, nor speed on different machines; a change says
// so. Findings that are new come first, then those that are gone.
func Diff(before, now *Report) []Change {
	d := &diff{}
	d.findings(before.Findings, now.Findings)
	d.contestants(before, now)
	d.hits(before, now)
	d.speed(before, now)
	d.memory(before, now)
	d.ttl(before, now)
	return d.changes
}

// WriteChanges writes a line for each change, marked + if it is better, - if it
// is worse, and ~ otherwise. The error is that of w.
func WriteChanges(w io.Writer, changes []Change) error {
	if len(changes) == 0 {
		_, err := fmt.Fprintln(w, "No change beyond the noise.")
		return err
	}
	var out strings.Builder
	for _, c := range changes {
		fmt.Fprintf(&out, "%s %s", [...]string{"-", "~", "+"}[1+cmp.Compare(c.Verdict, 0)], c.Part)
		for _, s := range []string{c.Where, c.Name} {
			if s != "" {
				fmt.Fprintf(&out, ", %s", oneLine(s))
			}
		}
		fmt.Fprintf(&out, ": %s\n", oneLine(c.Text))
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// oneLine quotes what would break a line or steer a terminal.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
}

type diff struct{ changes []Change }

func (d *diff) add(part, where, name string, verdict Verdict, format string, args ...any) {
	d.changes = append(d.changes, Change{Part: part, Where: where, Name: name, Verdict: verdict, Text: fmt.Sprintf(format, args...)})
}

// fewer is better if now is less than before.
func fewer[T cmp.Ordered](before, now T) Verdict { return Verdict(cmp.Compare(before, now)) }

func (d *diff) findings(before, now []Finding) {
	type key struct{ name, check, where string }
	keys := func(fs []Finding) map[key]bool {
		m := map[key]bool{}
		for _, f := range fs {
			m[key{f.Name, f.Check, f.Where}] = true
		}
		return m
	}
	had, has := keys(before), keys(now)
	for _, f := range now {
		if !had[key{f.Name, f.Check, f.Where}] {
			d.add("finding", f.Where, f.Name, Worse, "new: %s", f.Text)
		}
	}
	for _, f := range before {
		if !has[key{f.Name, f.Check, f.Where}] {
			d.add("finding", f.Where, f.Name, Better, "gone: %s", f.Text)
		}
	}
}

// both calls f for each of before and now that have the same key, in now's order.
func both[T any, K comparable](before, now []T, key func(*T) K, f func(before, now *T)) {
	had := map[K]*T{}
	for i := range before {
		had[key(&before[i])] = &before[i]
	}
	for i := range now {
		if o, ok := had[key(&now[i])]; ok {
			f(o, &now[i])
		}
	}
}

func (d *diff) contestants(before, now *Report) {
	name := func(c *Contestant) string { return c.Name }
	names := func(r *Report) (all []string) {
		for i := range r.Contestants {
			all = append(all, r.Contestants[i].Name)
		}
		return all
	}
	for _, n := range names(now) {
		if !slices.Contains(names(before), n) {
			d.add("report", "", n, Other, "was not compared before")
		}
	}
	for _, n := range names(before) {
		if !slices.Contains(names(now), n) {
			d.add("report", "", n, Other, "is not compared any more")
		}
	}
	both(before.Contestants, now.Contestants, name, func(o, n *Contestant) {
		if o.Version != n.Version {
			d.add("report", "", n.Name, Other, "version %s was %s", orNone(n.Version), orNone(o.Version))
		}
	})
	if before.Machine.Go != now.Machine.Go {
		d.add("report", "", "", Other, "%s was %s", now.Machine.Go, before.Machine.Go)
	}
}

func orNone(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

func (d *diff) hits(before, now *Report) {
	if before.Hits == nil || now.Hits == nil {
		return
	}
	if a, b := workloadOf(before), workloadOf(now); a != b {
		d.add("hits", "", "", Other, "not compared: the requests are not the same: %s was %s", b, a)
		return
	}
	if a, b := settingsOf(before.Hits), settingsOf(now.Hits); a != b {
		d.add("hits", "", "", Other, "not compared: the settings are not the same: %s was %s", b, a)
		return
	}
	type capacity struct {
		entries int
		bytes   int64
	}
	type row struct {
		name string
		pace Pace
	}
	both(before.Hits.Tables, now.Hits.Tables, func(t *Table) capacity {
		if t.Bytes > 0 { // the entries follow from what an entry takes
			return capacity{bytes: t.Bytes}
		}
		return capacity{entries: t.Capacity}
	}, func(o, n *Table) {
		both(o.Rows, n.Rows, func(r *Row) row { return row{r.Name, r.Pace} }, func(a, b *Row) {
			d.ratio(n.at(), a, b)
		})
	})
}

func workloadOf(r *Report) string {
	w := r.Workload
	if w == nil {
		return "unknown"
	}
	return fmt.Sprintf("%s (%s requests, %s keys, sample %v)", w.Name, thousands(w.Requests), thousands(w.Distinct), w.Sample)
}

func settingsOf(h *Hits) string {
	s := fmt.Sprintf("mode %s, TTL %s", h.Mode, h.TTL)
	if h.Clients > 0 {
		s += fmt.Sprintf(", a load of %s for %s", setting(h.Load), plural(h.Clients, "client"))
	}
	return s
}

func (d *diff) ratio(where string, a, b *Row) {
	if b.Pace != "" {
		where += ", " + string(b.Pace)
	}
	switch {
	case a.Failed != "" && b.Failed != "":
	case b.Failed != "":
		d.add("hits", where, b.Name, Worse, "fails: %s", b.Failed)
	case a.Failed != "":
		d.add("hits", where, b.Name, Better, "%s; it failed before", share(b.HitRatio))
	case a.High < b.Low || b.High < a.Low:
		d.add("hits", where, b.Name, fewer(b.HitRatio, a.HitRatio), "%s was %s (%+.2f points)",
			b.withRange(), a.withRange(), 100*(b.HitRatio-a.HitRatio))
	}
}

// withRange writes the hit ratio, with its range if there is one.
func (r *Row) withRange() string {
	if r.Low == r.High {
		return share(r.HitRatio)
	}
	return fmt.Sprintf("%s (%s)", share(r.HitRatio), shareRange(r.Low, r.High))
}

func (d *diff) speed(before, now *Report) {
	if before.Speed == nil || now.Speed == nil {
		return
	}
	if a, b := hostOf(before.Machine), hostOf(now.Machine); a != b {
		d.add("speed", "", "", Other, "not compared: the machines are not the same: %s was %s", b, a)
		return
	}
	if before.Speed.Baseline != now.Speed.Baseline {
		d.add("speed", "", "", Other, "not compared: the baseline %s was %s", now.Speed.Baseline, before.Speed.Baseline)
		return
	}
	type situation struct {
		name                        string
		capacity, procs, goroutines int
	}
	both(before.Speed.Cases, now.Speed.Cases, func(c *SpeedCase) situation {
		return situation{c.Name, c.Capacity, c.Procs, c.Goroutines}
	}, d.speedCase)
}

func hostOf(m Machine) string {
	return strings.TrimSpace(fmt.Sprintf("%s/%s, %s %s", m.OS, m.Arch, plural(m.CPUs, "CPU"), m.CPU))
}

func (d *diff) speedCase(o, n *SpeedCase) {
	if o.Noisy || n.Noisy {
		return
	}
	both(o.Rows, n.Rows, func(r *SpeedRow) string { return r.Name }, func(a, b *SpeedRow) {
		switch {
		case a.Failed != "" && b.Failed != "":
		case b.Failed != "":
			d.add("speed", n.label(), b.Name, Worse, "fails: %s", b.Failed)
		case a.Failed != "":
			d.add("speed", n.label(), b.Name, Better, "%.2f of the baseline's time; it failed before", b.Ratio.Median)
		case !a.Ratio.Overlaps(b.Ratio) && apart(a.Ratio.Median, b.Ratio.Median, o.Control) && apart(a.Ratio.Median, b.Ratio.Median, n.Control):
			d.add("speed", n.label(), b.Name, fewer(a.Ratio.Median, b.Ratio.Median),
				"%s of the baseline's time was %s", intervalOf(b.Ratio), intervalOf(a.Ratio))
		}
	})
}

// apart reports whether a and b differ by more than the control does from 1.
func apart(a, b float64, control stat.Interval) bool {
	factor := max(a, b) / min(a, b)
	return factor > noiseOf(control)
}

// noiseOf returns the greatest factor by which the baseline differs from itself.
func noiseOf(control stat.Interval) float64 {
	noise := 1.0
	if control.High > noise {
		noise = control.High
	}
	if control.Low > 0 && 1/control.Low > noise {
		noise = 1 / control.Low
	}
	return noise
}

func intervalOf(i stat.Interval) string {
	return fmt.Sprintf("%.2f (%.2f–%.2f)", i.Median, i.Low, i.High)
}

func (d *diff) memory(before, now *Report) {
	if before.Memory == nil || now.Memory == nil {
		return
	}
	if before.Memory.Value != now.Memory.Value {
		d.add("memory", "", "", Other, "not compared: values of %d bytes were of %d", now.Memory.Value, before.Memory.Value)
		return
	}
	both(before.Memory.Rows, now.Memory.Rows, func(r *MemoryRow) string { return r.Name }, func(a, b *MemoryRow) {
		switch {
		case a.Failed != "" && b.Failed != "":
			return
		case b.Failed != "":
			d.add("memory", "", b.Name, Worse, "fails: %s", b.Failed)
			return
		case a.Failed != "":
			d.add("memory", "", b.Name, Better, "%s of heap per entry; it failed before", size(b.HeapPerEntry))
			return
		}
		d.perEntry("heap", b.Name, a.HeapPerEntry, b.HeapPerEntry, MemoryTolerance)
		d.perEntry("RSS", b.Name, a.RSSPerEntry, b.RSSPerEntry, RSSTolerance)
		d.perEntry("scannable", b.Name, a.ScanPerEntry, b.ScanPerEntry, MemoryTolerance)
		if hostOf(before.Machine) == hostOf(now.Machine) && beyond(a.GC, b.GC, GCTolerance, time.Millisecond) {
			d.add("memory", "full collection", b.Name, fewer(a.GC, b.GC), "%s was %s", span(b.GC), span(a.GC))
		}
	})
}

func (d *diff) perEntry(what, name string, before, now, tolerance float64) {
	by := math.Abs(now - before)
	if by > MemoryTolerancePerEntry && by > tolerance*math.Abs(before) {
		d.add("memory", what, name, fewer(before, now), "%s per entry was %s", size(now), size(before))
	}
}

// beyond reports whether a and b differ by more than the factor and by more than
// least.
func beyond(a, b time.Duration, factor float64, least time.Duration) bool {
	low, high := float64(min(a, b)), float64(max(a, b))
	return high-low > float64(least) && high > factor*low
}

func (d *diff) ttl(before, now *Report) {
	if before.TTL == nil || now.TTL == nil {
		return
	}
	type key struct {
		name, use string
		ttl       time.Duration
	}
	both(before.TTL.Rows, now.TTL.Rows, func(r *TTLRow) key { return key{r.Name, r.Use, r.TTL} }, func(a, b *TTLRow) {
		where := fmt.Sprintf("%s, %s", setting(b.TTL), b.Use)
		least := max(a.Resolution, b.Resolution)
		switch {
		case a.Failed != "" && b.Failed != "":
			return
		case b.Failed != "":
			d.add("ttl", where, b.Name, Worse, "fails: %s", b.Failed)
			return
		case a.Failed != "":
			d.add("ttl", where, b.Name, Better, "lag p99 %s; it failed before", span(b.P99))
			return
		}
		if (a.Early == 0) != (b.Early == 0) {
			d.add("ttl", where, b.Name, fewer(a.Early, b.Early), "%s gone early, was %s", plural(b.Early, "key"), thousands(a.Early))
		}
		if beyond(a.P99, b.P99, ExpiryLagTolerance, least) {
			d.add("ttl", where, b.Name, fewer(a.P99, b.P99), "lag p99 %s was %s", span(b.P99), span(a.P99))
		}
		if beyond(a.Stale, b.Stale, ExpiryLagTolerance, least) {
			d.add("ttl", where, b.Name, fewer(a.Stale, b.Stale), "value returned up to %s late was %s", span(b.Stale), span(a.Stale))
		}
	})
}

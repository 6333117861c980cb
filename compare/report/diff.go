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

// Differences up to these tolerances are noise to [Diff].
const (
	// MemoryTolerance (a share) and MemoryTolerancePerEntry (bytes) are the differences
	// in bytes per entry between runs of the same code. The causes are allocations of
	// the runtime and the fill of tables that grow by doubling.
	MemoryTolerance         = 0.05
	MemoryTolerancePerEntry = 2.0
	// RSSTolerance is the share for the resident set, which also holds pages that the
	// allocator has not returned.
	RSSTolerance = 0.15
	// GCTolerance is the factor between the times of a full collection in two runs.
	GCTolerance = 1.5
	// ExpiryLagTolerance is the factor between the expiry lags in two runs, if their
	// difference exceeds the resolution of the measurement.
	ExpiryLagTolerance = 1.5
)

// A Change is a difference between two reports that exceeds the noise.
type Change struct {
	// Part is "report", "finding", "hits", "speed", "memory" or "ttl".
	Part string `json:"part"`
	// Where names the case, such as "10,000 entries, settled".
	Where string `json:"where,omitempty"`
	// Name is the contestant; empty if the change is about the whole report.
	Name string `json:"name,omitempty"`
	// Text gives the new and the old figure.
	Text string `json:"text"`
	// Verdict says whether the change is an improvement.
	Verdict Verdict `json:"verdict"`
}

// A Verdict says whether a change is an improvement.
type Verdict int

// The verdicts.
const (
	Worse  Verdict = -1
	Other  Verdict = 0
	Better Verdict = 1
)

// Diff returns the changes from before to now that exceed the noise.
//
// A hit ratio has changed if the ranges of the runs do not overlap. A speed has changed
// if the intervals of the ratio to the baseline do not overlap and the medians differ by
// more than both controls. Diff skips a case that is noisy in one of the reports. For
// memory see [MemoryTolerance].
//
// Diff skips parts that only one report has. It does not compare hits of different
// workloads or settings, nor speed on different machines; a change says so. New findings
// come first, then findings that are gone.
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

// WriteChanges writes a line for each change. The line starts with + if the change is
// better, - if it is worse and ~ otherwise. It returns the error of w.
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

// oneLine replaces control characters, which break lines or control a terminal, by spaces.
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
	text := fmt.Sprintf(format, args...)
	d.changes = append(d.changes, Change{Part: part, Where: where, Name: name, Verdict: verdict, Text: text})
}

// failed reports whether one of two rows failed, and adds a change if only one did. The
// arguments before and after are the reasons, figure describes the new row.
func (d *diff) failed(part, where, name, before, after, figure string) bool {
	switch {
	case before != "" && after != "":
	case after != "":
		d.add(part, where, name, Worse, "fails: %s", after)
	case before != "":
		d.add(part, where, name, Better, "%s; it failed before", figure)
	default:
		return false
	}
	return true
}

// fewer returns Better if now is less than before.
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

// both calls f for each pair of before and now with the same key, in the order of now.
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
		if t.Bytes > 0 { // the capacity in entries depends on the measured bytes per entry
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
	return fmt.Sprintf("%s (%s requests, %s keys, sample %v)",
		w.Name, thousands(w.Requests), thousands(w.Distinct), w.Sample)
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
	if !d.failed("hits", where, b.Name, a.Failed, b.Failed, share(b.HitRatio)) && (a.High < b.Low || b.High < a.Low) {
		d.add("hits", where, b.Name, fewer(b.HitRatio, a.HitRatio), "%s was %s (%+.2f points)",
			b.withRange(), a.withRange(), 100*(b.HitRatio-a.HitRatio))
	}
}

// withRange writes the hit ratio and, if the runs differ, its range.
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
		x, y := a.Ratio.Median, b.Ratio.Median
		if d.failed("speed", n.label(), b.Name, a.Failed, b.Failed, decimals(y, 2)+" of the baseline's time") {
			return
		}
		if !a.Ratio.Overlaps(b.Ratio) && apart(x, y, o.Control) && apart(x, y, n.Control) {
			d.add("speed", n.label(), b.Name, fewer(x, y),
				"%s of the baseline's time was %s", intervalOf(b.Ratio), intervalOf(a.Ratio))
		}
	})
}

// apart reports whether the factor between a and b exceeds the noise of the control.
func apart(a, b float64, control stat.Interval) bool {
	factor := max(a, b) / min(a, b)
	return factor > noiseOf(control)
}

// noiseOf returns the greatest factor by which the baseline differs from itself.
func noiseOf(control stat.Interval) float64 {
	noise := max(1, control.High)
	if control.Low > 0 {
		noise = max(noise, 1/control.Low)
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
		d.add("memory", "", "", Other, "not compared: values of %d bytes were of %d",
			now.Memory.Value, before.Memory.Value)
		return
	}
	both(before.Memory.Rows, now.Memory.Rows, func(r *MemoryRow) string { return r.Name }, func(a, b *MemoryRow) {
		if d.failed("memory", "", b.Name, a.Failed, b.Failed, size(b.HeapPerEntry)+" of heap per entry") {
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

// beyond reports whether a and b differ by more than the factor and by more than least.
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
		if d.failed("ttl", where, b.Name, a.Failed, b.Failed, "lag p99 "+span(b.P99)) {
			return
		}
		if (a.Early == 0) != (b.Early == 0) {
			d.add("ttl", where, b.Name, fewer(a.Early, b.Early), "%s expired early, was %s",
				plural(b.Early, "key"), thousands(a.Early))
		}
		if beyond(a.P99, b.P99, ExpiryLagTolerance, least) {
			d.add("ttl", where, b.Name, fewer(a.P99, b.P99), "lag p99 %s was %s", span(b.P99), span(a.P99))
		}
		if beyond(a.Stale, b.Stale, ExpiryLagTolerance, least) {
			d.add("ttl", where, b.Name, fewer(a.Stale, b.Stale), "value returned up to %s late was %s",
				span(b.Stale), span(a.Stale))
		}
	})
}

package speed

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	intervals "github.com/cachepact/cachepact/compare/internal/stat"
	"github.com/cachepact/cachepact/compare/report"
)

// tooNoisy is the width of the control's interval above which nothing is ranked.
const tooNoisy = 0.1

// offBy is the share of operations by which what was executed may differ from what
// was due.
const offBy = 0.01

// summarize works out the figures of a race. The control is the first contender, and
// has the name of the baseline as its contestant.
func summarize(r race, all []contender) report.SpeedCase {
	c := report.SpeedCase{Name: r.Case, Capacity: r.Capacity, Procs: r.Procs, Goroutines: r.Goroutines, Mix: r.due}
	var base []float64
	for _, one := range all[1:] {
		if one.name == all[0].Contestant {
			base = one.wall()
		}
	}
	c.Control = paired(all[0].wall(), base)
	c.Noisy = c.Control.Median == 0 || c.Control.High-c.Control.Low > tooNoisy
	for _, one := range all[1:] {
		row := one.row(base)
		row.Tie = !c.Noisy && row.Failed == "" && row.Ratio.Overlaps(tieZone(c.Control))
		if one.isBaseline {
			row.Dropped = 0 // which of "nothing" is no news
			c.Floors = append(c.Floors, row)
			continue
		}
		c.Rows = append(c.Rows, row)
	}
	if !c.Noisy {
		slices.SortStableFunc(c.Rows, func(a, b report.SpeedRow) int {
			if a, b := a.Failed != "", b.Failed != ""; a != b {
				return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) // false first
			}
			return cmp.Compare(a.Ratio.Median, b.Ratio.Median)
		})
	}
	return c
}

// tieZone is the ratios that are none: those that the control has, and 1.
func tieZone(control intervals.Interval) intervals.Interval {
	return intervals.Interval{Median: 1, Low: min(control.Low, 1), High: max(control.High, 1)}
}

// paired is that of package stat, and zero where that is no number.
func paired(a, b []float64) intervals.Interval {
	if len(a) == 0 || len(b) == 0 {
		return intervals.Interval{}
	}
	return intervals.Paired(a, b)
}

// wall returns the nanoseconds of an operation in each round.
func (c *contender) wall() []float64 {
	return c.perOp(func(n count) float64 { return float64(n.Wall) })
}

func (c *contender) perOp(f func(count) float64) []float64 {
	all := make([]float64, len(c.rounds))
	for i, n := range c.rounds {
		all[i] = f(n) / float64(n.ops())
	}
	return all
}

func (c *contender) row(base []float64) report.SpeedRow {
	row := report.SpeedRow{Name: c.name, Failed: c.failed, Rounds: c.wall()}
	var n count
	for _, round := range c.rounds {
		n.add(round)
	}
	if n.ops() == 0 {
		return row
	}
	ops := float64(n.ops())
	row.Wall = intervals.Bootstrap(row.Rounds)
	row.CPU = intervals.Bootstrap(c.perOp(func(n count) float64 { return float64(n.CPU) }))
	row.Ratio = paired(row.Rounds, base)
	row.OpsPerSec = 1e9 / row.Wall.Median
	row.HitRatio = report.Ratio(n.Hits, n.Hits+n.Misses)
	row.HitsPerSec = row.OpsPerSec * float64(n.Hits) / ops
	row.Executed = report.Mix{Gets: float64(n.Gets) / ops, Puts: float64(n.Puts) / ops, Invalidates: float64(n.Invalidates) / ops}
	row.Dropped = report.Ratio(n.Dropped, n.Checked)
	row.BytesPerOp, row.AllocsPerOp = float64(n.Bytes)/ops, float64(n.Allocs)/ops
	return row
}

// judge adds the findings of a race.
func (s *comparison) judge(r race, c report.SpeedCase, all []contender) {
	add := func(name, check, format string, args ...any) {
		s.Found(report.Finding{Name: name, Check: check, Where: r.where(), Text: fmt.Sprintf(format, args...)})
	}
	if c.Noisy && all[0].failed == "" {
		add("", report.CheckNoise, "the machine is too noisy to rank: %s against itself is %.2f to %.2f", all[0].Contestant, c.Control.Low, c.Control.High)
	}
	for _, row := range c.Rows {
		i := slices.IndexFunc(all, func(one contender) bool { return one.name == row.Name })
		if row.Failed != "" {
			if !all[i].excused {
				add(row.Name, report.CheckFailed, "%s", row.Failed)
			}
			continue
		}
		if got, due := row.Executed, c.Mix; math.Abs(got.Gets-due.Gets) > offBy || math.Abs(got.Puts-due.Puts) > offBy || math.Abs(got.Invalidates-due.Invalidates) > offBy {
			add(row.Name, report.CheckMix, "executed %s where %s were due", shares(got), shares(due))
		}
		switch {
		case r.Case == CaseHit && row.HitRatio < 1-offBy:
			add(row.Name, report.CheckMix, "%s of the Gets hit where all should: it has room for twice the keys", report.Percent(row.HitRatio))
		case r.Case == CaseMiss && row.HitRatio > offBy:
			add(row.Name, report.CheckMix, "%s of the Gets hit where none should", report.Percent(row.HitRatio))
		}
		if row.Dropped > offBy && !all[i].opened.MayDrop {
			add(row.Name, report.CheckDropped, "%s of the new keys could not be read right after their Put, in a sample of one in %d", report.Percent(row.Dropped), checkEvery)
		}
	}
}

func shares(m report.Mix) string {
	return fmt.Sprintf("%s Gets, %s Puts and %s Invalidates", report.Percent(m.Gets), report.Percent(m.Puts), report.Percent(m.Invalidates))
}

// WriteBenchmarks writes each round as a line in the format of Go's benchmarks
// (golang.org/design/14313-benchmark-format).
func (r Result) WriteBenchmarks(w io.Writer, m report.Machine) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "goos: %s\ngoarch: %s\npkg: github.com/cachepact/cachepact/compare\n", m.OS, m.Arch)
	if m.CPU != "" {
		fmt.Fprintf(&b, "cpu: %s\n", m.CPU)
	}
	for _, c := range r.contenders {
		for _, n := range c.rounds {
			ops := float64(n.ops())
			fmt.Fprintf(&b, "BenchmarkSpeed/case=%s/goroutines=%d/cache=%s-%d\t%d\t%.2f ns/op\t%.2f cpu-ns/op\t%.2f hit%%\t%.0f hits/s\t%.1f B/op\t%.3f allocs/op\n",
				c.Case, c.Goroutines, benchmarkName(c.name), c.Procs, n.ops(),
				float64(n.Wall)/ops, float64(n.CPU)/ops, 100*report.Ratio(n.Hits, n.Hits+n.Misses), float64(n.Hits)/n.Wall.Seconds(),
				float64(n.Bytes)/ops, float64(n.Allocs)/ops)
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// benchmarkName replaces what the format does not allow in a name.
func benchmarkName(name string) string {
	return strings.Join(strings.FieldsFunc(name, func(r rune) bool { return r <= ' ' || strings.ContainsRune("()/=-", r) }), "_")
}

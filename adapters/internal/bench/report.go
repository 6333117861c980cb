package bench

import (
	"fmt"
	"io"
	"math"
	"text/tabwriter"

	"github.com/cachepact/cachepact/internal/stat"
)

// noisy is how wide the interval of the control may be before differences mean
// little.
const noisy = 0.1

// PrintTable prints results in columns.
func PrintTable(w io.Writer, results []Result) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "library\tcase\tkey\tvalue\traw ns\tadapter ns\tratio [95 %]\tA/A [95 %]\tbound\tallocs\t")
	for _, r := range results {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", r.Library, r.Case, r.Key, r.Value,
			nanoseconds(r.Raw), nanoseconds(r.Adapter), interval(r.Ratio), interval(r.Control), r.Verdict(), r.allocs())
	}
	return t.Flush()
}

func nanoseconds(c *Cost) string {
	if c == nil {
		return "-"
	}
	return fmt.Sprintf("%.1f", c.Nanoseconds)
}

func interval(i *stat.Interval) string {
	if i == nil {
		return "-"
	}
	return fmt.Sprintf("%.2f [%.2f-%.2f]", i.Median, i.Low, i.High)
}

// Tie reports whether the adapter differs from the raw library by no more than the
// raw library from itself.
func (r Result) Tie() bool {
	return r.Ratio != nil && r.Control != nil && r.Control.Contains(r.Ratio.Median)
}

// Over reports whether the ratio or the allocations are beyond their bounds.
func (r Result) Over() bool { return r.slow() || r.wasteful() }

func (r Result) slow() bool { return r.Bound > 0 && r.Ratio.Median > r.Bound }

func (r Result) wasteful() bool {
	return r.Allocs != nil && r.Adapter.Allocs > r.Raw.Allocs+*r.Allocs+slack
}

// Verdict returns the bound with whether it is kept: ok or OVER, with a question
// mark if the interval does not decide it. It adds tie and noisy.
func (r Result) Verdict() string {
	text := "-"
	switch {
	case r.Bound == 0:
	case r.slow():
		text = fmt.Sprintf("%.2f OVER", r.Bound)
	default:
		text = fmt.Sprintf("%.2f ok", r.Bound)
	}
	if r.Bound > 0 && r.Ratio.Contains(r.Bound) {
		text += "?"
	}
	if r.Tie() {
		text += " tie"
	}
	if r.Control != nil && r.Control.High-r.Control.Low > noisy {
		text += " noisy"
	}
	return text
}

// allocs returns the allocations of both for each operation.
func (r Result) allocs() string {
	count := func(c *Cost) string {
		if c == nil {
			return "-"
		}
		return fmt.Sprintf("%.2f", c.Allocs)
	}
	text := count(r.Raw) + " " + count(r.Adapter)
	if r.wasteful() {
		text += " OVER"
	}
	return text
}

// ClearingTable prints clearings in columns.
func ClearingTable(w io.Writer, all []Clearing) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "library\tInvalidate(nil) of 1,000,000\tlongest\tbound\tGets before: median, p99, max\tmeanwhile: count, median, p99, max\t")
	for _, c := range all {
		verdict := "1 ms ok"
		if c.Took > c.Bound {
			verdict = "1 ms OVER"
		}
		fmt.Fprintf(t, "%s\t%.3f ms\t%.3f ms\t%s\t%.0f, %.0f, %.0f ns\t%d: %.0f, %.0f, %.0f ns\t\n", c.Library, c.Took/1e6, c.Longest/1e6, verdict,
			c.Before.Median, c.Before.P99, c.Before.Max, c.Meanwhile.Count, c.Meanwhile.Median, c.Meanwhile.P99, c.Meanwhile.Max)
	}
	return t.Flush()
}

// MemoryTable prints what an entry takes in raw libraries and adapters, which come
// in this order.
func MemoryTable(w io.Writer, libraries []string, raw, adapter []Footprint) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "library\traw B/entry\tadapter B/entry\tadded\tbound\traw entries\tadapter entries\traw RSS\tadapter RSS\t")
	for i, library := range libraries {
		r, a := raw[i], adapter[i]
		added, verdict := a.PerEntry()-r.PerEntry(), "-"
		switch bound := MemoryBound(library); {
		case added > bound+memorySlack:
			verdict = fmt.Sprintf("%.0f OVER", bound)
		case !math.IsInf(bound, 0):
			verdict = fmt.Sprintf("%.0f ok", bound)
		}
		fmt.Fprintf(t, "%s\t%.1f\t%.1f\t%.1f\t%s\t%d\t%d\t%d MB\t%d MB\t\n", library, r.PerEntry(), a.PerEntry(), added, verdict,
			r.Entries, a.Entries, r.RSS>>20, a.RSS>>20)
	}
	return t.Flush()
}

// memorySlack is what bytes for each entry may be off by: a cache has a fixed part,
// and a program other garbage.
const memorySlack = 0.5

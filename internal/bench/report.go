package bench

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/cachepact/cachepact/internal/stat"
)

// noisy is how wide the interval of the control may be before differences mean
// little.
const noisy = 0.1

// A Table prints results one by one, in columns.
type Table struct{ w *tabwriter.Writer }

// NewTable begins a table on w.
func NewTable(w io.Writer) *Table {
	t := &Table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	fmt.Fprintln(t.w, "library\tcase\tkey\tvalue\traw ns\tadapter ns\tratio [95 %]\tA/A [95 %]\tbound\tallocs\t")
	return t
}

// Add prints r.
func (t *Table) Add(r Result) {
	fmt.Fprintf(t.w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", r.Library, r.Case, r.Key, r.Value,
		nanoseconds(r.Raw), nanoseconds(r.Adapter), interval(r.Ratio), interval(r.Control), r.Verdict(), r.allocs())
}

// Flush ends the table.
func (t *Table) Flush() error { return t.w.Flush() }

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

package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// A bound is the largest acceptable ratio of an adapter's time to its library's time. An empty field matches all.
type bound struct {
	scenario   string
	libraries  []string
	value      string
	goroutines int
	ratio      float64
}

var (
	byteCaches = []string{"bigcache", "freecache", "fastcache", looseFast}
	ristrettos = []string{"ristretto", "ristretto2"}
)

// bounds are the bounds of this project. The first that matches applies. A throughput of at least 0.85 times the raw
// library's is a time of at most 1/0.85.
var bounds = []bound{
	{scenario: getHit, value: "bytes", libraries: byteCaches, ratio: 1.25},
	{scenario: getHit, value: "int", libraries: ristrettos, ratio: 1.2}, // the adapter also compares the key
	{scenario: getHit, value: "int", ratio: 1.1},
	{scenario: getMiss, value: "int", libraries: []string{"freecache", "fastcache", looseFast}, ratio: 1.8},
	{scenario: getMiss, value: "int", libraries: ristrettos, ratio: 1.2},
	{scenario: getMiss, value: "int", ratio: 1.15},
	{scenario: putOverwrite, value: "int", libraries: ristrettos, ratio: 0.6},
	{scenario: putOverwrite, value: "int", libraries: []string{"fastcache", looseFast}, ratio: 1.5},
	{scenario: putOverwrite, value: "int", libraries: []string{"otter"}, ratio: 1.25},
	{scenario: putOverwrite, value: "int", ratio: 1.15},
	{scenario: putNew, value: "int", libraries: ristrettos, ratio: 1.3},
	{scenario: putNew, value: "int", libraries: []string{"otter"}, ratio: 1.4},
	{scenario: putNew, value: "int", ratio: 1.15},
	{scenario: mixed, value: "int", goroutines: 2, ratio: 1 / 0.85},
}

// boundOf returns the bound of e, or 0 if there is none.
func boundOf(e experiment) float64 {
	i := slices.IndexFunc(bounds, func(b bound) bool {
		return b.scenario == e.scenario.name &&
			(b.libraries == nil || slices.Contains(b.libraries, e.library)) &&
			(b.value == "" || b.value == e.value) &&
			(b.goroutines == 0 || b.goroutines == e.scenario.goroutines)
	})
	if i < 0 {
		return 0
	}
	return bounds[i].ratio
}

// allocsOf returns the largest acceptable number of allocations beyond the raw library's, or nil if there is no bound.
func allocsOf(s scenario) *float64 {
	switch s.name {
	case getHit, getMiss, getTTL:
		return new(0.0)
	case putNew, putOverwrite, putTTL:
		return new(1.0)
	}
	return nil
}

// memoryBounds are the largest acceptable numbers of bytes that an adapter adds to an entry. The byte caches add eight
// for the deadline; an encoded int is as long as a raw one.
var memoryBounds = map[string]float64{
	"golanglru": 24, "gocache": 24, "otter": 40, "theine": 40, "ristretto": 120, "ristretto2": 120,
	"bigcache": 8, "freecache": 8, "fastcache": 8, looseFast: 8,
}

const (
	// allocsSlack is the error of an average of allocations: other goroutines also allocate.
	allocsSlack = 0.05
	// memorySlack is the error of the bytes of an entry: a cache has a fixed part, and other parts of a program garbage.
	memorySlack = 0.5
	// noisy is the width of the interval of the control from which on differences say little.
	noisy = 0.1
)

func (r result) tooSlow() bool { return r.Bound > 0 && r.Ratio != nil && r.Ratio.Median > r.Bound }

func (r result) tooManyAllocs() bool {
	return r.Allocs != nil && r.Adapter.Allocs > r.Raw.Allocs+*r.Allocs+allocsSlack
}

// verdict returns the bound and whether the ratio is within it. A question mark says that the interval contains the
// bound, and tie that the ratio is within the interval of the control.
func (r result) verdict() string {
	text := "-"
	if r.Ratio == nil {
		return text
	}
	if r.Bound > 0 {
		text = fmt.Sprintf("%.2f %s", r.Bound, okOrOver(r.tooSlow()))
		if r.Ratio.Low <= r.Bound && r.Bound <= r.Ratio.High {
			text += "?"
		}
	}
	if r.Control.Low <= r.Ratio.Median && r.Ratio.Median <= r.Control.High {
		text += " tie"
	}
	if r.Control.High-r.Control.Low > noisy {
		text += " noisy"
	}
	return text
}

func okOrOver(over bool) string {
	if over {
		return "OVER"
	}
	return "ok"
}

// printTable prints rows of cells that are separated by tabs.
func printTable(w io.Writer, head string, rows []string) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, head)
	for _, row := range rows {
		fmt.Fprintln(t, row)
	}
	_ = t.Flush() // an error of standard output has no other place to go
	fmt.Fprintln(w)
}

func printResults(w io.Writer, results []result) {
	cell := func(c *cost, format string, f func(cost) float64) string {
		if c == nil {
			return "-"
		}
		return fmt.Sprintf(format, f(*c))
	}
	ns := func(c cost) float64 { return c.Nanoseconds }
	allocs := func(c cost) float64 { return c.Allocs }
	ratio := func(i *interval) string {
		if i == nil {
			return "-"
		}
		return fmt.Sprintf("%.2f [%.2f-%.2f]", i.Median, i.Low, i.High)
	}
	var rows []string
	for _, r := range results {
		row := fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s %s", r.Library, r.Case, r.Key, r.Value,
			cell(r.Raw, "%.1f", ns), cell(r.Adapter, "%.1f", ns), ratio(r.Ratio), ratio(r.Control), r.verdict(),
			cell(r.Raw, "%.2f", allocs), cell(r.Adapter, "%.2f", allocs))
		if r.tooManyAllocs() {
			row += " OVER"
		}
		rows = append(rows, row)
	}
	printTable(w, "library\tcase\tkey\tvalue\traw ns\tadapter ns\tratio [95 %]\tA/A [95 %]\tbound\tallocs", rows)
}

func printClearings(w io.Writer, all []clearing) {
	var rows []string
	for _, c := range all {
		rows = append(rows, fmt.Sprintf("%s\t%.3f ms\t%.3f ms\t1 ms %s\t%.0f, %.0f, %.0f ns\t%d: %.0f, %.0f, %.0f ns",
			c.Library, c.Took/1e6, c.Longest/1e6, okOrOver(c.Took > c.Bound), c.Before.Median, c.Before.P99, c.Before.Max,
			c.Meanwhile.Count, c.Meanwhile.Median, c.Meanwhile.P99, c.Meanwhile.Max))
	}
	printTable(w, "library\tInvalidate(nil) of 1,000,000\tlongest\tbound\t"+
		"Gets before: median, p99, max\tmeanwhile: count, median, p99, max", rows)
}

func printMemory(w io.Writer, all memoryReport) {
	var rows []string
	for i, library := range all.Libraries {
		r, a := all.Raw[i], all.Adapter[i]
		added, verdict := a.perEntry()-r.perEntry(), "-"
		if bound, ok := memoryBounds[library]; ok {
			verdict = fmt.Sprintf("%.0f %s", bound, okOrOver(added > bound+memorySlack))
		}
		rows = append(rows, fmt.Sprintf("%s\t%.1f\t%.1f\t%.1f\t%s\t%d\t%d\t%d MB\t%d MB", library, r.perEntry(), a.perEntry(),
			added, verdict, r.Entries, a.Entries, r.RSS>>20, a.RSS>>20))
	}
	printTable(w, "library\traw B/entry\tadapter B/entry\tadded\tbound\t"+
		"raw entries\tadapter entries\traw RSS\tadapter RSS", rows)
}

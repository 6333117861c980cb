package compare

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// Text writes the report for a terminal.
func (r *Report) Text(w io.Writer) error {
	var out bytes.Buffer
	fmt.Fprintf(&out, "%v; %v\n", r.Workload, r.Machine)
	for _, t := range r.Tables {
		t.text(&out, r.Workload)
	}
	if len(r.Notes) > 0 {
		out.WriteByte('\n')
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&out, "%s %s\n", n.Name, n.Text)
	}
	for line := range strings.Lines(out.String()) {
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

// String describes the workload in a line.
func (w Workload) String() string {
	s := w.Name
	if w.Format != "" {
		s += " (" + w.Format + ")"
	}
	s += fmt.Sprintf(": %s requests, %s keys", count(w.Requests), count(int64(w.Distinct)))
	if w.Sample < 1 {
		s += fmt.Sprintf(", a sample of %v of the keys", w.Sample)
	}
	return s
}

// String describes the machine in a few words.
func (m Machine) String() string {
	return fmt.Sprintf("%s %s/%s, %d CPUs", m.Go, m.OS, m.Arch, m.CPUs)
}

func (t Table) text(out *bytes.Buffer, w Workload) {
	fmt.Fprintf(out, "\ncapacity %s entries, %s of the keys", count(int64(t.Capacity)), percent(float64(t.Capacity)/float64(w.Distinct)))
	if w.Sample < 1 {
		fmt.Fprintf(out, ", as of %s without sampling", count(int64(math.Round(float64(t.Capacity)/w.Sample))))
	}
	out.WriteByte('\n')
	tw := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	line := func(cells ...string) {
		fmt.Fprintf(tw, "%s\t\n", strings.Join(cells, "\t"))
	}
	name := func(s string) string { return fmt.Sprintf("%-*s", t.width(), s) }
	line(name("cache"), "hit ratio", "hits", "misses", "peak live", "of capacity", "bounds", "time")
	for _, r := range t.References {
		line(name(r.title()), percent(r.HitRatio()), count(r.Hits), count(r.Misses), "", "", "", "")
	}
	for i, r := range t.Rows {
		if !r.Ranked && (i == 0 || t.Rows[i-1].Ranked) {
			line(name(notRanked), "", "", "", "", "", "", "")
		}
		if r.Failed != "" {
			line(name(r.title()), "failed", "", "", "", "", "", "")
			continue
		}
		line(name(r.title()), percent(r.HitRatio()), count(r.Hits), count(r.Misses), count(r.Peak),
			fmt.Sprintf("%.2f", float64(r.Peak)/float64(t.Capacity)), string(r.Bounds), duration(r.Time))
	}
	_ = tw.Flush() // a bytes.Buffer takes everything
	for _, f := range t.Findings {
		fmt.Fprintf(out, "! %s: %s\n", f.Name, f.Text)
	}
}

// notRanked heads the rows that have no place in the order.
const notRanked = "not comparable:"

func (r Row) title() string {
	return strings.Replace(r.label(), r.Name, strings.TrimSpace(r.Name+" "+r.Version), 1)
}

func (r Reference) title() string { return r.Name + " (exact)" }

// width returns that of the widest first cell.
func (t Table) width() int {
	width := len(notRanked)
	for _, r := range t.References {
		width = max(width, len(r.title()))
	}
	for _, r := range t.Rows {
		width = max(width, len(r.title()))
	}
	return width
}

func percent(share float64) string {
	return strconv.FormatFloat(100*share, 'f', 2, 64) + " %"
}

// count writes n with a comma between thousands.
func count(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func duration(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	}
	return d.Round(10 * time.Millisecond).String()
}

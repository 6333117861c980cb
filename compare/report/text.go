package report

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"github.com/fatih/color"
)

// TextOptions says how a terminal shows a report.
type TextOptions struct {
	// Color marks what is wrong in red and what is for reference in grey.
	Color bool
	// Brief leaves out the tables.
	Brief bool
}

// WriteText writes the report for a terminal.
func WriteText(w io.Writer, r *Report, o TextOptions) error {
	t := newText(o)
	t.line(plain, "%s%v", r.headline(), r.Machine)
	if r.Hits != nil && !o.Brief {
		for i := range r.Hits.Tables {
			t.hits(r, &r.Hits.Tables[i])
		}
	}
	if r.Speed != nil && !o.Brief {
		t.speed(r.Speed)
	}
	if r.Memory != nil && !o.Brief {
		t.memory(r.Memory)
	}
	if r.TTL != nil && !o.Brief {
		t.ttl(r.TTL)
	}
	t.findings(r.Findings)
	t.notes(r.Notes)
	_, err := w.Write(t.out.Bytes())
	return err
}

func (r *Report) headline() string {
	if r.Workload == nil {
		return ""
	}
	return r.Workload.String() + "; "
}

// String describes the workload in a line.
func (w Workload) String() string {
	s := w.Name
	if w.Format != "" {
		s += " (" + w.Format + ")"
	}
	s += fmt.Sprintf(": %s requests, %s keys", Count(w.Requests), Count(w.Distinct))
	if w.Sample < 1 {
		s += fmt.Sprintf(", a sample of %v of the keys", w.Sample)
	}
	return s
}

// String describes the machine in a few words.
func (m Machine) String() string {
	return fmt.Sprintf("%s %s/%s, %d CPUs", m.Go, m.OS, m.Arch, m.CPUs)
}

// A style is how a line looks.
type style int

const (
	plain style = iota
	heading
	faint
	wrong
	styles
)

// A text collects lines and tables.
type text struct {
	out   bytes.Buffer
	paint [styles]*color.Color
}

func newText(o TextOptions) *text {
	t := &text{paint: [styles]*color.Color{
		plain: color.New(), heading: color.New(color.Bold), faint: color.New(color.Faint), wrong: color.New(color.FgRed),
	}}
	for _, c := range t.paint {
		if o.Color {
			c.EnableColor()
		} else {
			c.DisableColor()
		}
	}
	return t
}

func (t *text) line(s style, format string, args ...any) {
	line := strings.TrimRight(fmt.Sprintf(format, args...), " ")
	if s != plain && line != "" {
		line = t.paint[s].Sprint(line)
	}
	t.out.WriteString(line + "\n")
}

// A grid is a table whose first column is to the left and whose others are to the
// right. Colours come last, as they would count as letters.
type grid struct {
	rows   [][]string
	styles []style
}

func (g *grid) add(s style, cells ...string) {
	g.rows = append(g.rows, cells)
	g.styles = append(g.styles, s)
}

func (t *text) grid(g *grid) {
	first, cells := 0, 0
	for _, row := range g.rows {
		first, cells = max(first, len([]rune(row[0]))), max(cells, len(row))
	}
	var out bytes.Buffer
	tw := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, row := range g.rows {
		// A row with fewer cells would end the columns.
		missing := strings.Repeat("\t", cells-len(row))
		fmt.Fprintf(tw, "%-*s\t%s\t%s\n", first, row[0], strings.Join(row[1:], "\t"), missing)
	}
	_ = tw.Flush() // a bytes.Buffer takes everything
	i := 0
	for line := range strings.Lines(out.String()) {
		t.line(g.styles[i], "%s", strings.TrimSuffix(line, "\n"))
		i++
	}
}

// label names the row in a table and in findings.
func (r Row) label() string {
	if r.Pace == "" {
		return r.Name
	}
	return r.Name + " " + string(r.Pace)
}

// notRanked heads the rows that have no place in the order.
const notRanked = "not comparable:"

func (t *text) hits(r *Report, table *Table) {
	t.line(plain, "")
	t.line(heading, "%s", table.title(r.Workload))
	g := &grid{}
	g.add(heading, "cache", "hit ratio", "hits", "misses", "peak live", "of capacity", "bounds", "time")
	for _, ref := range table.References {
		g.add(faint, ref.Name+" (exact)", Percent(ref.HitRatio), Count(ref.Hits), Count(ref.Misses), "", "", "", "")
	}
	ranked := true
	for _, row := range table.Rows {
		if ranked && !row.Ranked {
			ranked = false
			g.add(faint, notRanked, "", "", "", "", "", "", "")
		}
		name := strings.Replace(row.label(), row.Name, strings.TrimSpace(row.Name+" "+r.version(row.Name)), 1)
		if row.Failed != "" {
			g.add(wrong, name, "failed", "", "", "", "", string(row.Bounds), "")
			continue
		}
		g.add(plain, name, Percent(row.HitRatio), Count(row.Hits), Count(row.Misses), Count(row.Peak),
			fmt.Sprintf("%.2f", float64(row.Peak)/float64(table.Capacity)), string(row.Bounds), Duration(row.Time))
	}
	t.grid(g)
}

// title says what the capacity is.
func (t *Table) title(w *Workload) string {
	s := fmt.Sprintf("capacity %s entries, %s of the keys", Count(t.Capacity), Percent(t.Share))
	if w.Sample < 1 {
		s += fmt.Sprintf(", as of %s without sampling", Count(int64(math.Round(float64(t.Capacity)/w.Sample))))
	}
	return s
}

func (r *Report) version(name string) string {
	for _, c := range r.Contestants {
		if c.Name == name {
			return c.Version
		}
	}
	return ""
}

func (t *text) findings(all []Finding) {
	if len(all) > 0 {
		t.line(plain, "")
	}
	for _, f := range all {
		t.line(wrong, "! %s", strings.Join(strings.Fields(fmt.Sprintf("%s %s: %s", f.Name, f.Where, f.Text)), " "))
	}
}

func (t *text) notes(all []Note) {
	if len(all) > 0 {
		t.line(plain, "")
	}
	for _, n := range all {
		t.line(plain, "%s", strings.TrimSpace(n.Name+" "+n.Text))
	}
}

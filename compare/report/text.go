package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/fatih/color"
)

// TextOptions are the options of [WriteText].
type TextOptions struct {
	// Color shows findings and failures in red, and references in grey.
	Color bool
	// Brief leaves out the tables.
	Brief bool
}

// WriteText writes the report for a terminal: the answer, the tables, the findings and
// the notes. It returns the error of w.
func WriteText(w io.Writer, r *Report, o TextOptions) error {
	t := newText(o)
	t.head(r)
	if r.Answer != nil {
		t.line(plain, "")
		t.paragraph(bold, "", r.Answer.Text)
	}
	if !o.Brief {
		t.hits(r)
		t.speed(r)
		t.memory(r)
		t.ttl(r)
	}
	t.findings(r.Findings)
	if !o.Brief {
		t.notes(r.Notes)
	}
	_, err := w.Write(t.out.Bytes())
	return err
}

// String describes the workload in one line.
func (w Workload) String() string {
	s := w.Name
	if w.Format != "" {
		s += " (" + w.Format + ")"
	}
	s += fmt.Sprintf(": %s, %s", plural(w.Requests, "request"), plural(w.Distinct, "key"))
	if w.Sample < 1 {
		s += fmt.Sprintf(", a sample of %v of the keys", w.Sample)
	}
	return s
}

// Skew describes the distribution of the keys and the share of writes.
func (w Workload) Skew() string {
	all := []string{fmt.Sprintf("top key %s of the requests", share(w.TopKey))}
	if w.LRU1 > 0 {
		all = append(all, fmt.Sprintf("LRU of 1 %% of the keys hits %s", share(w.LRU1)))
	}
	for _, op := range []struct {
		n    int64
		name string
	}{{w.Sets, "sets"}, {w.Deletes, "deletes"}, {w.Updates, "updates"}} {
		if op.n > 0 {
			all = append(all, share(float64(op.n)/float64(w.Requests))+" "+op.name)
		}
	}
	return strings.Join(all, "; ")
}

// String describes the machine in one line.
func (m Machine) String() string { return m.Words() }

// A lineStyle is the colour and weight of a line.
type lineStyle int

const (
	plain lineStyle = iota
	bold
	faint
	red
	lineStyles
)

// A text collects lines and tables.
type text struct {
	out   bytes.Buffer
	paint [lineStyles]*color.Color
}

func newText(o TextOptions) *text {
	t := &text{paint: [lineStyles]*color.Color{
		plain: color.New(), bold: color.New(color.Bold), faint: color.New(color.Faint), red: color.New(color.FgRed),
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

func (t *text) line(s lineStyle, format string, args ...any) {
	line := oneLine(strings.TrimRight(fmt.Sprintf(format, args...), " "))
	if s != plain && line != "" {
		line = t.paint[s].Sprint(line)
	}
	t.out.WriteString(line + "\n")
}

// textWidth is the width of a paragraph in characters.
const textWidth = 100

// paragraph breaks words into lines. The first line starts with mark, the others are
// indented by its width.
func (t *text) paragraph(s lineStyle, mark, words string) {
	line := mark
	for word := range strings.FieldsSeq(words) {
		if len([]rune(line))+len([]rune(word)) >= textWidth && strings.TrimSpace(line) != "" {
			t.line(s, "%s", line)
			line = strings.Repeat(" ", len([]rune(mark)))
		}
		if line != mark && strings.TrimSpace(line) != "" {
			line += " "
		}
		line += word
	}
	t.line(s, "%s", line)
}

// A textTable aligns the first column left and the others right. It omits empty columns.
// Colours are added after alignment, because escape sequences would count as letters.
type textTable struct {
	rows   [][]string
	styles []lineStyle
}

func (g *textTable) add(s lineStyle, cells ...string) {
	g.rows = append(g.rows, cells)
	g.styles = append(g.styles, s)
}

// used returns the columns that have a non-empty cell below the head.
func (g *textTable) used() []int {
	var all []int
	for column := range g.rows[0] {
		for _, row := range g.rows[1:] {
			if column < len(row) && row[column] != "" {
				all = append(all, column)
				break
			}
		}
	}
	return all
}

func (t *text) table(g *textTable) {
	first, used := 0, g.used()
	for _, row := range g.rows {
		first = max(first, len([]rune(row[0])))
	}
	var out bytes.Buffer
	tw := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, row := range g.rows {
		fmt.Fprintf(tw, "%-*s\t", first, row[0])
		for _, column := range used {
			switch {
			case column == 0:
			case column < len(row):
				fmt.Fprintf(tw, "%s\t", row[column])
			default:
				fmt.Fprint(tw, "\t")
			}
		}
		fmt.Fprintln(tw)
	}
	_ = tw.Flush() // a bytes.Buffer takes everything
	i := 0
	for line := range strings.Lines(out.String()) {
		t.line(g.styles[i], "%s", strings.TrimSuffix(line, "\n"))
		i++
	}
}

func (t *text) head(r *Report) {
	if r.Workload != nil {
		t.line(plain, "%v; %v", r.Workload, r.Machine)
		t.line(faint, "%s", r.Workload.Skew())
		return
	}
	t.line(plain, "%v", r.Machine)
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
		t.line(red, "! %s", strings.TrimPrefix(fmt.Sprintf("%s, %s: %s", f.Name, f.Where, f.Text), ", "))
	}
}

func (t *text) notes(all []Note) {
	if len(all) > 0 {
		t.line(plain, "")
	}
	for _, n := range all {
		t.paragraph(plain, "", n.Name+" "+n.Text)
	}
}

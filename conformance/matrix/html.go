package matrix

import (
	_ "embed"
	"html/template"
	"io"
	"net/url"
	"strings"

	"github.com/cachepact/cachepact/conformance"
)

// HTML writes the matrix as one page that needs nothing else: no script, no
// network. Each rule expands into its cases, and each outcome leads to its reason.
func (m *Matrix) HTML(w io.Writer) error {
	page := view{Width: len(m.Columns) + 1}
	for _, o := range m.present() {
		page.Legend = append(page.Legend, viewCell{Outcome: o})
	}
	for i, c := range m.Columns {
		page.Columns = append(page.Columns, viewColumn{
			Column: c, Module: c.versioned(), Kept: m.kept(i),
			Types:    distinct(c.Subjects, func(s Subject) string { return s.Types }),
			RealTime: distinct(c.Subjects, func(s Subject) string { return s.RealTime }),
		})
	}
	for _, r := range m.Rows {
		row := viewRow{ID: r.ID, Text: r.Text, Notes: m.notes(r)}
		for i, o := range r.Outcomes {
			row.Cells = append(row.Cells, viewCell{o, anchor(row.Notes, i, o, "")})
		}
		for _, k := range r.Cases {
			kase := viewCase{Name: k.Name}
			for i, c := range k.Cells {
				kase.Cells = append(kase.Cells, viewCell{c.Outcome, anchor(row.Notes, i, c.Outcome, k.Name)})
			}
			row.Cases = append(row.Cases, kase)
		}
		page.Rows = append(page.Rows, row)
	}
	return pageTemplate.Execute(w, page)
}

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"look": func(o conformance.Outcome) look { return looks[o] },
	"id":   id,
	"to":   func(names ...string) template.URL { return template.URL((&url.URL{Fragment: id(names...)}).String()) },
	"join": func(s []string) string { return strings.Join(s, ", ") },
}).Parse(pageText))

// What the page shows.
type (
	view struct {
		Width   int
		Legend  []viewCell
		Columns []viewColumn
		Rows    []viewRow
	}
	viewColumn struct {
		Column
		Module, Kept    string
		Types, RealTime []string
	}
	viewRow struct {
		ID, Text string
		Cells    []viewCell
		Cases    []viewCase
		Notes    []note
	}
	viewCase struct {
		Name  string
		Cells []viewCell
	}
	viewCell struct {
		Outcome conformance.Outcome
		Anchor  string
	}
)

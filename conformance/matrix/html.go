package matrix

import (
	_ "embed"
	"encoding/json"
	"html/template"
	"io"
	"net/url"
	"strings"

	"github.com/cachepact/cachepact/conformance"
)

// JSON writes the matrix as JSON.
func (m *Matrix) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "\t")
	return e.Encode(m)
}

// HTML writes the matrix as one page without scripts and without links to other files. Each rule expands into its
// cases, and each outcome links to its reason.
func (m *Matrix) HTML(w io.Writer) error {
	return template.Must(template.New("page").Funcs(template.FuncMap{
		"look":      func(o conformance.Outcome) look { return looks[o] },
		"id":        id,
		"to":        func(names ...string) template.URL { return template.URL((&url.URL{Fragment: id(names...)}).String()) },
		"join":      func(s []string) string { return strings.Join(s, ", ") },
		"kept":      m.kept,
		"notes":     m.notes,
		"module":    Column.versioned,
		"types":     func(c Column) []string { return c.distinct(func(s Subject) string { return s.Types }) },
		"realTime":  func(c Column) []string { return c.distinct(func(s Subject) string { return s.RealTime }) },
		"explained": func(r Row, c int) bool { return len(m.notes(r, c)) > 0 },
	}).Parse(page)).Execute(w, m)
}

//go:embed page.html
var page string

// id returns the id of an element. Its names may contain spaces, an id may not.
func id(names ...string) string {
	return strings.Join(strings.Fields(strings.Join(names, "/")), "-")
}

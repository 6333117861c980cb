package matrix

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/cachepact/cachepact/conformance"
)

// JSON writes the matrix as the JSON document that its types describe.
func (m *Matrix) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "\t")
	return e.Encode(m)
}

// Markdown writes the matrix as GitHub renders it: the table of rules and caches,
// the caches, and the reasons for what is not a pass.
func (m *Matrix) Markdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString("# Conformance\n\nWhich rules of the cachepact contract each cache keeps, as package conformance found.\n\n")
	for _, o := range m.present() {
		fmt.Fprintf(&b, "- %v: %s\n", looks[o], looks[o].Meaning)
	}

	b.WriteString("\n| rule |")
	for _, c := range m.Columns {
		fmt.Fprintf(&b, " %s |", escape(c.Name))
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(m.Columns)) + "\n")
	for _, r := range m.Rows {
		fmt.Fprintf(&b, "| %s |", escape(r.ID))
		for _, o := range r.Outcomes {
			if o == conformance.Pass || o == Missing {
				fmt.Fprintf(&b, " %v |", looks[o])
			} else {
				fmt.Fprintf(&b, " [%v](#%s) |", looks[o], slug(r.ID))
			}
		}
		b.WriteString("\n")
	}
	b.WriteString("| **rules kept** |")
	for i := range m.Columns {
		fmt.Fprintf(&b, " **%s** |", m.kept(i))
	}

	b.WriteString("\n\n## Caches\n\n| name | type | module | tested with | declares |\n|---|---|---|---|---|\n")
	for _, c := range m.Columns {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", escape(c.Name), escape(c.Backend), escape(c.versioned()),
			escape(strings.Join(distinct(c.Subjects, func(s Subject) string { return s.Types }), ", ")), escape(strings.Join(c.Declares, ", ")))
	}
	for _, c := range m.Columns {
		for _, why := range distinct(c.Subjects, func(s Subject) string { return s.RealTime }) {
			fmt.Fprintf(&b, "\n%s was tested in real time: %s.\n", escape(c.Name), escape(why))
		}
		for _, s := range c.Subjects {
			if s.Error != "" {
				fmt.Fprintf(&b, "\n%s could not be tested as %s: %s\n", escape(c.Name), escape(s.Name), escape(s.Error))
			}
		}
	}

	reasons := "\n## Reasons\n"
	for _, r := range m.Rows {
		notes := m.notes(r)
		heading := fmt.Sprintf("\n### %s\n\n%s\n\n", escape(r.ID), escape(r.Text))
		for _, n := range notes {
			if !decides(n, r) {
				continue
			}
			b.WriteString(reasons + heading)
			reasons, heading = "", ""
			fmt.Fprintf(&b, "- %v: **%s**: %s", looks[n.Outcome], escape(strings.Join(n.Columns, ", ")), escape(n.Why))
			if n.Link != "" {
				fmt.Fprintf(&b, " %s", link(n.Link))
			}
			fmt.Fprintf(&b, " (%s", escape(strings.Join(n.Cases, ", ")))
			if len(n.Types) > 0 {
				fmt.Fprintf(&b, "; only %s", escape(strings.Join(n.Types, ", ")))
			}
			b.WriteString(")\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// decides reports whether a note explains a cell of the row that is not a pass.
func decides(n note, r Row) bool {
	for _, c := range n.columns {
		if r.Outcomes[c] == n.Outcome {
			return true
		}
	}
	return false
}

// slug is the anchor that GitHub gives to a heading.
func slug(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z':
			return r
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		}
		return -1
	}, heading)
}

// link shows a link that a browser would follow as one, and any other as text.
func link(s string) string {
	if u, err := url.Parse(s); err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return escape(s)
	}
	return "<" + strings.NewReplacer("<", "%3C", ">", "%3E", " ", "%20").Replace(s) + ">"
}

// escape makes text stand for itself in a line or a table cell.
func escape(s string) string {
	var b strings.Builder
	for _, r := range strings.Join(strings.Fields(s), " ") {
		switch {
		case r == '<':
			b.WriteString("&lt;")
			continue
		case r == '&':
			b.WriteString("&amp;")
			continue
		case strings.ContainsRune("\\`*_[]|~$>#", r):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

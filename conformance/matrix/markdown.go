package matrix

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/cachepact/cachepact/conformance"
)

// A look is how an outcome is shown. It does not rely on colour.
type look struct{ Symbol, Word, Meaning string }

var looks = map[conformance.Outcome]look{
	conformance.Pass:          {"✓", "pass", "keeps the rule"},
	conformance.Fail:          {"✗", "fail", "breaks the rule"},
	conformance.Deviates:      {"≠", "deviates", "breaks the rule in a known and documented way"},
	conformance.Weak:          {"~", "weak", "could be checked only in part"},
	conformance.NotApplicable: {"–", "n/a", "the rule does not apply to this cache"},
	Missing:                   {"?", "missing", "was not checked"},
}

// A note is a reason for outcomes of a cache, with the checks it explains.
type note struct {
	Outcome   conformance.Outcome
	Why, Link string
	Cases     []string
	Details   []string
	Types     []string
}

// notes returns the reasons for the outcome of row r in column c.
func (m *Matrix) notes(r Row, c int) (notes []note) {
	for _, check := range r.Cases {
		cell := check.Cells[c]
		if cell.Outcome != r.Outcomes[c] {
			continue
		}
		for _, reason := range cell.Reasons {
			i := slices.IndexFunc(notes, func(n note) bool { return n.Why == reason.Why && n.Link == reason.Link })
			if i < 0 {
				i = len(notes)
				notes = append(notes, note{Outcome: cell.Outcome, Why: reason.Why, Link: reason.Link})
			}
			n := &notes[i]
			n.Cases = append(n.Cases, check.Name)
			if reason.Detail != "" {
				n.Details = append(n.Details, reason.Detail)
			}
			n.Types = append(n.Types, reason.Types...)
		}
	}
	for i := range notes {
		slices.Sort(notes[i].Types)
		notes[i].Types = slices.Compact(notes[i].Types)
		notes[i].Cases = slices.Compact(notes[i].Cases)
	}
	return notes
}

// kept counts the rules that column c keeps, among those that apply to it.
func (m *Matrix) kept(c int) string {
	kept, all := 0, 0
	for _, r := range m.Rows {
		if r.Outcomes[c] == conformance.Pass {
			kept++
		}
		if r.Outcomes[c] != conformance.NotApplicable && r.Outcomes[c] != Missing {
			all++
		}
	}
	return fmt.Sprintf("%d of %d", kept, all)
}

// Markdown writes the matrix for GitHub: a table of the caches that pass the suite, a table of the caches that
// break rules, and the reasons for every outcome other than pass.
func (m *Matrix) Markdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString("# Conformance\n\n" +
		"The conformance suite tested which rules of the cachepact contract each cache keeps.\n\n")
	for _, o := range []conformance.Outcome{
		conformance.Pass, conformance.Fail, conformance.Deviates, conformance.Weak, conformance.NotApplicable, Missing,
	} {
		if slices.ContainsFunc(m.Rows, func(r Row) bool { return slices.Contains(r.Outcomes, o) }) {
			fmt.Fprintf(&b, "- %s %s: %s\n", looks[o].Symbol, looks[o].Word, looks[o].Meaning)
		}
	}
	var keep, fail []int
	for i, c := range m.Columns {
		if c.fails {
			fail = append(fail, i)
		} else {
			keep = append(keep, i)
		}
	}
	if len(keep) > 0 {
		b.WriteString("\n## Caches that pass the suite\n")
		m.writeTables(&b, keep)
	}
	if len(fail) > 0 {
		b.WriteString("\n## Caches that break rules\n")
		if slices.ContainsFunc(fail, func(c int) bool { return strings.HasPrefix(m.Columns[c].Backend, "naive.") }) {
			b.WriteString("\nThe caches of package naive call a library directly, without an adapter.\n")
		}
		m.writeTables(&b, fail)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeTables writes the tables and the reasons of some columns.
func (m *Matrix) writeTables(b *strings.Builder, columns []int) {
	row := func(first string, cell func(c int) string) {
		fmt.Fprintf(b, "| %s |", first)
		for _, c := range columns {
			fmt.Fprintf(b, " %s |", cell(c))
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
	row("rule", func(c int) string { return escape(m.Columns[c].Name) })
	row("---", func(int) string { return "---" })
	for _, r := range m.Rows {
		row(escape(r.ID), func(c int) string { return looks[r.Outcomes[c]].Symbol })
	}
	row("rules kept", m.kept)
	b.WriteString("\n| cache | type | module | relaxes |\n|---|---|---|---|\n")
	for _, i := range columns {
		c := m.Columns[i]
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", escape(c.Name), escape(c.Backend), escape(c.versioned()),
			escape(strings.Join(c.Relaxes, ", ")))
	}
	for _, c := range columns {
		m.writeReasons(b, c)
	}
}

// writeReasons writes the reasons for the outcomes of column c, each with the rules it explains.
func (m *Matrix) writeReasons(b *strings.Builder, c int) {
	var lines []string
	rules := map[string][]string{}
	for _, r := range m.Rows {
		for _, n := range m.notes(r, c) {
			line := looks[n.Outcome].Symbol + " " + escape(n.Why)
			if n.Link != "" {
				line += " " + link(n.Link)
			}
			if rules[line] == nil {
				lines = append(lines, line)
			}
			rules[line] = append(rules[line], escape(r.ID))
		}
	}
	for _, s := range m.Columns[c].Subjects {
		if s.Error != "" {
			lines = append(lines, "✗ not tested as "+escape(s.Name)+": "+escape(s.Error))
		}
	}
	for _, why := range m.Columns[c].distinct(func(s Subject) string { return s.RealTime }) {
		lines = append(lines, "~ tested in real time: "+escape(why))
	}
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(b, "\n### %s\n\n", escape(m.Columns[c].Name))
	for _, line := range lines {
		fmt.Fprintf(b, "- %s", line)
		if len(rules[line]) > 0 {
			fmt.Fprintf(b, " (%s)", strings.Join(rules[line], ", "))
		}
		b.WriteString("\n")
	}
}

// Drift compares the tables with those of a page that Markdown wrote earlier, and returns a line for each difference.
// It does not compare reasons, because a fault of timing can fail other checks of its rule in the next run.
func (m *Matrix) Drift(page string) []string {
	var now strings.Builder
	_ = m.Markdown(&now) // a Builder returns no error
	is, was := tables(now.String()), tables(page)
	var drift []string
	union := func(a, b map[string]map[string]string) []string {
		return slices.Compact(slices.Sorted(slices.Values(slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b)))))
	}
	for _, cache := range union(is, was) {
		switch {
		case was[cache] == nil:
			drift = append(drift, cache+": new")
			continue
		case is[cache] == nil:
			drift = append(drift, cache+": no longer there")
			continue
		}
		both := maps.Clone(was[cache])
		maps.Copy(both, is[cache])
		for _, row := range slices.Sorted(maps.Keys(both)) {
			if a, b := is[cache][row], was[cache][row]; a != b {
				drift = append(drift, fmt.Sprintf("%s %s: %s, was %s", cache, row, cmp.Or(a, "none"), cmp.Or(b, "none")))
			}
		}
	}
	return drift
}

// tables returns the cells of the tables in a page, by cache and by rule or property.
func tables(page string) map[string]map[string]string {
	all := map[string]map[string]string{}
	var head []string
	for line := range strings.Lines(page) {
		text, isRow := strings.CutPrefix(strings.TrimSpace(line), "| ")
		cells := strings.Split(strings.TrimSuffix(text, " |"), " | ")
		switch {
		case !isRow:
			if !strings.HasPrefix(line, "|") {
				head = nil
			}
			continue
		case head == nil:
			head = cells
			continue
		case cells[0] == "---" || cells[0] == "rules kept": // the number follows from the other rows
			continue
		}
		for i := 1; i < len(cells) && i < len(head); i++ {
			cache, row := head[i], cells[0]
			if head[0] == "cache" {
				cache, row = cells[0], head[i]
			}
			if all[cache] == nil {
				all[cache] = map[string]string{}
			}
			all[cache][row] = strings.TrimSpace(cells[i])
		}
	}
	return all
}

// versioned returns the module of a column with its version.
func (c Column) versioned() string {
	return cmp.Or(strings.TrimSuffix(c.Module+"@"+c.Version, "@"), "unknown")
}

// distinct returns the non-empty strings of the column's subjects, each once.
func (c Column) distinct(of func(Subject) string) (all []string) {
	for _, s := range c.Subjects {
		if v := of(s); v != "" && !slices.Contains(all, v) {
			all = append(all, v)
		}
	}
	return all
}

// link returns a link that a browser would follow as a link, and any other as text.
func link(s string) string {
	if u, err := url.Parse(s); err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return escape(s)
	}
	return "<" + strings.NewReplacer("<", "%3C", ">", "%3E", " ", "%20").Replace(s) + ">"
}

// escape returns text that Markdown shows literally, in one line or one table cell.
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

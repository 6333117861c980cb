// Package matrix merges the reports of conformance runs into one table. It has a row for each rule of the contract and
// a column for each cache.
//
//	CONFORMANCE_REPORT=$PWD/reports go test ./...
//
// writes a report for each subject, and [Read] merges them. A program that tests without go test passes the results of
// [conformance.Check] to [Merge].
//
// # Columns
//
// A cache is tested with several types of keys and values. Reports with the same backend type, variant, module and
// version form one column. Its outcome is the worst of theirs, and the reason names the types.
//
// # Stable output
//
// The same outcomes give the same bytes. The output does not depend on the time, the machine, the version of Go or the
// order of the reports, so a table under version control changes only when a cache or a rule does.
package matrix

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

// Schema is the version of the JSON form of [Matrix]. It rises when the meaning of a field changes. A new field does
// not change it.
const Schema = 1

// Missing is the outcome of a check that no report contains, because the run was limited or is older than the check.
const Missing conformance.Outcome = "missing"

// outcomes are ordered from the worst, which decides a cell.
var outcomes = []conformance.Outcome{
	conformance.Fail, conformance.Deviates, conformance.Weak, conformance.Pass, conformance.NotApplicable, Missing,
}

func worst(a, b conformance.Outcome) conformance.Outcome {
	return outcomes[min(slices.Index(outcomes, a), slices.Index(outcomes, b))]
}

// A Matrix shows which rules each cache keeps.
type Matrix struct {
	Schema int `json:"schema"`
	// Columns begin with the caches of this module. Caches that break a rule come last.
	Columns []Column `json:"columns"`
	// Rows are in the order of the contract.
	Rows []Row `json:"rows"`
}

// A Column is a cache.
type Column struct {
	// Name is the shortest name that no other column has.
	Name    string `json:"name"`
	Backend string `json:"backend"`
	Variant string `json:"variant,omitempty"`
	Module  string `json:"module,omitempty"`
	Version string `json:"version,omitempty"`
	// Subjects are the merged runs, sorted by name.
	Subjects []Subject `json:"subjects"`
	// Relaxes lists the rules that the backend's traits relax.
	Relaxes []string `json:"relaxes,omitempty"`

	cells map[string]Cell // by the name of the check
	fails bool
}

// A Subject is one run of the suite.
type Subject struct {
	Name string `json:"name"`
	// Types are the types of key and value, as in "string → []byte".
	Types string `json:"types,omitempty"`
	// RealTime is the reason why the run could not control time.
	RealTime string `json:"real_time,omitempty"`
	// Error is the reason why the subject could not be tested.
	Error string `json:"error,omitempty"`
}

// A Row is a rule. Its cells and those of its cases are in the order of the columns.
type Row struct {
	ID   string `json:"id"`
	Text string `json:"text"`
	// Outcomes are the worst outcomes of the cases.
	Outcomes []conformance.Outcome `json:"outcomes"`
	Cases    []Case                `json:"cases"`
}

// A Case is a check of a rule.
type Case struct {
	Name  string `json:"name"`
	Cells []Cell `json:"cells"`
}

// A Cell is the outcome of a check for a cache: the worst among its types.
type Cell struct {
	Outcome conformance.Outcome `json:"outcome"`
	Reasons []Reason            `json:"reasons,omitempty"`
}

// A Reason explains an outcome other than pass.
type Reason struct {
	Why    string `json:"why"`
	Detail string `json:"detail,omitempty"`
	Link   string `json:"link,omitempty"`
	// Types are the types with this outcome and reason.
	Types []string `json:"types,omitempty"`
}

// Merge makes a matrix of reports. Two reports of the same subject are an error.
func Merge(reports ...conformance.Report) (*Matrix, error) {
	if len(reports) == 0 {
		return nil, fmt.Errorf("matrix: no reports")
	}
	reports = slices.SortedFunc(slices.Values(reports), compareReports)
	m := &Matrix{Schema: Schema}
	for i, r := range reports {
		if i > 0 && compareReports(r, reports[i-1]) == 0 {
			return nil, errTwice(r)
		}
		// A subject without a backend could not be made, so its name is all that is known.
		if i == 0 || r.Backend == "" || compareCaches(r, reports[i-1]) != 0 {
			c := Column{Backend: r.Backend, Variant: clean(r.Variant), Module: r.Module, cells: map[string]Cell{}}
			c.Version = strings.TrimSuffix(r.Version, "(devel)")
			m.Columns = append(m.Columns, c)
		}
		m.Columns[len(m.Columns)-1].add(r)
	}
	slices.SortStableFunc(m.Columns, func(a, b Column) int { return cmp.Compare(a.rank(), b.rank()) })
	for i := range m.Columns {
		m.Columns[i].Name = m.name(i)
	}
	m.addRows(reports)
	return m, nil
}

func errTwice(r conformance.Report) error {
	return fmt.Errorf("matrix: subject %q of %s reported twice", r.Subject, cmp.Or(r.Backend, "an unknown backend"))
}

// compareCaches orders reports by the cache they are about.
func compareCaches(a, b conformance.Report) int {
	return cmp.Or(
		cmp.Compare(a.Backend, b.Backend), cmp.Compare(a.Variant, b.Variant),
		cmp.Compare(a.Module, b.Module), cmp.Compare(a.Version, b.Version),
	)
}

func compareReports(a, b conformance.Report) int {
	return cmp.Or(compareCaches(a, b), cmp.Compare(a.Subject, b.Subject))
}

// Failed reports whether a check failed or a subject could not be tested.
func (m *Matrix) Failed() bool {
	return slices.ContainsFunc(m.Columns, func(c Column) bool { return c.fails })
}

// rank orders columns: the caches of this module, others, then those that break a rule.
func (c *Column) rank() int {
	switch {
	case c.fails:
		return 2
	case c.Module == "github.com/cachepact/cachepact":
		return 0
	}
	return 1
}

var typeNames = strings.NewReplacer("interface {}", "any", "[]uint8", "[]byte")

// add merges a report into the column.
func (c *Column) add(r conformance.Report) {
	s := Subject{Name: clean(r.Subject), Error: clean(r.Error)}
	if r.Clock == "real" {
		s.RealTime = clean(r.ClockWhy)
	}
	if r.Key != "" {
		s.Types = typeNames.Replace(r.Key + " → " + r.Value)
	}
	c.Subjects = append(c.Subjects, s)
	if r.Error == "" {
		c.Relaxes = append(c.Relaxes, relaxations(r.Traits)...)
		slices.Sort(c.Relaxes)
		c.Relaxes = slices.Compact(c.Relaxes)
	}
	c.fails = c.fails || !r.OK()
	for _, result := range r.Checks {
		c.cells[result.Name()] = c.cells[result.Name()].with(result, cmp.Or(s.Types, s.Name))
	}
}

// with returns the cell merged with one more result.
func (c Cell) with(r conformance.Result, types string) Cell {
	outcome := worst(cmp.Or(c.Outcome, r.Outcome), r.Outcome)
	if outcome != c.Outcome {
		c = Cell{Outcome: outcome} // the earlier reasons no longer decide
	}
	if outcome != r.Outcome || outcome == conformance.Pass {
		return c
	}
	reason := Reason{Why: clean(strings.Join(strings.Fields(r.Why), " ")), Detail: clean(r.Detail), Link: clean(r.Link)}
	i := slices.IndexFunc(c.Reasons, func(o Reason) bool {
		return o.Why == reason.Why && o.Detail == reason.Detail && o.Link == reason.Link
	})
	if i < 0 {
		i = len(c.Reasons)
		c.Reasons = append(c.Reasons, reason)
	}
	c.Reasons[i].Types = append(c.Reasons[i].Types, types)
	return c
}

// relaxations describes the traits that relax a rule.
func relaxations(t backend.Traits) []string {
	var words []string
	add := func(relaxed bool, format string, args ...any) {
		if relaxed {
			words = append(words, fmt.Sprintf(format, args...))
		}
	}
	add(t.ExpiryLag != 0, "returns expired entries for up to %v", t.ExpiryLag)
	add(t.SizeLag != 0, "counts expired entries for up to %v", t.SizeLag)
	add(t.Values == backend.ByReference, "shares the memory of values")
	add(t.Bound == backend.BoundApproximate, "bounds the number of entries approximately")
	add(t.Bound == backend.BoundNone, "does not bound the number of entries")
	add(t.Rejects, "may reject entries")
	add(t.MaxKey != 0, "keys of at most %d bytes", t.MaxKey)
	add(t.MaxValue != 0, "values of at most %d bytes", t.MaxValue)
	add(t.NeedsSync, "writes may need Sync")
	return words
}

// name returns the shortest name of column i that no other column has.
func (m *Matrix) name(i int) string {
	names := []func(c Column) string{
		func(c Column) string { pkg, _, _ := strings.Cut(c.Backend, "."); return pkg + " " + c.Variant },
		func(c Column) string { return c.Backend + " " + c.Variant },
		func(c Column) string { return c.Backend + " " + c.Variant + " " + c.Version },
		func(c Column) string { return c.Backend + " " + c.Variant + " " + c.Module + " " + c.Version },
	}
	for _, name := range names {
		same := func(c Column) bool { return name(c) != name(m.Columns[i]) }
		if m.Columns[i].Backend != "" && len(slices.DeleteFunc(slices.Clone(m.Columns), same)) == 1 {
			return strings.Join(strings.Fields(name(m.Columns[i])), " ")
		}
	}
	return m.Columns[i].Subjects[0].Name
}

// addRows adds the rules of the contract, then the rules that only the reports contain.
func (m *Matrix) addRows(reports []conformance.Report) {
	index := map[string]int{}
	add := func(id, text string) *Row {
		if _, ok := index[id]; !ok {
			index[id] = len(m.Rows)
			m.Rows = append(m.Rows, Row{ID: id, Text: text, Cases: []Case{}})
		}
		return &m.Rows[index[id]]
	}
	for _, rule := range conformance.Rules() {
		add(rule.ID, rule.Text)
	}
	for _, report := range reports {
		for _, r := range report.Checks {
			row := add(r.ID, clean(r.Text))
			if slices.ContainsFunc(row.Cases, func(c Case) bool { return c.Name == r.Case }) {
				continue
			}
			row.Cases = append(row.Cases, Case{Name: r.Case})
			for _, c := range m.Columns {
				cell := c.cells[r.Name()]
				cell.Outcome = cmp.Or(cell.Outcome, Missing)
				last := &row.Cases[len(row.Cases)-1]
				last.Cells = append(last.Cells, cell)
			}
		}
	}
	for i := range m.Rows {
		for c := range m.Columns {
			outcome := Missing
			for _, check := range m.Rows[i].Cases {
				outcome = worst(outcome, check.Cells[c].Outcome)
			}
			m.Rows[i].Outcomes = append(m.Rows[i].Outcomes, outcome)
		}
	}
}

// clean replaces control characters, which could steer a terminal, and invalid text.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

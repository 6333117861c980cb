// Package matrix merges the reports of conformance runs into one table: a row
// for each rule of the contract, a column for each cache.
//
//	CONFORMANCE_REPORT=$PWD/reports go test ./...
//
// leaves a report for each subject, which [Read] merges. A program that tests
// without go test hands what [conformance.Check] returns to [Merge].
//
// # Columns
//
// A cache is tested with several types of keys and values. Its reports agree in
// backend type, module and version, and are one column, whose outcome is the worst
// of theirs; the reason names the types it holds for. Columns of one module stand
// side by side.
//
// # Stable output
//
// The same outcomes give the same bytes: nothing written depends on time, on the
// machine, on Go's version or on the order of the reports. A table that is kept
// under version control changes when a cache does.
package matrix

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

// Schema is the version of the JSON form of [Matrix]. It rises when the meaning
// of a field changes; fields may be added without it.
const Schema = 1

// Missing is the outcome of a check that no report has: the run was narrowed, or
// older than the check.
const Missing conformance.Outcome = "missing"

// outcomes from the worst, which decides a cell, to that which says least.
var outcomes = []conformance.Outcome{
	conformance.Fail, conformance.Deviates, conformance.Weak, conformance.Pass, conformance.NotApplicable, Missing,
}

// worse returns the one of two outcomes that decides.
func worse(a, b conformance.Outcome) conformance.Outcome {
	if slices.Index(outcomes, a) < slices.Index(outcomes, b) {
		return a
	}
	return b
}

// A Matrix says of each rule whether each cache keeps it.
type Matrix struct {
	Schema  int      `json:"schema"`
	Columns []Column `json:"columns"`
	// Rows are in the order of the contract.
	Rows []Row `json:"rows"`
}

// A Column is a cache.
type Column struct {
	// Name tells the column from the others in as few words as possible.
	Name    string `json:"name"`
	Backend string `json:"backend"`
	Variant string `json:"variant,omitempty"`
	Module  string `json:"module,omitempty"`
	Version string `json:"version,omitempty"`
	// Subjects are the runs that were merged, by name.
	Subjects []Subject `json:"subjects"`
	// Declares lists how the backend's traits relax the contract.
	Declares []string `json:"declares,omitempty"`
}

// A Subject is one run of the suite.
type Subject struct {
	Name string `json:"name"`
	// Types are those of key and value, as in "string → []byte".
	Types string `json:"types,omitempty"`
	// RealTime says why the run could not control time.
	RealTime string `json:"real_time,omitempty"`
	// Error says why the subject could not be tested.
	Error string `json:"error,omitempty"`
}

// A Row is a rule. Its cells, and those of its cases, are in the order of the
// columns.
type Row struct {
	ID   string `json:"id"`
	Text string `json:"text"`
	// Outcomes are the worst of the cases' outcomes.
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

// A Reason says why an outcome is not a pass.
type Reason struct {
	Why    string `json:"why"`
	Detail string `json:"detail,omitempty"`
	Link   string `json:"link,omitempty"`
	// Types are those for which it holds, if not for all.
	Types []string `json:"types,omitempty"`
}

// Merge makes a matrix of reports. Two of the same subject are an error.
func Merge(reports ...conformance.Report) (*Matrix, error) {
	sources := make([]source, len(reports))
	for i, r := range reports {
		sources[i].Report = r
	}
	return merge(sources)
}

// Failed reports whether any check failed or any subject could not be tested.
func (m *Matrix) Failed() bool {
	for _, c := range m.Columns {
		if slices.ContainsFunc(c.Subjects, func(s Subject) bool { return s.Error != "" }) {
			return true
		}
	}
	return slices.ContainsFunc(m.Rows, func(r Row) bool { return slices.Contains(r.Outcomes, conformance.Fail) })
}

// A source is a report and the file it comes from, if any.
type source struct {
	conformance.Report
	path string
}

// identity is what the reports of one column share.
type identity struct{ backend, variant, module, version, subject string }

func (s source) identity() identity {
	id := identity{backend: s.Backend, variant: s.Variant, module: s.Module, version: s.Version}
	if s.Backend == "" {
		id.subject = s.Subject // it could not be made, so that nothing else is known
	}
	return id
}

func merge(sources []source) (*Matrix, error) {
	if len(sources) == 0 {
		return nil, fmt.Errorf("matrix: no reports")
	}
	groups := map[identity][]source{}
	for _, s := range sources {
		group := groups[s.identity()]
		if i := slices.IndexFunc(group, func(o source) bool { return o.Subject == s.Subject }); i >= 0 {
			return nil, fmt.Errorf("matrix: %s reported twice%s", describe(s), both(group[i].path, s.path))
		}
		groups[s.identity()] = append(group, s)
	}

	m := &Matrix{Schema: Schema}
	var columns []column
	for id, group := range groups {
		slices.SortFunc(group, func(a, b source) int { return cmp.Compare(a.Subject, b.Subject) })
		columns = append(columns, newColumn(id, group))
	}
	slices.SortFunc(columns, func(a, b column) int {
		return cmp.Or(cmp.Compare(a.Module, b.Module), cmp.Compare(a.Version, b.Version), cmp.Compare(a.failed, b.failed),
			cmp.Compare(a.Backend, b.Backend), cmp.Compare(a.Variant, b.Variant), cmp.Compare(a.Subjects[0].Name, b.Subjects[0].Name))
	})
	for i := range columns {
		columns[i].Name = name(columns, i)
		m.Columns = append(m.Columns, columns[i].Column)
	}
	m.Rows = rows(sources, columns)
	return m, nil
}

func describe(s source) string {
	if s.Backend == "" {
		return fmt.Sprintf("subject %q", s.Subject)
	}
	return fmt.Sprintf("subject %q of %s", s.Subject, s.Backend)
}

func both(a, b string) string {
	if a == "" || b == "" {
		return ""
	}
	return ": " + a + " and " + b
}

// A column with what its cells are made of.
type column struct {
	Column
	cells  map[string]Cell // by name of the check
	failed int             // cells
}

func newColumn(id identity, group []source) column {
	c := column{Column: Column{Backend: id.backend, Variant: clean(id.variant), Module: id.module}, cells: map[string]Cell{}}
	if id.version != "(devel)" {
		c.Version = id.version
	}
	for _, s := range group {
		subject := Subject{Name: clean(s.Subject), Error: clean(s.Error)}
		if s.Clock == "real" {
			subject.RealTime = clean(s.ClockWhy)
		}
		if s.Key != "" {
			subject.Types = types.Replace(s.Key + " → " + s.Value)
		}
		c.Subjects = append(c.Subjects, subject)
		if s.Error == "" {
			c.Declares = append(c.Declares, relaxations(s.Traits)...)
		}
		for _, r := range s.Checks {
			c.cells[r.Name()] = c.cells[r.Name()].with(r, cmp.Or(subject.Types, subject.Name))
		}
	}
	slices.Sort(c.Declares)
	c.Declares = slices.Compact(c.Declares)
	for name, cell := range c.cells {
		for i, r := range cell.Reasons {
			if len(r.Types) == len(group) {
				cell.Reasons[i].Types = nil
			}
		}
		if c.cells[name] = cell; cell.Outcome == conformance.Fail {
			c.failed++
		}
	}
	return c
}

var types = strings.NewReplacer("interface {}", "any", "[]uint8", "[]byte")

// with returns the cell with one more result in it.
func (c Cell) with(r conformance.Result, types string) Cell {
	outcome := r.Outcome
	if c.Outcome != "" {
		outcome = worse(c.Outcome, r.Outcome)
	}
	if outcome != c.Outcome {
		c = Cell{Outcome: outcome} // what was found so far no longer decides
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

// relaxations says in words what traits promise less than the strictest ones.
func relaxations(t backend.Traits) []string {
	var words []string
	add := func(is bool, format string, args ...any) {
		if is {
			words = append(words, fmt.Sprintf(format, args...))
		}
	}
	add(t.ExpiryLag != 0, "returns the expired for up to %v", t.ExpiryLag)
	add(t.SizeLag != 0, "counts the expired for up to %v", t.SizeLag)
	add(t.Values == backend.ByReference, "shares the memory of values")
	add(t.Bound == backend.BoundApproximate, "bounds entries only approximately")
	add(t.Bound == backend.BoundNone, "has no bound in entries")
	add(t.Rejects, "may refuse entries")
	add(t.MaxKey != 0, "keys of at most %d bytes", t.MaxKey)
	add(t.MaxValue != 0, "values of at most %d bytes", t.MaxValue)
	add(t.NeedsSync, "writes may need Sync")
	return words
}

// name returns the shortest of some names of the i'th column that no other has.
func name(columns []column, i int) string {
	names := []func(c Column) string{
		func(c Column) string { pkg, _, _ := strings.Cut(c.Backend, "."); return pkg + " " + c.Variant },
		func(c Column) string { return c.Backend + " " + c.Variant },
		func(c Column) string { return c.Backend + " " + c.Variant + " " + c.Version },
		func(c Column) string { return c.Backend + " " + c.Variant + " " + c.Module + " " + c.Version },
	}
	for _, of := range names {
		if columns[i].Backend == "" {
			break
		}
		same := 0
		for _, c := range columns {
			if of(c.Column) == of(columns[i].Column) {
				same++
			}
		}
		if same == 1 {
			return strings.Join(strings.Fields(of(columns[i].Column)), " ")
		}
	}
	return columns[i].Subjects[0].Name
}

// rows returns the rules of the contract, then those that only the reports know.
func rows(sources []source, columns []column) []Row {
	var all []Row
	index := map[string]int{}
	add := func(id, text string) int {
		if _, ok := index[id]; !ok {
			index[id] = len(all)
			all = append(all, Row{ID: id, Text: text, Cases: []Case{}})
		}
		return index[id]
	}
	for _, rule := range conformance.Rules() {
		add(rule.ID, rule.Text)
	}
	sources = slices.SortedFunc(slices.Values(sources), func(a, b source) int {
		return cmp.Or(cmp.Compare(a.Module, b.Module), cmp.Compare(a.Version, b.Version), cmp.Compare(a.Backend, b.Backend), cmp.Compare(a.Subject, b.Subject))
	})
	seen := map[string]bool{}
	for _, s := range sources {
		for _, r := range s.Checks {
			row := &all[add(r.ID, clean(r.Text))]
			if seen[r.Name()] {
				continue
			}
			seen[r.Name()] = true
			kase := Case{Name: r.Case}
			for _, c := range columns {
				cell, ok := c.cells[r.Name()]
				if !ok {
					cell.Outcome = Missing
				}
				kase.Cells = append(kase.Cells, cell)
			}
			row.Cases = append(row.Cases, kase)
		}
	}
	for i := range all {
		for c := range columns {
			outcome := Missing
			for _, kase := range all[i].Cases {
				outcome = worse(outcome, kase.Cells[c].Outcome)
			}
			all[i].Outcomes = append(all[i].Outcomes, outcome)
		}
	}
	return all
}

// clean makes text from elsewhere fit to be shown: valid, and without what would
// steer a terminal.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// count returns how many rules have each outcome in column c.
func (m *Matrix) count(c int) map[conformance.Outcome]int {
	n := map[conformance.Outcome]int{}
	for _, r := range m.Rows {
		n[r.Outcomes[c]]++
	}
	return n
}

// present returns the outcomes that occur, the best known first.
func (m *Matrix) present() []conformance.Outcome {
	found := map[conformance.Outcome]bool{conformance.Pass: true}
	for _, r := range m.Rows {
		for _, o := range r.Outcomes {
			found[o] = true
		}
		for _, k := range r.Cases {
			for _, c := range k.Cells {
				found[c.Outcome] = true
			}
		}
	}
	order := []conformance.Outcome{conformance.Pass, conformance.Fail, conformance.Deviates, conformance.Weak, conformance.NotApplicable, Missing}
	return slices.DeleteFunc(order, func(o conformance.Outcome) bool { return !slices.Contains(slices.Collect(maps.Keys(found)), o) })
}

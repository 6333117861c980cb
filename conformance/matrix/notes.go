package matrix

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cachepact/cachepact/conformance"
)

// A look is how an outcome is shown: never by colour alone.
type look struct{ Symbol, Word, Meaning string }

var looks = map[conformance.Outcome]look{
	conformance.Pass:          {"✓", "pass", "keeps the rule"},
	conformance.Fail:          {"✗", "fail", "breaks the rule"},
	conformance.Deviates:      {"≠", "deviates", "breaks the rule in a way that is known"},
	conformance.Weak:          {"~", "weak", "could be checked only in part"},
	conformance.NotApplicable: {"–", "n/a", "the rule says nothing about this cache"},
	Missing:                   {"?", "missing", "was not checked"},
}

func (l look) String() string { return l.Symbol + " " + l.Word }

// A note is a reason, with the cases of one rule and the caches for which it
// holds.
type note struct {
	Reason
	Anchor  string
	Outcome conformance.Outcome
	Cases   []string
	Columns []string
	columns []int
}

// notes returns the reasons of a row, the worst outcomes first.
func (m *Matrix) notes(row Row) []note {
	var all []note
	same := func(a, b note) bool {
		return a.Outcome == b.Outcome && a.Why == b.Why && a.Detail == b.Detail && a.Link == b.Link && slices.Equal(a.Types, b.Types)
	}
	for c := range m.Columns {
		var own []note
		for _, kase := range row.Cases {
			for _, reason := range kase.Cells[c].Reasons {
				n := note{Reason: reason, Outcome: kase.Cells[c].Outcome, columns: []int{c}}
				i := slices.IndexFunc(own, func(o note) bool { return same(n, o) })
				if i < 0 {
					i = len(own)
					own = append(own, n)
				}
				own[i].Cases = append(own[i].Cases, kase.Name)
			}
		}
		for _, n := range own {
			i := slices.IndexFunc(all, func(o note) bool { return same(n, o) && slices.Equal(n.Cases, o.Cases) })
			if i < 0 {
				i = len(all)
				n.Anchor = id(row.ID, strconv.Itoa(i+1))
				n.columns = nil
				all = append(all, n)
			}
			all[i].columns = append(all[i].columns, c)
			all[i].Columns = append(all[i].Columns, m.Columns[c].Name)
		}
	}
	slices.SortStableFunc(all, func(a, b note) int { return rank(a.Outcome) - rank(b.Outcome) })
	return all
}

func rank(o conformance.Outcome) int { return slices.Index(outcomes, o) }

// anchor returns where the reason for an outcome in column c stands, or "".
func anchor(notes []note, c int, o conformance.Outcome, kase string) string {
	for _, n := range notes {
		if n.Outcome == o && slices.Contains(n.columns, c) && (kase == "" || slices.Contains(n.Cases, kase)) {
			return n.Anchor
		}
	}
	return ""
}

// kept says how many of the rules that apply to column c it keeps.
func (m *Matrix) kept(c int) string {
	n := m.count(c)
	return fmt.Sprintf("%d of %d", n[conformance.Pass], len(m.Rows)-n[conformance.NotApplicable]-n[Missing])
}

// id makes the id of an element of names, which may hold anything but space.
func id(names ...string) string {
	return strings.Join(strings.Fields(strings.Join(names, "/")), "-")
}

// versioned returns the module of a column with its version.
func (c Column) versioned() string {
	return cmp.Or(strings.TrimSuffix(c.Module+"@"+c.Version, "@"), "unknown")
}

// distinct returns the strings that are not empty, each once.
func distinct(subjects []Subject, of func(Subject) string) []string {
	var all []string
	for _, s := range subjects {
		if v := of(s); v != "" && !slices.Contains(all, v) {
			all = append(all, v)
		}
	}
	return all
}

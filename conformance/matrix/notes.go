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
	conformance.Pass:     {"✓", "pass", "keeps the rule"},
	conformance.Fail:     {"✗", "fail", "breaks the rule"},
	conformance.Deviates: {"≠", "deviates", "breaks the rule in a way that is known"},
	conformance.Weak:     {"~", "weak", "could be checked only in part"},
	conformance.Void:     {"–", "n/a", "the rule says nothing about this cache"},
	Missing:              {"?", "missing", "was not checked"},
}

func (l look) String() string { return l.Symbol + " " + l.Word }

// A note is a reason and the caches of one rule for which it holds.
type note struct {
	Reason
	Anchor  string
	Outcome conformance.Outcome
	Case    string
	Columns []string
	columns []int
}

// notes returns the reasons of a row, the worst outcomes first.
func (m *Matrix) notes(row Row) []note {
	var all []note
	for _, kase := range row.Cases {
		n := 0
		for i, cell := range kase.Cells {
			for _, reason := range cell.Reasons {
				j := slices.IndexFunc(all, func(o note) bool {
					return o.Case == kase.Name && o.Outcome == cell.Outcome && o.Why == reason.Why && o.Detail == reason.Detail &&
						o.Link == reason.Link && slices.Equal(o.Types, reason.Types)
				})
				if j < 0 {
					n++
					j = len(all)
					all = append(all, note{Reason: reason, Anchor: id(row.ID, kase.Name, strconv.Itoa(n)), Outcome: cell.Outcome, Case: kase.Name})
				}
				if !slices.Contains(all[j].columns, i) {
					all[j].Columns = append(all[j].Columns, m.Columns[i].Name)
					all[j].columns = append(all[j].columns, i)
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b note) int { return rank(a.Outcome) - rank(b.Outcome) })
	return all
}

func rank(o conformance.Outcome) int { return slices.Index(outcomes, o) }

// anchor returns where the reason for an outcome in column c stands, or "".
func anchor(notes []note, c int, o conformance.Outcome, kase string) string {
	for _, n := range notes {
		if n.Outcome == o && slices.Contains(n.columns, c) && (kase == "" || n.Case == kase) {
			return n.Anchor
		}
	}
	return ""
}

// kept says how many of the rules that apply to column c it keeps.
func (m *Matrix) kept(c int) string {
	n := m.count(c)
	return fmt.Sprintf("%d of %d", n[conformance.Pass], len(m.Rows)-n[conformance.Void]-n[Missing])
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

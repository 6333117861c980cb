package matrix

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/cachepact/cachepact/conformance"
)

// Drift says, a line each, how m differs from a matrix made earlier: caches and
// rules that came or went, caches that changed, and outcomes with their reasons.
// It is empty when nothing does.
//
// Of a rule that a cache breaks in both, it does not ask in which cases: a fault
// that shows when threads meet shows in some runs in more cases than in others.
func (m *Matrix) Drift(earlier *Matrix) []string {
	var drift []string
	found := func(format string, args ...any) { drift = append(drift, fmt.Sprintf(format, args...)) }
	for _, c := range earlier.Columns {
		if m.column(c) < 0 {
			found("%s: no longer there", c.Name)
		}
	}
	for _, row := range earlier.Rows {
		if m.row(row.ID) < 0 {
			found("%s: no longer there", row.ID)
		}
	}
	for c, column := range m.Columns {
		was := earlier.column(column)
		if was < 0 {
			found("%s: new", column.Name)
			continue
		}
		then := earlier.Columns[was]
		then.Name = column.Name // which follows from the other columns
		if !reflect.DeepEqual(column, then) {
			found("%s: other types, version or traits", column.Name)
		}
		for _, row := range m.Rows {
			if i := earlier.row(row.ID); i >= 0 {
				drift = append(drift, row.drift(c, earlier.Rows[i], was, column.Name)...)
			}
		}
	}
	for _, row := range m.Rows {
		if i := earlier.row(row.ID); i < 0 {
			found("%s: new", row.ID)
		} else if row.Text != earlier.Rows[i].Text {
			found("%s: other words", row.ID)
		}
	}
	return drift
}

// drift compares column c of the row with column was of an earlier one.
func (r Row) drift(c int, earlier Row, was int, name string) []string {
	if now, then := r.Outcomes[c], earlier.Outcomes[was]; now != then {
		return []string{fmt.Sprintf("%s %s: %s, was %s", name, r.ID, now, then)}
	}
	if r.Outcomes[c] == conformance.Fail {
		return nil
	}
	var drift []string
	for _, kase := range r.Cases {
		i := slices.IndexFunc(earlier.Cases, func(o Case) bool { return o.Name == kase.Name })
		if i < 0 {
			drift = append(drift, fmt.Sprintf("%s %s/%s: new", name, r.ID, kase.Name))
		} else if now, then := kase.Cells[c], earlier.Cases[i].Cells[was]; !reflect.DeepEqual(now, then) {
			drift = append(drift, fmt.Sprintf("%s %s/%s: %s, was %s, or for another reason", name, r.ID, kase.Name, now.Outcome, then.Outcome))
		}
	}
	for _, kase := range earlier.Cases {
		if !slices.ContainsFunc(r.Cases, func(o Case) bool { return o.Name == kase.Name }) {
			drift = append(drift, fmt.Sprintf("%s %s/%s: no longer there", name, r.ID, kase.Name))
		}
	}
	return drift
}

func (m *Matrix) column(of Column) int {
	return slices.IndexFunc(m.Columns, func(c Column) bool {
		return c.Backend == of.Backend && c.Variant == of.Variant && c.Module == of.Module && (c.Backend != "" || c.Name == of.Name)
	})
}

func (m *Matrix) row(id string) int {
	return slices.IndexFunc(m.Rows, func(r Row) bool { return r.ID == id })
}

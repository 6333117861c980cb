package report

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Words describes the workload in one line.
func (w *Workload) Words() string {
	text := fmt.Sprintf("%s requests, %s keys", thousands(w.Requests), thousands(w.Distinct))
	if w.Format != "" {
		text = w.Format + " trace, " + text
	}
	if w.Sample > 0 && w.Sample < 1 {
		text += fmt.Sprintf(", a sample of %s of the keys", share(w.Sample))
	}
	return text
}

// Words describes the machine in one line.
func (m Machine) Words() string {
	return fmt.Sprintf("%s %s/%s, %s", m.Go, m.OS, m.Arch, plural(m.CPUs, "CPU"))
}

// Title names the check for a reader.
func (f Finding) Title() string {
	switch f.Check {
	case CheckOPT:
		return "Above OPT"
	case CheckCapacity:
		return "Over capacity"
	case CheckValue:
		return "Wrong value"
	case CheckStale:
		return "Stale value"
	case CheckDropped:
		return "Dropped writes"
	case CheckMix:
		return "Wrong mix"
	case CheckLRU:
		return "Not an LRU"
	case CheckEarly:
		return "Expired early"
	case CheckFailed:
		return "Failed"
	case CheckNoise:
		return "Noisy machine"
	}
	return f.Check
}

// FindingsIntro says how many findings there are.
func (p *page) FindingsIntro() string {
	var names []string
	for _, f := range p.Findings {
		if f.Name != "" && !slices.Contains(names, f.Name) {
			names = append(names, f.Name)
		}
	}
	text := plural(len(p.Findings), "finding")
	if len(names) > 0 {
		text += ", about " + list(names, "and")
	}
	return text + ". A finding is an integrity check that failed."
}

// HasCharts reports whether the page has any chart.
func (p *page) HasCharts() bool { return len(chartsOf(p.Sections)) > 0 }

// Environment returns the tables of the machine, the workload and the caches.
func (p *page) Environment() []*table {
	m := p.Machine
	machine := properties("machine", "Machine and run", [][2]string{
		{"Go", m.Go},
		{"System", strings.Trim(m.OS+"/"+m.Arch, "/")},
		{"CPU", m.CPU},
		{"GOMAXPROCS", when(m.CPUs > 0, thousands(m.CPUs))},
		{"Memory", when(m.Memory > 0, size(float64(m.Memory)))},
		{"cachepact", m.Module},
		{"Started", when(!p.Started.IsZero(), p.Started.Format(time.RFC3339))},
		{"Duration", when(p.Elapsed > 0, span(p.Elapsed))},
	})
	tables := []*table{machine, p.workloadTable(), p.cacheTable()}
	return slices.DeleteFunc(tables, func(t *table) bool { return t == nil })
}

// properties returns a table of names and values. It omits empty values.
func properties(id, caption string, rows [][2]string) *table {
	t := &table{ID: id, Caption: caption, Columns: columnsOf("Property", "Value")}
	t.Columns[1].Words = true
	for _, x := range rows {
		if x[1] != "" {
			t.add(x[0], x[1])
		}
	}
	t.drop()
	return t
}

func (p *page) workloadTable() *table {
	w := p.Workload
	if w == nil {
		return nil
	}
	return properties("workload", "Requests", [][2]string{
		{"Name", w.Name},
		{"Format", w.Format},
		{"Requests", thousands(w.Requests)},
		{"Distinct keys", thousands(w.Distinct)},
		{"Gets", thousands(w.Gets)},
		{"Sets", when(w.Sets > 0, thousands(w.Sets))},
		{"Deletes", when(w.Deletes > 0, thousands(w.Deletes))},
		{"Updates", when(w.Updates > 0, thousands(w.Updates))},
		{"Sample of the keys", when(w.Sample > 0 && w.Sample < 1, share(w.Sample))},
		{"TTLs", when(w.TTLs, "some requests have a TTL")},
		{"Sizes", when(w.Sizes, "some requests have a size")},
	})
}

func (p *page) cacheTable() *table {
	if len(p.Contestants) == 0 {
		return nil
	}
	t := &table{ID: "caches", Caption: "Caches"}
	t.Columns = columnsOf("Cache", "Library", "Version", "Bounds", "Eviction", "")
	for i := range t.Columns {
		t.Columns[i].Words = true
	}
	for _, c := range p.Contestants {
		t.add(c.Name, c.Module, c.Version, string(c.Bounds), when(c.LRU, "exact LRU"),
			when(c.Own, "not one of cachepact's adapters"))
	}
	t.drop()
	return t
}

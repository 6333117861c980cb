package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// latencySection has a block for each class of operations.
func (r *Report) latencySection() section {
	s := section{ID: "latency", Title: "Latency", Short: "Latency"}
	if r.Speed == nil || len(r.Speed.Latency) == 0 {
		return s
	}
	for i, group := range latencyGroups(r.Speed.Latency) {
		b := block{Title: group[0].title(), Tables: []*table{latencyTable(group, i)}}
		if c := r.latencyChart(group, i); c != nil {
			b.Charts = []*chart{c}
		}
		s.Blocks = append(s.Blocks, b)
	}
	s.Intro = []string{fmt.Sprintf("The time of reading the clock, %s, is subtracted. In a closed loop an operation "+
		"starts when the previous one has ended. In an open loop operations start at a rate, "+
		"and their times count from the scheduled start.",
		span(slices.MaxFunc(r.Speed.Latency, func(a, b Latency) int { return cmp.Compare(a.Clock, b.Clock) }).Clock))}
	return s
}

// title names the timed operations for a heading.
func (l *Latency) title() string {
	name := cmp.Or(classTitles[l.Class], l.Class)
	return name + strings.TrimPrefix(l.label(), l.Class) + ", " + l.Loop + " loop"
}

var classTitles = map[string]string{
	"hit": "Get that hits", "miss": "Get that misses", "put": "Put", "put-evict": "Put that evicts",
	"all": "All operations",
}

// latencyGroups groups the distributions that can be compared: one class in one kind of
// loop. In an open loop the caches work at the same share of their own speed.
func latencyGroups(all []Latency) [][]Latency {
	type key struct {
		loop, class string
		share       float64
	}
	var groups [][]Latency
	index := map[key]int{}
	for _, l := range all {
		k := key{l.Loop, l.Class, l.Share}
		i, ok := index[k]
		if !ok {
			i = len(groups)
			index[k] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], l)
	}
	return groups
}

func latencyTable(group []Latency, n int) *table {
	t := &table{ID: fmt.Sprintf("latency-%d", n), Caption: "Latency: " + group[0].title(), Said: true}
	t.Columns = columnsOf("Cache", "Rate", "p50", "p99", "p99.9", "Max", "Operations")
	slices.SortStableFunc(group, func(a, b Latency) int { return cmp.Compare(a.P99, b.P99) })
	for _, l := range group {
		if l.Failed != "" {
			t.failed(l.Name, l.Failed)
		} else {
			t.add(l.Name, when(l.Rate > 0, perSecond(l.Rate)), span(l.P50), span(l.P99), span(l.P999), span(l.Max),
				thousands(l.Count))
		}
	}
	t.drop()
	return t
}

// latencyChart draws the percentiles of the latency. Both axes are logarithmic.
func (r *Report) latencyChart(group []Latency, n int) *chart {
	c := &chart{
		ID: fmt.Sprintf("latency-chart-%d", n), Title: group[0].title(), Kind: "lines", Wide: true,
		X: axis{Name: "share of the operations that are at most this slow", Unit: "tail", Log: true, Min: 1},
		Y: axis{Name: "latency", Unit: "ns", Log: true},
		Summary: "A line for each cache. Rare, slow operations are on the right; lower is faster. " +
			"Both axes are logarithmic. The table has the percentiles.",
	}
	for _, l := range group {
		if l.Failed != "" || len(l.Steps) < 2 {
			continue
		}
		s := r.series(l.Name, l.Name)
		s.Symbol = -1
		for _, step := range l.Steps {
			if x := l.tail(step.Share); step.Time > 0 && x >= 1 {
				s.Points = append(s.Points, []float64{x, float64(step.Time)})
			}
		}
		if len(s.Points) > 1 {
			c.Series = append(c.Series, s)
		}
	}
	if len(c.Series) == 0 {
		return nil
	}
	return c
}

// tail returns 1/(1-share): one operation in that many is slower. The result is at most
// the number of operations.
func (l *Latency) tail(share float64) float64 {
	most := float64(max(l.Count, 1))
	if share >= 1 {
		return most
	}
	return min(1/(1-share), most)
}

// paretoSection shows the hit ratio against the bytes per entry.
func (r *Report) paretoSection() section {
	s := section{ID: "pareto", Title: "Hit ratio against memory", Short: "Hits and memory"}
	f := mainField(r.fields())
	if f == nil || r.Memory == nil {
		return s
	}
	c := &chart{
		ID: "pareto-chart", Title: "Hit ratio at " + r.at(f.table) + " against bytes per entry",
		Kind: "points", Wide: true,
		X: axis{Name: "bytes per entry", Unit: "bytes", Log: true},
		Y: axis{Name: "hit ratio", Unit: "percent"},
	}
	t := &table{ID: "pareto-table", Caption: c.Title, Columns: columnsOf("Cache", "Hit ratio", "Bytes per entry", "")}
	t.Columns[3].Words = true
	rows := slices.Concat(f.rows, f.flawed)
	sizes := r.sizes(namesOf(rows))
	var front []string
	best := -1.0
	for _, x := range sizes {
		row := rows[slices.IndexFunc(rows, func(row *Row) bool { return row.Name == x.name })]
		p := r.series(x.name, x.name)
		p.Points = [][]float64{{x.value, row.HitRatio}}
		word := ""
		if row.HitRatio > best {
			best, word = row.HitRatio, "on the front"
			front = append(front, x.name)
		} else {
			p.Faint = true
		}
		c.Series = append(c.Series, p)
		t.add(x.name, share(row.HitRatio), size(x.value), word)
	}
	if len(sizes) < 2 {
		return s
	}
	c.Summary = fmt.Sprintf("A point for each cache. A higher point has more hits, "+
		"a point on the left takes less memory. "+

		"No cache has both more hits and less memory than a cache on the front: %s.", list(front, "and"))
	t.drop()
	s.Blocks = []block{{Charts: []*chart{c}, Tables: []*table{t}}}
	return s
}

package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// colours is the number of colours of the page. Further contestants reuse the colours
// with another symbol and dash.
const colours = 10

// grey is the colour of references.
const grey = -1

// A chart is the input of page/report.js.
type chart struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	// Summary describes the chart in words.
	Summary string `json:"summary"`
	// Kind is "lines" (y over x), "ranges" (a row with a value and its range for each
	// name), "strip" (a row of shares over x for each name) or "points" (a labelled
	// point for each name).
	Kind   string   `json:"kind"`
	X      axis     `json:"x"`
	Y      axis     `json:"y"`
	Series []series `json:"series"`
	// Zone is the range of x that is shaded. Lines are drawn across the chart.
	Zone  []float64 `json:"zone,omitempty"`
	Zoned string    `json:"zoned,omitempty"` // label of the zone
	Lines []mark    `json:"lines,omitempty"`
	// Figures is a table of the points, nil if another table on the page has them.
	Figures *table `json:"-"`
	Wide    bool   `json:"-"` // as wide as the page
}

// An axis of a chart.
type axis struct {
	Name string `json:"name"`
	// Unit selects how page/report.js writes a value: "percent" (of a ratio), "ns",
	// "bytes", "count", "factor" or "tail" (1/(1-share), written as the share).
	Unit string  `json:"unit"`
	Log  bool    `json:"log,omitempty"`
	Min  float64 `json:"min,omitempty"`
	Max  float64 `json:"max,omitempty"`
	Zero bool    `json:"zero,omitempty"` // starts at 0
}

// A series of a chart. A point is x and y, and optionally the low and high end of y.
type series struct {
	Name string `json:"name"`
	// Cache is the contestant that the series shows; empty for a reference.
	Cache  string      `json:"cache,omitempty"`
	Colour int         `json:"colour"`
	Symbol int         `json:"symbol"`
	Dash   int         `json:"dash"`
	Points [][]float64 `json:"points"`
	Faint  bool        `json:"faint,omitempty"` // within the noise
}

// A mark is a line across a chart.
type mark struct {
	At   float64 `json:"at"`
	Name string  `json:"name"`
}

// chartsOf returns the charts of the sections, in order.
func chartsOf(sections []section) []*chart {
	charts := []*chart{}
	for _, s := range sections {
		for _, b := range s.Blocks {
			charts = append(charts, b.Charts...)
		}
	}
	return charts
}

// series returns an empty series in the colours of the named contestant.
func (r *Report) series(name, label string) series {
	i := slices.IndexFunc(r.Contestants, func(c Contestant) bool { return c.Name == name })
	if i < 0 {
		i = len(r.Contestants)
	}
	return series{Name: label, Cache: name, Colour: i % colours, Symbol: i % 4, Dash: i % 3}
}

// referenceSeries returns an empty grey series, the i-th of its chart.
func referenceSeries(name string, i int) series {
	return series{Name: name, Colour: grey, Symbol: -1, Dash: i % 3}
}

// pacedLabel returns the label of a cache at a pace.
func pacedLabel(name string, pace Pace) string {
	return strings.TrimSpace(name + " " + string(pace))
}

// curveChart draws miss ratios over capacities.
func (r *Report) curveChart(lines []Line) *chart {
	c := &chart{
		ID: "curve", Title: "Miss ratio by capacity", Kind: "lines", Wide: true,
		X: axis{Name: "capacity, entries", Unit: "count", Log: true},
		Y: axis{Name: "miss ratio", Unit: "percent"},
	}
	paces := map[Pace]int{}
	for _, l := range lines {
		if _, ok := paces[l.Pace]; !ok && !l.Reference {
			paces[l.Pace] = len(paces)
		}
	}
	references := 0
	for _, l := range lines {
		s := r.series(l.Name, pacedLabel(l.Name, l.Pace))
		if l.Reference {
			s = referenceSeries(l.Name, references)
			references++
		} else if len(paces) > 1 {
			s.Dash = paces[l.Pace] % 3
		}
		for _, p := range l.Points {
			if p.Capacity > 0 {
				s.Points = append(s.Points, ranged(float64(p.Capacity), p.MissRatio, p.Low, p.High))
			}
		}
		c.Series = append(c.Series, s)
	}
	c.Figures = c.figures("capacity", thousandsOf)
	caches := plural(len(lines)-references, "cache")
	c.Summary = "The miss ratio of " + caches + " by capacity. Lower is better."
	if references > 0 {
		c.Summary += fmt.Sprintf(" The grey lines are %s.", list(c.greys(), "and"))
	}
	return c
}

// greys returns the names of the grey series, which are the references.
func (c *chart) greys() (names []string) {
	for _, s := range c.Series {
		if s.Colour == grey {
			names = append(names, s.Name)
		}
	}
	return names
}

func ranged(x, y, low, high float64) []float64 {
	if low < high {
		return []float64{x, y, low, high}
	}
	return []float64{x, y}
}

func thousandsOf(x float64) string { return thousands(int64(math.Round(x))) }

// linesOf returns a curve of the hit ratios in the tables.
func (h *Hits) linesOf() []Line {
	var lines []Line
	index := map[string]int{}
	add := func(l Line, p Point) {
		key := fmt.Sprint(l.Reference, l.Name, "\x00", l.Pace)
		i, ok := index[key]
		if !ok {
			i = len(lines)
			index[key] = i
			lines = append(lines, l)
		}
		lines[i].Points = append(lines[i].Points, p)
	}
	for _, t := range h.Tables {
		if t.Bytes > 0 {
			continue
		}
		for _, row := range t.Rows {
			if row.Failed == "" && row.Ranked {
				add(Line{Name: row.Name, Pace: row.Pace},
					Point{row.Entries, 1 - row.HitRatio, 1 - row.High, 1 - row.Low})
			}
		}
		for _, ref := range t.References {
			add(Line{Name: ref.Name, Reference: true}, Point{Capacity: t.Capacity, MissRatio: 1 - ref.HitRatio})
		}
	}
	return lines
}

// figures returns the chart's points as a table with a row for each x and a column for
// each series.
func (c *chart) figures(head string, x func(float64) string) *table {
	t := &table{ID: c.ID + "-figures", Caption: "Figures of the chart: " + c.Title, Columns: columnsOf(head)}
	var xs []float64
	for _, s := range c.Series {
		t.Columns = append(t.Columns, column{Title: s.Name})
		for _, p := range s.Points {
			if !slices.Contains(xs, p[0]) {
				xs = append(xs, p[0])
			}
		}
	}
	slices.Sort(xs)
	for _, at := range xs {
		texts := []string{x(at)}
		for _, s := range c.Series {
			text := ""
			for _, p := range s.Points {
				if p[0] == at {
					text = c.Y.write(p[1])
				}
			}
			texts = append(texts, text)
		}
		t.add(texts...)
	}
	return t
}

// write formats a value of the axis.
func (a axis) write(x float64) string {
	switch a.Unit {
	case "percent":
		return share(x)
	case "ns":
		return nanoseconds(x)
	case "bytes":
		return size(x)
	case "factor":
		return decimals(x, 2)
	}
	return thousandsOf(x)
}

// seriesChart draws the hit ratios of the table's caches over the requests.
func (r *Report) seriesChart(t *Table, n int) *chart {
	c := &chart{
		ID: fmt.Sprintf("over-time-%d", n), Title: "At " + r.at(t), Kind: "lines",
		X: axis{Name: "part of the requests", Unit: "percent", Max: 1},
		Y: axis{Name: "hit ratio", Unit: "percent", Zero: true},
	}
	for _, row := range t.advisedRows() {
		if len(row.Series) < 2 || !row.Ranked {
			continue
		}
		s := r.series(row.Name, pacedLabel(row.Name, row.Pace))
		s.Symbol = -1
		for i, x := range row.Series {
			s.Points = append(s.Points, []float64{float64(i+1) / float64(len(row.Series)), x})
		}
		c.Series = append(c.Series, s)
	}
	if len(c.Series) == 0 {
		return nil
	}
	c.Summary = fmt.Sprintf("The hit ratio of %s in each part of the requests, in order.",
		plural(len(c.Series), "cache"))
	c.Figures = c.figures("requests so far", share)
	return c
}

// forest draws the ratios of a speed case and the zone of ties.
func (r *Report) forest(c *SpeedCase, n int) *chart {
	f := &chart{
		ID: fmt.Sprintf("ratio-%d", n), Title: c.title(), Kind: "ranges",
		Lines: []mark{{1, ""}},
	}
	f.X = axis{Unit: "factor", Log: true}
	f.X.Name = "time per operation ÷ that of " + r.Speed.Baseline + "; lower is faster"
	if c.Control.Low > 0 && c.Control.High > c.Control.Low {
		noise := noiseOf(c.Control)
		f.Zone, f.Zoned = []float64{1 / noise, noise}, "tie"
	}
	for i := range c.Rows {
		row := &c.Rows[i]
		if row.Failed != "" || !(row.Ratio.Median > 0) || row.Name == r.Speed.Baseline {
			continue
		}
		s := r.series(row.Name, row.Name)
		s.Faint = row.Tie || c.Noisy
		s.Points = [][]float64{{row.Ratio.Median, 0, row.Ratio.Low, row.Ratio.High}}
		f.Series = append(f.Series, s)
	}
	if len(f.Series) == 0 {
		return nil
	}
	slices.SortStableFunc(f.Series, func(a, b series) int { return cmp.Compare(a.Points[0][0], b.Points[0][0]) })
	f.Summary = fmt.Sprintf("The time per operation of each cache divided by that of %s, with its 95 %% interval, "+
		"on a logarithmic axis. A cache in the shaded zone, up to a factor of %s, ties. The table has the figures.",
		r.Speed.Baseline, decimals(noiseOf(c.Control), 3))
	return f
}

// title names the case for a heading.
func (c *SpeedCase) title() string {
	name := c.Name
	switch c.Name {
	case "hit":
		name = "Every Get hits"
	case "miss":
		name = "Every Get misses"
	case "workload":
		name = "The workload"
	}
	return name + strings.TrimPrefix(c.label(), c.Name)
}

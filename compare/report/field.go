package report

import (
	"cmp"
	"slices"
)

// Differences below these limits do not matter to a user of the cache.
const (
	// alikeMisses is the greatest difference between the misses of two caches that are
	// alike, as a share. It compares misses, because each miss costs a load.
	alikeMisses = 0.02
	// alikePoints is a difference of hit ratios that never matters, even if the caches
	// have few misses.
	alikePoints = 0.0005
	// paceDiffers is the least difference between a cache's hit ratios at two paces that
	// the reasons mention.
	paceDiffers = 0.02
)

// A field holds the ranked caches at one capacity, by descending hit ratio.
type field struct {
	table   *Table
	rows    []*Row // caches without findings, which can be recommended
	flawed  []*Row // caches with findings
	leaders []*Row // the rows that are alike to the first row
}

// flaws returns the findings against each contestant. It leaves out findings about the
// measurement, and noise and wrong mixes, which affect only the figures of speed.
func (r *Report) flaws() map[string][]Finding {
	all := map[string][]Finding{}
	for _, f := range r.Findings {
		if f.Name != "" && f.Check != CheckNoise && f.Check != CheckMix {
			all[f.Name] = append(all[f.Name], f)
		}
	}
	return all
}

// fields returns the fields by ascending capacity.
func (r *Report) fields() []field {
	if r.Hits == nil {
		return nil
	}
	flaws := r.flaws()
	var all []field
	for i := range r.Hits.Tables {
		f := field{table: &r.Hits.Tables[i]}
		for _, row := range f.table.advised() {
			if len(flaws[row.Name]) > 0 {
				f.flawed = append(f.flawed, row)
			} else {
				f.rows = append(f.rows, row)
			}
		}
		for _, row := range f.rows {
			if alike(f.rows[0], row) {
				f.leaders = append(f.leaders, row)
			}
		}
		all = append(all, f)
	}
	slices.SortStableFunc(all, func(a, b field) int {
		return cmp.Or(cmp.Compare(a.table.Bytes, b.table.Bytes), cmp.Compare(a.table.Capacity, b.table.Capacity))
	})
	return all
}

// advised returns the row of each ranked cache at the pace most like a real program. A
// miss takes time in a program, so paced comes first and flat last.
func (t *Table) advised() []*Row {
	order := []Pace{Paced, "", Settled, Flat}
	best := map[string]*Row{}
	var names []string
	for i := range t.Rows {
		row := &t.Rows[i]
		old, ok := best[row.Name]
		if !ok {
			names = append(names, row.Name)
		}
		if !ok || slices.Index(order, row.Pace) < slices.Index(order, old.Pace) {
			best[row.Name] = row
		}
	}
	var rows []*Row
	for _, name := range names {
		if row := best[name]; row.Ranked && row.Failed == "" {
			rows = append(rows, row)
		}
	}
	slices.SortStableFunc(rows, func(a, b *Row) int { return cmp.Compare(b.HitRatio, a.HitRatio) })
	return rows
}

// alike reports whether the hit ratios differ by no more than the ranges of the runs, or
// too little to matter. The hit ratio of best is the greater one.
func alike(best, row *Row) bool {
	return row.High >= best.Low || near(best.HitRatio, row.HitRatio)
}

// near reports whether the two hit ratios differ too little to matter.
func near(greater, lesser float64) bool {
	return greater-lesser <= alikePoints || 1-lesser <= (1-greater)*(1+alikeMisses)
}

// reference returns the hit ratio of the named reference, if it was computed.
func (t *Table) reference(name string) (float64, bool) {
	for _, r := range t.References {
		if r.Name == name {
			return r.HitRatio, true
		}
	}
	return 0, false
}

// opt returns the hit ratio that no cache of the capacity can exceed, if it was
// computed.
func (t *Table) opt() (float64, bool) {
	if x, ok := t.reference(RefOPTBypass); ok {
		return x, true
	}
	return t.reference(RefOPT)
}

// beatenBy reports whether the row, which has a finding, has more hits than the best
// cache without findings.
func (f *field) beatenBy(row *Row) bool {
	return len(f.rows) > 0 && row.HitRatio > f.rows[0].HitRatio && !alike(row, f.rows[0])
}

// row returns the named cache's row if the cache can be recommended.
func (f *field) row(name string) (*Row, bool) {
	for _, row := range f.rows {
		if row.Name == name {
			return row, true
		}
	}
	return nil, false
}

// exact returns the best cache that never exceeds its capacity. It returns false if one
// of the leaders is such a cache.
func (f *field) exact() (*Row, bool) {
	for _, row := range f.leaders {
		if row.Bounds != BoundsAbout {
			return nil, false
		}
	}
	for _, row := range f.rows {
		if row.Bounds == BoundsEntries {
			return row, true
		}
	}
	return nil, false
}

// level reports whether several caches are all alike, and alike to LRU.
func (f *field) level() bool {
	if len(f.rows) < 2 || len(f.leaders) < len(f.rows) {
		return false
	}
	lru, ok := f.table.reference(RefLRU)
	return !ok || near(f.rows[0].HitRatio, lru)
}

// spread returns the difference between the best and the worst hit ratio.
func (f *field) spread() float64 {
	if len(f.rows) == 0 {
		return -1
	}
	return f.rows[0].HitRatio - f.rows[len(f.rows)-1].HitRatio
}

// mainField returns the field with the greatest spread of hit ratios, nil if there is none.
func mainField(fields []field) *field {
	var best *field
	for i := range fields {
		if f := &fields[i]; len(f.rows) > 0 && (best == nil || f.spread() > best.spread()) {
			best = f
		}
	}
	return best
}

// leading returns the names of all leaders, in the order of first appearance.
func leading(fields []field) []string {
	var names []string
	for _, f := range fields {
		for _, row := range f.leaders {
			if !slices.Contains(names, row.Name) {
				names = append(names, row.Name)
			}
		}
	}
	return names
}

// namesOf returns the names of the caches that the rows are about.
func namesOf[T interface{ cacheName() string }](rows []T) []string {
	names := make([]string, len(rows))
	for i, row := range rows {
		names[i] = row.cacheName()
	}
	return names
}

func (r *Row) cacheName() string      { return r.Name }
func (r *SpeedRow) cacheName() string { return r.Name }
func (r *TTLRow) cacheName() string   { return r.Name }
func (f figure) cacheName() string    { return f.name }

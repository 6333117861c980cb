package report

import (
	"cmp"
	"slices"
)

// What is worth choosing a cache for.
const (
	// muchMemory is the factor between the bytes per entry of two caches above
	// which it is worth a sentence.
	muchMemory = 1.5
	// leanMemory is the factor to the least bytes per entry within which a cache
	// counts as lean as the leanest.
	leanMemory = 1.25
)

// A figure is one cache's.
type figure struct {
	name  string
	value float64
}

// speedCase returns the case by which speed is judged: of the named kind, or of
// the first kind there is if the name is empty, the one with the most CPUs and
// goroutines, as that is how a cache is used.
func (r *Report) speedCase(kinds ...string) *SpeedCase {
	if r.Speed == nil {
		return nil
	}
	for _, kind := range kinds {
		var best *SpeedCase
		for i := range r.Speed.Cases {
			c := &r.Speed.Cases[i]
			if c.Name == kind && (best == nil || cmp.Or(cmp.Compare(c.Procs, best.Procs), cmp.Compare(c.Goroutines, best.Goroutines)) > 0) {
				best = c
			}
		}
		if best != nil {
			return best
		}
	}
	return nil
}

// mixed reports whether the executed mix of the named cache was found to differ
// from the one that was due, so that its speed is that of something else.
func (r *Report) mixed(name string) bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool {
		return f.Check == CheckMix && (f.Name == name || f.Name == "")
	})
}

// timed returns the rows of the case that have a speed, of the given names, the
// fastest first. It returns none if the case is noisy.
func (r *Report) timed(c *SpeedCase, names []string) []*SpeedRow {
	if c == nil || c.Noisy {
		return nil
	}
	var rows []*SpeedRow
	for i := range c.Rows {
		row := &c.Rows[i]
		if slices.Contains(names, row.Name) && row.Failed == "" && row.Wall.Median > 0 && !r.mixed(row.Name) {
			rows = append(rows, row)
		}
	}
	slices.SortStableFunc(rows, func(a, b *SpeedRow) int { return cmp.Compare(a.Wall.Median, b.Wall.Median) })
	return rows
}

// fastest returns how many of the rows, the fastest first, are not told apart
// from the first by the measurement.
func (c *SpeedCase) fastest(rows []*SpeedRow) int {
	return len(slices.DeleteFunc(slices.Clone(rows), func(row *SpeedRow) bool { return c.slower(row, rows[0]) }))
}

// slower reports whether a is slower than b beyond the noise.
func (c *SpeedCase) slower(a, b *SpeedRow) bool {
	return a.Ratio.Low > b.Ratio.High && apart(a.Ratio.Median, b.Ratio.Median, c.Control)
}

// perEntry is what an entry keeps from being free, its value included, as only that
// is alike for a cache that copies values and for one that refers to them. A report
// without it has what an entry takes beyond its key and value: heap, or the resident
// memory of a cache that keeps most of it elsewhere.
func (r *MemoryRow) perEntry() float64 {
	if r.KeptPerEntry > 0 {
		return r.KeptPerEntry
	}
	if r.RSSPerEntry > 4*r.HeapPerEntry {
		return r.RSSPerEntry
	}
	return r.HeapPerEntry
}

// sizes returns the bytes per entry of the named caches, the least first.
func (r *Report) sizes(names []string) []figure {
	if r.Memory == nil {
		return nil
	}
	var all []figure
	for i := range r.Memory.Rows {
		row := &r.Memory.Rows[i]
		if slices.Contains(names, row.Name) && row.Failed == "" && row.perEntry() > 0 {
			all = append(all, figure{row.Name, row.perEntry()})
		}
	}
	slices.SortStableFunc(all, func(a, b figure) int { return cmp.Compare(a.value, b.value) })
	return all
}

// lean returns the figures that are as small as the least, which comes first, if
// the greatest is much more.
func lean(all []figure) []figure {
	if len(all) < 2 || all[len(all)-1].value < muchMemory*all[0].value {
		return nil
	}
	n := 0
	for n < len(all) && all[n].value <= leanMemory*all[0].value {
		n++
	}
	return all[:n]
}

// hitTimes returns the nanoseconds of a hit of each of the named caches that has
// one: of the case in which each Get hits, or else of the mean operation of the
// workload.
func (r *Report) hitTimes(names []string) map[string]float64 {
	all := map[string]float64{}
	for _, row := range r.timed(r.speedCase("hit", "workload"), names) {
		all[row.Name] = row.Wall.Median
	}
	return all
}

// effective returns the mean nanoseconds of a request of each named cache, at the
// load that a miss costs, the least first: hit ratio × time of a hit + miss ratio
// × load. A time of a hit that was not measured counts as none.
func (r *Report) effective(f *field, names []string) []figure {
	if r.Hits == nil || r.Hits.Load <= 0 {
		return nil
	}
	hit := r.hitTimes(names)
	var all []figure
	for _, row := range f.rows {
		if slices.Contains(names, row.Name) {
			all = append(all, figure{row.Name, row.HitRatio*hit[row.Name] + (1-row.HitRatio)*float64(r.Hits.Load)})
		}
	}
	slices.SortStableFunc(all, func(a, b figure) int { return cmp.Compare(a.value, b.value) })
	return all
}

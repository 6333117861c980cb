package report

import (
	"cmp"
	"slices"
)

// Differences in memory that matter for the choice of a cache.
const (
	// muchMemory is the least factor between the greatest and the least bytes per entry
	// that the reasons mention.
	muchMemory = 1.5
	// leanMemory is the greatest factor to the least bytes per entry at which a cache
	// counts as equally small.
	leanMemory = 1.25
)

// A figure is a number about one cache.
type figure struct {
	name  string
	value float64
}

// speedCase returns the case that ranks the caches by speed. It is of the first kind that
// was measured, with the most CPUs and goroutines, because programs use caches so.
func (r *Report) speedCase(kinds ...string) *SpeedCase {
	if r.Speed == nil {
		return nil
	}
	for _, kind := range kinds {
		var best *SpeedCase
		for i := range r.Speed.Cases {
			c := &r.Speed.Cases[i]
			if c.Name != kind {
				continue
			}
			if best == nil || cmp.Or(c.Procs-best.Procs, c.Goroutines-best.Goroutines) > 0 {
				best = c
			}
		}
		if best != nil {
			return best
		}
	}
	return nil
}

// mixed reports whether a finding says that the named cache executed another mix of
// operations than intended. Then its speed cannot be compared.
func (r *Report) mixed(name string) bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool {
		return f.Check == CheckMix && (f.Name == name || f.Name == "")
	})
}

// timed returns the rows of the named caches that have a speed, the fastest first. It
// returns nil if the case is noisy.
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

// fastest returns how many of the rows, sorted by time, are not slower than the first
// beyond the noise.
func (c *SpeedCase) fastest(rows []*SpeedRow) int {
	return len(slices.DeleteFunc(slices.Clone(rows), func(row *SpeedRow) bool { return c.slower(row, rows[0]) }))
}

// slower reports whether a is slower than b beyond the noise.
func (c *SpeedCase) slower(a, b *SpeedRow) bool {
	return a.Ratio.Low > b.Ratio.High && apart(a.Ratio.Median, b.Ratio.Median, c.Control)
}

// perEntry returns KeptPerEntry, because only this figure is comparable between caches
// that copy values and caches that keep references. If it is missing, perEntry returns
// the heap per entry or, if most memory is outside of the heap, the resident memory.
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

// lean returns the figures that are about as small as the first, which is the least. It
// returns nil if the greatest figure is not much more.
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

// hitTimes returns the nanoseconds of a hit for the named caches. They come from the case
// in which each Get hits, or else from the workload's mean operation.
func (r *Report) hitTimes(names []string) map[string]float64 {
	all := map[string]float64{}
	for _, row := range r.timed(r.speedCase("hit", "workload"), names) {
		all[row.Name] = row.Wall.Median
	}
	return all
}

// effective returns the mean nanoseconds per request of each named cache, the least
// first: hit ratio × time of a hit + miss ratio × load. The time of a hit counts as 0 if
// it was not measured.
func (r *Report) effective(f *field, names []string) []figure {
	if r.Hits == nil || r.Hits.Load <= 0 {
		return nil
	}
	hit := r.hitTimes(names)
	var all []figure
	for _, row := range f.rows {
		if slices.Contains(names, row.Name) {
			mean := row.HitRatio*hit[row.Name] + (1-row.HitRatio)*float64(r.Hits.Load)
			all = append(all, figure{row.Name, mean})
		}
	}
	slices.SortStableFunc(all, func(a, b figure) int { return cmp.Compare(a.value, b.value) })
	return all
}

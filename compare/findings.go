package compare

import (
	"cmp"
	"fmt"
	"slices"
)

// A Finding is something wrong: a cache does not do what it says, or its figures
// are not those of the capacity.
type Finding struct {
	Name string // of the row
	Text string
}

// judge checks every row, and orders them: first those that can be compared, by
// hit ratio.
func (t *Table) judge(contestants []Contestant) {
	for _, c := range contestants {
		for i := range t.Rows {
			if r := &t.Rows[i]; r.Name == c.Name {
				t.check(c, r)
			}
		}
	}
	slices.SortStableFunc(t.Rows, func(a, b Row) int {
		if a.Ranked != b.Ranked {
			if a.Ranked {
				return -1
			}
			return 1
		}
		return cmp.Compare(b.HitRatio(), a.HitRatio())
	})
}

func (t *Table) check(c Contestant, r *Row) {
	add := func(format string, args ...any) {
		t.Findings = append(t.Findings, Finding{r.label(), fmt.Sprintf(format, args...)})
	}
	if r.Failed != "" {
		add("failed: %s", r.Failed)
	}
	if r.Wrong > 0 {
		add("%s of %s values returned were not the last written", count(r.Wrong), count(r.Hits))
	}
	entries := r.Bounds == BoundsEntries || r.Bounds == BoundsAbout
	r.Ranked = entries && r.Failed == "" && r.Wrong == 0
	if !entries || r.Failed != "" {
		return
	}
	if opt, ok := t.reference(refOPTBypass); ok && r.Hits > opt.Hits {
		add("hit ratio above OPT's %s: it holds more than it says", percent(opt.HitRatio()))
		r.Ranked = false
	}
	if r.Peak > int64(t.Capacity) {
		add("held %s live entries at a capacity of %s", count(r.Peak), count(int64(t.Capacity)))
	}
	if lru, ok := t.reference(refLRU); ok && c.LRU && r.Hits != lru.Hits {
		add("%s hits where an exact LRU has %s", count(r.Hits), count(lru.Hits))
	}
}

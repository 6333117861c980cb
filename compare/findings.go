package compare

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/cachepact/cachepact/compare/report"
)

// judge checks every row, and orders them: first those that can be compared, by
// hit ratio.
func (s *session) judge(t *report.Table) {
	for _, c := range s.contestants {
		for i := range t.Rows {
			if r := &t.Rows[i]; r.Name == c.Name {
				s.check(t, c, r)
			}
		}
	}
	slices.SortStableFunc(t.Rows, func(a, b report.Row) int {
		if a.Ranked != b.Ranked {
			if a.Ranked {
				return -1
			}
			return 1
		}
		return cmp.Compare(b.HitRatio, a.HitRatio)
	})
}

func (s *session) check(t *report.Table, c Contestant, r *report.Row) {
	add := func(check, format string, args ...any) {
		where := "hits at " + report.Count(t.Capacity) + " entries"
		if r.Pace != "" {
			where = string(r.Pace) + " " + where
		}
		s.found(report.Finding{Name: r.Name, Check: check, Where: where, Text: fmt.Sprintf(format, args...)})
	}
	if r.Failed != "" {
		add(report.CheckFailed, "failed: %s", r.Failed)
	}
	if r.Wrong > 0 {
		add(report.CheckValue, "%s of %s values returned were not the last written", report.Count(r.Wrong), report.Count(r.Hits))
	}
	entries := r.Bounds == report.BoundsEntries || r.Bounds == report.BoundsAbout
	r.Ranked = entries && r.Failed == "" && r.Wrong == 0
	if !entries || r.Failed != "" {
		return
	}
	if opt, ok := reference(t, report.RefOPTBypass); ok && r.Hits > opt.Hits {
		add(report.CheckOPT, "hit ratio above OPT's %s: it holds more than it says", report.Percent(opt.HitRatio))
		r.Ranked = false
	}
	if r.Peak > int64(t.Capacity) {
		add(report.CheckCapacity, "held %s live entries at a capacity of %s", report.Count(r.Peak), report.Count(t.Capacity))
	}
	if lru, ok := reference(t, report.RefLRU); ok && c.LRU && r.Hits != lru.Hits {
		add(report.CheckLRU, "%s hits where an exact LRU has %s", report.Count(r.Hits), report.Count(lru.Hits))
	}
}

// reference returns the named reference, if it was computed.
func reference(t *report.Table, name string) (report.Reference, bool) {
	i := slices.IndexFunc(t.References, func(r report.Reference) bool { return r.Name == name })
	if i < 0 {
		return report.Reference{}, false
	}
	return t.References[i], true
}

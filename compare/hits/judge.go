package hits

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/cachepact/cachepact/compare/internal/contest"
	"github.com/cachepact/cachepact/compare/internal/load"
	"github.com/cachepact/cachepact/compare/report"
)

// A judge checks the rows of a table.
type judge struct {
	*comparison
	table *report.Table
	refs  *References
	bound load.Bound
}

// judge checks every row, and orders them: first those that can be compared, by
// hit ratio.
func (s *comparison) judge(t *report.Table, refs *References, r load.Bound) {
	j := judge{s, t, refs, r}
	for _, c := range s.Contestants {
		for i := range t.Rows {
			if row := &t.Rows[i]; row.Name == c.Name {
				j.row(c, row)
			}
		}
	}
	for _, c := range s.Contestants {
		j.paces(c)
		j.bytes(c)
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

// paceTolerance is by how much the hit ratios at two paces may differ before the
// reader is told so.
const paceTolerance = 0.02

// paces tells of a cache whose hits depend on how much time it has.
func (j judge) paces(c contest.Contestant) {
	var low, high *report.Row
	for i := range j.table.Rows {
		r := &j.table.Rows[i]
		if r.Name != c.Name || r.Failed != "" || r.Pace == "" {
			continue
		}
		if low == nil || r.HitRatio < low.HitRatio {
			low = r
		}
		if high == nil || r.HitRatio > high.HitRatio {
			high = r
		}
	}
	if low != nil && high.HitRatio-low.HitRatio > paceTolerance {
		j.Note(c.Name, "has %s hits %s and %s %s at %v: what it has in a benchmark says little of what it has in a program.",
			report.Percent(low.HitRatio), low.Pace, report.Percent(high.HitRatio), high.Pace, j.bound)
	}
}

// bytes tells of a cache that was given bytes and takes more.
func (j judge) bytes(c contest.Contestant) {
	i := slices.IndexFunc(j.table.Rows, func(r report.Row) bool { return r.Name == c.Name })
	if i < 0 || j.bound.Bytes == 0 || j.table.Rows[i].Bounds != report.BoundsBytes {
		return
	}
	r := j.table.Rows[i]
	if takes := r.BytesPerEntry * float64(r.Peak); takes > 1.1*float64(j.bound.Bytes) {
		j.Note(c.Name, "takes %s of the heap at %v, as its capacity does not count all that it needs.", report.Bytes(takes), j.bound)
	}
}

func (j judge) add(r *report.Row, check, format string, args ...any) {
	where := "hits at " + j.bound.String()
	if r.Pace != "" {
		where = string(r.Pace) + " " + where
	}
	j.Found(report.Finding{Name: r.Name, Check: check, Where: where, Text: fmt.Sprintf(format, args...)})
}

func (j judge) row(c contest.Contestant, r *report.Row) {
	if r.Failed != "" {
		j.add(r, report.CheckFailed, "failed: %s", r.Failed)
	}
	if r.Wrong > 0 {
		j.add(r, report.CheckValue, "%s of %s values returned were not the last written", report.Count(r.Wrong), report.Count(r.Hits))
	}
	if r.Stale > 0 {
		j.add(r, report.CheckStale, "%s of %s hits were of entries that had expired", report.Count(r.Stale), report.Count(r.Hits))
	}
	entries := r.Bounds == report.BoundsEntries || r.Bounds == report.BoundsAbout
	bytes := r.Bounds == report.BoundsBytes && j.bound.Bytes > 0
	r.Ranked = (entries || bytes) && r.Failed == "" && r.Wrong+r.Stale == 0
	if r.Failed != "" {
		return
	}
	j.dropped(r)
	if entries {
		j.entryBound(c, r)
	}
}

// entryBound checks what a cache that is bounded by entries cannot do within its
// capacity.
func (j judge) entryBound(c contest.Contestant, r *report.Row) {
	if r.Peak > int64(r.Entries) {
		j.add(r, report.CheckCapacity, "held %s live entries at a capacity of %s", report.Count(r.Peak), report.Count(r.Entries))
	}
	if !j.refs.Known() {
		return
	}
	capacity := r.Entries
	if r.Pace == report.Paced {
		// A client that loads holds a value for the cache, which it may so keep
		// without having it.
		capacity += j.Clients
	}
	if most := j.refs.ceiling(capacity); r.Hits > most {
		j.add(r, report.CheckOPT, "hit ratio above OPT's %s: it holds more than it says", report.Percent(report.Ratio(most, j.refs.Gets)))
		r.Ranked = false
	}
	if c.LRU && r.Pace != report.Paced {
		if lru := j.refs.lru(r.Entries); r.Hits != lru {
			j.add(r, report.CheckLRU, "%s hits where an exact LRU has %s", report.Count(r.Hits), report.Count(lru))
		}
	}
}

// dropped checks that a cache loses no more writes than it says it refuses, or, if
// it does not count them, than when it has time to settle.
func (j judge) dropped(r *report.Row) {
	refused, says := report.Ratio(r.Rejected, r.Writes), "it says that it refused"
	if r.Rejected == 0 && r.Pace == report.Flat {
		for _, other := range j.table.Rows {
			if other.Name == r.Name && other.Pace == report.Settled {
				refused, says = report.Ratio(other.Dropped, other.Probed), "settled they are"
			}
		}
	} else if r.Rejected == 0 && r.Rejects {
		return // nothing tells what it lost from what it refused
	}
	lost := report.Ratio(r.Dropped, r.Probed)
	// Three standard deviations of the sample, and a percentage point.
	if lost > refused+0.01+3*math.Sqrt(refused*(1-refused)/float64(max(1, r.Probed))) {
		j.add(r, report.CheckDropped, "of the writes of new keys %s could not be read right after (a sample of %s); %s %s",
			report.Percent(lost), report.Count(r.Probed), says, report.Percent(refused))
	}
}

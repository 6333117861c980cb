package hits

import (
	"github.com/cachepact/cachepact/compare/internal/load"
	"github.com/cachepact/cachepact/compare/policy"
	"github.com/cachepact/cachepact/compare/report"
	"github.com/cachepact/cachepact/compare/trace"
)

// References computes the reference lines of a load.
type References struct {
	Requests policy.Requests
	future   policy.Future
	Gets     int64
	// ceilings and lrus are by capacity.
	ceilings, lrus map[int]int64
}

// NewReferences returns nothing for a load too long to hold.
func NewReferences(l *load.Load) *References {
	if l.Streamed() {
		return &References{}
	}
	r := &References{ceilings: map[int]int64{}, lrus: map[int]int64{}, Requests: policy.Requests{
		IDs: l.All.IDs, Ops: l.All.Ops, Distinct: l.Distinct, Times: l.All.Times, Deadlines: l.All.Deadlines, NoFill: l.NoFill,
	}}
	if l.All.Deadlines == nil {
		r.Requests.Times = nil
	}
	r.future = policy.NewFuture(r.Requests)
	r.Gets = l.Ops[trace.Get]
	return r
}

// At returns the reference rows for a capacity.
func (r *References) At(entries int) []report.Reference {
	if !r.Known() {
		return nil
	}
	var all []report.Reference
	for _, p := range []struct {
		name string
		hits func() int
		not  bool
	}{
		{report.RefOPTBypass, func() int { return int(r.ceiling(entries)) }, false},
		{report.RefOPT, func() int { return policy.OPT(r.future, entries) }, r.Requests.NoFill || r.Requests.Times != nil},
		{report.RefLRU, func() int { return int(r.lru(entries)) }, false},
		{report.RefFIFO, func() int { return policy.FIFO(r.Requests, entries) }, false},
		{report.RefCLOCK, func() int { return policy.CLOCK(r.Requests, entries) }, false},
	} {
		if p.not {
			continue
		}
		hits := int64(p.hits())
		all = append(all, report.Reference{
			Name: p.name, Hits: hits, Misses: r.Gets - hits, HitRatio: report.Ratio(hits, r.Gets),
			Bound: p.name == report.RefOPTBypass && r.Requests.Times != nil && !r.Requests.NoFill,
		})
	}
	return all
}

// ceiling returns the most hits that any cache can have.
func (r *References) ceiling(entries int) int64 {
	hits, known := r.ceilings[entries]
	if !known {
		hits = int64(policy.OPTBypass(r.future, entries))
		r.ceilings[entries] = hits
	}
	return hits
}

// lru returns the hits of an exact LRU.
func (r *References) lru(entries int) int64 {
	hits, known := r.lrus[entries]
	if !known {
		hits = int64(policy.LRU(r.Requests, entries))
		r.lrus[entries] = hits
	}
	return hits
}

// Known reports whether the reference lines can be computed.
func (r *References) Known() bool { return r.Requests.IDs != nil }

// lru1 returns the hit ratio of an LRU of 1 % of the keys that stores what it
// misses, without TTLs, or 0 if l is too long to hold.
func lru1(l *load.Load) float64 {
	if l.Streamed() {
		return 0
	}
	r := policy.Requests{IDs: l.All.IDs, Ops: l.All.Ops, Distinct: l.Distinct}
	return report.Ratio(int64(policy.LRU(r, max(1, l.Distinct/100))), l.Ops[trace.Get])
}

package compare

import (
	"github.com/cachepact/cachepact/compare/policy"
	"github.com/cachepact/cachepact/compare/report"
	"github.com/cachepact/cachepact/compare/trace"
)

// references computes the reference lines of a load.
type references struct {
	requests policy.Requests
	future   policy.Future
	gets     int64
	// ceilings and lrus are by capacity.
	ceilings, lrus map[int]int64
}

// newReferences returns nothing for a load too long to hold.
func newReferences(l *load) *references {
	if l.streamed() {
		return &references{}
	}
	r := &references{ceilings: map[int]int64{}, lrus: map[int]int64{}, requests: policy.Requests{
		IDs: l.all.ids, Ops: l.all.ops, Distinct: l.distinct, Times: l.all.times, Deadlines: l.all.deadlines, NoFill: l.noFill,
	}}
	if l.all.deadlines == nil {
		r.requests.Times = nil
	}
	r.future = policy.NewFuture(r.requests)
	r.gets = l.ops[trace.Get]
	return r
}

func (r *references) at(entries int) []report.Reference {
	if !r.known() {
		return nil
	}
	var all []report.Reference
	for _, p := range []struct {
		name string
		hits func() int
		not  bool
	}{
		{report.RefOPTBypass, func() int { return int(r.ceiling(entries)) }, false},
		{report.RefOPT, func() int { return policy.OPT(r.future, entries) }, r.requests.NoFill || r.requests.Times != nil},
		{report.RefLRU, func() int { return int(r.lru(entries)) }, false},
		{report.RefFIFO, func() int { return policy.FIFO(r.requests, entries) }, false},
		{report.RefCLOCK, func() int { return policy.CLOCK(r.requests, entries) }, false},
	} {
		if p.not {
			continue
		}
		hits := int64(p.hits())
		all = append(all, report.Reference{
			Name: p.name, Hits: hits, Misses: r.gets - hits, HitRatio: ratio(hits, r.gets),
			Bound: p.name == report.RefOPTBypass && r.requests.Times != nil && !r.requests.NoFill,
		})
	}
	return all
}

// ceiling returns the most hits that any cache can have.
func (r *references) ceiling(entries int) int64 {
	hits, known := r.ceilings[entries]
	if !known {
		hits = int64(policy.OPTBypass(r.future, entries))
		r.ceilings[entries] = hits
	}
	return hits
}

// lru returns the hits of an exact LRU.
func (r *references) lru(entries int) int64 {
	hits, known := r.lrus[entries]
	if !known {
		hits = int64(policy.LRU(r.requests, entries))
		r.lrus[entries] = hits
	}
	return hits
}

// known reports whether the reference lines can be computed.
func (r *references) known() bool { return r.requests.IDs != nil }

// lru1 returns the hit ratio of an LRU of 1 % of the keys that stores what it
// misses, without TTLs, or 0 if l is too long to hold.
func lru1(l *load) float64 {
	if l.streamed() {
		return 0
	}
	r := policy.Requests{IDs: l.all.ids, Ops: l.all.ops, Distinct: l.distinct}
	return ratio(int64(policy.LRU(r, max(1, l.distinct/100))), l.ops[trace.Get])
}

// ratio returns a share, or 0 of nothing.
func ratio(part, all int64) float64 {
	if all == 0 {
		return 0
	}
	return float64(part) / float64(all)
}

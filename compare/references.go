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
}

// newReferences returns nothing for a load too long to hold.
func newReferences(l *load) *references {
	if l.streamed() {
		return &references{}
	}
	r := &references{requests: policy.Requests{IDs: l.all.ids, Ops: l.all.ops, Distinct: l.distinct}}
	r.future = policy.NewFuture(r.requests)
	r.gets = int64(len(l.all.ids))
	for _, op := range l.all.ops {
		if op != trace.Get {
			r.gets--
		}
	}
	return r
}

func (r *references) at(entries int) []report.Reference {
	if r.requests.IDs == nil {
		return nil
	}
	var all []report.Reference
	for _, p := range []struct {
		name string
		hits func() int
	}{
		{report.RefOPTBypass, func() int { return policy.OPTBypass(r.future, entries) }},
		{report.RefOPT, func() int { return policy.OPT(r.future, entries) }},
		{report.RefLRU, func() int { return policy.LRU(r.requests, entries) }},
		{report.RefFIFO, func() int { return policy.FIFO(r.requests, entries) }},
	} {
		hits := int64(p.hits())
		all = append(all, report.Reference{Name: p.name, Hits: hits, Misses: r.gets - hits, HitRatio: ratio(hits, r.gets)})
	}
	return all
}

// ratio returns a share, or 0 of nothing.
func ratio(part, all int64) float64 {
	if all == 0 {
		return 0
	}
	return float64(part) / float64(all)
}

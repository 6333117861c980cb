package hits

import (
	"context"
	"fmt"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/backend/memory"
	"github.com/cachepact/cachepact/compare/internal/load"
	"github.com/cachepact/cachepact/compare/policy"
	"github.com/cachepact/cachepact/compare/report"
	"github.com/cachepact/cachepact/compare/trace"
)

// selfTestSpec is the workload of the self-test.
const selfTestSpec = "scan:s=0.8,keys=1000,every=400,length=150,requests=12000,writes=0.1,deletes=0.05"

// selfTest replays a small workload through package memory, an exact LRU that
// shares nothing with package policy. If the driver, the policy and the stack
// distances do not agree on its hits, no figure is worth anything.
func (s *comparison) selfTest(ctx context.Context) error {
	return s.selfTestOf(ctx, func(capacity int) (backend.Backend[uint64, uint64], error) {
		return memory.New[uint64, uint64](memory.Options{Capacity: capacity})
	})
}

func (s *comparison) selfTestOf(ctx context.Context, lru func(capacity int) (backend.Backend[uint64, uint64], error)) error {
	l, err := load.FromWorkload(selfTestSpec, trace.Limits{})
	if err != nil {
		return err
	}
	r := policy.Requests{IDs: l.All.IDs, Ops: l.All.Ops, Distinct: l.Distinct}
	curve, _ := policy.NewLRUCurve(r)
	for _, capacity := range []int{1, 30, 300} {
		b, err := lru(capacity)
		if err != nil {
			return err
		}
		o, err := replay(ctx, b, l, pacing{Pace: report.Flat})
		if err != nil {
			return err
		}
		if want := policy.LRU(r, capacity); int(o.hits) != want || curve.Hits(capacity) != want || o.wrong > 0 {
			s.Found(report.Finding{Check: report.CheckLRU, Where: "self-test", Text: fmt.Sprintf(
				"of %d requests at a capacity of %d an exact LRU has %d hits, its policy %d, its curve %d: the measurement itself is wrong",
				l.Requests, capacity, o.hits, want, curve.Hits(capacity))})
		}
		if err := backend.Close(b); err != nil {
			return err
		}
	}
	return nil
}

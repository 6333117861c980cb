package hits

import (
	"context"
	"math"
	"slices"

	"github.com/cachepact/cachepact/compare/internal/contest"
	"github.com/cachepact/cachepact/compare/internal/load"
	"github.com/cachepact/cachepact/compare/policy"
	"github.com/cachepact/cachepact/compare/report"
	"github.com/cachepact/cachepact/compare/trace"
)

// shardsKeys is how many keys SHARDS holds at most. The error of a miss ratio is
// then a few thousandths (figure 4 of the paper, at 2¹³ keys).
const shardsKeys = 1 << 15

// referencePoints is at how many capacities a line that costs nothing more is drawn.
const referencePoints = 100

// curves replays the load at capacities from 0.1 % to all of the keys.
func (s *comparison) curves(ctx context.Context, l *load.Load, refs *References) (*report.Curve, error) {
	c := &report.Curve{SHARDS: 1}
	capacities := spaced(l.Distinct, s.Points)
	lines, rate, err := s.references(l, refs, capacities)
	if err != nil {
		return nil, err
	}
	c.Lines, c.SHARDS = lines, rate
	pace := s.curvePace()
	s.Progress.Expect(len(s.Contestants) * len(capacities))
	for _, contestant := range s.Contestants {
		line := report.Line{Name: contestant.Name, Pace: pace}
		for _, capacity := range capacities {
			s.Progress.Step(contestant.Name + " at " + report.Count(capacity))
			r := load.Bound{Entries: capacity}
			row, buffers, err := s.row(ctx, l, contestant, fit{bound: r, options: contest.Options{Capacity: capacity}}, s.pacing(pace))
			if err != nil {
				return nil, err
			}
			if !buffers && pace != report.Paced {
				line.Pace = ""
			}
			if row.Failed != "" {
				s.Found(report.Finding{Name: row.Name, Check: report.CheckFailed, Where: "curve at " + r.String(), Text: "failed: " + row.Failed})
			}
			if row.Failed != "" || row.Bounds == report.BoundsNothing || row.Bounds == report.BoundsBytes {
				break // the capacity means nothing to it
			}
			line.Points = append(line.Points, report.Point{Capacity: capacity, MissRatio: 1 - row.HitRatio, Low: 1 - row.High, High: 1 - row.Low})
		}
		if len(line.Points) > 0 {
			c.Lines = append(c.Lines, line)
		}
	}
	return c, nil
}

// curvePace returns the pace of the curves: among the requested ones, the pace that is closest to a program whose
// misses take time.
func (s *comparison) curvePace() report.Pace {
	for _, pace := range []report.Pace{report.Paced, report.Settled} {
		if slices.Contains(s.Paces, pace) {
			return pace
		}
	}
	return s.Paces[0]
}

// References returns the reference lines, and the share of the keys that they were
// computed from. Those of a load too long to hold are of LRU only.
func (s *comparison) references(l *load.Load, refs *References, capacities []int) ([]report.Line, float64, error) {
	if !refs.Known() {
		s, err := shards(l)
		if err != nil || s == nil {
			return nil, 1, err
		}
		return []report.Line{missRatios(report.RefLRU, spaced(l.Distinct, referencePoints), s.MissRatio)}, s.Rate(), nil
	}
	miss := func(hits int64) float64 { return 1 - report.Ratio(hits, refs.Gets) }
	lru := missRatios(report.RefLRU, capacities, func(capacity int) float64 { return miss(refs.lru(capacity)) })
	if curve, ok := policy.NewLRUCurve(refs.Requests); ok {
		all := append(spaced(l.Distinct, referencePoints), capacities...)
		slices.Sort(all)
		lru = missRatios(report.RefLRU, slices.Compact(all), func(capacity int) float64 { return miss(int64(curve.Hits(capacity))) })
	}
	return []report.Line{
		missRatios(report.RefOPTBypass, capacities, func(capacity int) float64 { return miss(refs.ceiling(capacity)) }),
		lru,
		missRatios(report.RefFIFO, capacities, func(capacity int) float64 { return miss(int64(policy.FIFO(refs.Requests, capacity))) }),
	}, 1, nil
}

// shards estimates the curve of LRU in one more pass. It returns nil if the load
// is not one that it is an estimate of.
func shards(l *load.Load) (*policy.SHARDS, error) {
	if l.NoFill || l.Expires() || l.Ops[trace.Update] > 0 {
		return nil, nil
	}
	s := policy.NewSHARDS(min(1, shardsKeys/float64(l.Distinct)), shardsKeys+shardsKeys/8)
	for seg, err := range l.Segments(load.BatchSize) {
		if err != nil {
			return nil, err
		}
		for i, key := range seg.Keys {
			s.Request(key, seg.Op(i))
		}
	}
	return s, nil
}

func missRatios(name string, capacities []int, at func(capacity int) float64) report.Line {
	line := report.Line{Name: name, Reference: true}
	for _, capacity := range capacities {
		m := at(capacity)
		line.Points = append(line.Points, report.Point{Capacity: capacity, MissRatio: m, Low: m, High: m})
	}
	return line
}

// spaced returns about n capacities from 0.1 % to all of the keys, each the same
// factor above the one before.
func spaced(distinct, n int) []int {
	var all []int
	for i := range n {
		share := math.Pow(1000, float64(i)/float64(n-1)) / 1000
		all = append(all, max(1, int(math.Round(share*float64(distinct)))))
	}
	return slices.Compact(all)
}

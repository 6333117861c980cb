package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"golang.org/x/perf/benchmath"
)

// settings says how long to measure.
type settings struct {
	rounds int
	slice  time.Duration // of the raw library in each round
}

// minRounds is the smallest number of rounds for which a 95 % confidence interval exists.
const minRounds = 6

// An interval is a median with a 95 % confidence interval.
type interval struct {
	Median float64 `json:"median"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
}

func intervalOf(values []float64) interval {
	s := benchmath.AssumeNothing.Summary(benchmath.NewSample(values, &benchmath.DefaultThresholds), 0.95)
	return interval{s.Center, s.Lo, s.Hi}
}

// ratioOf returns the interval of a[i]/b[i]. The two were measured in the same round, so that noise affects both.
func ratioOf(a, b []float64) *interval {
	ratios := make([]float64, len(a))
	for i := range ratios {
		ratios[i] = a[i] / b[i]
	}
	return new(intervalOf(ratios))
}

func median(values []float64) float64 { return intervalOf(values).Median }

// A result is the outcome of an experiment.
type result struct {
	Case    string `json:"case"`
	Library string `json:"library"`
	Key     string `json:"key"`
	Value   string `json:"value"`
	// Raw and Adapter are medians. Raw is nil if the raw library cannot do the operations.
	Raw     *cost `json:"raw,omitempty"`
	Adapter *cost `json:"adapter,omitempty"`
	// Ratio is the adapter's time divided by the raw library's time in the same round. Control is the raw library's time
	// divided by its own time in a second run.
	Ratio   *interval `json:"ratio,omitempty"`
	Control *interval `json:"control,omitempty"`
	// Bound is the largest acceptable ratio, or 0 for none.
	Bound float64 `json:"bound,omitempty"`
	// Allocs is the largest acceptable number of allocations beyond the raw library's.
	Allocs *float64 `json:"allocsBound,omitempty"`
}

// A cost is the cost of one operation.
type cost struct {
	Nanoseconds float64 `json:"ns"`
	Allocs      float64 `json:"allocs"`
	Bytes       float64 `json:"bytes"`
}

// A side is one of the three participants of a round: the raw library, the adapter, and the raw library again.
type side struct {
	impl               impl
	ns, allocs, memory []float64 // one value for each round
}

// measure runs e in rounds. In each round the sides run in random order. Each uses a cache of its own, which has been
// filled and used a little, after a garbage collection. All do the same number of operations.
func measure(ctx context.Context, e experiment, s settings) (result, error) {
	sides := []*side{{impl: rawImpl}, {impl: adapterImpl}, {impl: rawImpl}}
	n, err := calibrate(e, s.slice)
	if err != nil {
		return result{}, err
	}
	err = rounds(ctx, s.rounds, len(sides), func(i int) error { return sides[i].run(e, n) })
	r := result{
		Case: e.scenario.String(), Library: e.library, Key: e.key, Value: e.value,
		Raw: sides[0].cost(), Adapter: sides[1].cost(),
	}
	if r.Raw != nil && r.Adapter != nil {
		r.Control, r.Ratio = ratioOf(sides[2].ns, sides[0].ns), ratioOf(sides[1].ns, sides[0].ns)
		r.Bound, r.Allocs = boundOf(e), allocsOf(e.scenario)
	}
	return r, err
}

// rounds calls f with 0 to n-1 in random order, once in each round.
func rounds(ctx context.Context, count, n int, f func(i int) error) error {
	order := rand.New(rand.NewPCG(1, 2))
	for range count {
		for _, i := range order.Perm(n) {
			if err := errors.Join(ctx.Err(), f(i)); err != nil {
				return err
			}
		}
	}
	return nil
}

// calibrate returns the number of operations that the raw library does in a slice. If the raw library cannot do the
// operations, it is the adapter's number.
func calibrate(e experiment, slice time.Duration) (int, error) {
	j, err := e.open(rawImpl)
	if errors.Is(err, errNone) {
		j, err = e.open(adapterImpl)
	}
	if err != nil {
		return 0, err
	}
	for n := 1000; ; n *= 4 {
		took, err := timed(j, n)
		if err != nil {
			return 0, errors.Join(err, j.close())
		}
		if took > slice/4 {
			return max(1, int(float64(n)*float64(slice)/float64(took))), j.close()
		}
	}
}

// run measures n operations on a new cache.
func (s *side) run(e experiment, n int) error {
	j, err := e.open(s.impl)
	if errors.Is(err, errNone) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = timed(j, max(1, n/10))
	runtime.GC()
	var before, after runtime.MemStats
	var took time.Duration
	var allocs, bytes uint64
	for left := n; left > 0 && err == nil; {
		var m int
		if m, err = j.prepare(left); err == nil {
			runtime.ReadMemStats(&before)
			start := time.Now()
			err = j.run()
			took += time.Since(start)
			runtime.ReadMemStats(&after)
			allocs += after.Mallocs - before.Mallocs
			bytes += after.TotalAlloc - before.TotalAlloc
			err = errors.Join(err, j.check())
		}
		left -= m
	}
	per := 1 / float64(n)
	s.ns = append(s.ns, float64(took)*per)
	s.allocs, s.memory = append(s.allocs, float64(allocs)*per), append(s.memory, float64(bytes)*per)
	return errors.Join(err, j.close())
}

// cost returns the medians, or nil if nothing was measured.
func (s *side) cost() *cost {
	if len(s.ns) == 0 {
		return nil
	}
	c := &cost{Nanoseconds: median(s.ns)}
	if s.allocs != nil {
		c.Allocs, c.Bytes = median(s.allocs), median(s.memory)
	}
	return c
}

// quantile returns the smallest value that is not below a fraction q of the values.
func quantile(values []float64, q float64) float64 {
	return slices.Sorted(slices.Values(values))[int(q*float64(len(values)-1))]
}

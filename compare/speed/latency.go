package speed

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/cachepact/cachepact/compare/report"
	"github.com/cachepact/cachepact/compare/trace"
)

// A latencyJob measures how long operations take.
type latencyJob struct {
	Duration time.Duration
	// Shares are the rates of an open loop, in terms of what the cache can do.
	Shares []float64
}

// sampleEvery is of how many operations one is timed, by mean. The gaps are drawn, as
// caches do work after every so many operations too.
const sampleEvery = 64

// The kinds of operations.
const (
	classHit = iota
	classMiss
	classPut
	classPutEvict
	classes
)

var classNames = [classes]string{"hit", "miss", "put", "put-evict"}

// longest is the longest time that is told apart.
const longest = 10 * time.Minute

// A stopwatch times operations of one goroutine.
type stopwatch struct {
	base  time.Time
	cost  int64 // of reading the clock, in ns
	times [classes]*hdrhistogram.Histogram
}

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, int64(longest), 3)
}

func (w *stopwatch) now() int64 { return int64(time.Since(w.base)) }

func (w *stopwatch) record(class int, ns int64) {
	if w.times[class] == nil {
		w.times[class] = newHistogram()
	}
	_ = w.times[class].RecordValue(min(max(ns-w.cost, 0), int64(longest))) // all are in range
}

// clockCost returns what reading the clock adds to a time between two readings: the
// median of such times with nothing between.
func clockCost() time.Duration {
	w := stopwatch{base: time.Now()}
	gaps := make([]int64, 10_001)
	for i := range gaps {
		start := w.now()
		gaps[i] = w.now() - start
	}
	slices.Sort(gaps)
	return time.Duration(gaps[len(gaps)/2])
}

// closedLoop runs the cache for some time, every goroutine one operation after the
// other, and times a sample.
func (r *racer[V]) closedLoop(ctx context.Context, j latencyJob) ([]report.Latency, error) {
	cost := clockCost()
	runtime.GC()
	start := time.Now()
	watches := make([]*stopwatch, r.goroutines)
	_, err := r.lanes(ctx, func(l *lane[V]) error {
		w := &stopwatch{base: start, cost: int64(cost)}
		watches[l.number] = w
		rng := rand.New(rand.NewPCG(1, uint64(l.number)))
		for gap := 0; ; {
			var err error
			gap, err = l.sample(r.take(), w, rng, gap)
			if err = cmp.Or(err, ctx.Err()); err != nil || time.Since(start) >= j.Duration {
				return err
			}
		}
	})
	if err != nil {
		return nil, err
	}
	var all []report.Latency
	for class, name := range classNames {
		h := merge(watches, class)
		if h.TotalCount() > 0 {
			all = append(all, distribution(report.Latency{Loop: "closed", Class: name, Clock: cost}, h))
		}
	}
	return all, nil
}

// sample does the requests of a span. gap is how many are left before one is timed,
// and what it returns is that for the next span.
func (l *lane[V]) sample(s span, w *stopwatch, rng *rand.Rand, gap int) (int, error) {
	for at := 0; ; {
		if gap >= len(s.keys)-at {
			return gap - (len(s.keys) - at), l.requests(s.slice(at, len(s.keys)))
		}
		if err := l.requests(s.slice(at, at+gap)); err != nil {
			return 0, err
		}
		at += gap
		if err := l.timed(s.keys[at]^s.salt, s.ops[at], w); err != nil {
			return 0, err
		}
		at++
		gap = rng.IntN(2*sampleEvery - 1) // and the one that is timed
	}
}

// timed does one request and times its parts.
func (l *lane[V]) timed(key uint64, op trace.Op, w *stopwatch) error {
	if op != trace.Get && op != trace.Set {
		return l.requests(span{keys: []uint64{key}, ops: []trace.Op{op}})
	}
	class := classPut
	if op == trace.Get {
		start := w.now()
		_, hit, err := l.b.Get(l.ctx, key)
		took := w.now() - start
		if err != nil {
			return err
		}
		if hit {
			w.record(classHit, took)
			return nil
		}
		w.record(classMiss, took)
		if !l.fill {
			return nil
		}
		if l.evicts {
			class = classPutEvict
		}
	}
	start := w.now()
	err := l.b.Put(l.ctx, key, l.value, nil)
	w.record(class, w.now()-start)
	return err
}

// openLoop runs the cache at rates that do not wait for it. A time counts from when
// the operation was due, so that one that makes others late is in the times of all of
// them (Schroeder, Wierman and Harchol-Balter, NSDI 2006; what leaving them out is
// known as, coordinated omission, is Tene's).
func (r *racer[V]) openLoop(ctx context.Context, j latencyJob) ([]report.Latency, error) {
	cost := clockCost()
	warm, err := r.paced(ctx, j.Duration, 0, cost)
	if err != nil {
		return nil, err
	}
	capacity := warm.rate // with the clock, which is read in any case
	var all []report.Latency
	for _, share := range j.Shares {
		row := report.Latency{Loop: "open", Class: "all", Share: share, Rate: share * capacity, Clock: cost}
		got, err := r.paced(ctx, j.Duration, row.Rate, cost)
		if err != nil {
			return nil, err
		}
		row = distribution(row, got.times)
		if got.behind {
			row.Failed = "the rate was not reached: the machine has less to give than when its capacity was measured"
		}
		all = append(all, row)
	}
	return all, nil
}

// A pacedRun is the result of an open loop.
type pacedRun struct {
	times  *hdrhistogram.Histogram
	rate   float64 // operations per second that were done
	behind bool    // not all were done
}

// paced does operations at a rate for some time, or as fast as they go if it is 0. An
// open loop that is far behind gives up.
func (r *racer[V]) paced(ctx context.Context, d time.Duration, rate float64, cost time.Duration) (pacedRun, error) {
	runtime.GC()
	start := time.Now()
	watches, behind := make([]*stopwatch, r.goroutines), make([]bool, r.goroutines)
	step := 0.0
	if rate > 0 {
		step = float64(time.Second) / rate
	}
	lanes, err := r.lanes(ctx, func(l *lane[V]) error {
		w := &stopwatch{base: start, cost: int64(cost)}
		watches[l.number] = w
		due := float64(l.number) * step // of this goroutine's next operation
		for ctx.Err() == nil {
			s := r.take()
			for i := range s.keys {
				now := w.now()
				if step == 0 {
					due = float64(now)
				}
				if due >= float64(d) {
					return nil
				}
				if now > 4*int64(d) {
					behind[l.number] = true
					return nil
				}
				w.until(int64(due))
				if err := l.requests(s.slice(i, i+1)); err != nil {
					return err
				}
				w.record(classHit, w.now()-int64(due))
				due += step * float64(r.goroutines)
			}
		}
		return ctx.Err()
	})
	if err != nil {
		return pacedRun{}, err
	}
	var total count
	for _, l := range lanes {
		total.add(l.count)
	}
	return pacedRun{
		times:  merge(watches, classHit),
		rate:   float64(total.ops()) / time.Since(start).Seconds(),
		behind: slices.Contains(behind, true),
	}, nil
}

// until waits. It does not sleep, as that would be late by more than an operation
// takes, but lets goroutines of the cache run.
func (w *stopwatch) until(due int64) {
	for now := w.now(); now < due; now = w.now() {
		if due-now > int64(time.Microsecond) {
			runtime.Gosched()
		}
	}
}

// merge returns the times of all goroutines.
func merge(watches []*stopwatch, class int) *hdrhistogram.Histogram {
	all := newHistogram()
	for _, w := range watches {
		if w != nil && w.times[class] != nil {
			all.Merge(w.times[class])
		}
	}
	return all
}

// distribution fills the row from the times.
func distribution(row report.Latency, h *hdrhistogram.Histogram) report.Latency {
	quantile := func(q float64) time.Duration { return time.Duration(h.ValueAtQuantile(q)) }
	row.Count = h.TotalCount()
	row.P50, row.P99, row.P999, row.Max = quantile(50), quantile(99), quantile(99.9), time.Duration(h.Max())
	for _, b := range h.CumulativeDistributionWithTicks(5) {
		step := report.Step{Time: time.Duration(b.ValueAt), Share: math.Min(b.Quantile/100, 1)}
		if n := len(row.Steps); n > 0 && row.Steps[n-1].Time == step.Time {
			row.Steps[n-1] = step
			continue
		}
		row.Steps = append(row.Steps, step)
	}
	return row
}

package bench

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/cachepact/cachepact/internal/stat"
)

// Settings say how long to measure.
type Settings struct {
	Rounds int           // at least 2
	Slice  time.Duration // that the raw library runs in each
}

// A Result is what an experiment gave.
type Result struct {
	Case    string `json:"case"`
	Library string `json:"library"`
	Key     string `json:"key"`
	Value   string `json:"value"`
	// Raw and Adapter are the medians. Raw is nil if the library has no such thing.
	Raw     *Cost `json:"raw,omitempty"`
	Adapter *Cost `json:"adapter,omitempty"`
	// Ratio is that of the adapter to the raw library in the same round, and
	// Control that of the raw library to itself.
	Ratio   *stat.Interval `json:"ratio,omitempty"`
	Control *stat.Interval `json:"control,omitempty"`
	// Bound is the largest ratio that is good enough, or 0 for none.
	Bound float64 `json:"bound,omitempty"`
	// Allocs is by how many allocations the adapter may exceed the raw library.
	Allocs *float64 `json:"allocsBound,omitempty"`
}

// A Cost is that of one operation.
type Cost struct {
	Nanoseconds float64 `json:"ns"`
	Allocs      float64 `json:"allocs"`
	Bytes       float64 `json:"bytes"`
}

// A sample is what one slice took.
type sample struct{ ns, allocs, bytes float64 }

// A side is one of those that take turns.
type side struct {
	impl    Impl
	missing bool
	samples []sample
}

// Measure runs e in rounds. In each round the raw library, the adapter and the raw
// library again have a slice, in random order, each with a cache of its own that
// has been filled and used a little, after a garbage collection. All do the same
// number of operations.
func Measure(ctx context.Context, e Experiment, s Settings) (Result, error) {
	sides := []*side{{impl: RawImpl}, {impl: AdapterImpl}, {impl: RawImpl}}
	n, err := calibrate(e, s.Slice)
	if err != nil {
		return Result{}, err
	}
	order := rand.New(rand.NewPCG(1, 2))
	for range s.Rounds {
		for _, i := range order.Perm(len(sides)) {
			if err := ctx.Err(); err != nil {
				return Result{}, err
			}
			if err := sides[i].slice(e, n); err != nil {
				return Result{}, err
			}
		}
	}
	return e.result(sides[0], sides[1], sides[2]), nil
}

// calibrate returns how many operations the raw library does in a slice, or the
// adapter if the library cannot do them.
func calibrate(e Experiment, slice time.Duration) (int, error) {
	job, err := e.Open(RawImpl)
	if errors.Is(err, ErrNone) {
		job, err = e.Open(AdapterImpl)
	}
	if errors.Is(err, ErrNone) {
		return 1, nil
	}
	if err != nil {
		return 0, err
	}
	for n := 1000; ; n *= 4 {
		took, err := timed(job, n)
		if err != nil {
			return 0, errors.Join(err, job.Close())
		}
		if took > slice/4 {
			return max(1, int(float64(n)*float64(slice)/float64(took))), job.Close()
		}
	}
}

// slice measures n operations on a new cache.
func (s *side) slice(e Experiment, n int) error {
	job, err := e.Open(s.impl)
	if errors.Is(err, ErrNone) {
		s.missing = true
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := timed(job, max(1, n/10)); err != nil {
		return errors.Join(err, job.Close())
	}
	runtime.GC()
	var before, after runtime.MemStats
	var took time.Duration
	var allocs, bytes uint64
	for left := n; left > 0; {
		m, err := job.Prepare(left)
		if err == nil {
			runtime.ReadMemStats(&before)
			start := time.Now()
			err = job.Run(m)
			took += time.Since(start)
			runtime.ReadMemStats(&after)
			allocs += after.Mallocs - before.Mallocs
			bytes += after.TotalAlloc - before.TotalAlloc
		}
		if err = errors.Join(err, job.Check()); err != nil {
			return errors.Join(err, job.Close())
		}
		left -= m
	}
	per := 1 / float64(n)
	s.samples = append(s.samples, sample{float64(took) * per, float64(allocs) * per, float64(bytes) * per})
	return job.Close()
}

// timed does n operations and returns how long they took.
func timed(job Job, n int) (took time.Duration, err error) {
	for n > 0 {
		m, err := job.Prepare(n)
		if err != nil {
			return 0, err
		}
		start := time.Now()
		err = job.Run(m)
		took += time.Since(start)
		if err = errors.Join(err, job.Check()); err != nil {
			return 0, err
		}
		n -= m
	}
	return took, nil
}

func (e Experiment) result(raw, adapter, again *side) Result {
	r := Result{Case: e.Case.String(), Library: e.Library, Key: e.Key, Value: e.Value, Raw: raw.cost(), Adapter: adapter.cost()}
	if r.Raw != nil {
		r.Control = new(stat.Paired(again.times(), raw.times()))
	}
	if r.Raw != nil && r.Adapter != nil {
		r.Ratio = new(stat.Paired(adapter.times(), raw.times()))
		r.Bound = boundOf(e)
		r.Allocs = allocsOf(e.Case)
	}
	return r
}

func (s *side) times() []float64 { return s.column(func(x sample) float64 { return x.ns }) }

func (s *side) column(f func(sample) float64) (all []float64) {
	for _, x := range s.samples {
		all = append(all, f(x))
	}
	return all
}

func (s *side) cost() *Cost {
	if s.missing {
		return nil
	}
	return &Cost{
		Nanoseconds: stat.Median(s.times()),
		Allocs:      stat.Median(s.column(func(x sample) float64 { return x.allocs })),
		Bytes:       stat.Median(s.column(func(x sample) float64 { return x.bytes })),
	}
}

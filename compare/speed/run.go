package speed

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/compare/internal/contest"
	"github.com/cachepact/cachepact/compare/internal/worker"
	"github.com/cachepact/cachepact/compare/report"
	"github.com/cachepact/cachepact/compare/trace"
)

// The cases.
const (
	CaseHit      = "hit"
	CaseMiss     = "miss"
	CaseWorkload = "workload"
)

// A openJob says what to open.
type openJob struct {
	Contestant string
	Case       string
	Capacity   int
	Value      int // bytes; 0: numbers
	Procs      int // GOMAXPROCS
	Goroutines int
	Stream     string // the file
}

// A opened is what the parent must know of what was opened.
type opened struct {
	// Unbounded says that nothing is ever evicted.
	Unbounded bool
	// MayDrop says that a write may be refused, or visible only later, as the
	// cache declares.
	MayDrop bool
}

// A sliceJob runs the cache for some time.
type sliceJob struct {
	Duration time.Duration
}

// A count is what was done in a slice. An operation is a request of the stream;
// the Put of what a Get has missed belongs to the Get.
type count struct {
	Gets, Puts, Invalidates int64
	Hits, Misses            int64
	// Checked counts the Puts of new keys that were read right after, and Dropped
	// those of them that could not be.
	Checked, Dropped int64
	Wall, CPU        time.Duration
	Allocs, Bytes    uint64 // allocated
}

func (c *count) ops() int64 { return c.Gets + c.Puts + c.Invalidates }

func (c *count) add(d count) {
	c.Gets += d.Gets
	c.Puts += d.Puts
	c.Invalidates += d.Invalidates
	c.Hits += d.Hits
	c.Misses += d.Misses
	c.Checked += d.Checked
	c.Dropped += d.Dropped
	c.Wall += d.Wall
	c.CPU += d.CPU
	c.Allocs += d.Allocs
	c.Bytes += d.Bytes
}

// The jobs of workers.
const (
	jobOpen    = "speed/open"     // openJob to opened
	jobSlice   = "speed/slice"    // sliceJob to count
	jobLatency = "latency/closed" // latencyJob to []report.Latency
	jobOpenEnd = "latency/open"   // latencyJob to []report.Latency
)

// A runner is an open cache that can be run.
type runner interface {
	slice(context.Context, sliceJob) (count, error)
	closedLoop(context.Context, latencyJob) ([]report.Latency, error)
	openLoop(context.Context, latencyJob) ([]report.Latency, error)
	close() error
}

// NewHandler returns the handler of the jobs that Run gives to workers.
func NewHandler(all []contest.Contestant) worker.Handler {
	return &handler{contestants: append(baselines(), all...)}
}

type handler struct {
	contestants []contest.Contestant
	run         runner // the open cache, or nil
}

// Do implements [worker.Handler].
func (s *handler) Do(ctx context.Context, name string, in json.RawMessage) (any, error) {
	switch name {
	case jobOpen:
		return worker.Job(ctx, in, s.open)
	case jobSlice, jobLatency, jobOpenEnd:
		if s.run == nil {
			return nil, fmt.Errorf("%s: the first job must be %s", name, jobOpen)
		}
	}
	switch name {
	case jobSlice:
		return worker.Job(ctx, in, s.run.slice)
	case jobLatency:
		return worker.Job(ctx, in, s.run.closedLoop)
	case jobOpenEnd:
		return worker.Job(ctx, in, s.run.openLoop)
	}
	return nil, worker.ErrUnknown
}

// Close implements [worker.Handler].
func (s *handler) Close() {
	if s.run != nil {
		_ = s.run.close() // the parent has ended the worker and reads no error
		s.run = nil
	}
}

// open makes a cache, and puts into it what the case wants there.
func (s *handler) open(ctx context.Context, j openJob) (opened, error) {
	s.Close()
	c, err := contest.Find(s.contestants, j.Contestant)
	if err != nil {
		return opened{}, err
	}
	requests, err := loadStream(j.Stream)
	if err != nil {
		return opened{}, err
	}
	if j.Value > 0 && c.NewBytes != nil {
		return newRacer(ctx, s, c.NewBytes, make([]byte, j.Value), requests, j)
	}
	return newRacer(ctx, s, c.New, uint64(1), requests, j)
}

// A racer runs a stream through a cache, by some goroutines.
type racer[V any] struct {
	b          backend.Backend[uint64, V]
	value      V
	requests   stream
	fresh      bool // each pass through the stream has other keys
	fill       bool // a Get that misses is followed by a Put
	evicts     bool // that Put makes another entry go
	goroutines int
	procs      int          // GOMAXPROCS to go back to
	taken      atomic.Int64 // batches
}

func newRacer[V any](ctx context.Context, s *handler, construct func(contest.Options) (backend.Backend[uint64, V], error), value V, requests stream, j openJob) (o opened, err error) {
	b, err := construct(contest.Options{Capacity: j.Capacity, Value: j.Value})
	if err != nil {
		return o, err
	}
	if n, ok := b.(interface{ always(hit bool) }); ok {
		n.always(j.Case != CaseMiss)
	}
	r := &racer[V]{b: b, value: value, requests: requests, goroutines: j.Goroutines, fill: true, procs: runtime.GOMAXPROCS(j.Procs)}
	s.run = r
	traits := backend.TraitsOf(b)
	o = opened{Unbounded: traits.Bound == backend.BoundNone, MayDrop: traits.Rejects || traits.NeedsSync}
	switch j.Case {
	case CaseHit:
		err = r.putAll(ctx)
	case CaseMiss:
		r.fresh = true
		if !o.Unbounded {
			o.Unbounded, err = r.putUntilFull(ctx, j.Capacity)
		}
		r.fill, r.evicts = !o.Unbounded, true
	}
	return o, errors.Join(err, backend.Sync(ctx, b))
}

// putAll puts every key of the stream that is asked for.
func (r *racer[V]) putAll(ctx context.Context) error {
	var keys []uint64
	for i, key := range r.requests.keys {
		if r.requests.ops[i] != trace.Delete {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range slices.Compact(keys) {
		if err := r.b.Put(ctx, key, r.value, nil); err != nil {
			return err
		}
	}
	return nil
}

// fillRounds is how many times its capacity is put into a cache until it counts as
// unbounded.
const fillRounds = 32

// putUntilFull puts keys that are never asked for until no more stay. A cache of which
// everything stays is unbounded, whatever it declares.
func (r *racer[V]) putUntilFull(ctx context.Context, capacity int) (unbounded bool, err error) {
	next, size := uint64(absent), int64(-1)
	for range fillRounds {
		for range max(capacity, 1024) {
			next++
			if err := r.b.Put(ctx, contest.Mix(next), r.value, nil); err != nil {
				return false, err
			}
		}
		if err := backend.Sync(ctx, r.b); err != nil {
			return false, err
		}
		s, err := r.b.Stats(ctx)
		if err != nil || s.Size <= size+size/100 {
			return false, err
		}
		size = s.Size
	}
	return true, nil
}

func (r *racer[V]) close() error {
	runtime.GOMAXPROCS(r.procs)
	return backend.Close(r.b)
}

// slice runs the cache for some time.
func (r *racer[V]) slice(ctx context.Context, j sliceJob) (count, error) {
	runtime.GC() // of what came before
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu, start := cpuTime(), time.Now()
	lanes, err := r.lanes(ctx, func(l *lane[V]) error {
		for { // at least once, however late it comes to run
			if err := cmp.Or(l.requests(r.take()), ctx.Err()); err != nil || time.Since(start) >= j.Duration {
				return err
			}
		}
	})
	wall := time.Since(start)
	cpu = cpuTime() - cpu
	runtime.ReadMemStats(&after)
	total := count{Wall: wall, CPU: cpu, Allocs: after.Mallocs - before.Mallocs, Bytes: after.TotalAlloc - before.TotalAlloc}
	for _, l := range lanes {
		total.add(l.count)
	}
	return total, errors.Join(err, backend.Sync(ctx, r.b)) // so that the next slice has nothing to do for this one
}

// lanes runs f on every goroutine and returns what they have counted.
func (r *racer[V]) lanes(ctx context.Context, f func(*lane[V]) error) ([]*lane[V], error) {
	lanes, errs := make([]*lane[V], r.goroutines), make([]error, r.goroutines)
	var wg sync.WaitGroup
	for i := range lanes {
		lanes[i] = &lane[V]{racer: r, ctx: ctx, number: i}
		wg.Go(func() {
			errs[i] = worker.Guard(func() error { return f(lanes[i]) })
		})
	}
	wg.Wait()
	return lanes, errors.Join(errs...)
}

// A span is consecutive requests. Their keys are to be changed by salt, by exclusive or.
type span struct {
	keys []uint64
	ops  []trace.Op
	salt uint64
}

func (s span) slice(from, to int) span {
	return span{s.keys[from:to], s.ops[from:to], s.salt}
}

// take returns the next batch.
func (r *racer[V]) take() span {
	n, all := r.taken.Add(1)-1, int64(len(r.requests.keys)/batch)
	at := int(n%all) * batch
	s := span{keys: r.requests.keys[at : at+batch], ops: r.requests.ops[at : at+batch]}
	if r.fresh {
		s.salt = contest.Mix(2*absent + uint64(n/all)) // which is no key of the stream
	}
	return s
}

// A lane is one goroutine's part.
type lane[V any] struct {
	*racer[V]
	count
	ctx    context.Context
	number int
	fills  uint // Puts of what was missed
	_      [64]byte
}

// checkEvery is after how many Puts of new keys one is read at once.
const checkEvery = 1024

// requests does the requests of a span.
func (l *lane[V]) requests(s span) error {
	for i, key := range s.keys {
		var err error
		switch key ^= s.salt; s.ops[i] {
		case trace.Get:
			l.Gets++
			var hit bool
			if _, hit, err = l.b.Get(l.ctx, key); hit {
				l.Hits++
			} else if err == nil {
				l.Misses++
				err = l.missed(key)
			}
		case trace.Set:
			l.Puts++
			err = l.b.Put(l.ctx, key, l.value, nil)
		case trace.Delete:
			l.Invalidates++
			err = backend.InvalidateKey(l.ctx, l.b, key)
		case trace.Update:
			l.Puts++
			var hit bool
			if _, hit, err = l.b.Get(l.ctx, key); hit {
				err = l.b.Put(l.ctx, key, l.value, nil)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// missed stores a key that a Get has missed, and looks now and then whether it is
// there.
func (l *lane[V]) missed(key uint64) error {
	if !l.fill {
		return nil
	}
	err := l.b.Put(l.ctx, key, l.value, nil)
	if l.fills++; err != nil || l.fills%checkEvery != 0 {
		return err
	}
	_, hit, err := l.b.Get(l.ctx, key)
	l.Checked++
	if !hit {
		l.Dropped++
	}
	return err
}

package ttl

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/compare/internal/contest"
	intervals "github.com/cachepact/cachepact/compare/internal/stat"
	"github.com/cachepact/cachepact/compare/internal/worker"
	"github.com/cachepact/cachepact/compare/report"
)

// A job measures how a contestant expires keys of one TTL.
type job struct {
	Contestant string
	TTL        time.Duration
	Keys       int
	Wait       time.Duration // after the deadline, at most
	Memory     bool          // watch it too
}

// A result is a row for each use, and what the contestant declares.
type result struct {
	Rows      []report.TTLRow
	ExpiryLag time.Duration
}

// The uses.
const (
	useIdle      = "idle"
	useRead      = "read"
	useOverwrite = "overwrite"
)

// alone is the TTL below which uses are measured one after the other, as all of a
// processor is needed to see when an entry goes.
const alone = 50 * time.Millisecond

// expire measures all uses at one TTL.
func expire(ctx context.Context, all []contest.Contestant, j job) (result, error) {
	c, err := contest.Find(all, j.Contestant)
	if err != nil {
		return result{}, err
	}
	uses := []string{useIdle, useRead, useOverwrite}
	rows, errs := make([]report.TTLRow, len(uses)), make([]error, len(uses))
	var lag time.Duration
	var wg sync.WaitGroup
	runtime.GC() // so that it is not in the way of a short TTL
	for i, use := range uses {
		b, err := c.New(contest.Options{Capacity: 8 * max(j.Keys, 128)})
		if err != nil {
			return result{}, errors.Join(err, errors.Join(errs...))
		}
		lag = backend.TraitsOf(b).ExpiryLag
		wg.Go(func() {
			errs[i] = worker.Guard(func() (err error) {
				rows[i], err = newProber(b, j, use).run(ctx)
				return errors.Join(err, backend.Close(b))
			})
		})
		if j.TTL < alone {
			wg.Wait()
		}
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return result{}, err
	}
	rows[0].SizeLag, err = sizeLag(ctx, c, j)
	if err == nil && j.Memory {
		rows[0].MemoryLag, err = memoryLag(ctx, c, j)
	}
	return result{rows, lag}, err
}

// A prober reads keys until they are gone.
type prober struct {
	b    backend.Backend[uint64, uint64]
	job  job
	use  string
	base time.Time
	keys []probedKey
	left int // that have not missed
}

// A probedKey is a key with all that is known of its end, in nanoseconds since the
// prober's base.
type probedKey struct {
	key uint64
	// put is when Put had returned. The deadline is from from, counted from before the
	// Put, to to, counted from after it.
	put, from, to int64
	hit           int64 // start of the last Get that hit; 0: none
	miss, missed  int64 // start and end of the first that missed; 0: none
}

func newProber(b backend.Backend[uint64, uint64], j job, use string) *prober {
	p := &prober{b: b, job: j, use: use, base: time.Now(), keys: make([]probedKey, j.Keys)}
	for i := range p.keys {
		p.keys[i].key = contest.Mix(uint64(i))
	}
	return p
}

func (p *prober) now() int64 { return int64(time.Since(p.base)) }

// run puts the keys and probes them.
func (p *prober) run(ctx context.Context) (report.TTLRow, error) {
	if err := p.putAll(ctx); err != nil {
		return report.TTLRow{}, err
	}
	near := p.keys[0].from - int64(p.job.TTL)/10
	if p.use == useOverwrite {
		if err := p.sleep(ctx, p.keys[0].put+int64(p.job.TTL)/2); err != nil {
			return report.TTLRow{}, err
		}
		if err := p.putAll(ctx); err != nil {
			return report.TTLRow{}, err
		}
	}
	if p.use != useRead {
		if err := p.sleep(ctx, near); err != nil {
			return report.TTLRow{}, err
		}
	}
	if err := p.probe(ctx); err != nil {
		return report.TTLRow{}, err
	}
	return p.row(), nil
}

func (p *prober) putAll(ctx context.Context) error {
	for i := range p.keys {
		k := &p.keys[i]
		k.from = p.now() + int64(p.job.TTL)
		if err := p.b.Put(ctx, k.key, k.key, &p.job.TTL); err != nil {
			return err
		}
		k.put = p.now()
		k.to = k.put + int64(p.job.TTL)
	}
	return backend.Sync(ctx, p.b)
}

// sleep waits for a time since the base.
func (p *prober) sleep(ctx context.Context, until int64) error {
	return sleepUntil(ctx, p.base.Add(time.Duration(until)))
}

func sleepUntil(ctx context.Context, t time.Time) error {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// probe reads every key again and again until it misses.
func (p *prober) probe(ctx context.Context) error {
	p.left = len(p.keys)
	pause := min(p.job.TTL/200, time.Millisecond)
	end := p.keys[len(p.keys)-1].to + int64(p.job.Wait)
	for p.left > 0 && p.now() < end && ctx.Err() == nil {
		for i := range p.keys {
			if err := p.look(ctx, &p.keys[i]); err != nil {
				return err
			}
		}
		if pause < 100*time.Microsecond {
			runtime.Gosched() // a sleep would be longer
		} else {
			time.Sleep(pause)
		}
	}
	return ctx.Err()
}

func (p *prober) look(ctx context.Context, k *probedKey) error {
	if k.miss > 0 {
		return nil
	}
	start := p.now()
	_, hit, err := p.b.Get(ctx, k.key)
	if hit {
		k.hit = start
	} else if err == nil {
		k.miss, k.missed = start, p.now()
		p.left--
	}
	return err
}

// row works out the figures.
func (p *prober) row() report.TTLRow {
	r := report.TTLRow{TTL: p.job.TTL, Name: p.job.Contestant, Use: p.use, Keys: len(p.keys), SizeLag: unseen, MemoryLag: unseen}
	late, gaps := make([]float64, len(p.keys)), make([]float64, len(p.keys))
	for i, k := range p.keys {
		if k.hit > 0 {
			r.Stale = max(r.Stale, time.Duration(k.hit-k.to))
		}
		if k.miss == 0 { // it was there to the end
			late[i] = float64(k.hit - k.to)
			continue
		}
		if k.missed < k.from {
			r.Early++
			r.Earliest = max(r.Earliest, time.Duration(k.from-k.missed))
		}
		late[i] = float64(k.miss - k.to)
		gaps[i] = float64(k.miss - max(k.hit, k.put))
	}
	quantile := func(xs []float64, q float64) time.Duration {
		return max(0, time.Duration(intervals.Quantile(xs, q)))
	}
	r.P50, r.P99, r.Max = quantile(late, 0.5), quantile(late, 0.99), quantile(late, 1)
	r.Resolution = quantile(gaps, 0.99)
	strip(&r, late)
	return r
}

// stripSteps is the number of points of a strip.
const stripSteps = 41

// strip sets what share of the keys was returned at times since the deadline.
func strip(r *report.TTLRow, late []float64) {
	edge := max(r.TTL/10, r.Max+r.Max/10)
	r.StripFrom, r.StripTo = -edge, edge
	for i := range stripSteps {
		at := float64(-edge) + 2*float64(edge)*float64(i)/(stripSteps-1)
		alive := 0
		for _, l := range late {
			if l > at {
				alive++
			}
		}
		r.Strip = append(r.Strip, float64(alive)/float64(len(late)))
	}
}

// pollEvery is how often Size and memory are looked at.
const pollEvery = 2 * time.Millisecond

// watch returns how long after now done becomes true.
func watch(ctx context.Context, since time.Time, wait time.Duration, done func() (bool, error)) (time.Duration, error) {
	for ctx.Err() == nil {
		ok, err := done()
		switch lag := time.Since(since); {
		case err != nil:
			return unseen, err
		case ok:
			return max(0, lag), nil
		case lag > wait:
			return unseen, nil
		}
		time.Sleep(pollEvery)
	}
	return unseen, ctx.Err()
}

// sizeLag returns how long after their last deadline keys that nobody reads are
// counted.
func sizeLag(ctx context.Context, c contest.Contestant, j job) (lag time.Duration, err error) {
	b, err := c.New(contest.Options{Capacity: 8 * max(j.Keys, 128)})
	if err != nil {
		return unseen, err
	}
	defer func() { err = errors.Join(err, backend.Close(b)) }()
	p := newProber(b, j, useIdle)
	if err := p.putAll(ctx); err != nil {
		return unseen, err
	}
	last := p.keys[len(p.keys)-1].to
	if err := p.sleep(ctx, last); err != nil {
		return unseen, err
	}
	return watch(ctx, p.base.Add(time.Duration(last)), j.Wait, func() (bool, error) {
		s, err := b.Stats(ctx)
		return s.Size == 0, err
	})
}

// What is put to see memory fall: enough to be told from the noise of the heap.
const (
	lagEntries = 4096
	lagValue   = 1024
	lagNumbers = 1 << 16 // entries, if values are numbers
)

func memoryLag(ctx context.Context, c contest.Contestant, j job) (time.Duration, error) {
	if c.NewBytes == nil {
		return heapLag(ctx, c.New, j, lagNumbers, 0, func() uint64 { return 1 })
	}
	return heapLag(ctx, c.NewBytes, j, lagEntries, lagValue, func() []byte { return make([]byte, lagValue) })
}

// heapLag returns how long after the last deadline half of what the entries take on
// the heap is free, if nobody reads them. What they take is seen of entries that do
// not expire.
func heapLag[V any](ctx context.Context, construct func(contest.Options) (backend.Backend[uint64, V], error), j job, entries, size int, value func() V) (time.Duration, error) {
	fill := func(ttl *time.Duration) (b backend.Backend[uint64, V], before int64, err error) {
		if b, err = construct(contest.Options{Capacity: 2 * entries, Value: size}); err != nil {
			return nil, 0, err
		}
		before = liveHeap()
		for i := range entries {
			if err == nil {
				err = b.Put(ctx, contest.Mix(uint64(i)), value(), ttl)
			}
		}
		if err = errors.Join(err, backend.Sync(ctx, b)); err != nil {
			return nil, 0, errors.Join(err, backend.Close(b))
		}
		return b, before, nil
	}
	b, before, err := fill(nil)
	if err != nil {
		return unseen, err
	}
	taken := liveHeap() - before
	runtime.KeepAlive(b)
	if err := backend.Close(b); err != nil || taken < int64(entries)*16 {
		return unseen, err // what it takes it had before, or it is not on the heap
	}
	b, before, err = fill(&j.TTL)
	if err != nil {
		return unseen, err
	}
	last := time.Now().Add(j.TTL)
	if err := sleepUntil(ctx, last); err != nil {
		return unseen, errors.Join(err, backend.Close(b))
	}
	lag, err := watch(ctx, last, j.Wait, func() (bool, error) {
		return liveHeap()-before <= taken/2, nil
	})
	runtime.KeepAlive(b)
	return lag, errors.Join(err, backend.Close(b))
}

// liveHeap collects garbage and returns what is left on the heap.
func liveHeap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

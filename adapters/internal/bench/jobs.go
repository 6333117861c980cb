package main

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// A job is a scenario on one cache. The caller repeats prepare, run and check, and times only run.
type job interface {
	// prepare prepares at most n operations and returns their number.
	prepare(n int) (int, error)
	run() error
	// check returns an error if run did not do its operations.
	check() error
	close() error
}

// timed does n operations and returns the time that they took.
func timed(j job, n int) (took time.Duration, err error) {
	for n > 0 {
		m, err := j.prepare(n)
		if err != nil {
			return 0, err
		}
		start := time.Now()
		err = j.run()
		took += time.Since(start)
		if err = errors.Join(err, j.check()); err != nil {
			return 0, err
		}
		n -= m
	}
	return took, nil
}

// batch is the number of writes after which a job settles.
const batch = 1000

// work is the common part of the jobs. On its own it repeats a cycle of operations.
type work[K keyType, V any] struct {
	driver[K, V]
	data       *data[K, V]
	ttl        *time.Duration // nil: none
	goroutines int
	settles    bool    // run settles after each batch of writes
	sync       bool    // run ends with settle(false)
	cycle, ops []op[K] // all operations, and those of the next run
	buf        []op[K] // for load and present
	done       int     // number of operations that have run
	tally
}

func (w *work[K, V]) prepare(n int) (int, error) {
	at := w.done % len(w.cycle)
	w.ops = w.cycle[at:min(at+n, len(w.cycle))]
	return len(w.ops), nil
}

// run does the operations, each goroutine an equal part of them.
func (w *work[K, V]) run() error {
	tallies, errs := make([]tally, w.goroutines), make([]error, w.goroutines)
	var all sync.WaitGroup
	for i := 1; i < w.goroutines; i++ {
		all.Go(func() { tallies[i], errs[i] = w.part(i) })
	}
	tallies[0], errs[0] = w.part(0)
	all.Wait()
	for _, t := range tallies {
		w.hits += t.hits
		w.writes += t.writes
	}
	w.done += len(w.ops)
	return errors.Join(errs...)
}

// part does the i-th part of the operations.
func (w *work[K, V]) part(i int) (all tally, err error) {
	ops, settled := w.ops[len(w.ops)*i/w.goroutines:len(w.ops)*(i+1)/w.goroutines], 0
	for some := range slices.Chunk(ops, batch) {
		t, err := w.do(some, w.data.values, w.ttl)
		all.hits += t.hits
		all.writes += t.writes
		if err == nil && w.settles && all.writes-settled >= batch {
			err = w.settle(true)
			settled = all.writes
		}
		if err != nil {
			return all, err
		}
	}
	if w.sync || w.settles && all.writes > settled {
		err = w.settle(!w.sync)
	}
	return all, err
}

func (w *work[K, V]) check() error { return nil }

// load puts a value under each key, and settles.
func (w *work[K, V]) load(keys []K) error {
	w.buf = appendOps(w.buf[:0], put, keys, 0)
	l := work[K, V]{driver: w.driver, data: w.data, ttl: w.ttl, goroutines: 1, settles: true, sync: true, ops: w.buf}
	return l.run()
}

// present returns the number of keys that are present.
func (w *work[K, V]) present(keys []K) (int, error) {
	w.buf = appendOps(w.buf[:0], get, keys, 0)
	t, err := w.do(w.buf, nil, nil)
	return t.hits, err
}

// readThrough gets the keys of ops and puts the keys that miss, so that the cache holds what it would hold in use.
func (w *work[K, V]) readThrough(ops []op[K]) error {
	for some := range slices.Chunk(ops, batch) {
		for _, o := range some {
			_, ok, err := w.value(o.key)
			if err == nil && !ok {
				_, err = w.do([]op[K]{{o.key, o.value, put}}, w.data.values, w.ttl)
			}
			if err != nil {
				return err
			}
		}
		if err := w.settle(true); err != nil {
			return err
		}
	}
	return w.settle(false)
}

// reading gets keys that are all present or all absent.
type reading[K keyType, V any] struct {
	work[K, V]
	hitRatio int
}

func (r *reading[K, V]) check() error {
	if want := r.hitRatio * r.done; r.hits != want {
		return fmt.Errorf("%d of %d Gets hit, want %d", r.hits, r.done, want)
	}
	return nil
}

// overwriting puts another value under each hot key in each cycle.
type overwriting[K keyType, V any] struct{ work[K, V] }

func (o *overwriting[K, V]) prepare(n int) (int, error) {
	if o.done%hotKeys == 0 { // load has put the values from the index 0 on
		o.cycle = appendOps(o.cycle[:0], put, o.data.hot, o.done/hotKeys*7+1)
	}
	return o.work.prepare(n)
}

func (o *overwriting[K, V]) check() error {
	if err := o.settle(false); err != nil {
		return err
	}
	for i := 0; i < len(o.ops); i += 97 {
		got, ok, err := o.value(o.ops[i].key)
		if err != nil {
			return err
		}
		if !ok || !reflect.DeepEqual(got, o.data.values[o.ops[i].value]) {
			return errors.New("an overwritten key does not have its last value")
		}
	}
	return nil
}

// inserting puts new keys into a full cache.
type inserting[K keyType, V any] struct {
	work[K, V]
	rejects bool // the cache may reject a new key
	keys    []K
}

func (i *inserting[K, V]) prepare(n int) (int, error) {
	n = min(n, freshRun)
	i.keys = i.data.newKeys(slices.Grow(i.keys[:0], n)[:n])
	i.ops = appendOps(i.ops[:0], put, i.keys, 0)
	return len(i.ops), nil
}

// check looks at the newest keys, which a cache evicts last.
func (i *inserting[K, V]) check() error {
	newest := i.keys[max(0, len(i.keys)-batch):]
	found, err := i.present(newest)
	if err != nil {
		return err
	}
	want := len(newest) * 9 / 10
	if i.rejects {
		want = len(newest) / 20
	}
	if found < want {
		return fmt.Errorf("%d of the %d newest keys are present, want at least %d", found, len(newest), want)
	}
	return nil
}

// removing invalidates hot keys, which prepare puts.
type removing[K keyType, V any] struct{ work[K, V] }

func (r *removing[K, V]) prepare(n int) (int, error) {
	keys := r.data.hot[:min(n, hotKeys)]
	if err := r.load(keys); err != nil {
		return 0, err
	}
	if found, err := r.present(keys); err != nil || found < len(keys) {
		return 0, fmt.Errorf("%d of %d loaded keys are present: %w", found, len(keys), err)
	}
	r.ops = appendOps(r.ops[:0], remove, keys, 0)
	return len(r.ops), nil
}

func (r *removing[K, V]) check() error {
	found, err := r.present(r.data.hot[:len(r.ops)])
	if err == nil && found > 0 {
		err = fmt.Errorf("%d of %d removed keys are present", found, len(r.ops))
	}
	return err
}

// mixing gets and puts on several goroutines.
type mixing[K keyType, V any] struct {
	work[K, V]
	share int // percentage of writes
}

// check allows a difference of a hundredth between the shares of writes, and checks no short run.
func (m *mixing[K, V]) check() error {
	if m.done < mixSteps/10 {
		return nil
	}
	got := 100 * float64(m.writes) / float64(m.done)
	if math.Abs(got-float64(m.share)) > 1 {
		return fmt.Errorf("%.1f %% of the operations write, want %d %%", got, m.share)
	}
	if m.hits == 0 {
		return errors.New("no Get hits")
	}
	return nil
}

// job opens a cache and loads the entries that the scenario needs.
func (l library[K, V]) job(i impl, s scenario, d *data[K, V], valueSize int) (j job, err error) {
	entries := capacity
	if s.name == mixed {
		entries = mixKeys / 16
	}
	c := l.capacity(entries, valueSize)
	w := work[K, V]{data: d, goroutines: max(1, s.goroutines)}
	if s.ttl {
		c.ttl, w.ttl = lifetime, new(lifetime)
	}
	if w.driver, err = l.open(i, c); err != nil {
		return nil, err
	}
	switch s.name {
	case getHit, getTTL:
		w.cycle = appendOps(nil, get, d.hot, 0)
		j, err = &reading[K, V]{w, 1}, w.load(d.hot)
	case getMiss:
		w.cycle = appendOps(nil, get, d.absent, 0)
		j, err = &reading[K, V]{w, 0}, w.load(d.hot)
	case putOverwrite, putTTL:
		j, err = &overwriting[K, V]{w}, w.load(d.hot)
	case putNew:
		w.settles, w.sync = true, true
		in := &inserting[K, V]{work: w}
		if in.rejects, err = l.rejects(); err == nil {
			_, err = timed(in, l.fills(c, valueSize))
		}
		j = in
	case invalidate:
		w.sync = true
		j = &removing[K, V]{w}
	default:
		w.settles, w.cycle = true, d.mix(s.writes)
		j, err = &mixing[K, V]{w, s.writes}, w.readThrough(w.cycle)
	}
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	return j, nil
}

// rejects reports whether an admission policy may reject a new key.
func (l library[K, V]) rejects() (bool, error) {
	b, err := l.openAdapter(l.capacity(1, 1))
	if err != nil {
		return false, err
	}
	return backend.TraitsOf(b).Rejects, backend.Close(b)
}

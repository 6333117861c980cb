package main

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"sync"
	"time"
)

// A job is a scenario on one cache. The caller repeats prepare, run and check, and times only run.
type job interface {
	// prepare prepares at most n operations and returns their number.
	prepare(n int) (int, error)
	run(n int) error
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
		err = j.run(m)
		took += time.Since(start)
		if err = errors.Join(err, j.check()); err != nil {
			return 0, err
		}
		n -= m
	}
	return took, nil
}

// work is the common part of all jobs.
type work[K keyType, V any] struct {
	driver[K, V]
	data *data[K, V]
	ttl  *time.Duration // nil: none
	next int            // number of operations done
}

func (w *work[K, V]) prepare(n int) (int, error) { return n, nil }
func (w *work[K, V]) check() error               { return nil }

// load puts a value under each key, and settles.
func (w *work[K, V]) load(keys []K) error {
	for first := 0; first < len(keys); first += batch {
		some := keys[first:min(first+batch, len(keys))]
		err := errors.Join(w.puts(some, w.data.values[first%hotKeys:], w.ttl), w.settle(true))
		if err != nil {
			return err
		}
	}
	return w.settle(false)
}

// readThrough gets the keys of steps and puts the keys that miss, so that the cache holds what it would hold in use.
func (w *work[K, V]) readThrough(steps []step[K]) error {
	missed := 0
	for i, s := range steps {
		_, ok, err := w.value(s.key)
		if err == nil && !ok {
			err = w.puts([]K{s.key}, w.data.values[i%hotKeys:], w.ttl)
			if missed++; missed%batch == 0 {
				err = errors.Join(err, w.settle(true))
			}
		}
		if err != nil {
			return err
		}
	}
	return w.settle(false)
}

// each calls f with the next n keys, which start again after the last, in one or several parts.
func (w *work[K, V]) each(n int, keys []K, f func(at int, keys []K) error) error {
	for n > 0 {
		at := w.next % len(keys)
		m := min(n, len(keys)-at)
		if err := f(at, keys[at:at+m]); err != nil {
			return err
		}
		w.next += m
		n -= m
	}
	return nil
}

// reading gets keys that are all present or all absent.
type reading[K keyType, V any] struct {
	work[K, V]
	keys     []K
	hitRatio int
	hits     int
}

func (r *reading[K, V]) run(n int) error {
	return r.each(n, r.keys, func(_ int, keys []K) error {
		hits, err := r.gets(keys)
		r.hits += hits
		return err
	})
}

func (r *reading[K, V]) check() error {
	if want := r.hitRatio * r.next; r.hits != want {
		return fmt.Errorf("%d of %d Gets hit, want %d", r.hits, r.next, want)
	}
	return nil
}

// overwriting puts other values under keys that are present.
type overwriting[K keyType, V any] struct{ work[K, V] }

func (o *overwriting[K, V]) run(n int) error {
	return o.each(n, o.data.hot, func(at int, keys []K) error {
		return o.puts(keys, o.data.values[at+shift(o.next):], o.ttl)
	})
}

// shift returns the distance from the place of a key to the place of its value in the i-th Put. It differs in each
// round over the keys, so that each round puts other values.
func shift(i int) int { return i / hotKeys * 7 % hotKeys }

func (o *overwriting[K, V]) check() error {
	if err := o.settle(false); err != nil {
		return err
	}
	for i := max(0, o.next-hotKeys); i < o.next; i += 97 {
		at := i % hotKeys
		got, ok, err := o.value(o.data.hot[at])
		if err != nil {
			return err
		}
		if want := o.data.values[at+shift(i)]; !ok || !reflect.DeepEqual(got, want) {
			return errors.New("an overwritten key does not have its last value")
		}
	}
	return nil
}

// inserting puts new keys into a full cache.
type inserting[K keyType, V any] struct {
	work[K, V]
	rejects bool // the cache may reject a new key
	buf     []K
	keys    []K
}

func (i *inserting[K, V]) prepare(n int) (int, error) {
	if i.buf == nil {
		i.buf = make([]K, freshRun)
	}
	i.keys = i.data.newKeys(i.buf[:min(n, freshRun)])
	return len(i.keys), nil
}

func (i *inserting[K, V]) run(int) error { return i.load(i.keys) }

// check looks at the newest keys, which a cache evicts last.
func (i *inserting[K, V]) check() error {
	newest := i.keys[max(0, len(i.keys)-batch):]
	found, err := i.gets(newest)
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

// removing invalidates keys that are present.
type removing[K keyType, V any] struct {
	work[K, V]
	keys []K
}

func (r *removing[K, V]) prepare(n int) (int, error) {
	r.keys = r.data.hot[:min(n, hotKeys)]
	if err := r.load(r.keys); err != nil {
		return 0, err
	}
	if found, err := r.gets(r.keys); err != nil || found < len(r.keys) {
		return 0, fmt.Errorf("%d of %d loaded keys are present: %w", found, len(r.keys), err)
	}
	return len(r.keys), nil
}

func (r *removing[K, V]) run(int) error { return errors.Join(r.removes(r.keys), r.settle(false)) }

func (r *removing[K, V]) check() error {
	found, err := r.gets(r.keys)
	if err == nil && found > 0 {
		err = fmt.Errorf("%d of %d removed keys are present", found, len(r.keys))
	}
	return err
}

// mixing gets and puts on several goroutines.
type mixing[K keyType, V any] struct {
	work[K, V]
	steps    []step[K]
	scenario scenario
	tally
}

func (m *mixing[K, V]) run(n int) error {
	g := m.scenario.goroutines
	tallies, errs := make([]tally, g), make([]error, g)
	var all sync.WaitGroup
	for i := range g {
		at := (m.next/g + i*len(m.steps)/g) % len(m.steps)
		share := n*(i+1)/g - n*i/g
		all.Go(func() { tallies[i], errs[i] = m.part(at, share) })
	}
	all.Wait()
	m.next += n
	for _, t := range tallies {
		m.add(t)
	}
	return errors.Join(errs...)
}

// part does n steps, beginning with the step at the index at.
func (m *mixing[K, V]) part(at, n int) (t tally, err error) {
	value, unsettled := m.data.values[at%len(m.data.values)], 0
	for n > 0 {
		steps := m.steps[at:min(at+n, at+batch, len(m.steps))]
		done, err := m.driver.mix(steps, value)
		t.add(done)
		if err != nil {
			return t, err
		}
		if unsettled += done.writes; unsettled >= batch || n == len(steps) && unsettled > 0 {
			if err := m.settle(true); err != nil {
				return t, err
			}
			unsettled = 0
		}
		n, at = n-len(steps), (at+len(steps))%len(m.steps)
	}
	return t, nil
}

// check compares the share of writes with the scenario's. It allows a difference of a hundredth, and checks no short run.
func (m *mixing[K, V]) check() error {
	if got := m.reads + m.writes; got != m.next {
		return fmt.Errorf("%d operations, want %d", got, m.next)
	}
	if m.next < mixSteps/10 {
		return nil
	}
	share := float64(m.writes) / float64(m.next)
	if math.Abs(share-float64(m.scenario.writes)/100) > 0.01 {
		return fmt.Errorf("%.1f %% of the operations write, want %d %%", 100*share, m.scenario.writes)
	}
	if m.hits == 0 {
		return errors.New("no Get hits")
	}
	return nil
}

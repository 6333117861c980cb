package bench

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"sync"
	"time"
)

// A Case is a kind of work.
type Case struct {
	Name string // as in the names of benchmarks
	// TTL says that the entries have one.
	TTL bool
	// Writes and Goroutines are those of a mix.
	Writes, Goroutines int
}

// String returns the name of c with what distinguishes it.
func (c Case) String() string {
	if c.Name != mixed {
		return c.Name
	}
	return fmt.Sprintf("%s/writes=%d/goroutines=%d", c.Name, c.Writes, c.Goroutines)
}

// The names of the cases.
const (
	getHit       = "GetHit"
	getMiss      = "GetMiss"
	getTTL       = "GetTTL"
	putNew       = "PutNew"
	putOverwrite = "PutOverwrite"
	putTTL       = "PutTTL"
	invalidate   = "Invalidate"
	mixed        = "Mixed"
)

// Cases are all there are.
func Cases() []Case {
	return []Case{
		{Name: getHit},
		{Name: getMiss},
		{Name: putNew},
		{Name: putOverwrite},
		{Name: putTTL, TTL: true},
		{Name: getTTL, TTL: true},
		{Name: invalidate},
		{Name: mixed, Writes: 10, Goroutines: 1},
		{Name: mixed, Writes: 0, Goroutines: 2},
		{Name: mixed, Writes: 10, Goroutines: 2},
		{Name: mixed, Writes: 50, Goroutines: 2},
		{Name: mixed, Writes: 10, Goroutines: 8},
	}
}

// lifetime is the TTL of entries that have one. None expires.
const lifetime = time.Hour

// A Job is a case on one cache. The caller repeats: Prepare, which is not timed,
// then Run, which is, then Check.
type Job interface {
	// Prepare makes ready for at most n operations and returns for how many.
	Prepare(n int) (int, error)
	Run(n int) error
	// Check reports whether Run did what it should have.
	Check() error
	Close() error
}

// work is what all jobs have.
type work[K Key, V any] struct {
	driver[K, V]
	data  *data[K, V]
	facts Facts
	ttl   *time.Duration // nil: none
	next  int            // operations done
}

func (w *work[K, V]) Prepare(n int) (int, error) { return n, nil }
func (w *work[K, V]) Check() error               { return nil }
func (w *work[K, V]) Close() error               { return w.close() }

// put puts under keys the values from the first on, and settles while at it.
func (w *work[K, V]) put(keys []K, first int) error {
	for len(keys) > 0 {
		n := min(batch, len(keys))
		if err := w.puts(keys[:n], w.data.values[first%hotKeys:], w.ttl); err != nil {
			return err
		}
		if err := w.settle(true); err != nil {
			return err
		}
		keys, first = keys[n:], first+n
	}
	return nil
}

// load puts under keys, at once and for good.
func (w *work[K, V]) load(keys []K) error {
	return errors.Join(w.put(keys, 0), w.settle(false))
}

// readThrough gets the keys of steps and puts those that miss, so that the cache
// holds what it would after a while of use.
func (w *work[K, V]) readThrough(steps mix[K]) error {
	missed := 0
	for i, s := range steps {
		_, ok, err := w.value(s.key)
		if err != nil {
			return err
		}
		if ok {
			continue
		}
		if err := w.puts([]K{s.key}, w.data.values[i%hotKeys:], w.ttl); err != nil {
			return err
		}
		if missed++; missed%batch == 0 {
			if err := w.settle(true); err != nil {
				return err
			}
		}
	}
	return w.settle(false)
}

// each calls f with the n hot keys that are next, or parts of them.
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

// reading gets hot keys that are there, or absent ones.
type reading[K Key, V any] struct {
	work[K, V]
	keys []K
	want float64 // the hit ratio
	done int
	hits int
}

func (r *reading[K, V]) Run(n int) error {
	r.done += n
	return r.each(n, r.keys, func(_ int, keys []K) error {
		hits, err := r.gets(keys)
		r.hits += hits
		return err
	})
}

func (r *reading[K, V]) Check() error {
	if want := int(r.want * float64(r.done)); r.hits != want {
		return fmt.Errorf("%d of %d gets hit, want %d", r.hits, r.done, want)
	}
	return nil
}

// overwriting puts other values under hot keys.
type overwriting[K Key, V any] struct{ work[K, V] }

func (o *overwriting[K, V]) Run(n int) error {
	return o.each(n, o.data.hot, func(at int, keys []K) error {
		return o.puts(keys, o.data.values[at+o.shift(o.next):], o.ttl)
	})
}

// shift returns how far beside its key's place the value of the i-th put is: each
// round puts other values.
func (o *overwriting[K, V]) shift(i int) int { return i / hotKeys * 7 % hotKeys }

func (o *overwriting[K, V]) Check() error {
	if err := o.settle(false); err != nil {
		return err
	}
	for i := max(0, o.next-hotKeys); i < o.next; i += 97 {
		at := i % hotKeys
		got, ok, err := o.value(o.data.hot[at])
		if err != nil {
			return err
		}
		if want := o.data.values[at+o.shift(i)]; !ok || !reflect.DeepEqual(got, want) {
			return errors.New("an overwritten key does not have the last value")
		}
	}
	return nil
}

// inserting puts new keys into a full cache.
type inserting[K Key, V any] struct {
	work[K, V]
	keys []K
	room []K
}

func (i *inserting[K, V]) Prepare(n int) (int, error) {
	if i.room == nil {
		i.room = make([]K, freshRun)
	}
	i.keys = i.data.newKeys(i.room[:min(n, freshRun)])
	return len(i.keys), nil
}

func (i *inserting[K, V]) Run(int) error {
	return errors.Join(i.put(i.keys, 0), i.settle(false))
}

// Check looks at the newest keys, which no cache has reason to have evicted.
func (i *inserting[K, V]) Check() error {
	newest := i.keys[max(0, len(i.keys)-batch):]
	found, err := i.gets(newest)
	if err != nil {
		return err
	}
	want := len(newest) * 9 / 10
	if i.facts.Admits {
		want = len(newest) / 20
	}
	if found < want {
		return fmt.Errorf("%d of the %d newest keys are there, want at least %d", found, len(newest), want)
	}
	return nil
}

// fill puts new keys until the cache is full.
func (i *inserting[K, V]) fill(n int) error {
	for n > 0 {
		m, err := i.Prepare(n)
		if err != nil {
			return err
		}
		if err := i.Run(m); err != nil {
			return err
		}
		n -= m
	}
	return nil
}

// removing invalidates keys that are there.
type removing[K Key, V any] struct {
	work[K, V]
	keys []K
}

func (r *removing[K, V]) Prepare(n int) (int, error) {
	r.keys = r.data.hot[:min(n, hotKeys)]
	if err := r.load(r.keys); err != nil {
		return 0, err
	}
	if found, err := r.gets(r.keys); err != nil || found < len(r.keys) {
		return 0, fmt.Errorf("%d of %d keys to remove are there: %w", found, len(r.keys), err)
	}
	return len(r.keys), nil
}

func (r *removing[K, V]) Run(int) error {
	return errors.Join(r.removes(r.keys), r.settle(false))
}

func (r *removing[K, V]) Check() error {
	found, err := r.gets(r.keys)
	if err == nil && found > 0 {
		err = fmt.Errorf("%d of %d removed keys are there", found, len(r.keys))
	}
	return err
}

// mixing gets and puts on several goroutines.
type mixing[K Key, V any] struct {
	work[K, V]
	steps mix[K]
	kind  Case
	done  int
	tally
}

func (m *mixing[K, V]) Run(n int) error {
	g := m.kind.Goroutines
	tallies, errs := make([]tally, g), make([]error, g)
	var all sync.WaitGroup
	for i := range g {
		at := (m.next + i*len(m.steps)/g) % len(m.steps)
		share := n*(i+1)/g - n*i/g
		all.Go(func() { tallies[i], errs[i] = m.part(at, share) })
	}
	all.Wait()
	m.next += n / g
	m.done += n
	for _, t := range tallies {
		m.add(t)
	}
	return errors.Join(errs...)
}

// part does n steps from the one at on.
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

// Check reports an error if what ran is not the mix of the case, within a hundredth
// and what chance does to a short run.
func (m *mixing[K, V]) Check() error {
	if got := m.reads + m.writes; got != m.done {
		return fmt.Errorf("%d operations, want %d", got, m.done)
	}
	if m.done < mixSteps/10 {
		return nil
	}
	share := float64(m.writes) / float64(m.done)
	if math.Abs(share-float64(m.kind.Writes)/100) > 0.01 {
		return fmt.Errorf("%.1f %% writes, want %d", 100*share, m.kind.Writes)
	}
	if m.hits == 0 {
		return errors.New("no get has hit")
	}
	return nil
}

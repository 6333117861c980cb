package conformance

import (
	"fmt"
	"maps"
	"math"
	"sync/atomic"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// countersRise reads Stats and fails the check if a counter has decreased. It returns the counters.
func (p *probe[K, V]) countersRise(seen map[string]uint64) map[string]uint64 {
	s, err := p.b.Stats(p.ctx)
	if err != nil {
		panic(&fault{what: fmt.Sprintf("Stats under load returned the error %q", err), want: "nil"})
	}
	for name, was := range seen {
		is, ok := s.Counters[name]
		if !ok {
			panic(&fault{
				what: fmt.Sprintf("the counter %s is no longer reported under load", name),
				want: "a counter that is reported once is always reported",
			})
		}
		if is < was {
			panic(&fault{
				what: fmt.Sprintf("the counter %s fell from %d to %d under load", name, was, is),
				want: "counters never fall",
			})
		}
	}
	return s.Counters
}

// noCounters skips a check if the backend reports none of the named counters, or no counter at all if names is empty.
func noCounters[K comparable, V any](names ...string) func(r *runner[K, V]) string {
	return func(r *runner[K, V]) string {
		var has map[string]uint64
		_ = r.session(Options{}, func(p *probe[K, V]) {
			p.loose = true
			_ = p.b.Put(p.ctx, p.key(0), p.r.values.At(0), nil)
			_, _, _ = p.b.Get(p.ctx, p.key(0))
			if s, err := p.b.Stats(p.ctx); err == nil {
				has = maps.Clone(s.Counters)
			}
		})
		for _, name := range names {
			if _, ok := has[name]; ok {
				return ""
			}
		}
		if len(names) == 0 && len(has) > 0 {
			return ""
		}
		return "the backend does not report such a counter"
	}
}

// counts checks how much the reported counters rise during f.
func (p *probe[K, V]) counts(want map[string]uint64, f func()) {
	before := p.stats().Counters
	dropped := p.dropped
	p.counting = true
	f()
	p.counting = false
	p.settle()
	after := p.stats().Counters
	if p.dropped != dropped {
		return // an entry was rejected, so hits and misses differ
	}
	for name, n := range want {
		was, reported := before[name]
		if is := after[name]; reported && is-was != n {
			p.failf("the counter %s rose by %d, from %d to %d", name, int64(is-was), was, is)("a rise by %d", n)
		}
	}
}

func checkStatsSizeCapacity[K comparable, V any](p *probe[K, V]) {
	capacity := p.opts.Capacity
	p.lossy = true
	for i := range capacity {
		p.put(p.key(i))
	}
	p.settle()
	p.fits(capacity)
	for i := range 3 * capacity {
		p.put(p.key(i))
	}
	p.settle()
	p.fits(3 * capacity)
	for i := range capacity { // and with TTLs
		p.putTTL(p.key(i), 100*p.unit())
	}
	p.settle()
	p.fits(3 * capacity)
}

func checkStatsSizeCapacitySettles[K comparable, V any](p *probe[K, V]) {
	p.lossy = true
	for i := range 300 {
		p.put(p.key(i))
		if i%37 == 0 {
			p.settle()
			if size := p.size(); size > 50 {
				p.failf("with a capacity of 50, Stats().Size = %d", size)("at most 50")
			}
		}
	}
}

func checkStatsSizeCapacityConcurrent[K comparable, V any](p *probe[K, V]) {
	p.loose = true
	vals := []V{p.val(), p.val()}
	parallel(func() {
		for round := range p.rounds(30) {
			p.together(6, func(g int) {
				for i := range 25 {
					k := p.key(i*6 + g)
					if round%2 == 1 { // all put the same keys
						k = p.key(i)
					}
					_ = p.b.Put(p.ctx, k, vals[g%2], nil)
					yield(uint64(i) % 2)
				}
			})
			p.settle()
			held, size := 0, p.size()
			for i := range 150 {
				c := p.cell(p.key(i))
				c.past = vals
				if _, hit := p.get(p.key(i)); hit {
					held++
				}
			}
			if size > 20 || held > 20 {
				p.failf("after six goroutines put keys at a capacity of 20: Size = %d, and %d of them hit", size, held)(
					"at most 20")
			}
			if size != int64(held) {
				p.missized(fmt.Sprintf("%d: that many keys hit", held), "Stats().Size = %d", size)
			}
		}
	})
}

func checkStatsSizeChurn[K comparable, V any](p *probe[K, V]) {
	p.lossy = true
	for i := range 3000 {
		k := p.key(int(mix(uint64(i)) % 300))
		switch mix(uint64(i)+1e6) % 10 {
		case 0:
			p.invalidate(k)
		case 1:
			p.putTTL(k, time.Duration(1+i%3)*p.unit())
		case 2:
			p.get(k)
		default:
			p.put(k)
		}
		if i%500 == 499 && p.r.bubble {
			p.sleep(p.unit())
		}
	}
	p.settle()
	p.sleep(p.lag())
	held, size := 0, p.size()
	for i := range 300 {
		if _, hit := p.get(p.key(i)); hit {
			held++
		}
	}
	if int64(held) != size || held > 100 {
		p.failf("after random puts and removals with a capacity of 100, Stats().Size = %d", size)(
			"%d: that many keys hit (at most 100)", held)
	}
}

func noExactSize[K comparable, V any](r *runner[K, V]) string {
	if r.traits.SizeLag > 0 || r.traits.Rejects {
		return "Size is not declared exact at every moment"
	}
	return ""
}

func checkStatsSizeRandomSequence[K comparable, V any](r *runner[K, V]) error {
	return r.random(Options{Capacity: 100}, 150)
}

func checkStatsSizeNew[K comparable, V any](p *probe[K, V]) { p.wantSize(0) }

func checkStatsSizeOneEach[K comparable, V any](p *probe[K, V]) {
	for i := range min(200, p.r.keys.N) {
		p.wantSize(int64(i))
		p.put(p.key(i))
	}
	p.wantSize(int64(min(200, p.r.keys.N)))
}

func checkStatsSizeOverwrite[K comparable, V any](p *probe[K, V]) {
	for range 10 {
		p.put(p.key(0))
		p.put(p.key(0))
		p.wantSize(1)
		p.putTTL(p.key(0), 100*p.unit())
		p.wantSize(1)
	}
	p.put(p.key(1))
	p.wantSize(2)
}

func checkStatsSizeGet[K comparable, V any](p *probe[K, V]) {
	p.put(p.key(0))
	for range 10 {
		p.hit(p.key(0))
		p.miss(p.key(1))
		p.wantSize(1)
	}
}

func checkStatsSizeInvalidate[K comparable, V any](p *probe[K, V]) {
	n := min(20, p.r.keys.N)
	for i := range n {
		p.put(p.key(i))
	}
	for i := range n {
		p.invalidate(p.key(i))
		p.wantSize(int64(n - i - 1))
		p.invalidate(p.key(i))
		p.wantSize(int64(n - i - 1))
	}
	p.invalidate(p.key(0))
	p.wantSize(0)
	p.put(p.key(0))
	p.wantSize(1)
	p.clear()
	p.wantSize(0)
	p.clear()
	p.wantSize(0)
	p.put(p.key(0))
	p.wantSize(1)
}

func checkStatsSizeInvalidateWithTTL[K comparable, V any](p *probe[K, V]) {
	n := min(20, p.r.keys.N)
	ttls := []time.Duration{p.unit(), 100 * p.unit(), math.MaxInt64}
	for round := range 2 {
		for i := range n {
			p.putTTL(p.key(i), ttls[i%len(ttls)])
		}
		p.wantSize(int64(n))
		if round == 0 {
			p.clear()
		} else {
			for i := range n { // no Get in between: Size must change by itself
				p.invalidate(p.key(i))
				p.wantSize(int64(n - i - 1))
			}
		}
		p.wantSize(0)
	}
	p.putTTL(p.key(0), 100*p.unit())
	p.putTTL(p.key(0), 0)
	p.wantSize(0)
	p.putTTL(p.key(0), 100*p.unit())
	p.put(p.key(0))
	p.wantSize(1)
	p.sleep(2 * p.unit())
	p.wantSize(1)
}

func checkStatsSizeExpired[K comparable, V any](p *probe[K, V]) {
	n := min(20, p.r.keys.N/2)
	for i := range n {
		p.put(p.key(i))
		p.putTTL(p.key(n+i), p.unit())
	}
	p.wantSize(int64(2 * n))
	p.sleep(p.unit() + p.tick())
	p.wantSizeLagging(int64(n)) // no Get since: Size alone must be correct
	for i := range n {
		p.miss(p.key(n + i))
	}
	p.wantSize(int64(n))
}

func checkStatsSizeExpiredInTurn[K comparable, V any](p *probe[K, V]) {
	n := min(8, p.r.keys.N)
	for i := range n {
		p.putTTL(p.key(i), time.Duration(2*i+2)*p.unit())
	}
	p.sleep(p.unit())
	for range n {
		if p.r.bubble {
			p.wantSizeLagging(p.atMost())
		}
		p.sleep(2 * p.unit())
	}
	p.wantSizeLagging(0)
}

func checkStatsSizeExpiredThenChanged[K comparable, V any](p *probe[K, V]) {
	n := min(10, p.r.keys.N)
	for i := range n {
		p.putTTL(p.key(i), p.unit())
	}
	p.sleep(p.unit() + p.tick())
	p.put(p.key(0))        // over an expired entry
	p.invalidate(p.key(1)) // of one
	p.miss(p.key(1))
	p.wantSizeLagging(1)
	p.putTTL(p.key(0), 0)
	p.wantSize(0)
}

func checkStatsSizeZeroTTL[K comparable, V any](p *probe[K, V]) {
	p.put(p.key(0))
	p.putTTL(p.key(1), 0)
	p.wantSize(1)
	p.putTTL(p.key(0), 0)
	p.wantSize(0)
	p.putTTL(p.key(0), -1)
	p.wantSize(0)
}

func checkStatsSizeNoSideEffect[K comparable, V any](p *probe[K, V]) {
	p.put(p.key(0))
	p.putTTL(p.key(1), p.unit())
	for range 20 {
		p.wantSize(2)
	}
	s := p.stats()
	if s.Counters != nil { // the map belongs to the caller
		for name := range s.Counters {
			s.Counters[name] += 1000
		}
		again := p.stats().Counters
		for name, n := range again {
			if n >= 1000 {
				p.failf("a counter (%s) has the value that the caller wrote into an earlier map", name)(
					"each call of Stats returns a map of its own")
			}
		}
	}
	p.hit(p.key(0))
	p.hit(p.key(1))
	p.miss(p.key(1))
}

func checkStatsCountersHitsAndMisses[K comparable, V any](p *probe[K, V]) {
	p.put(p.key(0))
	p.putTTL(p.key(1), p.unit())
	p.settle()
	p.counts(map[string]uint64{backend.CounterHits: 3}, func() {
		p.hit(p.key(0))
		p.hit(p.key(0))
		p.alive(p.key(1))
	})
	p.counts(map[string]uint64{backend.CounterHits: 0, backend.CounterMisses: 2}, func() {
		p.putTTL(p.key(0), 0)
		p.miss(p.key(0))
		p.put(p.key(0))
		p.invalidate(p.key(0))
		p.miss(p.key(0))
	})
	p.sleep(p.unit() + p.tick())
	p.counts(map[string]uint64{backend.CounterHits: 0, backend.CounterMisses: 1}, func() { p.miss(p.key(1)) })
	p.counts(map[string]uint64{backend.CounterHits: 0, backend.CounterMisses: 1}, func() { // Stats was not called since the entry expired
		p.putTTL(p.key(1), p.unit())
		p.sleep(p.unit() + p.r.traits.ExpiryLag + p.tick())
		p.miss(p.key(1))
	})
	p.counts(map[string]uint64{backend.CounterHits: 0, backend.CounterMisses: 0, backend.CounterEvictions: 0}, func() {
		p.put(p.key(0))
		p.put(p.key(0))
		p.invalidate(p.key(0))
		p.putTTL(p.key(0), 0)
		p.size()
	})
	p.counts(map[string]uint64{backend.CounterHits: 0, backend.CounterMisses: 100}, func() {
		for range 100 {
			p.miss(p.key(0))
		}
	})
}

func checkStatsCountersClearKeeps[K comparable, V any](p *probe[K, V]) {
	p.put(p.key(0))
	p.hit(p.key(0))
	p.miss(p.key(1))
	p.settle()
	p.counts(map[string]uint64{backend.CounterHits: 0, backend.CounterMisses: 0}, p.clear) // counters never fall
}

func noExactEvictions[K comparable, V any](r *runner[K, V]) string {
	if r.traits.Bound != backend.BoundExact || r.traits.Rejects || r.keys.N < 100 {
		return "the backend does not evict exactly above a capacity"
	}
	return noCounters[K, V](backend.CounterEvictions)(r)
}

func checkStatsCountersEvictions[K comparable, V any](p *probe[K, V]) {
	p.lossy = true
	fill := func(from, to int) func() {
		return func() {
			for i := from; i < to; i++ {
				p.put(p.key(i))
			}
		}
	}
	p.counts(map[string]uint64{backend.CounterEvictions: 0}, fill(0, 10))
	p.counts(map[string]uint64{backend.CounterEvictions: 7}, fill(10, 17))
	p.counts(map[string]uint64{backend.CounterEvictions: 0}, fill(14, 17)) // over themselves
	p.counts(map[string]uint64{backend.CounterEvictions: 0}, p.clear)
	p.counts(map[string]uint64{backend.CounterEvictions: 0}, fill(20, 30))
	p.counts(map[string]uint64{backend.CounterEvictions: 0}, func() {
		for i := range 10 {
			p.invalidate(p.key(20 + i))
		}
		fill(40, 50)()
	})
}

func checkStatsCountersWhenFull[K comparable, V any](p *probe[K, V]) {
	p.lossy = true
	p.counts(map[string]uint64{backend.CounterHits: 0, backend.CounterMisses: 0}, func() {
		for i := range min(100, p.r.keys.N) { // no Get: nothing is hit or missed
			p.put(p.key(i))
		}
	})
}

func checkStatsCountersExpirations[K comparable, V any](p *probe[K, V]) {
	n := min(10, p.r.keys.N)
	p.counts(map[string]uint64{backend.CounterExpirations: 0}, func() {
		for i := range n {
			p.putTTL(p.key(i), 100*p.unit())
		}
		p.invalidate(p.key(0))
		p.put(p.key(1))
	})
	p.counts(map[string]uint64{backend.CounterExpirations: uint64(n - 2), backend.CounterEvictions: 0}, func() {
		start := time.Now()
		for i := range 2 { // deadlines of entries that are overwritten or removed before
			p.putTTL(p.key(i), 4*p.unit())
		}
		p.invalidate(p.key(0))
		p.put(p.key(1))
		if !p.r.bubble && time.Since(start) >= 4*p.unit() {
			panic(tooSlow("the machine", "replace entries"))
		}
		for i := 2; i < n; i++ {
			p.putTTL(p.key(i), p.unit())
			p.get(p.key(i)) // to see whether it was rejected
		}
		p.sleep(4*p.unit() + p.tick())
		for i := range n {
			p.get(p.key(i))
		}
		p.wantSizeLagging(1)
	})
}

func checkStatsCountersMonotone[K comparable, V any](p *probe[K, V]) {
	p.loose = true
	var done atomic.Bool
	p.together(4, func(g int) {
		if g == 3 {
			defer done.Store(true)
			var seen map[string]uint64
			for i := 0; i < 200 && !p.hurried(); i++ {
				seen = p.countersRise(seen)
			}
			return
		}
		for i := 0; !done.Load(); i++ {
			k := p.key((i + g) % min(8, p.r.keys.N))
			switch i % 7 {
			case 0:
				_ = p.b.Put(p.ctx, k, p.r.values.At(g), nil)
			case 6:
				_ = p.b.Invalidate(p.ctx, nil)
			default:
				_, _, _ = p.b.Get(p.ctx, k)
			}
		}
	})
	for i := range min(8, p.r.keys.N) {
		c := p.cell(p.key(i))
		for g := range 3 {
			c.past = append(c.past, p.r.values.At(g))
		}
	}
}

func checkStatsCountersLoad[K comparable, V any](p *probe[K, V]) {
	p.put(p.key(0))
	p.settle()
	before := p.stats().Counters
	var hits, misses atomic.Uint64 // that the goroutines see
	parallel(func() {
		var done atomic.Int64
		p.together(9, func(g int) {
			// An update that reverts others is visible only for a moment. A
			// goroutine that only reads may not run in that moment.
			var seen map[string]uint64
			if g == 8 {
				for done.Load() < 8 && !p.hurried() {
					seen = p.countersRise(seen)
				}
				return
			}
			defer done.Add(1)
			for i := range uint64(500) {
				_, hit, err := p.b.Get(p.ctx, p.key(int(i%2)))
				switch {
				case hit:
					hits.Add(1)
				case err == nil:
					misses.Add(1)
				}
				if i%16 == 0 && !p.hurried() {
					seen = p.countersRise(seen)
				}
				yield(i % 16 / 15)
			}
		})
	})
	p.settle()
	after := p.stats().Counters
	for name, most := range map[string]uint64{backend.CounterHits: hits.Load(), backend.CounterMisses: misses.Load()} {
		if was, ok := before[name]; ok && after[name]-was > most { // the counters are exact only for a single goroutine
			p.failf("the counter %s rose by %d under load", name, int64(after[name]-was))(
				"at most %d, which is how many there were", most)
		}
	}
	p.counts(map[string]uint64{backend.CounterHits: 10, backend.CounterMisses: 10}, func() {
		for range 10 { // and they are exact again for a single goroutine
			p.hit(p.key(0))
			p.miss(p.key(1))
		}
	})
}

func checkStatsSizeThroughout[K comparable, V any](r *runner[K, V]) error {
	if len(r.sizeFaults) == 0 {
		return nil
	}
	return r.sizeFaults[0]
}

// fits checks that the backend keeps its bound after Puts of the first n keys.
func (p *probe[K, V]) fits(n int) {
	held, size := 0, p.size()
	for i := range n {
		if _, hit := p.get(p.key(i)); hit {
			held++
		}
	}
	capacity := p.opts.Capacity
	switch p.r.traits.Bound {
	case backend.BoundExact:
		if int64(capacity) < size || held > capacity {
			p.hinted("New ignores Options.Capacity? A backend without a bound in entries declares Traits.Bound = backend.BoundNone or BoundApproximate",
				"at most the capacity", "with a capacity of %d and %d keys put: Size = %d, and %d of them hit", capacity, n, size, held)
		}
		if want := min(n, capacity); !p.r.traits.Rejects && held < want {
			p.failf("with a capacity of %d and %d keys put, %d of them hit", capacity, n, held)(
				"%d: nothing is evicted below the capacity", want)
		} else if held < want/2 {
			p.failf("with a capacity of %d and %d keys put, %d of them hit", capacity, n, held)("at least half of the capacity")
		}
	case backend.BoundApproximate:
		if n <= capacity && held < n/2 {
			p.failf("with a capacity of %d and %d keys put, %d of them hit", capacity, n, held)(
				"at least half: entries within the capacity stay, approximately")
		}
	case backend.BoundNone:
		if held < n && !p.r.traits.Rejects {
			p.failf("%d keys put, %d of them hit", n, held)("all: the backend declares BoundNone and so evicts nothing")
		}
	}
	if size != int64(held) {
		p.missized(fmt.Sprintf("%d: that many keys hit", held), "Stats().Size = %d", size)
	}
}

// keepsAll fills the backend to its capacity and runs a hundred times a call that needs no room. No entry may be
// evicted.
func (p *probe[K, V]) keepsAll(f func(i int)) {
	for i := range p.opts.Capacity {
		p.put(p.key(i))
	}
	p.settle()
	for i := range 100 {
		f(i)
	}
	p.settle()
	for i := range p.opts.Capacity {
		p.hit(p.key(i))
	}
	p.wantSize(int64(p.opts.Capacity))
}

package conformance

import (
	"fmt"
	"maps"
	"math"
	"sync/atomic"
	"time"

	"github.com/cachepact/cachepact/backend"
)

func statsChecks[K comparable, V any]() []check[K, V] {
	return []check[K, V]{
		{rule: "stats/size", kase: "new", run: func(p *probe[K, V]) { p.wantSize(0) }},
		{rule: "stats/size", kase: "one-each", run: func(p *probe[K, V]) {
			for i := range min(200, p.r.keys.N) {
				p.wantSize(int64(i))
				p.put(p.key(i))
			}
			p.wantSize(int64(min(200, p.r.keys.N)))
		}},
		{rule: "stats/size", kase: "overwrite", run: func(p *probe[K, V]) {
			for range 10 {
				p.put(p.key(0))
				p.put(p.key(0))
				p.wantSize(1)
				p.putTTL(p.key(0), 100*p.unit())
				p.wantSize(1)
			}
			p.put(p.key(1))
			p.wantSize(2)
		}},
		{rule: "stats/size", kase: "get", run: func(p *probe[K, V]) {
			p.put(p.key(0))
			for range 10 {
				p.hit(p.key(0))
				p.miss(p.key(1))
				p.wantSize(1)
			}
		}},
		{rule: "stats/size", kase: "invalidate", run: func(p *probe[K, V]) {
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
		}},
		{rule: "stats/size", kase: "invalidate-with-ttl", run: func(p *probe[K, V]) {
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
					for i := range n { // nothing is read in between: Size must follow by itself
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
		}},
		{rule: "stats/size", kase: "expired", run: func(p *probe[K, V]) {
			n := min(20, p.r.keys.N/2)
			for i := range n {
				p.put(p.key(i))
				p.putTTL(p.key(n+i), p.unit())
			}
			p.wantSize(int64(2 * n))
			p.sleep(p.unit() + p.tick())
			p.wantSizeLagging(int64(n)) // nothing was read: Size alone must know
			for i := range n {
				p.miss(p.key(n + i))
			}
			p.wantSize(int64(n))
		}},
		{rule: "stats/size", kase: "expired-in-turn", run: func(p *probe[K, V]) {
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
		}},
		{rule: "stats/size", kase: "expired-then-changed", run: func(p *probe[K, V]) {
			n := min(10, p.r.keys.N)
			for i := range n {
				p.putTTL(p.key(i), p.unit())
			}
			p.sleep(p.unit() + p.tick())
			p.put(p.key(0))        // over a dead entry
			p.invalidate(p.key(1)) // of one
			p.miss(p.key(1))
			p.wantSizeLagging(1)
			p.putTTL(p.key(0), 0)
			p.wantSize(0)
		}},
		{rule: "stats/size", kase: "zero-ttl", run: func(p *probe[K, V]) {
			p.put(p.key(0))
			p.putTTL(p.key(1), 0)
			p.wantSize(1)
			p.putTTL(p.key(0), 0)
			p.wantSize(0)
			p.putTTL(p.key(0), -1)
			p.wantSize(0)
		}},
		{rule: "stats/size", kase: "no-side-effect", run: func(p *probe[K, V]) {
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
						p.failf("a counter (%s) shows what the caller wrote into an earlier map", name)("each call of Stats returns a map of its own")
					}
				}
			}
			p.hit(p.key(0))
			p.hit(p.key(1))
			p.miss(p.key(1))
		}},
		{rule: "stats/counters", kase: "hits-and-misses", void: noCounters[K, V](backend.CounterHits, backend.CounterMisses), run: func(p *probe[K, V]) {
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
			p.counts(map[string]uint64{backend.CounterHits: 0, backend.CounterMisses: 1}, func() { // nor was Stats asked since it expired
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
		}},
		{rule: "stats/counters", kase: "clear-keeps", void: noCounters[K, V](backend.CounterHits, backend.CounterMisses), run: func(p *probe[K, V]) {
			p.put(p.key(0))
			p.hit(p.key(0))
			p.miss(p.key(1))
			p.settle()
			p.counts(map[string]uint64{backend.CounterHits: 0, backend.CounterMisses: 0}, p.clear) // counters never fall
		}},
		{rule: "stats/counters", kase: "evictions", opts: Options{Capacity: 10}, void: func(r *runner[K, V]) string {
			if r.traits.Bound != backend.BoundExact || r.traits.Rejects || r.keys.N < 100 {
				return "the backend does not evict exactly above a capacity"
			}
			return noCounters[K, V](backend.CounterEvictions)(r)
		}, run: func(p *probe[K, V]) {
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
		}},
		{rule: "stats/counters", kase: "when-full", opts: Options{Capacity: 10}, void: noCounters[K, V](backend.CounterHits, backend.CounterMisses), run: func(p *probe[K, V]) {
			p.lossy = true
			p.counts(map[string]uint64{backend.CounterHits: 0, backend.CounterMisses: 0}, func() {
				for i := range min(100, p.r.keys.N) { // no Get: nothing is hit or missed
					p.put(p.key(i))
				}
			})
		}},
		{rule: "stats/counters", kase: "expirations", void: noCounters[K, V](backend.CounterExpirations), run: func(p *probe[K, V]) {
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
				for i := range 2 { // deadlines that count for nothing when they come
					p.putTTL(p.key(i), 4*p.unit())
				}
				p.invalidate(p.key(0))
				p.put(p.key(1))
				if !p.r.bubble && time.Since(start) >= 4*p.unit() {
					panic(tooSlow("the machine", "replace entries"))
				}
				for i := 2; i < n; i++ {
					p.putTTL(p.key(i), p.unit())
					p.get(p.key(i)) // which tells whether it was refused
				}
				p.sleep(4*p.unit() + p.tick())
				for i := range n {
					p.get(p.key(i))
				}
				p.wantSizeLagging(1)
			})
		}},
		{rule: "stats/counters", kase: "monotone", void: noCounters[K, V](), run: func(p *probe[K, V]) {
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
		}},
		{rule: "stats/counters", kase: "load", void: noCounters[K, V](backend.CounterHits, backend.CounterMisses), run: func(p *probe[K, V]) {
			p.put(p.key(0))
			p.settle()
			before := p.stats().Counters
			var hits, misses atomic.Uint64 // that the goroutines see
			parallel(func() {
				var done atomic.Int64
				p.together(9, func(g int) {
					// An update that takes others back shows only for a moment, in which
					// the goroutine that does nothing but look may not run.
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
				if was, ok := before[name]; ok && after[name]-was > most { // fewer may be counted: only a single thread's are exact
					p.failf("the counter %s rose by %d under load", name, int64(after[name]-was))("at most %d, which is how many there were", most)
				}
			}
			p.counts(map[string]uint64{backend.CounterHits: 10, backend.CounterMisses: 10}, func() {
				for range 10 { // and a single thread's are exact again
					p.hit(p.key(0))
					p.miss(p.key(1))
				}
			})
		}},
	}
}

// countersRise reads Stats and fails the check if a counter is less than was seen
// before. It returns what is seen now.
func (p *probe[K, V]) countersRise(seen map[string]uint64) map[string]uint64 {
	s, err := p.b.Stats(p.ctx)
	if err != nil {
		panic(&fault{what: fmt.Sprintf("Stats under load returned the error %q", err), want: "nil"})
	}
	for name, was := range seen {
		is, ok := s.Counters[name]
		if !ok {
			panic(&fault{what: fmt.Sprintf("the counter %s is no longer reported under load", name), want: "what is reported once is reported always"})
		}
		if is < was {
			panic(&fault{what: fmt.Sprintf("the counter %s fell from %d to %d under load", name, was, is), want: "counters never fall"})
		}
	}
	return s.Counters
}

// noCounters is void if the backend reports none of the names, or nothing at all
// where none is given.
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

// counts checks by how much the counters that are reported rise during f.
func (p *probe[K, V]) counts(want map[string]uint64, f func()) {
	before := p.stats().Counters
	dropped := p.dropped
	p.counting = true
	f()
	p.counting = false
	p.settle()
	after := p.stats().Counters
	if p.dropped != dropped {
		return // a refused entry: hits and misses are not what they would be
	}
	for name, n := range want {
		was, reported := before[name]
		if is := after[name]; reported && is-was != n {
			p.failf("the counter %s rose by %d, from %d to %d", name, int64(is-was), was, is)("a rise by %d", n)
		}
	}
}

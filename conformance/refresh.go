package conformance

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"time"
)

// refreshRaces overwrites an expired entry while other goroutines make calls that may remove the expired entry.
func (p *probe[K, V]) refreshRaces(other func(k K)) {
	ttl := time.Duration(1)
	if !p.r.bubble {
		ttl = time.Millisecond
	}
	n := min(4, p.r.keys.N)
	for round := range p.rounds(150) {
		for i := range n {
			p.putTTL(p.key(i), ttl)
		}
		time.Sleep(2*ttl + p.r.traits.ExpiryLag)
		start := make(chan struct{})
		var wg sync.WaitGroup
		var mu sync.Mutex
		wg.Go(func() {
			<-start
			p.guard1(&mu, func() {
				for i := range n {
					yield(mix(uint64(round*n+i)) % 4)
					p.put(p.key(i))
				}
			})
		})
		for g := range 3 {
			wg.Go(func() {
				<-start
				p.guard1(&mu, func() {
					for i := range 2 * n {
						yield(mix(uint64(round*n*g+i)) % 3)
						other(p.key((i + g) % n))
					}
				})
			})
		}
		close(start)
		wg.Wait()
		if p.fault != nil {
			panic(p.fault)
		}
		for i := range n {
			p.hit(p.key(i)) // no call may remove the refreshed entries
		}
	}
}

// yield lets other goroutines run n times.
func yield(n uint64) {
	for range n {
		runtime.Gosched()
	}
}

// mixedLifetimes puts each key with and without a TTL at the same time. The value that stays must have its own
// lifetime.
func (p *probe[K, V]) mixedLifetimes() {
	const clients = 8 // more than processors, so that they take turns
	ttl := time.Hour
	p.loose = true
	n := min(4, p.r.keys.N)
	for round := range p.rounds(60) {
		vals := make([][]V, n) // by key and client; the odd clients put with a TTL
		for i := range n {
			for range clients {
				vals[i] = append(vals[i], p.val())
			}
			p.cell(p.key(i)).past = vals[i]
		}
		p.together(clients, func(g int) {
			rng := rand.New(rand.NewPCG(uint64(round), uint64(g)))
			for i := range n {
				yield(rng.Uint64N(3))
				lifetime := &ttl
				if g%2 == 0 {
					lifetime = nil
				}
				if err := p.b.Put(p.ctx, p.key(i), vals[i][g], lifetime); err != nil {
					panic(&fault{what: fmt.Sprintf("Put under load returned the error %q", err), want: "nil"})
				}
			}
		})
		p.settle()
		won := make([]int, n) // by key: the client whose value stayed, or -1
		for i := range n {
			v, hit := p.get(p.key(i))
			won[i] = slices.IndexFunc(vals[i], func(x V) bool { return hit && p.same(x, v) })
		}
		p.sleep(ttl + p.r.traits.ExpiryLag + p.tick())
		for i, g := range won {
			switch _, hit := p.get(p.key(i)); {
			case g < 0 || p.repeats():
			case hit && g%2 == 1:
				p.failf("Get(%s) = hit %s after the TTL of that value", show(p.key(i)), show(vals[i][g]))(
					"a miss: Puts met, and one's value was kept with another's lifetime")
			case !hit && g%2 == 0 && lossless(p.r) == "":
				p.failf("Get(%s) = miss, though its value %s was put without a TTL", show(p.key(i)), show(vals[i][g]))(
					"a hit: Puts met, and one's value was kept with another's lifetime")
			}
		}
	}
}

// refreshAtSweep refreshes entries at the instants at which a background sweep with a common period runs.
func (p *probe[K, V]) refreshAtSweep() {
	n := min(60, p.r.keys.N)
	for i := range n {
		p.cell(p.key(i))
	}
	for _, period := range []time.Duration{10 * time.Millisecond, 100 * time.Millisecond, time.Second, time.Minute} {
		if !p.affords(10 * period) {
			break
		}
		for round := range p.rounds(24) {
			p.sleep(time.Until(time.Now().Truncate(period).Add(period)))
			for i := range n {
				p.putTTL(p.key(i), period-1)
			}
			p.sleep(period)
			yield(uint64(round) % 4)
			for i := range n {
				p.put(p.key(i))
				yield(uint64(i) % 4 / 3)
			}
			p.background()
			p.sleep(1)
			for i := range n {
				p.hit(p.key(i))
			}
		}
	}
}

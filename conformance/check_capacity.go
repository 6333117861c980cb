package conformance

import (
	"fmt"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// fits checks that the backend holds what its bound says after the first n keys
// were put.
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
			p.failf("with a capacity of %d and %d keys put, %d of them hit", capacity, n, held)("%d: nothing is evicted below the capacity", want)
		} else if held < want/2 {
			p.failf("with a capacity of %d and %d keys put, %d of them hit", capacity, n, held)("at least half of what fits")
		}
	case backend.BoundApproximate:
		if n <= capacity && held < n/2 {
			p.failf("with a capacity of %d and %d keys put, %d of them hit", capacity, n, held)("at least half: what fits stays, approximately")
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

// keepsAll fills the backend to its capacity and does a hundred times what needs
// no room, and so must evict nobody.
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

func capacityChecks[K comparable, V any]() []check[K, V] {
	var all []check[K, V]
	for _, c := range []struct {
		kase     string
		capacity int
	}{{"capacity-1", 1}, {"capacity-2", 2}, {"capacity-10", 10}, {"capacity-100", 100}, {"capacity-1000", 1000}} {
		few := func(r *runner[K, V]) string {
			if r.keys.N < 3*c.capacity {
				return "the type has too few keys"
			}
			return ""
		}
		all = append(all, check[K, V]{rule: "stats/size", kase: c.kase, opts: Options{Capacity: c.capacity}, void: few, run: func(p *probe[K, V]) {
			p.lossy = true
			for i := range c.capacity {
				p.put(p.key(i))
			}
			p.settle()
			p.fits(c.capacity)
			for i := range 3 * c.capacity {
				p.put(p.key(i))
			}
			p.settle()
			p.fits(3 * c.capacity)
			for i := range c.capacity { // and with TTLs
				p.putTTL(p.key(i), 100*p.unit())
			}
			p.settle()
			p.fits(3 * c.capacity)
		}})
	}
	noBound := func(r *runner[K, V]) string {
		if r.traits.Bound != backend.BoundExact {
			return "the backend does not declare an exact bound"
		}
		if r.keys.N < 300 {
			return "the type has too few keys"
		}
		return ""
	}
	exact := func(r *runner[K, V]) string {
		if r.traits.Rejects {
			return "the backend may refuse entries"
		}
		return noBound(r)
	}
	return append(all, check[K, V]{rule: "stats/size", kase: "capacity-settles", opts: Options{Capacity: 50}, void: noBound, run: func(p *probe[K, V]) {
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
	}}, check[K, V]{rule: "hit/put", kase: "at-capacity", opts: Options{Capacity: 50}, void: exact, run: func(p *probe[K, V]) {
		p.lossy = true
		for i := range 300 {
			p.put(p.key(i))
			if _, hit := p.get(p.key(i)); !hit {
				p.failf("with a capacity of 50, Get misses the key just put")("a hit: Put evicts another entry, or the backend declares Traits.Rejects")
			}
		}
	}}, check[K, V]{rule: "hit/put", kase: "admitted-when-full", opts: Options{Capacity: 50}, void: func(r *runner[K, V]) string {
		if r.keys.N < 300 {
			return "the type has too few keys"
		}
		return ""
	}, run: func(p *probe[K, V]) {
		p.lossy = true
		tries := 1
		if p.r.traits.Rejects {
			tries = 20 // a key that is asked for again and again earns its place
		}
		for i := range 50 {
			p.put(p.key(i))
		}
		p.settle()
		admitted := 0
		for i := 50; i < 300; i++ {
			for range tries {
				p.put(p.key(i))
				p.settle()
				if _, hit := p.get(p.key(i)); hit {
					admitted++
					break
				}
			}
		}
		if admitted < 25 {
			p.failf("in a full backend, %d of 250 new keys were admitted, each put %d times", admitted, tries)("at least one in ten")
		}
	}}, check[K, V]{rule: "hit/overwrite", kase: "at-capacity", opts: Options{Capacity: 50}, void: exact, run: func(p *probe[K, V]) {
		for i := range 50 {
			p.put(p.key(i))
		}
		p.settle()
		for range 4 {
			for i := range 50 {
				p.put(p.key(i)) // evicts nobody
			}
		}
		for i := range 300 {
			p.put(p.key(49 - i%3)) // nor do many updates of a few
		}
		p.settle()
		for i := range 50 {
			p.hit(p.key(i))
		}
		p.wantSize(50)
	}}, check[K, V]{rule: "hit/put", kase: "room-after-removal", opts: Options{Capacity: 50}, void: exact, run: func(p *probe[K, V]) {
		for i := range 50 {
			p.put(p.key(i))
		}
		for i := range 20 {
			p.invalidate(p.key(i))
		}
		for i := range 20 {
			p.put(p.key(100 + i))
		}
		p.settle()
		for i := 20; i < 50; i++ {
			p.hit(p.key(i))
		}
		for i := range 20 {
			p.hit(p.key(100 + i))
		}
	}}, check[K, V]{rule: "hit/put", kase: "room-after-removal-of-any", opts: Options{Capacity: 50}, void: exact, run: func(p *probe[K, V]) {
		for _, gone := range []int{30, 15, 0} { // the newest, some in the middle, the oldest
			p.clear()
			for i := range 50 {
				p.put(p.key(i))
			}
			for i := range 20 {
				p.invalidate(p.key(gone + i))
			}
			for i := range 10 { // of the same keys and of others
				p.put(p.key(gone + i))
				p.put(p.key(100 + i))
			}
			p.settle()
			p.wantSize(50)
			for i := range 50 {
				if i < gone || i >= gone+20 || i < gone+10 {
					p.hit(p.key(i))
				}
			}
			for i := range 10 {
				p.hit(p.key(100 + i))
			}
		}
	}}, check[K, V]{rule: "hit/put", kase: "room-after-expiry", opts: Options{Capacity: 50}, void: exact, run: func(p *probe[K, V]) {
		p.lossy = true
		for round := range 3 {
			p.clear()
			for i := range 50 {
				p.putTTL(p.key(i), p.unit())
			}
			p.sleep(p.unit() + p.lag() + p.tick())
			first, times, least := 100, 10, 25 // the dead may still be there, and be evicted like the living
			switch round {
			case 0:
				for i := range 50 {
					p.miss(p.key(i))
				}
			case 1:
				p.size()
			case 2:
				first, times, least = 0, 1, 50 // in the place of the dead, so that nothing is evicted
			}
			for range times {
				for i := range 50 {
					p.put(p.key(first + i))
				}
			}
			p.settle()
			held := 0
			for i := range 50 {
				if _, hit := p.get(p.key(first + i)); hit {
					held++
				}
			}
			if held < least {
				p.hinted("what has expired is gone, but is still counted against the capacity", fmt.Sprintf("%d at least", least),
					"with a capacity of 50, all taken by entries that expired, 50 keys were put and %d of them hit", held)
			}
		}
	}}, check[K, V]{rule: "hit/absent", kase: "at-capacity", opts: Options{Capacity: 50}, void: exact, run: func(p *probe[K, V]) {
		p.keepsAll(func(i int) { p.miss(p.key(100 + i)) })
	}}, check[K, V]{rule: "invalidate/key", kase: "at-capacity", opts: Options{Capacity: 50}, void: exact, run: func(p *probe[K, V]) {
		p.keepsAll(func(i int) { p.invalidate(p.key(100 + i)) })
	}}, check[K, V]{rule: "ttl/zero", kase: "at-capacity", opts: Options{Capacity: 50}, void: exact, run: func(p *probe[K, V]) {
		p.keepsAll(func(i int) { p.putTTL(p.key(100+i), time.Duration(-i)) })
	}}, check[K, V]{rule: "invalidate/nil", kase: "bound-stays", opts: Options{Capacity: 50}, void: noBound, run: func(p *probe[K, V]) {
		p.lossy = true
		for range 2 {
			for i := range 150 {
				p.put(p.key(i))
			}
			p.settle()
			p.fits(150)
			p.clear()
		}
	}}, check[K, V]{rule: "ttl/overwrite", kase: "forgotten-by-eviction", opts: Options{Capacity: 20}, void: exact, run: func(p *probe[K, V]) {
		p.lossy = true
		for i := range 20 {
			p.putTTL(p.key(i), p.unit())
		}
		for i := range 60 {
			p.put(p.key(100 + i))
		}
		for i := range 20 { // evicted, and put again without a TTL
			p.put(p.key(i))
		}
		p.settle()
		var held []K
		for i := range 20 {
			if _, hit := p.get(p.key(i)); hit {
				held = append(held, p.key(i))
			}
		}
		p.sleep(2 * p.unit())
		p.settle()
		for _, k := range held {
			if _, hit := p.get(k); !hit {
				p.hinted("its earlier lifetime was not forgotten when it was evicted", "a hit: it was put again without a TTL, and only time has passed",
					"Get(%s) = miss", show(k))
			}
		}
	}}, check[K, V]{rule: "stats/size", kase: "capacity-concurrent", opts: Options{Capacity: 20}, void: noBound, run: func(p *probe[K, V]) {
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
					p.failf("after six goroutines put keys at a capacity of 20: Size = %d, and %d of them hit", size, held)("at most 20")
				}
				if size != int64(held) {
					p.missized(fmt.Sprintf("%d: that many keys hit", held), "Stats().Size = %d", size)
				}
			}
		})
	}}, check[K, V]{rule: "stats/size", kase: "churn", opts: Options{Capacity: 100}, void: noBound, run: func(p *probe[K, V]) {
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
			p.failf("after random puts and removals with a capacity of 100, Stats().Size = %d", size)("%d: that many keys hit (at most 100)", held)
		}
	}})
}

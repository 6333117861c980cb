package conformance

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cachepact/cachepact/backend"
)

func lossless[K comparable, V any](r *runner[K, V]) string {
	if r.traits.Rejects || r.traits.Bound == backend.BoundApproximate {
		return "the backend may drop entries at any size"
	}
	return ""
}

// barrier checks that after Invalidate(nil) has returned no Get sees an entry from before the call, while other
// goroutines write.
func (p *probe[K, V]) barrier() {
	p.loose = true
	n := min(8, p.r.keys.N)
	var seq [8]atomic.Int64 // number of the last Put that returned, by key
	base := p.nvals + 1
	per := p.scaled(600)
	number := func(key, i int) int { return base + i*n + key }
	var wg sync.WaitGroup
	var mu sync.Mutex
	var stop atomic.Bool
	for key := range n {
		wg.Go(func() {
			p.guard1(&mu, func() {
				for i := 1; i < per && !stop.Load(); i++ {
					err := p.b.Put(p.ctx, p.key(key), p.r.values.At(number(key, i)), nil)
					p.synced(&err)
					if err != nil {
						panic(&fault{what: fmt.Sprintf("Put under load returned the error %q", err), want: "nil"})
					}
					seq[key].Store(int64(i))
				}
			})
		})
	}
	p.guard1(&mu, func() {
		for range p.rounds(60) {
			var before [8]int64
			for key := range n {
				before[key] = seq[key].Load()
			}
			err := p.b.Invalidate(p.ctx, nil)
			p.synced(&err)
			if err != nil {
				panic(&fault{what: fmt.Sprintf("Invalidate(nil) under load returned the error %q", err), want: "nil"})
			}
			for key := range n {
				v, hit, _ := p.b.Get(p.ctx, p.key(key))
				for i := int64(1); hit && i <= before[key]; i++ {
					if !p.repeats() && p.same(v, p.r.values.At(number(key, int(i)))) {
						panic(&fault{
							what: fmt.Sprintf("after Invalidate(nil) returned, Get(%s) = hit %s, whose Put had returned before it started", show(p.key(key)), show(v)),
							want: "a miss, or a value put later",
						})
					}
				}
			}
			runtime.Gosched()
		}
	})
	stop.Store(true)
	wg.Wait()
	p.nvals += per * n
	for key := range n {
		c := p.cell(p.key(key))
		for i := range per {
			c.past = append(c.past, p.r.values.At(number(key, i)))
		}
	}
	if p.fault != nil {
		panic(p.fault)
	}
}

// ownWrites runs goroutines that read only the entries that they have put.
func (p *probe[K, V]) ownWrites() {
	p.loose = true
	clients := min(6, p.r.keys.N)
	var wg sync.WaitGroup
	var mu sync.Mutex
	for c := range clients {
		vals := make([]V, p.scaled(150))
		for i := range vals {
			vals[i] = p.val()
		}
		p.cell(p.key(c)).past = vals
		wg.Go(func() {
			p.guard1(&mu, func() {
				k := p.key(c)
				for i, v := range vals {
					err := p.b.Put(p.ctx, k, v, nil)
					p.synced(&err)
					if err != nil {
						panic(&fault{what: fmt.Sprintf("Put under load returned the error %q", err), want: "nil"})
					}
					for range 1 + i%3 {
						got, hit, err := p.b.Get(p.ctx, k)
						if err != nil || hit && !p.same(got, v) || !hit && lossless(p.r) == "" {
							panic(&fault{
								what: fmt.Sprintf("Get(%s) = %s, %v, %v right after this goroutine, the only one to use the key, put %s", show(k), show(got), hit, err, show(v)),
								want: "the value just put",
							})
						}
					}
					if i%5 == 4 {
						err := p.b.Invalidate(p.ctx, &k)
						p.synced(&err)
						if _, hit, _ := p.b.Get(p.ctx, k); err != nil || hit {
							panic(&fault{
								what: fmt.Sprintf("Get(%s) = hit right after this goroutine, the only one to use the key, invalidated it (error %v)", show(k), err),
								want: "a miss",
							})
						}
					}
				}
			})
		})
	}
	wg.Wait()
	if p.fault != nil {
		panic(p.fault)
	}
}

// disjoint runs goroutines that put different keys, and checks that all entries are present afterwards.
func (p *probe[K, V]) disjoint() {
	n := min(1200, p.r.keys.N)
	var wg sync.WaitGroup
	var mu sync.Mutex
	for i := range n {
		c := p.cell(p.key(i))
		*c = cell[V]{has: true, val: p.val(), put0: time.Now(), put1: time.Now()}
	}
	for c := range 6 {
		wg.Go(func() {
			p.guard1(&mu, func() {
				for i := c; i < n; i += 6 {
					err := p.b.Put(p.ctx, p.key(i), p.model[p.key(i)].val, nil)
					p.synced(&err)
					if err != nil {
						panic(&fault{what: fmt.Sprintf("Put under load returned the error %q", err), want: "nil"})
					}
				}
			})
		})
	}
	wg.Wait()
	if p.fault != nil {
		panic(p.fault)
	}
	p.settle()
	for i := range n {
		p.hit(p.key(i))
	}
	p.wantSize(int64(n))
}

func noViews[K comparable, V any](r *runner[K, V]) string {
	if !r.has.entries && !r.has.batcher && !r.has.ranger {
		return "the backend shows its entries through Get only"
	}
	return ""
}

func checkConcurrentNilBarrier[K comparable, V any](p *probe[K, V]) { parallel(p.barrier) }

func checkConcurrentRaceEverything[K comparable, V any](p *probe[K, V]) { parallel(p.everything) }

func checkConcurrentRaceClose[K comparable, V any](r *runner[K, V]) error {
	for i := range 24 {
		if f := r.session(Options{Capacity: 100 * (i % 2)}, func(p *probe[K, V]) {
			parallel(func() { p.closeRaces(1 + uint64(i)*5) })
		}); f != nil {
			return f
		}
	}
	return nil
}

func checkConcurrentKeyRandomSequence[K comparable, V any](r *runner[K, V]) error {
	return r.random(Options{}, 400)
}

func checkConcurrentKeyRegister[K comparable, V any](p *probe[K, V]) {
	p.histories(200, mixture{get: 50, put: 35, invalidate: 15}, true)
}

func checkConcurrentKeyOverwrites[K comparable, V any](p *probe[K, V]) {
	p.histories(100, mixture{get: 50, put: 50}, true)
}

func checkConcurrentKeyWithStats[K comparable, V any](p *probe[K, V]) {
	p.histories(60, mixture{get: 40, put: 40, invalidate: 10, size: 10}, true)
}

func checkConcurrentKeyLifetimes[K comparable, V any](p *probe[K, V]) {
	p.histories(100, mixture{get: 45, put: 30, invalidate: 10, zero: 15}, true)
}

func checkConcurrentKeyViews[K comparable, V any](p *probe[K, V]) {
	p.histories(60, mixture{get: 50, put: 30, invalidate: 10, clear: 10, views: true}, true)
}

func checkConcurrentNilRegister[K comparable, V any](p *probe[K, V]) {
	p.histories(200, mixture{get: 45, put: 35, invalidate: 5, clear: 15}, true)
}

package conformance

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/cachepact/cachepact/backend"
)

func noRanger[K comparable, V any](r *runner[K, V]) string {
	if !r.has.ranger {
		return "the backend is no Ranger"
	}
	return ""
}

func noEntries[K comparable, V any](r *runner[K, V]) string {
	if !r.has.entries {
		return "the backend is no EntryGetter"
	}
	return ""
}

func noBatcher[K comparable, V any](r *runner[K, V]) string {
	if !r.has.batcher {
		return "the backend is no Batcher"
	}
	return ""
}

// lists checks that All yields exactly the live entries.
func (p *probe[K, V]) lists() {
	got := p.all()
	now := time.Now()
	for k, c := range p.model {
		if _, ok := got[k]; !ok && c.alive(now) && !p.lossy && !p.r.traits.Rejects {
			p.failf("All does not yield %s", show(k))("every live entry")
		}
	}
}

// viewChecks test the optional interfaces: what they show must be what Get shows.
func viewChecks[K comparable, V any]() []check[K, V] {
	return []check[K, V]{
		{rule: "hit/put", kase: "all", void: noRanger[K, V], run: func(p *probe[K, V]) {
			p.lists()
			n := min(300, p.r.keys.N)
			for i := range n {
				p.put(p.key(i))
			}
			p.lists()
			p.put(p.key(0))
			p.invalidate(p.key(1))
			p.lists()
			seq, err := backend.All(p.b)
			if err != nil {
				p.failf("All = error %q", err)("nil")
			}
			for range seq { // stops early
				break
			}
			for k := range seq { // calls in the body
				p.get(k)
				p.invalidate(k)
				p.put(k)
			}
			p.clear()
			p.lists()
		}},
		{rule: "hit/keys", kase: "all", void: noRanger[K, V], run: func(p *probe[K, V]) {
			for _, k := range p.r.keys.Odd {
				p.putOdd(k)
			}
			p.lists()
		}},
		{rule: "ttl/expires", kase: "all", void: noRanger[K, V], run: func(p *probe[K, V]) {
			n := min(20, p.r.keys.N)
			for i := range n {
				p.putTTL(p.key(i), time.Duration(1+i%2*9)*p.unit())
			}
			p.lists()
			p.sleep(p.unit() + p.r.traits.ExpiryLag + p.tick())
			p.lists() // nothing was read since
			p.put(p.key(0))
			p.lists()
		}},
		{rule: "hit/values", kase: "all", void: noRanger[K, V], run: func(p *probe[K, V]) {
			for i, v := range p.r.values.Odd() {
				p.putLarge(p.key(i%min(p.r.keys.N, 500)), v)
			}
			p.lists()
		}},
		{rule: "hit/put", kase: "entry", void: noEntries[K, V], run: func(p *probe[K, V]) {
			if _, hit, err := backend.GetEntry(p.ctx, p.b, p.key(0)); hit || err != nil {
				p.failf("GetEntry of an absent key = hit %v, error %v", hit, err)("a miss")
			}
			p.put(p.key(0))
			p.entry(p.key(0))
			p.putTTL(p.key(0), 10*p.unit())
			p.entry(p.key(0))
			p.put(p.key(0))
			p.entry(p.key(0))
			p.invalidate(p.key(0))
			p.put(p.key(1))
			if e, hit, err := backend.GetEntry(p.ctx, p.b, p.key(0)); hit || err != nil || !e.Deadline.IsZero() {
				p.failf("GetEntry of an invalidated key = hit %v, error %v", hit, err)("a miss")
			}
		}},
		{rule: "ttl/expires", kase: "entry", void: noEntries[K, V], run: func(p *probe[K, V]) {
			p.putTTL(p.key(0), p.unit())
			p.sleep(p.unit() + p.r.traits.ExpiryLag + p.tick())
			if _, hit, err := backend.GetEntry(p.ctx, p.b, p.key(0)); hit || err != nil {
				p.failf("GetEntry of an expired key = hit %v, error %v", hit, err)("a miss")
			}
		}},
		{rule: "hit/put", kase: "batch", void: noBatcher[K, V], run: func(p *probe[K, V]) {
			n := min(50, p.r.keys.N-1)
			var items []backend.Item[K, V]
			var keys []K
			for i := range n {
				items = append(items, backend.Item[K, V]{Key: p.key(i), Value: p.val()})
				keys = append(keys, p.key(i))
			}
			items = append(items, backend.Item[K, V]{Key: p.key(0), Value: p.val(), TTL: new(p.unit())}) // the later stays
			if err := p.putMany(items); err != nil {
				p.failf("PutMany = error %q", err)("nil")
			}
			for _, it := range items {
				c := cell[V]{has: true, val: it.Value, put0: time.Now(), put1: time.Now()}
				if it.TTL != nil {
					c.ttl = *it.TTL
				}
				*p.cell(it.Key) = c
			}
			for i := 1; i < n; i++ {
				p.hit(p.key(i))
			}
			got, err := backend.GetMany(p.ctx, p.b, append(keys, p.key(n)))
			if err != nil {
				p.failf("GetMany = error %q", err)("nil")
			}
			for _, k := range keys {
				if v, ok := got[k]; ok != p.cell(k).has && !p.r.traits.Rejects || ok && !p.same(v, p.cell(k).val) {
					p.failf("GetMany: %s = %s, %v", show(k), show(v), ok)("what Get answers: %s", show(p.cell(k).val))
				}
			}
			if _, ok := got[p.key(n)]; ok {
				p.failf("GetMany returned a key that was never put")("only the hits")
			}
			p.miss(p.key(0)) // once its TTL has passed
			if got, err := backend.GetMany(p.ctx, p.b, []K{p.key(0)}); err != nil || len(got) > 0 {
				p.failf("GetMany of an expired key = %d hits, error %v", len(got), err)("no hit")
			}
			if err := p.putMany([]backend.Item[K, V]{{Key: p.key(1), Value: p.val(), TTL: new(0 * p.unit())}}); err != nil {
				p.failf("PutMany with a TTL of 0 = error %q", err)("nil")
			}
			p.cell(p.key(1)).lose(endedAtOnce)
			p.miss(p.key(1))
		}},
		{rule: "hit/put", kase: "batch-edges", void: noBatcher[K, V], run: func(p *probe[K, V]) {
			if err := p.putMany(nil); err != nil {
				p.failf("PutMany of nothing = error %q", err)("nil")
			}
			if got, err := backend.GetMany(p.ctx, p.b, nil); err != nil || len(got) != 0 {
				p.failf("GetMany of nothing = %d hits, error %v", len(got), err)("none, and nil")
			}
			p.wantSize(0)
			p.put(p.key(0))
			got, err := backend.GetMany(p.ctx, p.b, []K{p.key(1), p.key(0), p.key(1), p.key(0)}) // a miss first, and the same keys twice
			if v, hit := got[p.key(0)]; err != nil || len(got) > 1 || !hit && !p.r.traits.Rejects || hit && !p.same(v, p.cell(p.key(0)).val) {
				p.failf("GetMany of a key that is there and one that is not, both twice = %d hits, error %v", len(got), err)("the one hit")
			}
			v := p.val()
			if err := p.putMany([]backend.Item[K, V]{ // the last of a key decides, whatever its TTL
				{Key: p.key(0), Value: p.val(), TTL: new(time.Duration)},
				{Key: p.key(1), Value: p.val()},
				{Key: p.key(0), Value: v},
				{Key: p.key(1), Value: p.val(), TTL: new(time.Duration)},
			}); err != nil {
				p.failf("PutMany = error %q", err)("nil")
			}
			p.cell(p.key(1)).lose(endedAtOnce)
			*p.cell(p.key(0)) = cell[V]{has: true, val: v, put0: time.Now(), put1: time.Now()}
			p.hit(p.key(0))
			p.miss(p.key(1))
			p.sleep(2 * p.unit())
			p.hit(p.key(0))
		}},
		{rule: "hit/put", kase: "all-while-others-write", void: noRanger[K, V], run: func(p *probe[K, V]) { parallel(p.listsUnderLoad) }},
	}
}

// listsUnderLoad lists the entries while others come and go. Those that stay must
// be there, with their value, and none twice.
func (p *probe[K, V]) listsUnderLoad() {
	n := min(40, p.r.keys.N/2)
	stay := map[K]V{}
	for i := range n {
		stay[p.key(2*i)] = p.put(p.key(2 * i))
	}
	p.loose = true
	vals := []V{p.val(), p.val()}
	for i := range n {
		p.cell(p.key(2*i + 1)).past = vals
	}
	var done atomic.Bool
	p.together(4, func(g int) {
		if g > 0 {
			for i := 0; !done.Load(); i++ {
				k := p.key(2*(i%n) + 1)
				if i%3 == g%3 {
					_ = p.b.Invalidate(p.ctx, &k)
				} else {
					_ = p.b.Put(p.ctx, k, vals[g%2], nil)
				}
				yield(uint64(i) % 2)
			}
			return
		}
		defer done.Store(true)
		for range p.rounds(60) {
			seq, err := backend.All(p.b)
			if err != nil {
				panic(&fault{what: fmt.Sprintf("All returned the error %q", err), want: "nil"})
			}
			seen := map[K]bool{}
			for k, v := range seq {
				if seen[k] {
					panic(&fault{what: fmt.Sprintf("All yielded %s twice while others wrote", show(k)), want: "each key at most once"})
				}
				seen[k] = true
				yield(uint64(len(seen)) % 8 / 7) // to those that write
				if want, ok := stay[k]; ok && !p.same(v, want) || !ok && (p.model[k] == nil || !p.known(p.model[k], v)) {
					panic(&fault{what: fmt.Sprintf("All yielded %s with %s while others wrote", show(k), show(v)), want: "a value that was put under this key"})
				}
			}
			for k := range stay {
				if !seen[k] && lossless(p.r) == "" {
					panic(&fault{what: fmt.Sprintf("All did not yield %s, which was there all the time, while others wrote", show(k)), want: "every entry that is present during the whole iteration"})
				}
			}
		}
	})
}

// putMany puts a batch.
func (p *probe[K, V]) putMany(items []backend.Item[K, V]) error {
	err := backend.PutMany(p.ctx, p.b, items)
	p.synced(&err)
	return err
}

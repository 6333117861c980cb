package conformance

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/cachepact/cachepact/backend"
)

func hitChecks[K comparable, V any]() []check[K, V] {
	return []check[K, V]{
		{rule: "hit/absent", kase: "cold", run: func(p *probe[K, V]) {
			for i := range min(20, p.r.keys.N) {
				p.miss(p.key(i))
			}
			for _, k := range p.r.keys.Odd {
				if _, hit, err := p.b.Get(p.ctx, k); hit {
					p.failf("Get(%s) hit in a new backend", show(k))("a miss")
				} else if err != nil && !p.refusable(k) {
					p.failf("Get(%s) of an absent key = error %q", show(k), err)("a miss: a miss is never an error")
				}
			}
		}},
		{rule: "hit/absent", kase: "sibling", run: func(p *probe[K, V]) {
			p.put(p.key(0))
			for i := range min(20, p.r.keys.N-1) {
				p.miss(p.key(i + 1))
			}
			p.hit(p.key(0))
		}},
		{rule: "hit/absent", kase: "creates-nothing", run: func(p *probe[K, V]) {
			for n := range 2 {
				before := p.size()
				for range 3 {
					for i := n; i < min(n+5, p.r.keys.N); i++ {
						p.miss(p.key(i))
					}
				}
				if after := p.size(); after != before {
					p.failf("Stats().Size went from %d to %d while every Get missed", before, after)("no change: a miss creates nothing")
				}
				if n == 0 {
					p.put(p.key(0))
				}
			}
		}},
		{rule: "hit/absent", kase: "after-removal", run: func(p *probe[K, V]) {
			p.put(p.key(0))
			p.invalidate(p.key(0))
			p.miss(p.key(0))
			p.put(p.key(0))
			p.clear()
			p.miss(p.key(0))
			p.putTTL(p.key(0), p.unit())
			p.sleep(p.unit() + p.tick())
			p.miss(p.key(0))
		}},
		{rule: "hit/put", kase: "at-once", run: func(p *probe[K, V]) {
			for i := range min(300, p.r.keys.N) {
				p.put(p.key(i))
				p.hit(p.key(i))
			}
		}},
		{rule: "hit/put", kase: "as-often-as-asked", run: func(p *probe[K, V]) {
			p.put(p.key(0))
			p.putTTL(p.key(1), time.Hour)
			for range 300 { // more than a byte counts
				p.hit(p.key(0))
				p.hit(p.key(1))
			}
		}},
		{rule: "hit/put", kase: "each-its-own", run: func(p *probe[K, V]) {
			n := min(2000, p.r.keys.N)
			for i := range n {
				p.put(p.key(i))
			}
			for i := range n {
				p.hit(p.key(i))
			}
			for i := range n {
				p.hit(p.key(n - 1 - i))
			}
		}},
		{rule: "hit/put", kase: "other-goroutine", run: func(p *probe[K, V]) {
			for i := range min(100, p.r.keys.N) {
				p.put(p.key(i))
				done := make(chan struct{})
				go func() {
					defer close(done)
					p.guard(func() { p.hit(p.key(i)) })
				}()
				<-done
				if p.fault != nil {
					return
				}
			}
		}},
		{rule: "hit/put", kase: "again-after-removal", run: func(p *probe[K, V]) {
			for range 5 {
				p.put(p.key(0))
				p.hit(p.key(0))
				p.invalidate(p.key(0))
				p.miss(p.key(0))
				p.put(p.key(0))
				p.invalidate(p.key(0))
				p.put(p.key(0)) // nothing read in between
				p.hit(p.key(0))
				p.settle()
				p.hit(p.key(0))
			}
		}},
		{rule: "hit/put", kase: "later", run: func(p *probe[K, V]) {
			for i := range min(50, p.r.keys.N) {
				p.put(p.key(i))
			}
			p.settle()
			if p.affords(24 * time.Hour) {
				p.sleep(24 * time.Hour)
			}
			for i := range min(50, p.r.keys.N) {
				p.hit(p.key(i))
			}
		}},
		{rule: "hit/put", kase: "after-garbage-collection", run: func(p *probe[K, V]) {
			n := min(50, p.r.keys.N)
			for i := range n { // nobody but the backend holds these values
				err := p.b.Put(p.ctx, p.key(i), p.r.values.At(i), nil)
				p.synced(&err)
				if err != nil {
					p.failf("Put = error %q", err)("nil")
				}
			}
			for range 2 {
				runtime.GC()
			}
			held := 0
			for i := range n {
				v, hit, err := p.b.Get(p.ctx, p.key(i))
				if err != nil || hit && !p.same(v, p.r.values.At(i)) {
					p.failf("Get(%s) = %s, error %v", show(p.key(i)), show(v), err)("hit %s", show(p.r.values.At(i)))
				}
				if hit {
					held++
				}
			}
			if lossless(p.r) == "" && held < n {
				p.hinted("the backend holds its entries by weak references, or in a sync.Pool", fmt.Sprint(n), "of %d entries, %d are there after a garbage collection", n, held)
			}
			p.clear()
		}},
		{rule: "hit/put", kase: "refusal", void: func(r *runner[K, V]) string {
			if !r.traits.Rejects {
				return "the backend may not refuse entries"
			}
			return ""
		}, run: func(p *probe[K, V]) {
			n := min(1000, p.r.keys.N)
			held := 0
			for i := range n {
				p.put(p.key(i))
				if _, hit := p.get(p.key(i)); hit {
					held++
				}
			}
			if held < n*9/10 {
				p.failf("of %d entries put with ample room, %d could be read", n, held)("at least nine in ten: an admission policy may refuse what needs room, not everything")
			}
		}},
		{rule: "hit/put", kase: "sync", void: func(r *runner[K, V]) string {
			if !r.has.syncer {
				return "the backend is no Syncer: its writes must be visible when they return, as other checks see"
			}
			return ""
		}, run: func(p *probe[K, V]) {
			for i := range min(200, p.r.keys.N) {
				v := p.val()
				if err := p.b.Put(p.ctx, p.key(i), v, nil); err != nil {
					p.failf("Put = error %q", err)("nil")
				}
				c := p.cell(p.key(i))
				*c = cell[V]{has: true, val: v, put0: time.Now(), put1: time.Now()}
			}
			if err := backend.Sync(p.ctx, p.b); err != nil {
				p.failf("Sync = error %q", err)("nil")
			}
			for i := range min(200, p.r.keys.N) {
				p.hit(p.key(i))
			}
		}},
		{rule: "hit/overwrite", kase: "sync", void: noSync[K, V], run: func(p *probe[K, V]) {
			n := min(50, p.r.keys.N)
			last := map[K]V{}
			for round := range 3 {
				for i := range n { // several writes of one key wait for one Sync
					for range 1 + (i+round)%3 {
						last[p.key(i)] = p.val()
						if err := p.b.Put(p.ctx, p.key(i), last[p.key(i)], nil); err != nil {
							p.failf("Put = error %q", err)("nil")
						}
					}
				}
				if err := backend.Sync(p.ctx, p.b); err != nil {
					p.failf("Sync = error %q", err)("nil")
				}
				for k, v := range last {
					c := p.cell(k)
					*c = cell[V]{has: true, val: v, put0: time.Now(), put1: time.Now()}
					p.hit(k)
				}
			}
		}},
		{rule: "invalidate/key", kase: "sync", void: noSync[K, V], run: func(p *probe[K, V]) {
			p.queued(func(k K) error { return p.b.Invalidate(p.ctx, &k) })
		}},
		{rule: "invalidate/nil", kase: "sync", void: noSync[K, V], run: func(p *probe[K, V]) {
			p.queued(func(K) error { return p.b.Invalidate(p.ctx, nil) })
		}},
		{rule: "ttl/zero", kase: "sync", void: noSync[K, V], run: func(p *probe[K, V]) {
			p.queued(func(k K) error { return p.b.Put(p.ctx, k, p.val(), new(time.Duration)) })
		}},
		{rule: "hit/overwrite", kase: "last-wins", run: func(p *probe[K, V]) {
			for range 10 {
				p.put(p.key(0))
				p.hit(p.key(0))
			}
		}},
		{rule: "hit/overwrite", kase: "back-to-back", run: func(p *probe[K, V]) {
			n := min(500, p.r.keys.N)
			for i := range n {
				p.put(p.key(i))
				p.put(p.key(i)) // nothing read in between
				p.hit(p.key(i))
			}
			p.settle()
			for i := range n {
				p.hit(p.key(i))
			}
		}},
		{rule: "hit/overwrite", kase: "many-times", run: func(p *probe[K, V]) {
			for i := range 300 { // more than a byte counts
				p.put(p.key(0))
				if i == 50 || i >= 250 {
					p.hit(p.key(0))
				}
			}
			p.settle()
			p.hit(p.key(0))
		}},
		{rule: "hit/overwrite", kase: "leaves-others", run: func(p *probe[K, V]) {
			n := min(20, p.r.keys.N)
			for i := range n {
				p.put(p.key(i))
			}
			for i := range n {
				p.put(p.key(i))
				for j := range n {
					p.hit(p.key(j))
				}
			}
		}},
		{rule: "hit/overwrite", kase: "same-value", run: func(p *probe[K, V]) {
			a, b := p.val(), p.val()
			for _, v := range []V{a, b, b, a} {
				p.putValue(p.key(0), v, nil)
				p.hit(p.key(0))
			}
		}},
		{rule: "hit/overwrite", kase: "odd-values", run: func(p *probe[K, V]) {
			for _, v := range p.r.values.Odd() { // empty over full, short over long, zero over set
				p.put(p.key(0))
				if p.tryPut(p.key(0), v, nil) == nil {
					p.hit(p.key(0))
					p.put(p.key(0))
					p.hit(p.key(0))
				}
			}
		}},
		{rule: "hit/overwrite", kase: "after-a-miss", run: func(p *probe[K, V]) {
			p.miss(p.key(0)) // a cache that remembers misses must forget this one
			p.put(p.key(0))
			p.hit(p.key(0))
			p.invalidate(p.key(0))
			p.miss(p.key(0))
			p.put(p.key(0))
			p.hit(p.key(0))
		}},
		{rule: "hit/isolation", kase: "two-backends", run: func(p *probe[K, V]) {
			q := p.another()
			p.put(p.key(0))
			q.miss(p.key(0))
			p.unmoved("the other backend's Puts", func() {
				q.put(p.key(0))
				q.put(p.key(1))
			})
			p.hit(p.key(0))
			p.miss(p.key(1))
			q.unmoved("the other backend's Invalidate", func() { p.invalidate(p.key(0)) })
			q.hit(p.key(0))
			q.hit(p.key(1))
		}},
		{rule: "hit/isolation", kase: "invalidate-all", run: func(p *probe[K, V]) {
			q := p.another()
			p.put(p.key(0))
			q.put(p.key(0))
			q.unmoved("the other backend's Invalidate(nil)", p.clear)
			q.hit(p.key(0))
			p.miss(p.key(0))
		}},
		{rule: "hit/isolation", kase: "close", void: noCloser[K, V], run: func(p *probe[K, V]) {
			q := p.another()
			q.put(p.key(0))
			p.put(p.key(0))
			p.unmoved("the other backend's Close", q.shut)
			p.hit(p.key(0))
			p.put(p.key(1))
			p.hit(p.key(1))
			p.wantSize(2)
		}},
	}
}

func noSync[K comparable, V any](r *runner[K, V]) string {
	if !r.traits.NeedsSync {
		return "the backend's writes need no Sync: other checks see that they are visible when they return"
	}
	return ""
}

// queued has a removal and writes on either side of it wait for one Sync. Each
// must take its turn.
func (p *probe[K, V]) queued(remove func(k K) error) {
	for round := range 3 {
		for i := range min(20, p.r.keys.N) {
			k := p.key(i)
			errs := []error{p.b.Put(p.ctx, k, p.val(), nil)}
			for range round {
				errs = append(errs, p.b.Put(p.ctx, k, p.val(), nil))
			}
			errs = append(errs, remove(k))
			c := p.cell(k)
			c.has, c.forgotten = false, "it was removed, and the removal was synced"
			if i%2 == 1 {
				v := p.val()
				errs = append(errs, p.b.Put(p.ctx, k, v, nil))
				*c = cell[V]{has: true, val: v, put0: time.Now(), put1: time.Now()}
			}
			if err := errors.Join(append(errs, backend.Sync(p.ctx, p.b))...); err != nil {
				p.failf("Put, a removal, Put and Sync = error %q", err)("nil")
			}
			p.get(k)
		}
		p.clear()
	}
}

// unmoved does what must not change the size of the backend.
func (p *probe[K, V]) unmoved(what string, f func()) {
	before := p.size()
	f()
	if after := p.size(); after != before {
		p.failf("Stats().Size went from %d to %d with %s", before, after, what)("no change: the two share nothing")
	}
}

package conformance

import (
	"math"
	"time"

	"github.com/cachepact/cachepact/backend"
)

func checkRetainTTL[K comparable, V any](p *probe[K, V]) {
	for _, ttl := range []time.Duration{p.unit(), 10 * p.unit()} {
		d := ttl
		v := p.val()
		p.putValue(p.key(0), v, &d)
		d = 100 * p.unit() // a later change must have no effect
		if p.affords(2 * p.unit()) {
			p.nearDeadline(p.key(0))
			p.alive(p.key(0))
		}
		p.miss(p.key(0))
		p.putValue(p.key(1), p.val(), &d)
		d = 0
		p.hit(p.key(1))
		d = -1
		p.hit(p.key(1))
		p.size()
		p.settle()
		p.hit(p.key(1))
	}
}

func checkRetainTTLUnchanged[K comparable, V any](p *probe[K, V]) {
	for _, ttl := range []time.Duration{0, -1, 1, 1500 * time.Microsecond, time.Hour + 1, math.MaxInt64} {
		given := ttl
		p.putValue(p.key(0), p.val(), &given)
		if given != ttl {
			p.failf("Put changed the caller's TTL from %v to %v", ttl, given)("the pointer is only read")
		}
	}
}

func checkRetainBatch[K comparable, V any](p *probe[K, V]) {
	n := min(10, p.r.keys.N)
	keys, items := make([]K, n), make([]backend.Item[K, V], n)
	for i := range n {
		keys[i] = p.key(i)
		items[i] = backend.Item[K, V]{Key: p.key(i), Value: p.r.values.At(i), TTL: new(100 * p.unit())}
	}
	if err := p.putMany(items); err != nil {
		p.failf("PutMany = error %q", err)("nil")
	}
	if _, err := backend.GetMany(p.ctx, p.b, keys); err != nil {
		p.failf("GetMany = error %q", err)("nil")
	}
	for i := range n {
		if keys[i] != p.key(i) || items[i].Key != p.key(i) || !p.same(items[i].Value, p.r.values.At(i)) || *items[i].TTL != 100*p.unit() {
			p.failf("a batch changed the caller's slice at index %d", i)("the slice is only read")
		}
		*p.cell(p.key(i)) = cell[V]{has: true, val: p.r.values.At(i), put0: time.Now(), put1: time.Now(), ttl: 100 * p.unit()}
	}
	for i := range n { // and a later change has no effect
		keys[i], *items[i].TTL = p.key(n-1-i), 0
		items[i] = backend.Item[K, V]{}
	}
	p.settle()
	for i := range n {
		p.hit(p.key(i))
	}
}

func checkRetainKey[K comparable, V any](p *probe[K, V]) {
	p.put(p.key(0))
	p.put(p.key(1))
	k := p.key(0)
	err := p.b.Invalidate(p.ctx, &k)
	p.synced(&err)
	if err != nil {
		p.failf("Invalidate = error %q", err)("nil")
	}
	if k != p.key(0) {
		p.failf("Invalidate changed the caller's key")("the pointer is only read")
	}
	k = p.key(1) // a later change must not redirect the removal
	p.cell(p.key(0)).lose("it was invalidated")
	p.settle()
	p.hit(p.key(1))
	p.miss(p.key(0))
	p.wantSize(1)
}

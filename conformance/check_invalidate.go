package conformance

import (
	"math"
	"reflect"
	"time"

	"github.com/cachepact/cachepact/backend"
)

func invalidateChecks[K comparable, V any]() []check[K, V] {
	return []check[K, V]{
		{rule: "invalidate/key", kase: "at-once", run: func(p *probe[K, V]) {
			for i := range min(200, p.r.keys.N) {
				p.put(p.key(i))
				p.invalidate(p.key(i))
				p.miss(p.key(i))
			}
			p.settle()
			for i := range min(200, p.r.keys.N) {
				p.miss(p.key(i))
			}
			p.wantSize(0)
		}},
		{rule: "invalidate/key", kase: "no-other", run: func(p *probe[K, V]) {
			n := min(40, p.r.keys.N)
			for i := range n {
				p.put(p.key(i))
			}
			for i := 0; i < n; i += 2 {
				p.invalidate(p.key(i))
				for j := range n {
					if j%2 == 0 && j <= i {
						p.miss(p.key(j))
					} else {
						p.hit(p.key(j))
					}
				}
			}
			p.wantSize(int64(n / 2))
		}},
		{rule: "invalidate/key", kase: "odd", run: func(p *probe[K, V]) {
			var taken []K
			for _, k := range p.r.keys.Odd {
				if keyBytes(k) < 70_000 && p.putOdd(k) {
					taken = append(taken, k)
				}
			}
			for i, k := range taken {
				p.invalidate(k)
				p.miss(k)
				p.hit(taken[len(taken)-1])
				if i == len(taken)-2 {
					break
				}
				p.hit(taken[i+1])
			}
			p.wantSize(min(1, int64(len(taken))))
		}},
		{rule: "invalidate/key", kase: "absent", run: func(p *probe[K, V]) {
			p.invalidate(p.key(0))
			p.put(p.key(1))
			p.invalidate(p.key(0))
			p.invalidate(p.key(0))
			p.hit(p.key(1))
			p.wantSize(1)
			p.miss(p.key(0))
		}},
		{rule: "invalidate/key", kase: "twice", run: func(p *probe[K, V]) {
			p.put(p.key(0))
			p.put(p.key(1))
			p.invalidate(p.key(0))
			p.invalidate(p.key(0))
			p.miss(p.key(0))
			p.hit(p.key(1))
			p.wantSize(1)
		}},
		{rule: "invalidate/key", kase: "with-ttl", run: func(p *probe[K, V]) {
			p.putTTL(p.key(0), 10*p.unit())
			p.hit(p.key(0))
			p.invalidate(p.key(0))
			p.miss(p.key(0))
			p.putTTL(p.key(0), p.unit())
			p.sleep(p.unit() + p.tick())
			p.invalidate(p.key(0)) // already dead
			p.miss(p.key(0))
			p.wantSizeLagging(0)
		}},
		{rule: "invalidate/key", kase: "after-overwrites", run: func(p *probe[K, V]) {
			for i := range min(100, p.r.keys.N) {
				for range 1 + i%3 {
					p.put(p.key(i))
				}
				p.invalidate(p.key(i)) // no earlier value may show through
				p.miss(p.key(i))
			}
			p.settle()
			for i := range min(100, p.r.keys.N) {
				p.miss(p.key(i))
			}
		}},
		{rule: "invalidate/key", kase: "put-between", run: func(p *probe[K, V]) {
			n := min(200, p.r.keys.N)
			for i := range n { // put, remove, put: a removal still queued must not take the second
				p.put(p.key(i))
				p.invalidate(p.key(i))
				p.put(p.key(i))
			}
			for i := range n {
				p.hit(p.key(i))
			}
			p.settle()
			for i := range n {
				p.hit(p.key(i))
			}
		}},
		{rule: "invalidate/nil", kase: "empty", run: func(p *probe[K, V]) {
			p.clear()
			p.wantSize(0)
			p.clear()
			p.put(p.key(0))
			p.hit(p.key(0))
		}},
		{rule: "invalidate/nil", kase: "all", run: func(p *probe[K, V]) {
			var zero K
			n := min(500, p.r.keys.N)
			for round := range 3 {
				for i := range n {
					if i%2 == 0 {
						p.put(p.key(i))
					} else {
						p.putTTL(p.key(i), 100*p.unit())
					}
				}
				p.putOdd(zero)
				p.clear()
				for i := range n {
					p.miss(p.key(i))
				}
				p.get(zero)
				p.wantSize(0)
				if round == 1 {
					p.settle()
				}
			}
		}},
		{rule: "invalidate/nil", kase: "many", run: func(p *probe[K, V]) {
			n := min(5000, p.r.keys.N) // more than a page of a listing, or a batch
			for i := range n {
				p.put(p.key(i))
			}
			p.clear()
			p.wantSize(0)
			for i := range n {
				p.miss(p.key(i))
			}
		}},
		{rule: "invalidate/nil", kase: "odd", run: func(p *probe[K, V]) {
			for _, k := range p.r.keys.Odd {
				p.putOdd(k)
			}
			p.clear()
			p.wantSize(0)
			for k := range p.model {
				p.get(k)
			}
		}},
		{rule: "invalidate/nil", kase: "at-once", run: func(p *probe[K, V]) {
			for i := range min(50, p.r.keys.N) {
				p.put(p.key(i))
				p.clear() // with the Put just returned
				p.miss(p.key(i))
			}
			p.settle()
			for i := range min(50, p.r.keys.N) {
				p.miss(p.key(i))
			}
			p.wantSize(0)
		}},
		{rule: "invalidate/nil", kase: "many-times", run: func(p *probe[K, V]) {
			n := min(8, p.r.keys.N)
			for i := range n {
				p.put(p.key(i))
			}
			for i := range 300 { // a generation of eight bits comes round
				if p.clear(); i == 20 && p.hurried() {
					break
				}
				p.miss(p.key(i % n))
				if i >= 250 {
					for j := range n {
						p.miss(p.key(j))
					}
				}
			}
			p.wantSize(0)
			p.put(p.key(0))
			p.hit(p.key(0))
			p.wantSize(1)
		}},
		{rule: "invalidate/nil", kase: "usable-after", run: func(p *probe[K, V]) {
			n := min(300, p.r.keys.N)
			for range 3 {
				for i := range n {
					p.put(p.key(i))
				}
				p.clear()
				p.put(p.key(0))
				p.hit(p.key(0))
				for i := range n {
					p.put(p.key(i))
					p.hit(p.key(i))
				}
				p.settle()
				for i := range n {
					p.hit(p.key(i))
				}
				p.wantSize(int64(n))
			}
		}},
		{rule: "invalidate/nil", kase: "full-capacity-after", opts: Options{Capacity: 50}, run: func(p *probe[K, V]) {
			n := min(50, p.r.keys.N)
			for range 30 {
				for i := range n {
					p.put(p.key(i))
				}
				p.clear()
			}
			for i := range n {
				p.put(p.key(i))
			}
			p.settle()
			p.fits(n)
		}},
		{rule: "invalidate/nil", kase: "nothing-returns", run: func(p *probe[K, V]) {
			n := min(50, p.r.keys.N)
			for i := range n {
				p.put(p.key(i))
				p.put(p.key(i))
			}
			p.clear()
			p.settle()
			for range 5 {
				p.sleep(p.unit())
				for i := range n {
					p.miss(p.key(i))
				}
			}
			p.wantSize(0)
		}},
		{rule: "invalidate/key", kase: "each-put-again", run: func(p *probe[K, V]) {
			n, held := min(20, p.r.keys.N), 0
			for i := range n {
				p.put(p.key(i))
				p.invalidate(p.key(i))
				p.put(p.key(i))
				if _, hit := p.get(p.key(i)); hit {
					held++
				}
			}
			if held < n/2 { // where Puts may be refused, one alone tells nothing
				p.hinted("a removal outlives itself, and takes the Put that follows it", "most of them: nothing needs room",
					"of %d keys that were put, invalidated and put again, %d hit", n, held)
			}
		}},
		{rule: "invalidate/zerokey", kase: "only-that", run: func(p *probe[K, V]) {
			var zero K
			if !p.putOdd(zero) {
				return
			}
			n := 0
			for i := range min(20, p.r.keys.N) {
				if p.key(i) != zero {
					p.put(p.key(i))
					n++
				}
			}
			p.hit(zero)
			p.invalidate(zero)
			p.miss(zero)
			for i := range min(20, p.r.keys.N) {
				if p.key(i) != zero {
					p.hit(p.key(i))
				}
			}
			p.wantSize(int64(n))
		}},
		{rule: "invalidate/zerokey", kase: "absent", run: func(p *probe[K, V]) {
			var zero K
			one := p.key(0)
			if one == zero {
				one = p.key(1)
			}
			p.put(one)
			p.invalidate(zero) // it is not there, and does not mean "all"
			p.hit(one)
			p.wantSize(1)
		}},
		{rule: "invalidate/zerokey", kase: "nil-valued", void: func(r *runner[K, V]) string {
			if k := reflect.TypeFor[K]().Kind(); k != reflect.Interface && k != reflect.Pointer {
				return "no key of this type is nil"
			}
			return ""
		}, run: func(p *probe[K, V]) {
			var none K
			p.put(p.key(1))
			p.put(none)
			p.hit(none)
			p.wantSize(2)
			p.putTTL(none, time.Hour)
			p.hit(none)
			p.invalidate(none)
			p.miss(none)
			p.hit(p.key(1))
		}},
		{rule: "retain", kase: "ttl", run: func(p *probe[K, V]) {
			for _, ttl := range []time.Duration{p.unit(), 10 * p.unit()} {
				d := ttl
				v := p.val()
				p.putValue(p.key(0), v, &d)
				d = 100 * p.unit() // must not matter any more
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
		}},
		{rule: "retain", kase: "ttl-unchanged", run: func(p *probe[K, V]) {
			for _, ttl := range []time.Duration{0, -1, 1, 1500 * time.Microsecond, time.Hour + 1, math.MaxInt64} {
				given := ttl
				p.putValue(p.key(0), p.val(), &given)
				if given != ttl {
					p.failf("Put changed the caller's TTL from %v to %v", ttl, given)("the pointer is only read")
				}
			}
		}},
		{rule: "retain", kase: "batch", void: noBatcher[K, V], run: func(p *probe[K, V]) {
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
			for i := range n { // and what becomes of it afterwards does not matter
				keys[i], *items[i].TTL = p.key(n-1-i), 0
				items[i] = backend.Item[K, V]{}
			}
			p.settle()
			for i := range n {
				p.hit(p.key(i))
			}
		}},
		{rule: "retain", kase: "key", run: func(p *probe[K, V]) {
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
			k = p.key(1) // must not redirect the removal
			p.cell(p.key(0)).lose("it was invalidated")
			p.settle()
			p.hit(p.key(1))
			p.miss(p.key(0))
			p.wantSize(1)
		}},
	}
}

package conformance

import (
	"reflect"
	"time"
)

func checkInvalidateKeyAtCapacity[K comparable, V any](p *probe[K, V]) {
	p.keepsAll(func(i int) { p.invalidate(p.key(100 + i)) })
}

func checkInvalidateNilBoundStays[K comparable, V any](p *probe[K, V]) {
	p.lossy = true
	for range 2 {
		for i := range 150 {
			p.put(p.key(i))
		}
		p.settle()
		p.fits(150)
		p.clear()
	}
}

func checkInvalidateKeySync[K comparable, V any](p *probe[K, V]) {
	p.queued(func(k K) error { return p.b.Invalidate(p.ctx, &k) })
}

func checkInvalidateNilSync[K comparable, V any](p *probe[K, V]) {
	p.queued(func(K) error { return p.b.Invalidate(p.ctx, nil) })
}

func checkInvalidateKeyAtOnce[K comparable, V any](p *probe[K, V]) {
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
}

func checkInvalidateKeyNoOther[K comparable, V any](p *probe[K, V]) {
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
}

func checkInvalidateKeyOdd[K comparable, V any](p *probe[K, V]) {
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
}

func checkInvalidateKeyAbsent[K comparable, V any](p *probe[K, V]) {
	p.invalidate(p.key(0))
	p.put(p.key(1))
	p.invalidate(p.key(0))
	p.invalidate(p.key(0))
	p.hit(p.key(1))
	p.wantSize(1)
	p.miss(p.key(0))
}

func checkInvalidateKeyTwice[K comparable, V any](p *probe[K, V]) {
	p.put(p.key(0))
	p.put(p.key(1))
	p.invalidate(p.key(0))
	p.invalidate(p.key(0))
	p.miss(p.key(0))
	p.hit(p.key(1))
	p.wantSize(1)
}

func checkInvalidateKeyWithTTL[K comparable, V any](p *probe[K, V]) {
	p.putTTL(p.key(0), 10*p.unit())
	p.hit(p.key(0))
	p.invalidate(p.key(0))
	p.miss(p.key(0))
	p.putTTL(p.key(0), p.unit())
	p.sleep(p.unit() + p.tick())
	p.invalidate(p.key(0)) // already expired
	p.miss(p.key(0))
	p.wantSizeLagging(0)
}

func checkInvalidateKeyAfterOverwrites[K comparable, V any](p *probe[K, V]) {
	for i := range min(100, p.r.keys.N) {
		for range 1 + i%3 {
			p.put(p.key(i))
		}
		p.invalidate(p.key(i)) // no earlier value may become visible
		p.miss(p.key(i))
	}
	p.settle()
	for i := range min(100, p.r.keys.N) {
		p.miss(p.key(i))
	}
}

func checkInvalidateKeyPutBetween[K comparable, V any](p *probe[K, V]) {
	n := min(200, p.r.keys.N)
	for i := range n { // put, remove, put: a removal that is still queued must not remove the second entry
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
}

func checkInvalidateNilEmpty[K comparable, V any](p *probe[K, V]) {
	p.clear()
	p.wantSize(0)
	p.clear()
	p.put(p.key(0))
	p.hit(p.key(0))
}

func checkInvalidateNilAll[K comparable, V any](p *probe[K, V]) {
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
}

func checkInvalidateNilMany[K comparable, V any](p *probe[K, V]) {
	n := min(5000, p.r.keys.N) // more than a page of a listing, or a batch
	for i := range n {
		p.put(p.key(i))
	}
	p.clear()
	p.wantSize(0)
	for i := range n {
		p.miss(p.key(i))
	}
}

func checkInvalidateNilOdd[K comparable, V any](p *probe[K, V]) {
	for _, k := range p.r.keys.Odd {
		p.putOdd(k)
	}
	p.clear()
	p.wantSize(0)
	for k := range p.model {
		p.get(k)
	}
}

func checkInvalidateNilAtOnce[K comparable, V any](p *probe[K, V]) {
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
}

func checkInvalidateNilManyTimes[K comparable, V any](p *probe[K, V]) {
	n := min(8, p.r.keys.N)
	for i := range n {
		p.put(p.key(i))
	}
	for i := range 300 { // a generation counter of eight bits wraps around
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
}

func checkInvalidateNilUsableAfter[K comparable, V any](p *probe[K, V]) {
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
}

func checkInvalidateNilFullCapacityAfter[K comparable, V any](p *probe[K, V]) {
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
}

func checkInvalidateNilNothingReturns[K comparable, V any](p *probe[K, V]) {
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
}

func checkInvalidateKeyEachPutAgain[K comparable, V any](p *probe[K, V]) {
	n, held := min(20, p.r.keys.N), 0
	for i := range n {
		p.put(p.key(i))
		p.invalidate(p.key(i))
		p.put(p.key(i))
		if _, hit := p.get(p.key(i)); hit {
			held++
		}
	}
	if held < n/2 { // if Puts may be rejected, a single Put proves nothing
		p.hinted("a removal outlives itself, and takes the Put that follows it", "most of them: nothing needs room",
			"of %d keys that were put, invalidated and put again, %d hit", n, held)
	}
}

func checkInvalidateZerokeyOnlyThat[K comparable, V any](p *probe[K, V]) {
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
}

func checkInvalidateZerokeyAbsent[K comparable, V any](p *probe[K, V]) {
	var zero K
	one := p.key(0)
	if one == zero {
		one = p.key(1)
	}
	p.put(one)
	p.invalidate(zero) // the zero key is absent, and does not mean "all keys"
	p.hit(one)
	p.wantSize(1)
}

func noNilKeys[K comparable, V any](*runner[K, V]) string {
	if k := reflect.TypeFor[K]().Kind(); k != reflect.Interface && k != reflect.Pointer {
		return "no key of this type is nil"
	}
	return ""
}

func checkInvalidateZerokeyNilValued[K comparable, V any](p *probe[K, V]) {
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
}

func checkInvalidateNilConcurrent[K comparable, V any](p *probe[K, V]) {
	p.histories(100, mixture{get: 50, put: 35, clear: 15}, false)
}

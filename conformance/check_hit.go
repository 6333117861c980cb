package conformance

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/cachepact/cachepact/backend"
)

func noSync[K comparable, V any](r *runner[K, V]) string {
	if !r.traits.NeedsSync {
		return "the backend's writes need no Sync: other checks see that they are visible when they return"
	}
	return ""
}

// queued makes a removal and a Put before and after it wait for one Sync. They must take effect in their order.
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

// unmoved runs f, which must not change Size.
func (p *probe[K, V]) unmoved(what string, f func()) {
	before := p.size()
	f()
	if after := p.size(); after != before {
		p.failf("Stats().Size went from %d to %d with %s", before, after, what)("no change: the two share nothing")
	}
}

func checkHitPutAtCapacity[K comparable, V any](p *probe[K, V]) {
	p.lossy = true
	for i := range 300 {
		p.put(p.key(i))
		if _, hit := p.get(p.key(i)); !hit {
			p.failf("with a capacity of 50, Get misses the key just put")(
				"a hit: Put evicts another entry, or the backend declares Traits.Rejects")
		}
	}
}

func checkHitPutAdmittedWhenFull[K comparable, V any](p *probe[K, V]) {
	p.lossy = true
	tries := 1
	if p.r.traits.Rejects {
		tries = 20 // an admission policy may admit only a key that is put several times
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
		p.failf("in a full backend, %d of 250 new keys were admitted, each put %d times", admitted, tries)(
			"at least one in ten")
	}
}

func checkHitOverwriteAtCapacity[K comparable, V any](p *probe[K, V]) {
	for i := range 50 {
		p.put(p.key(i))
	}
	p.settle()
	for range 4 {
		for i := range 50 {
			p.put(p.key(i)) // an overwrite evicts no entry
		}
	}
	for i := range 300 {
		p.put(p.key(49 - i%3)) // nor do many overwrites of a few keys
	}
	p.settle()
	for i := range 50 {
		p.hit(p.key(i))
	}
	p.wantSize(50)
}

func checkHitPutRoomAfterRemoval[K comparable, V any](p *probe[K, V]) {
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
}

func checkHitPutRoomAfterRemovalOfAny[K comparable, V any](p *probe[K, V]) {
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
}

func checkHitPutRoomAfterExpiry[K comparable, V any](p *probe[K, V]) {
	p.lossy = true
	for round := range 3 {
		p.clear()
		for i := range 50 {
			p.putTTL(p.key(i), p.unit())
		}
		p.sleep(p.unit() + p.lag() + p.tick())
		first, times, least := 100, 10, 25 // expired entries may still be present and may be evicted like live ones
		switch round {
		case 0:
			for i := range 50 {
				p.miss(p.key(i))
			}
		case 1:
			p.size()
		case 2:
			first, times, least = 0, 1, 50 // they replace expired entries, so nothing is evicted
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
			p.hinted("an expired entry is gone, but still counts against the capacity", fmt.Sprintf("%d at least", least),
				"with a capacity of 50, all taken by entries that expired, 50 keys were put and %d of them hit", held)
		}
	}
}

func checkHitAbsentAtCapacity[K comparable, V any](p *probe[K, V]) {
	p.keepsAll(func(i int) { p.miss(p.key(100 + i)) })
}

func checkHitPutOwnWrites[K comparable, V any](p *probe[K, V]) { parallel(p.ownWrites) }

func checkHitAbsentCold[K comparable, V any](p *probe[K, V]) {
	for i := range min(20, p.r.keys.N) {
		p.miss(p.key(i))
	}
	for _, k := range p.r.keys.Odd {
		if _, hit, err := p.b.Get(p.ctx, k); hit {
			p.failf("Get(%s) hit in a new backend", show(k))("a miss")
		} else if err != nil && !p.mayReject(k) {
			p.failf("Get(%s) of an absent key = error %q", show(k), err)("a miss: a miss is never an error")
		}
	}
}

func checkHitAbsentSibling[K comparable, V any](p *probe[K, V]) {
	p.put(p.key(0))
	for i := range min(20, p.r.keys.N-1) {
		p.miss(p.key(i + 1))
	}
	p.hit(p.key(0))
}

func checkHitAbsentCreatesNothing[K comparable, V any](p *probe[K, V]) {
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
}

func checkHitAbsentAfterRemoval[K comparable, V any](p *probe[K, V]) {
	p.put(p.key(0))
	p.invalidate(p.key(0))
	p.miss(p.key(0))
	p.put(p.key(0))
	p.clear()
	p.miss(p.key(0))
	p.putTTL(p.key(0), p.unit())
	p.sleep(p.unit() + p.tick())
	p.miss(p.key(0))
}

func checkHitPutAtOnce[K comparable, V any](p *probe[K, V]) {
	for i := range min(300, p.r.keys.N) {
		p.put(p.key(i))
		p.hit(p.key(i))
	}
}

func checkHitPutAsOftenAsAsked[K comparable, V any](p *probe[K, V]) {
	p.put(p.key(0))
	p.putTTL(p.key(1), time.Hour)
	for range 300 { // more than a byte counts
		p.hit(p.key(0))
		p.hit(p.key(1))
	}
}

func checkHitPutEachItsOwn[K comparable, V any](p *probe[K, V]) {
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
}

func checkHitPutOtherGoroutine[K comparable, V any](p *probe[K, V]) {
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
}

func checkHitPutAgainAfterRemoval[K comparable, V any](p *probe[K, V]) {
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
}

func checkHitPutLater[K comparable, V any](p *probe[K, V]) {
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
}

func checkHitPutAfterGarbageCollection[K comparable, V any](p *probe[K, V]) {
	n := min(50, p.r.keys.N)
	for i := range n { // only the backend refers to these values
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
		p.hinted("the backend holds its entries by weak references, or in a sync.Pool",
			fmt.Sprint(n), "of %d entries, %d are there after a garbage collection", n, held)
	}
	p.clear()
}

func noRejection[K comparable, V any](r *runner[K, V]) string {
	if !r.traits.Rejects {
		return "the backend does not reject entries"
	}
	return ""
}

func checkHitPutRefusal[K comparable, V any](p *probe[K, V]) {
	n := min(1000, p.r.keys.N)
	held := 0
	for i := range n {
		p.put(p.key(i))
		if _, hit := p.get(p.key(i)); hit {
			held++
		}
	}
	if held < n*9/10 {
		p.failf("of %d entries put with ample room, %d could be read", n, held)(
			"at least nine in ten: an admission policy may reject some Puts, but not most of them")
	}
}

func noSyncer[K comparable, V any](r *runner[K, V]) string {
	if !r.has.syncer {
		return "the backend is no Syncer: its writes must be visible when they return, as other checks see"
	}
	return ""
}

func checkHitPutSync[K comparable, V any](p *probe[K, V]) {
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
}

func checkHitOverwriteSync[K comparable, V any](p *probe[K, V]) {
	n := min(50, p.r.keys.N)
	last := map[K]V{}
	for round := range 3 {
		for i := range n { // several Puts of one key wait for one Sync
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
}

func checkHitOverwriteLastWins[K comparable, V any](p *probe[K, V]) {
	for range 10 {
		p.put(p.key(0))
		p.hit(p.key(0))
	}
}

func checkHitOverwriteBackToBack[K comparable, V any](p *probe[K, V]) {
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
}

func checkHitOverwriteManyTimes[K comparable, V any](p *probe[K, V]) {
	for i := range 300 { // more than a byte counts
		p.put(p.key(0))
		if i == 50 || i >= 250 {
			p.hit(p.key(0))
		}
	}
	p.settle()
	p.hit(p.key(0))
}

func checkHitOverwriteLeavesOthers[K comparable, V any](p *probe[K, V]) {
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
}

func checkHitOverwriteSameValue[K comparable, V any](p *probe[K, V]) {
	a, b := p.val(), p.val()
	for _, v := range []V{a, b, b, a} {
		p.putValue(p.key(0), v, nil)
		p.hit(p.key(0))
	}
}

func checkHitOverwriteOddValues[K comparable, V any](p *probe[K, V]) {
	for _, v := range p.r.values.Odd() { // empty over full, short over long, zero over set
		p.put(p.key(0))
		if p.tryPut(p.key(0), v, nil) == nil {
			p.hit(p.key(0))
			p.put(p.key(0))
			p.hit(p.key(0))
		}
	}
}

func checkHitOverwriteAfterAMiss[K comparable, V any](p *probe[K, V]) {
	p.miss(p.key(0)) // a cache that stores misses must drop this one
	p.put(p.key(0))
	p.hit(p.key(0))
	p.invalidate(p.key(0))
	p.miss(p.key(0))
	p.put(p.key(0))
	p.hit(p.key(0))
}

func checkHitIsolationTwoBackends[K comparable, V any](p *probe[K, V]) {
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
}

func checkHitIsolationInvalidateAll[K comparable, V any](p *probe[K, V]) {
	q := p.another()
	p.put(p.key(0))
	q.put(p.key(0))
	q.unmoved("the other backend's Invalidate(nil)", p.clear)
	q.hit(p.key(0))
	p.miss(p.key(0))
}

func checkHitIsolationClose[K comparable, V any](p *probe[K, V]) {
	q := p.another()
	q.put(p.key(0))
	p.put(p.key(0))
	p.unmoved("the other backend's Close", q.shut)
	p.hit(p.key(0))
	p.put(p.key(1))
	p.hit(p.key(1))
	p.wantSize(2)
}

func checkHitPutAll[K comparable, V any](p *probe[K, V]) {
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
}

func checkHitPutEntry[K comparable, V any](p *probe[K, V]) {
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
}

func checkHitPutBatch[K comparable, V any](p *probe[K, V]) {
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
			p.failf("GetMany: %s = %s, %v", show(k), show(v), ok)("the answer of Get: %s", show(p.cell(k).val))
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
}

func checkHitPutBatchEdges[K comparable, V any](p *probe[K, V]) {
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
		p.failf("GetMany of a key that is there and one that is not, both twice = %d hits, error %v", len(got), err)(
			"the one hit")
	}
	v := p.val()
	if err := p.putMany([]backend.Item[K, V]{ // the last Put of a key decides, whatever its TTL
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
}

func checkHitPutAllWhileOthersWrite[K comparable, V any](p *probe[K, V]) { parallel(p.listsUnderLoad) }

func checkHitPutConcurrent[K comparable, V any](p *probe[K, V]) {
	p.histories(100, mixture{get: 50, put: 40, invalidate: 10}, false)
}

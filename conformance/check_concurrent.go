package conformance

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// parallel runs f with at least four processors, on which interleavings show
// that one processor does not have.
func parallel(f func()) {
	if n := runtime.GOMAXPROCS(0); n < 4 {
		runtime.GOMAXPROCS(4)
		defer runtime.GOMAXPROCS(n)
	}
	f()
}

// rounds scales an amount of work down where it is dear.
func (p *probe[K, V]) rounds(n int) int {
	if raceEnabled {
		n /= 3
	}
	if !p.r.bubble {
		n /= 4
	}
	return max(n, 1)
}

// a mixture says how often clients do what, in parts.
type mixture struct {
	get, put, invalidate, clear, size int
	zero                              int  // Puts with a TTL that is over; then half of the others have a TTL, too
	views                             bool // also through the optional interfaces
}

// A recorder runs clients against a few keys and keeps the history.
type recorder[K comparable, V any] struct {
	p       *probe[K, V]
	mix     mixture
	keys    []K
	vals    []V // by number
	clock   atomic.Int64
	history [][]lop // by key
}

// record runs one round of clients. Every value put has a number of its own.
func record[K comparable, V any](p *probe[K, V], nkeys, clients, ops int, mix mixture, rng *rand.Rand) *recorder[K, V] {
	rec := &recorder[K, V]{p: p, mix: mix, history: make([][]lop, nkeys)}
	for i := range nkeys {
		rec.keys = append(rec.keys, p.key(i))
	}
	for range clients*ops + nkeys {
		rec.vals = append(rec.vals, p.val())
	}
	number := func(val int) int { return val }
	if p.repeats() { // equal values get one number
		number = func(val int) int {
			return slices.IndexFunc(rec.vals, func(v V) bool { return p.same(v, rec.vals[val]) })
		}
	}
	var mu sync.Mutex
	add := func(key int, o lop) {
		mu.Lock()
		defer mu.Unlock()
		rec.history[key] = append(rec.history[key], o)
	}
	timed := func(o lop, f func() lop) lop {
		o.call = rec.clock.Add(1)
		got := f()
		o.val = got.val
		o.ret = rec.clock.Add(1)
		return o
	}
	for key := range nkeys { // a known beginning
		val := clients*ops + key
		if rng.IntN(2) == 0 {
			add(key, timed(lop{kind: opPut, client: -1}, func() lop { rec.put(key, val); return lop{val: number(val)} }))
		} else {
			add(key, timed(lop{kind: opInvalidate, client: -1}, func() lop { rec.invalidate(&rec.keys[key]); return lop{val: absent} }))
		}
	}
	total := mix.get + mix.put + mix.invalidate + mix.zero + mix.clear + mix.size
	var wg sync.WaitGroup
	start := make(chan struct{})
	for c := range clients {
		local := rand.New(rand.NewPCG(rng.Uint64(), 1))
		wg.Go(func() {
			<-start
			p.guard1(&mu, func() {
				for i := range ops {
					key, val := local.IntN(nkeys), c*ops+i
					switch n := local.IntN(total); {
					case n < mix.get:
						add(key, timed(lop{kind: opGet, client: c}, func() lop { return lop{val: rec.get(key)} }))
					case n < mix.get+mix.put:
						add(key, timed(lop{kind: opPut, client: c}, func() lop { rec.put(key, val); return lop{val: number(val)} }))
					case n < mix.get+mix.put+mix.invalidate:
						add(key, timed(lop{kind: opInvalidate, client: c}, func() lop { rec.invalidate(&rec.keys[key]); return lop{val: absent} }))
					case n < total-mix.size-mix.clear:
						add(key, timed(lop{kind: opInvalidate, client: c}, func() lop { rec.putLiving(key, val, new(time.Duration(-i))); return lop{val: absent} }))
					case n < total-mix.size:
						o := timed(lop{kind: opInvalidate, client: c}, func() lop { rec.invalidate(nil); return lop{val: absent} })
						for key := range nkeys {
							add(key, o)
						}
					default:
						if s, err := p.b.Stats(p.ctx); err != nil || s.Size < 0 || s.Size > int64(nkeys) {
							p.failf("with %d keys in use, Stats().Size = %d, error %v", nkeys, s.Size, err)("from 0 to %d, and no error", nkeys)
						}
					}
					if local.IntN(8) == 0 {
						runtime.Gosched()
					}
				}
			})
		})
	}
	close(start)
	wg.Wait()
	for key := range nkeys { // and a known end
		add(key, timed(lop{kind: opGet, client: -1}, func() lop { return lop{val: rec.get(key)} }))
		c := p.cell(rec.keys[key])
		c.past = rec.vals
	}
	return rec
}

// repeats reports whether the type has so few values that At must repeat them.
func (p *probe[K, V]) repeats() bool {
	at := p.r.values.At
	return p.same(at(0), at(2)) || p.same(at(0), at(1<<8)) || p.same(at(0), at(1<<16))
}

// guard1 is guard for one of several goroutines.
func (p *probe[K, V]) guard1(mu *sync.Mutex, f func()) {
	q := &probe[K, V]{r: p.r}
	q.guard(f)
	if q.fault != nil {
		mu.Lock()
		defer mu.Unlock()
		if p.fault == nil {
			p.fault = q.fault
		}
	}
}

// together runs f on n goroutines, none of which begins before all are there,
// and ends the check with the first fault.
func (p *probe[K, V]) together(n int, f func(g int)) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var ready atomic.Int64
	for g := range n {
		wg.Go(func() {
			for ready.Add(1); ready.Load() < int64(n); {
				runtime.Gosched()
			}
			p.guard1(&mu, func() { f(g) })
		})
	}
	wg.Wait()
	if p.fault != nil {
		panic(p.fault)
	}
}

func (rec *recorder[K, V]) put(key, val int) {
	var ttl *time.Duration
	if rec.mix.zero > 0 && val%2 == 1 {
		ttl = new(time.Hour)
	}
	rec.putLiving(key, val, ttl)
}

func (rec *recorder[K, V]) putLiving(key, val int, ttl *time.Duration) {
	p := rec.p
	var err error
	if rec.mix.views && val%3 == 0 {
		err = backend.PutMany(p.ctx, p.b, []backend.Item[K, V]{{Key: rec.keys[key], Value: rec.vals[val], TTL: ttl}})
	} else {
		err = p.b.Put(p.ctx, rec.keys[key], rec.vals[val], ttl)
	}
	p.flushed(&err)
	if err != nil {
		panic(&fault{what: fmt.Sprintf("Put under load returned the error %q", err), want: "nil"})
	}
}

func (rec *recorder[K, V]) invalidate(key *K) {
	p := rec.p
	err := p.b.Invalidate(p.ctx, key)
	p.flushed(&err)
	if err != nil {
		panic(&fault{what: fmt.Sprintf("Invalidate under load returned the error %q", err), want: "nil"})
	}
}

// look gets a key through one of the ways there are.
func (rec *recorder[K, V]) look(key int) (v V, hit bool, err error) {
	p, k := rec.p, rec.keys[key]
	if rec.mix.views {
		switch n := rand.IntN(4); {
		case n == 0 && p.r.has.entries:
			e, hit, err := backend.GetEntry(p.ctx, p.b, k)
			return e.Value, hit, err
		case n == 1 && p.r.has.batcher:
			got, err := backend.GetMany(p.ctx, p.b, []K{k})
			v, hit := got[k]
			return v, hit, err
		case n == 2 && p.r.has.ranger:
			seq, err := backend.All(p.b)
			if err != nil {
				return v, false, err
			}
			for other, x := range seq {
				if other == k {
					return x, true, nil
				}
			}
			return v, false, nil
		}
	}
	return p.b.Get(p.ctx, k)
}

// get returns the number of the value, or absent.
func (rec *recorder[K, V]) get(key int) int {
	p := rec.p
	v, hit, err := rec.look(key)
	if err != nil {
		panic(&fault{what: fmt.Sprintf("Get under load returned the error %q", err), want: "a hit or a miss"})
	}
	if !hit {
		return absent
	}
	for i := range rec.vals {
		if p.same(v, rec.vals[i]) {
			return i
		}
	}
	panic(&fault{
		what: fmt.Sprintf("Get(%s) under load = hit %s", show(rec.keys[key]), show(v)), want: "one of the values that were put in this round",
		hint: "a value of an earlier round came back, or the value is torn: parts of two",
	})
}

// verify fails the check if a key's history is not linearizable.
func (rec *recorder[K, V]) verify(lossy bool) {
	for key, ops := range rec.history {
		if len(ops) > 64 || linearizable(ops, lossy) {
			continue
		}
		ops = shrinkHistory(ops, lossy)
		f := &fault{
			what: fmt.Sprintf("the history of the key %s is not linearizable", show(rec.keys[key])),
			want: "an order of these operations in which each takes effect between its call and its return",
			hint: rec.explain(ops),
		}
		for _, o := range ops {
			f.done = append(f.done, rec.line(o))
		}
		panic(f)
	}
}

func (rec *recorder[K, V]) line(o lop) string {
	who := "before and after the clients"
	if o.client >= 0 {
		who = fmt.Sprintf("client %d", o.client)
	}
	what := "Invalidate"
	switch {
	case o.kind == opPut:
		what = "Put " + show(rec.vals[o.val])
	case o.kind == opGet && o.val == absent:
		what = "Get → miss"
	case o.kind == opGet:
		what = "Get → hit " + show(rec.vals[o.val])
	}
	return fmt.Sprintf("[%3d, %3d] %s: %s", o.call, o.ret, who, what)
}

// explain names what a short illegal history shows.
func (rec *recorder[K, V]) explain(ops []lop) string {
	for i, get := range ops {
		if get.kind != opGet {
			continue
		}
		if get.val == absent {
			return "a Put had returned, and nothing removed the entry: it was lost"
		}
		for _, other := range ops[:i] {
			if other.kind == opInvalidate && other.ret < get.call {
				return "the value was put before an Invalidate that had returned before the Get: it came back"
			}
			if other.kind == opGet && other.val != get.val && other.ret < get.call {
				return "an earlier Get had already seen it gone or replaced: it came back"
			}
		}
	}
	return "a Get saw a value that another Put had replaced"
}

// shrinkHistory drops operations as long as the history stays illegal. A Put
// whose value is returned must stay.
func shrinkHistory(ops []lop, lossy bool) []lop {
	ops = slices.Clone(ops)
	slices.SortFunc(ops, func(a, b lop) int { return int(a.call - b.call) })
	for again := true; again; {
		again = false
		for i := range slices.Backward(ops) {
			if ops[i].kind == opPut && slices.ContainsFunc(ops, func(o lop) bool { return o.kind == opGet && o.val == ops[i].val }) {
				continue
			}
			if less := slices.Delete(slices.Clone(ops), i, i+1); !linearizable(less, lossy) {
				ops, again = less, true
			}
		}
	}
	return ops
}

// histories runs rounds of clients and verifies each.
func histories[K comparable, V any](n int, mix mixture, lossy bool) func(p *probe[K, V]) {
	return func(p *probe[K, V]) {
		p.loose = true
		rng := rand.New(rand.NewPCG(uint64(n), uint64(mix.get)))
		parallel(func() {
			for range p.rounds(n) {
				rec := record(p, min(2, p.r.keys.N), 6, 10, mix, rng)
				if p.fault != nil {
					panic(p.fault)
				}
				rec.verify(lossy)
			}
		})
	}
}

func lossless[K comparable, V any](r *runner[K, V]) string {
	if r.traits.Refuses || r.traits.Bound == backend.BoundApproximate {
		return "the backend may drop entries at any size"
	}
	return ""
}

func concurrentChecks[K comparable, V any]() []check[K, V] {
	return []check[K, V]{
		{rule: "concurrent/key", kase: "register", run: histories[K, V](200, mixture{get: 50, put: 35, invalidate: 15}, true)},
		{rule: "concurrent/key", kase: "overwrites", run: histories[K, V](100, mixture{get: 50, put: 50}, true)},
		{rule: "concurrent/key", kase: "with-stats", run: histories[K, V](60, mixture{get: 40, put: 40, invalidate: 10, size: 10}, true)},
		{rule: "concurrent/key", kase: "lifetimes", run: histories[K, V](100, mixture{get: 45, put: 30, invalidate: 10, zero: 15}, true)},
		{rule: "concurrent/key", kase: "views", void: func(r *runner[K, V]) string {
			if !r.has.entries && !r.has.batcher && !r.has.ranger {
				return "the backend shows its entries through Get only"
			}
			return ""
		}, run: histories[K, V](60, mixture{get: 50, put: 30, invalidate: 10, clear: 10, views: true}, true)},
		{rule: "concurrent/nil", kase: "register", run: histories[K, V](200, mixture{get: 45, put: 35, invalidate: 5, clear: 15}, true)},
		{rule: "hit/put", kase: "concurrent", void: lossless[K, V], run: histories[K, V](100, mixture{get: 50, put: 40, invalidate: 10}, false)},
		{rule: "invalidate/nil", kase: "concurrent", void: lossless[K, V], run: histories[K, V](100, mixture{get: 50, put: 35, clear: 15}, false)},
		{rule: "concurrent/nil", kase: "barrier", run: func(p *probe[K, V]) { parallel(p.barrier) }},
		{rule: "hit/put", kase: "own-writes", run: func(p *probe[K, V]) { parallel(p.ownWrites) }},
		{rule: "hit/keys", kase: "disjoint-writers", run: func(p *probe[K, V]) { parallel(p.disjoint) }},
		{rule: "ttl/overwrite", kase: "refresh-races-get", run: func(p *probe[K, V]) {
			parallel(func() { p.refreshRaces(func(k K) { _, _, _ = p.b.Get(p.ctx, k) }) })
		}},
		{rule: "ttl/overwrite", kase: "refresh-races-stats", run: func(p *probe[K, V]) {
			parallel(func() { p.refreshRaces(func(K) { _, _ = p.b.Stats(p.ctx) }) })
		}},
		{rule: "ttl/overwrite", kase: "refresh-races-sweep", void: func(r *runner[K, V]) string {
			if !r.bubble {
				return "real time cannot be made to fall on a sweep"
			}
			return ""
		}, run: func(p *probe[K, V]) { parallel(p.refreshAtSweep) }},
		{rule: "ttl/overwrite", kase: "two-puts-meet", void: func(r *runner[K, V]) string {
			if !r.bubble {
				return "an hour of real time is too long"
			}
			return ""
		}, run: func(p *probe[K, V]) { parallel(p.mixedLifetimes) }},
		{rule: "concurrent/race", kase: "everything", run: func(p *probe[K, V]) { parallel(p.everything) }},
		{rule: "concurrent/race", kase: "close", void: noCloser[K, V], free: func(r *runner[K, V]) error {
			for i := range 24 {
				if f := r.session(Options{Capacity: 100 * (i % 2)}, func(p *probe[K, V]) {
					parallel(func() { p.closeRaces(1 + uint64(i)*5) })
				}); f != nil {
					return f
				}
			}
			return nil
		}},
	}
}

// barrier checks that nothing put before an Invalidate(nil) started is seen
// after it returned, while others write.
func (p *probe[K, V]) barrier() {
	p.loose = true
	n := min(8, p.r.keys.N)
	var seq [8]atomic.Int64 // number of the last Put that returned, by key
	base := p.nvals + 1
	per := p.rounds(600)
	number := func(key, i int) int { return base + i*n + key }
	var wg sync.WaitGroup
	var mu sync.Mutex
	var stop atomic.Bool
	for key := range n {
		wg.Go(func() {
			p.guard1(&mu, func() {
				for i := 1; i < per && !stop.Load(); i++ {
					err := p.b.Put(p.ctx, p.key(key), p.r.values.At(number(key, i)), nil)
					p.flushed(&err)
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
			p.flushed(&err)
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

// ownWrites has goroutines that each read only what they wrote themselves.
func (p *probe[K, V]) ownWrites() {
	p.loose = true
	clients := min(6, p.r.keys.N)
	var wg sync.WaitGroup
	var mu sync.Mutex
	for c := range clients {
		vals := make([]V, p.rounds(150))
		for i := range vals {
			vals[i] = p.val()
		}
		p.cell(p.key(c)).past = vals
		wg.Go(func() {
			p.guard1(&mu, func() {
				k := p.key(c)
				for i, v := range vals {
					err := p.b.Put(p.ctx, k, v, nil)
					p.flushed(&err)
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
						p.flushed(&err)
						if _, hit, _ := p.b.Get(p.ctx, k); err != nil || hit {
							panic(&fault{what: fmt.Sprintf("Get(%s) = hit right after this goroutine, the only one to use the key, invalidated it (error %v)", show(k), err), want: "a miss"})
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

// disjoint has goroutines that write keys of their own; all must be there after.
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
					p.flushed(&err)
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

// refreshRaces puts a new value over an expired entry while others do what may
// remove the expired one.
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
		time.Sleep(2*ttl + p.r.traits.Lateness)
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
			p.hit(p.key(i)) // refreshed entries are nobody's to remove
		}
	}
}

// yield lets other goroutines run n times.
func yield(n uint64) {
	for range n {
		runtime.Gosched()
	}
}

// mixedLifetimes puts each key with a TTL and without one at the same time.
// Whichever value stays, the lifetime must be the one it was put with.
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
		p.sleep(ttl + p.r.traits.Lateness + p.tick())
		for i, g := range won {
			switch _, hit := p.get(p.key(i)); {
			case g < 0 || p.repeats():
			case hit && g%2 == 1:
				p.failf("Get(%s) = hit %s after the TTL of that value", show(p.key(i)), show(vals[i][g]))("a miss: Puts met, and one's value was kept with another's lifetime")
			case !hit && g%2 == 0 && lossless(p.r) == "":
				p.failf("Get(%s) = miss, though its value %s was put without a TTL", show(p.key(i)), show(vals[i][g]))("a hit: Puts met, and one's value was kept with another's lifetime")
			}
		}
	}
}

// refreshAtSweep refreshes entries at the very instants at which a background
// sweep of a common period wakes.
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

// everything calls every method from many goroutines.
func (p *probe[K, V]) everything() {
	p.loose = true
	n := min(16, p.r.keys.N)
	var wg sync.WaitGroup
	var mu sync.Mutex
	vals := make([]V, 64)
	for i := range vals {
		vals[i] = p.val()
	}
	for i := range n {
		p.cell(p.key(i)).past = vals
	}
	for c := range 8 {
		rng := rand.New(rand.NewPCG(uint64(c), 3))
		wg.Go(func() {
			p.guard1(&mu, func() {
				for range p.rounds(400) {
					p.call(rng, p.key(rng.IntN(n)), vals, func(what string, err error) {
						if err != nil {
							panic(&fault{what: fmt.Sprintf("%s under load returned the error %q", what, err), want: "nil"})
						}
					})
				}
			})
		})
	}
	wg.Wait()
	if p.fault != nil {
		panic(p.fault)
	}
	p.settle()
	held, size := 0, p.size()
	for i := range n {
		if _, hit := p.get(p.key(i)); hit {
			held++
		}
	}
	if size != int64(held) && p.lag() == 0 {
		p.missized(fmt.Sprintf("%d: that many keys hit", held), "after load on %d keys, Stats().Size = %d", n, size)
	}
	p.clear()
	p.wantSize(0)
}

// call makes one random call.
func (p *probe[K, V]) call(rng *rand.Rand, k K, vals []V, report func(what string, err error)) {
	switch rng.IntN(22) {
	case 20: // of several keys, in any order
		_, err := backend.GetMany(p.ctx, p.b, p.someKeys(rng, k))
		report("GetMany", err)
	case 21:
		var items []backend.Item[K, V]
		for _, k := range p.someKeys(rng, k) {
			items = append(items, backend.Item[K, V]{Key: k, Value: vals[rng.IntN(len(vals))]})
		}
		report("PutMany", backend.PutMany(p.ctx, p.b, items))
	case 0:
		report("Invalidate(nil)", p.b.Invalidate(p.ctx, nil))
	case 1, 2:
		report("Invalidate", p.b.Invalidate(p.ctx, &k))
	case 3:
		_, err := p.b.Stats(p.ctx)
		report("Stats", err)
	case 4:
		if seq, err := backend.All(p.b); err == nil {
			for range seq {
				break
			}
		}
	case 5:
		if _, _, err := backend.GetEntry(p.ctx, p.b, k); !errors.Is(err, errors.ErrUnsupported) {
			report("GetEntry", err)
		}
	case 6:
		report("Flush", backend.Flush(p.ctx, p.b))
	case 7, 8:
		report("Put", p.b.Put(p.ctx, k, vals[rng.IntN(len(vals))], new(time.Duration(rng.IntN(3)-1))))
	case 9, 10, 11, 12:
		report("Put", p.b.Put(p.ctx, k, vals[rng.IntN(len(vals))], nil))
	default:
		v, hit, err := p.b.Get(p.ctx, k)
		report("Get", err)
		if hit && !slices.ContainsFunc(vals, func(x V) bool { return p.same(x, v) }) {
			panic(&fault{what: fmt.Sprintf("Get(%s) under load = hit %s", show(k), show(v)), want: "a value that was put"})
		}
	}
}

// someKeys returns k among others of the first keys, shuffled.
func (p *probe[K, V]) someKeys(rng *rand.Rand, k K) []K {
	keys := []K{k}
	for i := range min(4, p.r.keys.N) {
		if p.key(i) != k {
			keys = append(keys, p.key(i))
		}
	}
	rng.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	return keys
}

// closeRaces closes while every method is being called, after a while.
func (p *probe[K, V]) closeRaces(while uint64) {
	p.loose = true
	var wg sync.WaitGroup
	var mu sync.Mutex
	var closed atomic.Bool
	vals := []V{p.val(), p.val()}
	for c := range 6 {
		rng := rand.New(rand.NewPCG(uint64(c), 4))
		wg.Go(func() {
			p.guard1(&mu, func() {
				for range 200 {
					after := closed.Load()
					p.call(rng, p.key(rng.IntN(min(4, p.r.keys.N))), vals, func(what string, err error) {
						if err != nil && !errors.Is(err, backend.ErrClosed) {
							panic(&fault{what: fmt.Sprintf("%s racing Close returned the error %q", what, err), want: "nil, or an error that wraps ErrClosed"})
						}
						if err == nil && after && !strings.HasPrefix(what, "Flush") {
							panic(&fault{what: what + " after Close returned nil", want: "an error that wraps ErrClosed"})
						}
					})
				}
			})
		})
	}
	for range 2 {
		wg.Go(func() {
			p.guard1(&mu, func() {
				yield(while)
				if err := backend.Close(p.b); err != nil {
					panic(&fault{what: fmt.Sprintf("Close under load returned the error %q", err), want: "nil"})
				}
				closed.Store(true)
			})
		})
	}
	wg.Wait()
	p.b = nil // closed: there is nothing to audit
	if p.fault != nil {
		panic(p.fault)
	}
}

package conformance

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// parallel runs f with GOMAXPROCS of at least four, because some interleavings do not occur on one processor.
func parallel(f func()) {
	if n := runtime.GOMAXPROCS(0); n < 4 {
		runtime.GOMAXPROCS(4)
		defer runtime.GOMAXPROCS(n)
	}
	f()
}

// rounds yields 0, 1, 2 and so on for an amount of work that is smaller for slow subjects. It stops early when the
// check's time is running out.
func (p *probe[K, V]) rounds(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range p.scaled(n) {
			if i > 0 && p.hurried() || !yield(i) {
				return
			}
		}
	}
}

// scaled returns an amount of work, reduced for slow subjects.
func (p *probe[K, V]) scaled(n int) int {
	if raceEnabled {
		n /= 3
	}
	if !p.r.bubble {
		n /= 4
	}
	return max(n, 1)
}

// A mixture has the relative frequencies of the clients' operations.
type mixture struct {
	get, put, invalidate, clear, size int
	zero                              int  // Puts with a TTL of zero; if not 0, half of the other Puts have a TTL too
	views                             bool // also through the optional interfaces
}

// A recorder runs clients on a few keys and records the history.
type recorder[K comparable, V any] struct {
	p       *probe[K, V]
	mix     mixture
	keys    []K
	vals    []V // by number
	clock   atomic.Int64
	history [][]lop // by key
}

// record runs one round of clients. Every Put has a value with its own number.
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
							p.failf("with %d keys in use, Stats().Size = %d, error %v", nkeys, s.Size, err)(
								"from 0 to %d, and no error", nkeys)
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

// repeats reports whether the type has too few values for distinct ones.
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

// together runs f on n goroutines that start at the same moment. It ends the check with the first fault.
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
	p.synced(&err)
	if err != nil {
		panic(&fault{what: fmt.Sprintf("Put under load returned the error %q", err), want: "nil"})
	}
}

func (rec *recorder[K, V]) invalidate(key *K) {
	p := rec.p
	err := p.b.Invalidate(p.ctx, key)
	p.synced(&err)
	if err != nil {
		panic(&fault{what: fmt.Sprintf("Invalidate under load returned the error %q", err), want: "nil"})
	}
}

// look reads a key by Get or by one of the optional interfaces.
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

// explain describes the fault in a short illegal history.
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

// shrinkHistory removes operations as long as the history stays illegal. It keeps a Put whose value is returned.
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

// histories records n concurrent histories and checks that each is linearizable.
func (p *probe[K, V]) histories(n int, mix mixture, lossy bool) {
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

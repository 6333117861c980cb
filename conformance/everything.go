package conformance

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cachepact/cachepact/backend"
)

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
	case 20: // calls with several keys in any order
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
		report("Sync", backend.Sync(p.ctx, p.b))
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

// someKeys returns k and some of the first keys, shuffled.
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

// closeRaces closes the backend while other goroutines call every method.
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
							panic(&fault{
								what: fmt.Sprintf("%s racing Close returned the error %q", what, err),
								want: "nil, or an error that wraps ErrClosed",
							})
						}
						if err == nil && after && !strings.HasPrefix(what, "Sync") {
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
	p.b = nil // the backend is closed, so there is nothing to audit
	if p.fault != nil {
		panic(p.fault)
	}
}

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

// listsUnderLoad lists the entries while other goroutines put and remove entries. Each entry that stays must be listed
// once, with its value.
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
				yield(uint64(len(seen)) % 8 / 7) // the writers
				if want, ok := stay[k]; ok && !p.same(v, want) || !ok && (p.model[k] == nil || !p.known(p.model[k], v)) {
					panic(&fault{
						what: fmt.Sprintf("All yielded %s with %s while others wrote", show(k), show(v)),
						want: "a value that was put under this key",
					})
				}
			}
			for k := range stay {
				if !seen[k] && lossless(p.r) == "" {
					panic(&fault{
						what: fmt.Sprintf("All did not yield %s, which was there all the time, while others wrote", show(k)),
						want: "every entry that is present during the whole iteration",
					})
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

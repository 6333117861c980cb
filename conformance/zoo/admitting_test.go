package zoo

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

// admitting admits a new key to a full cache only if it was asked for more often
// than the entry that would go, as TinyLFU does, with exact counts that are halved
// now and then.
type admitting struct {
	mu     sync.Mutex
	closed bool
	room   int
	m      map[string]item
	asked  map[string]int
	total  int
	events [3]uint64 // hits, misses, rejections
}

func newAdmitting(o conformance.Options) cache {
	return &admitting{room: cmp.Or(o.Capacity, 200_000), m: map[string]item{}, asked: map[string]int{}}
}

func (a *admitting) count(key string) {
	a.asked[key]++
	if a.total++; a.total > 10*a.room+1000 {
		for k, n := range a.asked {
			if n /= 2; n == 0 {
				delete(a.asked, k)
			} else {
				a.asked[k] = n
			}
		}
		a.total /= 2
	}
}

func (a *admitting) Get(_ context.Context, key string) ([]byte, bool, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil, false, fail("get", backend.ErrClosed)
	}
	a.count(key)
	it, ok := a.m[key]
	if ok && past(it.deadline) {
		delete(a.m, key)
		ok = false
	}
	if !ok {
		a.events[1]++
		return nil, false, nil
	}
	a.events[0]++
	return it.value, true, nil
}

func (a *admitting) Put(_ context.Context, key string, value []byte, ttl *time.Duration) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return fail("put", backend.ErrClosed)
	}
	a.count(key)
	if over(ttl) {
		delete(a.m, key)
		return nil
	}
	_, had := a.m[key]
	if !had && len(a.m) >= a.room && !a.admit(key) {
		a.events[2]++
		return nil
	}
	a.m[key] = item{value: value, deadline: until(ttl)}
	return nil
}

// admit makes room for key if it is worth it.
func (a *admitting) admit(key string) bool {
	victim, least := "", int(never)
	n := 0
	for k, it := range a.m { // the least of a sample
		if past(it.deadline) {
			victim, least = k, -1
			break
		}
		if a.asked[k] < least {
			victim, least = k, a.asked[k]
		}
		if n++; n == 8 {
			break
		}
	}
	if a.asked[key] <= least {
		return false
	}
	delete(a.m, victim)
	return true
}

func (a *admitting) Invalidate(_ context.Context, key *string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.closed:
		return fail("invalidate", backend.ErrClosed)
	case key != nil:
		delete(a.m, *key)
	default:
		clear(a.m)
	}
	return nil
}

func (a *admitting) Stats(context.Context) (backend.Stats, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return backend.Stats{}, fail("stats", backend.ErrClosed)
	}
	n := int64(0)
	for _, it := range a.m {
		if !past(it.deadline) {
			n++
		}
	}
	return backend.Stats{Size: n, Counters: map[string]uint64{
		backend.CounterHits: a.events[0], backend.CounterMisses: a.events[1], backend.CounterRejections: a.events[2],
	}}, nil
}

func (a *admitting) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	return nil
}

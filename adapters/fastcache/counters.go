package fastcache

import (
	"sync"
	"sync/atomic"

	"github.com/VictoriaMetrics/fastcache"

	"github.com/cachepact/cachepact/adapters/internal/spread"
	"github.com/cachepact/cachepact/backend"
)

// counters counts hits, because the library counts a Get before it knows whether it
// hits, and corrects what the library counts of misses.
type counters struct {
	hits    spread.Tally
	expired atomic.Uint64 // Gets that found an expired entry
	misses  rising

	// add is what is to be added to the library's misses: those that it had counted
	// before it was reset, less the adapter's own if there are no rings.
	add struct {
		sync.Mutex
		misses int64
	}
}

func counted(cache *fastcache.Cache) (s fastcache.Stats) {
	cache.UpdateStats(&s)
	return s
}

func (b *Backend[K, V]) stats(cache *fastcache.Cache) backend.Stats {
	c := &b.counters
	c.add.Lock()
	lib := counted(cache)
	misses := int64(lib.Misses) + c.add.misses + int64(c.expired.Load())
	c.add.Unlock()

	size, counters := int64(lib.EntriesCount), map[string]uint64{backend.CounterHits: c.hits.Sum()}
	if b.rings != nil {
		// Read after the library's misses, off which the adapter's own are taken:
		// never too few, as the library counts one before the account does.
		account := b.rings.sum(b.coder.Clock.Now())
		size, misses = int64(account.count), misses-int64(account.misses)
		counters[backend.CounterEvictions] = account.evictions
		counters[backend.CounterExpirations] = account.expirations
	}
	counters[backend.CounterMisses] = c.misses.raise(misses)
	return backend.Stats{Size: size, Counters: counters}
}

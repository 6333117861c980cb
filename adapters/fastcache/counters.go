package fastcache

import (
	"sync"
	"sync/atomic"

	"github.com/VictoriaMetrics/fastcache"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/internal/bytecache"
)

// counters corrects what the library counts.
type counters struct {
	expired   atomic.Uint64 // Gets that found an expired entry
	undecoded atomic.Uint64 // Gets that found one that cannot be decoded

	hits, misses bytecache.Counter

	// add is what is to be added to what the library counts: what it had counted
	// before it was reset, less the adapter's own reads if there are no rings.
	add struct {
		sync.Mutex
		hits, misses int64
	}
}

// keep takes note of what the library is about to forget. The caller holds add.
func (c *counters) keep(cache *fastcache.Cache) {
	s := counted(cache)
	c.add.hits += hits(s)
	c.add.misses += int64(s.Misses)
}

func counted(cache *fastcache.Cache) (s fastcache.Stats) {
	cache.UpdateStats(&s)
	return s
}

func hits(s fastcache.Stats) int64 { return int64(s.GetCalls - s.Misses) }

func (b *Backend[K, V]) stats(cache *fastcache.Cache) backend.Stats {
	c := &b.counters
	expired := int64(c.expired.Load()) // first: it is added to the misses
	c.add.Lock()
	lib := counted(cache)
	allHits, allMisses := hits(lib)+c.add.hits, int64(lib.Misses)+c.add.misses
	c.add.Unlock()

	var account account
	size, counters := int64(lib.EntriesCount), map[string]uint64{}
	if b.rings != nil {
		account = b.rings.sum(b.coder.Clock.Now())
		size = int64(account.count)
		counters[backend.CounterEvictions] = account.evictions
		counters[backend.CounterExpirations] = account.expirations
	}
	counters[backend.CounterHits] = c.hits.Raise(allHits - int64(account.peekHits+c.expired.Load()+c.undecoded.Load()))
	counters[backend.CounterMisses] = c.misses.Raise(allMisses + expired - int64(account.peekMisses))
	return backend.Stats{Size: size, Counters: counters}
}

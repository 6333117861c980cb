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

	peekHits, peekMisses atomic.Uint64 // the adapter's own reads, without rings

	hits, misses bytecache.Counter

	past struct { // what the library has counted before it was reset
		sync.Mutex
		hits, misses int64
	}
}

// keep takes note of what the library is about to forget. The caller holds past.
func (c *counters) keep(cache *fastcache.Cache) {
	s := counted(cache)
	c.past.hits += hits(s)
	c.past.misses += int64(s.Misses)
}

func counted(cache *fastcache.Cache) (s fastcache.Stats) {
	cache.UpdateStats(&s)
	return s
}

func hits(s fastcache.Stats) int64 { return int64(s.GetCalls - s.Misses) }

func (b *Backend[K, V]) stats(cache *fastcache.Cache) backend.Stats {
	c := &b.counters
	expired := int64(c.expired.Load()) // first: it is added to the misses
	c.past.Lock()
	lib := counted(cache)
	allHits, allMisses := hits(lib)+c.past.hits, int64(lib.Misses)+c.past.misses
	c.past.Unlock()

	account, size := account{peekHits: c.peekHits.Load(), peekMisses: c.peekMisses.Load()}, int64(lib.EntriesCount)
	counters := map[string]uint64{}
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

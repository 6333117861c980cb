package bigcache

import (
	"sync/atomic"

	"github.com/allegro/bigcache/v3"

	"github.com/cachepact/cachepact/backend"
)

// counters corrects what the library counts.
type counters struct {
	peekHits, peekMisses atomic.Uint64 // the adapter's own reads
	expired              atomic.Uint64 // Gets that found an expired entry
	expirations          atomic.Uint64

	hits, misses atomic.Uint64 // the most that was read so far
}

func (c *counters) read(cache *bigcache.BigCache) map[string]uint64 {
	// In this order: the library counts first.
	expired, peekHits, peekMisses := c.expired.Load(), c.peekHits.Load(), c.peekMisses.Load()
	s := cache.Stats()
	return map[string]uint64{
		backend.CounterHits:        raise(&c.hits, uint64(s.Hits)-expired-peekHits),
		backend.CounterMisses:      raise(&c.misses, uint64(s.Misses+s.Collisions)+expired-peekMisses),
		backend.CounterExpirations: c.expirations.Load(),
	}
}

// raise makes most at least n and returns it. A call between what the library
// counts and its correction would otherwise make a counter fall.
func raise(most *atomic.Uint64, n uint64) uint64 {
	for {
		m := most.Load()
		if m >= n {
			return m
		}
		if most.CompareAndSwap(m, n) {
			return n
		}
	}
}

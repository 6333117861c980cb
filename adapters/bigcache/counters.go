package bigcache

import (
	"sync/atomic"

	"github.com/allegro/bigcache/v3"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/internal/bytecache"
)

// counters corrects what the library counts.
type counters struct {
	peekHits, peekMisses atomic.Uint64 // the adapter's own reads
	expired              atomic.Uint64 // Gets that found an expired entry
	expirations          atomic.Uint64

	hits, misses bytecache.Counter
}

func (c *counters) read(cache *bigcache.BigCache) map[string]uint64 {
	expired := int64(c.expired.Load()) // first: it is added to the misses
	s := cache.Stats()
	return map[string]uint64{
		backend.CounterHits:        c.hits.Raise(s.Hits - int64(c.expired.Load()+c.peekHits.Load())),
		backend.CounterMisses:      c.misses.Raise(s.Misses + s.Collisions + expired - int64(c.peekMisses.Load())),
		backend.CounterExpirations: c.expirations.Load(),
	}
}

package freecache

import (
	"sync"
	"sync/atomic"

	"github.com/coocood/freecache"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/internal/bytecache"
)

// counters corrects what the library counts.
type counters struct {
	expired     atomic.Uint64 // Gets that found an expired entry
	undecoded   atomic.Uint64 // Gets that found one that cannot be decoded
	expirations atomic.Uint64

	hits, misses bytecache.Counter

	mu                   sync.Mutex // the library forgets what it has counted when it is cleared
	pastHits, pastMisses int64
}

func (c *counters) clear(cache *freecache.Cache) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pastHits += cache.HitCount()
	c.pastMisses += cache.MissCount()
	cache.Clear()
}

func (c *counters) read(cache *freecache.Cache) map[string]uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	expired := int64(c.expired.Load()) // first: it is added to the misses
	hits, misses := c.pastHits+cache.HitCount(), c.pastMisses+cache.MissCount()
	return map[string]uint64{
		backend.CounterHits:        c.hits.Raise(hits - int64(c.expired.Load()+c.undecoded.Load())),
		backend.CounterMisses:      c.misses.Raise(misses + expired),
		backend.CounterExpirations: c.expirations.Load(),
	}
}

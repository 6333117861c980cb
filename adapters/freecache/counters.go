package freecache

import (
	"sync"
	"sync/atomic"

	"github.com/coocood/freecache"

	"github.com/cachepact/cachepact/adapters/internal/spread"
	"github.com/cachepact/cachepact/backend"
)

// counters counts hits, because the library counts one before it is known whether the
// entry has expired, and adds to the misses that the library counts.
type counters struct {
	hits        spread.Tally
	expired     atomic.Uint64 // Gets that found an expired entry
	expirations atomic.Uint64

	mu   sync.Mutex // the library forgets what it has counted when it is cleared
	past int64      // misses
}

func (c *counters) clear(cache *freecache.Cache) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.past += cache.MissCount()
	cache.Clear()
}

func (c *counters) read(cache *freecache.Cache) map[string]uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return map[string]uint64{
		backend.CounterHits:        c.hits.Sum(),
		backend.CounterMisses:      uint64(c.past+cache.MissCount()) + c.expired.Load(),
		backend.CounterExpirations: c.expirations.Load(),
	}
}

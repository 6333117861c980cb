package bigcache

import (
	"sync/atomic"

	"github.com/cachepact/cachepact/adapters/internal/spread"
	"github.com/cachepact/cachepact/backend"
)

// counters counts Gets. The library counts them too, but before it is known whether
// an entry has expired, and the adapter's own reads among them.
type counters struct {
	hits, misses spread.Tally
	expirations  atomic.Uint64
}

func (c *counters) read() map[string]uint64 {
	return map[string]uint64{
		backend.CounterHits:        c.hits.Sum(),
		backend.CounterMisses:      c.misses.Sum(),
		backend.CounterExpirations: c.expirations.Load(),
	}
}

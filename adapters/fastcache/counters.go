package fastcache

import (
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

	// What the library has counted before it was reset, guarded by the lock of
	// the first ring.
	pastHits, pastMisses int64
}

// keep takes note of what the library is about to forget.
func (c *counters) keep(cache *fastcache.Cache) {
	hits, misses := counted(cache)
	c.pastHits += hits
	c.pastMisses += misses
}

func counted(cache *fastcache.Cache) (hits, misses int64) {
	var s fastcache.Stats
	cache.UpdateStats(&s)
	return int64(s.GetCalls - s.Misses), int64(s.Misses)
}

func (b *Backend[K, V]) stats(cache *fastcache.Cache) backend.Stats {
	c := &b.counters
	expired := int64(c.expired.Load()) // first: it is added to the misses
	b.rings[0].mu.Lock()
	hits, misses := counted(cache)
	hits, misses = hits+c.pastHits, misses+c.pastMisses
	b.rings[0].mu.Unlock()

	var size int64
	var evictions, expirations, peekHits, peekMisses uint64
	now := b.coder.Clock.Now()
	for i := range b.rings {
		r := &b.rings[i]
		r.mu.Lock()
		r.sweep(now)
		size += int64(r.count)
		evictions += r.evictions
		expirations += r.expirations
		peekHits += r.peekHits
		peekMisses += r.peekMisses
		r.mu.Unlock()
	}
	return backend.Stats{Size: size, Counters: map[string]uint64{
		backend.CounterHits:        c.hits.Raise(hits - int64(peekHits+c.expired.Load()+c.undecoded.Load())),
		backend.CounterMisses:      c.misses.Raise(misses + expired - int64(peekMisses)),
		backend.CounterEvictions:   evictions,
		backend.CounterExpirations: expirations,
	}}
}

// Package ristretto is a [backend.Backend] over github.com/dgraph-io/ristretto.
//
// # Same as the library
//
// The configuration, the TinyLFU admission policy, eviction by sampling, and values stored by reference.
//
// # Different from the library
//
//   - A Put is visible when it returns, and a second Put replaces the first. The library drops writes when its buffer
//     is full; here a Put waits while too many inserts are ahead of it.
//   - The admission policy still decides later. A new key that it rejects disappears like an evicted one. It rejects
//     no key while there is room.
//   - Each entry costs 1, so that MaxCost is the capacity in entries. Costs in bytes are not supported.
//   - Keys are of any comparable type and are compared in full. The library compares hashes only.
//   - TTLs are exact. Expired entries make room before live ones are evicted.
//   - Close may be called at any time.
package ristretto

import (
	"math"
	"time"

	"github.com/dgraph-io/ristretto"

	"github.com/cachepact/cachepact/adapters/internal/ristcore"
	"github.com/cachepact/cachepact/backend"
)

// Backend is a [backend.Backend] over a ristretto cache. It also has the methods of [backend.Ranger],
// [backend.EntryGetter], [backend.Syncer], [backend.Describer] and [io.Closer].
//
//   - Invalidate with a nil key replaces the library's cache by an empty one. Its time does not depend on the number
//     of entries. The old cache is closed in the background; Close waits for that.
//   - Stats counts hits, misses, evictions, expirations, rejections and collisions.
//   - Sync returns when the admission policy has decided about all earlier writes and the capacity is kept. Writes
//     are visible without Sync.
//   - Close ends the library's goroutines.
type Backend[K comparable, V any] struct {
	*core[K, V]
}

// core is unexported, so that users do not see the embedded field.
type core[K comparable, V any] = ristcore.Cache[K, V]

var _ backend.Backend[string, any] = (*Backend[string, any])(nil)

// Config is the library's configuration.
type Config = ristretto.Config

// NewConfig returns the library's recommended configuration for a capacity in entries. It has counters for ten times
// as many keys, which take about five bytes each.
func NewConfig(capacity int) *Config {
	return &Config{
		NumCounters:        10 * min(int64(capacity), math.MaxInt64/10),
		MaxCost:            int64(capacity),
		BufferItems:        64,
		IgnoreInternalCost: true,
	}
}

// New returns an empty backend. See [NewConfig] for the usual configuration. The caller must call Close.
//
// New fails if IgnoreInternalCost is false, because MaxCost must count entries. It fails if KeyToHash, Cost, OnEvict,
// OnReject or OnExit is set, because the library would pass them the adapter's hashes and entries. It fails if a
// number is out of range. Metrics and TtlTickerDurationInSec have no effect: Stats always counts, and the library
// gets no TTLs. New copies config and does not change it.
func New[K comparable, V any](config *Config) (*Backend[K, V], error) {
	cache, err := ristcore.New("ristretto", config, open[K, V])
	if err != nil {
		return nil, err
	}
	return &Backend[K, V]{cache}, nil
}

// library is a [ristcore.Library]. Its keys are hashes, or entries that hold a hash: an entry is a pointer, and so a
// key that needs no allocation.
type library[K comparable, V any] struct {
	*ristretto.Cache
}

func open[K comparable, V any](config Config, hooks ristcore.Hooks[K, V]) (ristcore.Library[K, V], error) {
	type entry = *ristcore.Entry[K, V]
	config.Metrics = false
	config.TtlTickerDurationInSec = int64(math.MaxInt64 / time.Second) // never ticks
	config.KeyToHash = func(key any) (hash, conflict uint64) {
		if hash, ok := key.(uint64); ok {
			return hash, 0
		}
		return key.(entry).Hash(), 0
	}
	config.Cost = func(value any) int64 { return hooks.Applying(value.(entry)) }
	config.OnEvict = func(item *ristretto.Item) {
		if e, ok := item.Value.(entry); ok {
			hooks.Evicted(e)
		}
	}
	config.OnReject = func(item *ristretto.Item) { hooks.Rejected(item.Value.(entry)) }
	cache, err := ristretto.NewCache(&config)
	return library[K, V]{cache}, err
}

func (l library[K, V]) Get(hash uint64) *ristcore.Entry[K, V] {
	return get[K, V](l.Cache, hash)
}

func (l library[K, V]) Peek(hash uint64) *ristcore.Entry[K, V] {
	key := any(hash)
	if _, ok := l.GetTTL(key); !ok {
		return nil
	}
	return get[K, V](l.Cache, key)
}

// Set passes a cost of zero, which makes the library call its Cost hook.
func (l library[K, V]) Set(e *ristcore.Entry[K, V]) bool { return l.Cache.Set(e, e, 0) }

func (l library[K, V]) Del(e *ristcore.Entry[K, V]) { l.Cache.Del(e) }

func get[K comparable, V any](c *ristretto.Cache, key any) *ristcore.Entry[K, V] {
	if v, ok := c.Get(key); ok {
		return v.(*ristcore.Entry[K, V])
	}
	return nil
}

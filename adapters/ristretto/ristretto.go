// Package ristretto is a [backend.Backend] over github.com/dgraph-io/ristretto.
//
// # Differences from the library
//
//   - Each entry costs 1, so that MaxCost is the capacity in entries. Costs in
//     bytes are not supported.
//   - A Put can be read as soon as it returns, and a second Put replaces the
//     first. Nothing is lost in a full buffer: a Put that finds too many inserts
//     ahead of it waits for them.
//   - Admission still decides later. A new key that is refused is dropped like
//     one that is evicted. No Put is refused while there is room.
//   - Keys are any comparable type, and are compared in full.
//   - Deadlines are exact, and what has expired makes room before anything else
//     is evicted.
//   - Close may be called at any time.
package ristretto

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"time"

	"github.com/dgraph-io/ristretto"

	"github.com/cachepact/cachepact/adapters/internal/ristcore"
	"github.com/cachepact/cachepact/backend"
)

// Backend is a [backend.Backend] whose entries are held by a ristretto cache.
// Values are held by reference.
type Backend[K comparable, V any] struct {
	cache *ristcore.Cache[K, V]
}

var (
	_ backend.Backend[string, any]     = (*Backend[string, any])(nil)
	_ backend.Ranger[string, any]      = (*Backend[string, any])(nil)
	_ backend.EntryGetter[string, any] = (*Backend[string, any])(nil)
	_ backend.Syncer                   = (*Backend[string, any])(nil)
	_ backend.Describer                = (*Backend[string, any])(nil)
	_ io.Closer                        = (*Backend[string, any])(nil)
)

// Config is the library's configuration.
type Config = ristretto.Config

// NewConfig returns the library's recommended configuration for a capacity in
// entries. It has about five bytes of counters for each of ten times as many
// keys.
func NewConfig(capacity int) *Config {
	return &Config{
		NumCounters:        10 * min(int64(capacity), math.MaxInt64/10),
		MaxCost:            int64(capacity),
		BufferItems:        64,
		IgnoreInternalCost: true,
	}
}

// New returns an empty backend. The configuration is the library's own; see
// [NewConfig] for the usual one. The caller closes what it made.
//
// IgnoreInternalCost must be set, which says that MaxCost counts entries. New
// fails if KeyToHash, Cost, OnEvict, OnReject or OnExit is set, because these see
// the adapter's hashes and entries, or if a number is out of its range. Metrics
// and TtlTickerDurationInSec have no effect: Stats always counts, and the library
// is given no TTL. The configuration is not changed, and later changes of
// it have no effect.
func New[K comparable, V any](config *Config) (*Backend[K, V], error) {
	if config == nil {
		return nil, errors.New("ristretto: new: config is nil")
	}
	if err := check(config); err != nil {
		return nil, fmt.Errorf("ristretto: new: %w", err)
	}
	own := *config // for every Invalidate of all keys
	cache, err := ristcore.New("ristretto", config.MaxCost, func(hooks ristcore.Hooks[K, V]) (ristcore.Library[K, V], error) {
		return open(&own, hooks)
	})
	if err != nil {
		return nil, fmt.Errorf("ristretto: new: %w", err)
	}
	return &Backend[K, V]{cache}, nil
}

func check(config *Config) error {
	return ristcore.Config{
		NumCounters:        config.NumCounters,
		MaxCost:            config.MaxCost,
		BufferItems:        config.BufferItems,
		TickerSeconds:      config.TtlTickerDurationInSec,
		IgnoreInternalCost: config.IgnoreInternalCost,
		Hooks: []ristcore.Hook{
			{Name: "KeyToHash", Set: config.KeyToHash != nil},
			{Name: "Cost", Set: config.Cost != nil},
			{Name: "OnEvict", Set: config.OnEvict != nil},
			{Name: "OnReject", Set: config.OnReject != nil},
			{Name: "OnExit", Set: config.OnExit != nil},
		},
	}.Check()
}

// Get implements [backend.Backend].
func (b *Backend[K, V]) Get(ctx context.Context, key K) (V, bool, error) {
	return b.cache.Get(ctx, key)
}

// Put implements [backend.Backend].
func (b *Backend[K, V]) Put(ctx context.Context, key K, value V, ttl *time.Duration) error {
	return b.cache.Put(ctx, key, value, ttl)
}

// Invalidate implements [backend.Backend]. With a nil key it begins with another
// cache of the library, and takes no time in proportion to what is stored. The old
// one is closed in the background, for which Close waits.
func (b *Backend[K, V]) Invalidate(ctx context.Context, key *K) error {
	return b.cache.Invalidate(ctx, key)
}

// Stats implements [backend.Backend]. It counts hits, misses, evictions,
// expirations, rejections and collisions.
func (b *Backend[K, V]) Stats(ctx context.Context) (backend.Stats, error) {
	return b.cache.Stats(ctx)
}

// GetEntry implements [backend.EntryGetter].
func (b *Backend[K, V]) GetEntry(ctx context.Context, key K) (backend.Entry[V], bool, error) {
	return b.cache.GetEntry(ctx, key)
}

// All implements [backend.Ranger].
func (b *Backend[K, V]) All() iter.Seq2[K, V] { return b.cache.All() }

// Sync implements [backend.Syncer]. Writes are visible when they return; after
// Sync the admission policy has decided about them and the capacity is kept.
func (b *Backend[K, V]) Sync(ctx context.Context) error { return b.cache.Sync(ctx) }

// Traits implements [backend.Describer].
func (b *Backend[K, V]) Traits() backend.Traits { return b.cache.Traits() }

// Close ends the library's goroutines and implements [io.Closer].
func (b *Backend[K, V]) Close() error { return b.cache.Close() }

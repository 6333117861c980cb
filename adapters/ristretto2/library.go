package ristretto2

import (
	"math"
	"time"

	"github.com/dgraph-io/ristretto/v2"

	"github.com/cachepact/cachepact/adapters/internal/ristcore"
)

// library is a [ristcore.Library]. Its keys are hashes.
type library[K comparable, V any] struct {
	*ristretto.Cache[uint64, *ristcore.Entry[K, V]]
}

func open[K comparable, V any](config *Config, hooks ristcore.Hooks[K, V]) (ristcore.Library[K, V], error) {
	type entry = *ristcore.Entry[K, V]
	cache, err := ristretto.NewCache(&ristretto.Config[uint64, entry]{
		NumCounters:            config.NumCounters,
		MaxCost:                config.MaxCost,
		BufferItems:            config.BufferItems,
		IgnoreInternalCost:     true,
		TtlTickerDurationInSec: int64(math.MaxInt64 / time.Second), // never
		KeyToHash:              func(hash uint64) (uint64, uint64) { return hash, 0 },
		Cost:                   hooks.Applying,
		OnEvict: func(item *ristretto.Item[entry]) {
			if item.Value != nil {
				hooks.Evicted(item.Value)
			}
		},
		OnReject: func(item *ristretto.Item[entry]) { hooks.Rejected(item.Value) },
	})
	return library[K, V]{cache}, err
}

func (l library[K, V]) Get(hash uint64) *ristcore.Entry[K, V] {
	e, _ := l.Cache.Get(hash)
	return e
}

func (l library[K, V]) Peek(hash uint64) *ristcore.Entry[K, V] {
	if _, ok := l.GetTTL(hash); !ok {
		return nil
	}
	return l.Get(hash)
}

// A cost of zero makes the library call its Cost hook.
func (l library[K, V]) Set(e *ristcore.Entry[K, V]) bool { return l.Cache.Set(e.Hash(), e, 0) }

func (l library[K, V]) Del(e *ristcore.Entry[K, V]) { l.Cache.Del(e.Hash()) }

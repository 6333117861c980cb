package ristretto

import (
	"math"
	"time"

	"github.com/dgraph-io/ristretto"

	"github.com/cachepact/cachepact/adapters/internal/ristcore"
)

// library is a [ristcore.Library]. Its keys are hashes, or entries that hold one.
type library[K comparable, V any] struct {
	*ristretto.Cache
}

func open[K comparable, V any](config *Config, hooks ristcore.Hooks[K, V]) (ristcore.Library[K, V], error) {
	type entry = *ristcore.Entry[K, V]
	own := *config
	own.Metrics = false
	own.TtlTickerDurationInSec = int64(math.MaxInt64 / time.Second) // never
	own.KeyToHash = func(key any) (hash, conflict uint64) {
		if hash, ok := key.(uint64); ok {
			return hash, 0
		}
		return key.(entry).Hash(), 0
	}
	own.Cost = func(value any) int64 { return hooks.Applying(value.(entry)) }
	own.OnEvict = func(item *ristretto.Item) {
		if e, ok := item.Value.(entry); ok {
			hooks.Evicted(e)
		}
	}
	own.OnReject = func(item *ristretto.Item) { hooks.Rejected(item.Value.(entry)) }
	cache, err := ristretto.NewCache(&own)
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

// A cost of zero makes the library call its Cost hook.
func (l library[K, V]) Set(e *ristcore.Entry[K, V]) bool { return l.Cache.Set(e, e, 0) }

func (l library[K, V]) Del(e *ristcore.Entry[K, V]) { l.Cache.Del(e) }

func get[K comparable, V any](c *ristretto.Cache, key any) *ristcore.Entry[K, V] {
	if v, ok := c.Get(key); ok {
		return v.(*ristcore.Entry[K, V])
	}
	return nil
}

package bench

import (
	"github.com/cachepact/cachepact/adapters/bigcache"
	"github.com/cachepact/cachepact/adapters/fastcache"
	"github.com/cachepact/cachepact/adapters/freecache"
	"github.com/cachepact/cachepact/adapters/gocache"
	"github.com/cachepact/cachepact/adapters/golanglru"
	"github.com/cachepact/cachepact/adapters/otter"
	"github.com/cachepact/cachepact/adapters/ristretto"
	"github.com/cachepact/cachepact/adapters/ristretto2"
	"github.com/cachepact/cachepact/adapters/theine"
	"github.com/cachepact/cachepact/adapters/ttlcache"
	"github.com/cachepact/cachepact/backend"
)

// libraries is the table of what is measured. A new adapter is one line here: its
// constructor, given to the row of its library.
func libraries[K Key, V any]() []library[K, V] {
	type (
		B = backend.Backend[K, V]
		O = Options
	)
	return []library[K, V]{
		{"golanglru", openLRU[K, V], func(o O) (B, error) { return golanglru.New[K, V](o.Capacity) }},
		{"gocache", openGoCache[K, V], func(O) (B, error) { return gocache.New[K, V]() }},
		{"ttlcache", openTTLCache[K, V], func(o O) (B, error) { return ttlcache.New[K, V](o.Capacity) }},
		{"otter", openOtter[K, V], func(o O) (B, error) { return otter.New(otter.NewOptions[K, V](o.Capacity)) }},
		{"theine", openTheine[K, V], func(o O) (B, error) { return theine.New[K, V](o.Capacity) }},
		{"ristretto", openRistretto[K, V], func(o O) (B, error) { return ristretto.New[K, V](ristretto.NewConfig(o.Capacity)) }},
		{"ristretto2", openRistretto2[K, V], func(o O) (B, error) { return ristretto2.New[K, V](ristretto2.NewConfig(o.Capacity)) }},
		{"bigcache", openBigCache[K, V], func(o O) (B, error) {
			return bigcache.New[K](bigcache.NewConfig(o.megabytes()), bigcache.Options[V]{})
		}},
		{"freecache", openFreeCache[K, V], func(o O) (B, error) { return freecache.New[K](o.Bytes, freecache.Options[V]{}) }},
		{"fastcache", openFastCache[K, V], func(o O) (B, error) { return fastcache.New[K](o.Bytes, fastcache.Options[V]{}) }},
		{looseFast, openFastCache[K, V], func(o O) (B, error) {
			return fastcache.New[K](o.Bytes, fastcache.Options[V]{LooseSize: true})
		}},
	}
}

package compare

import (
	libotter "github.com/maypok86/otter/v2"

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

// Builtin returns the caches of this module's adapters.
func Builtin() []Contestant {
	return []Contestant{
		{
			Name: "golanglru", Module: "github.com/hashicorp/golang-lru/v2", LRU: true,
			New: newGolangLRU[uint64], NewBytes: newGolangLRU[[]byte],
		},
		{
			Name: "otter", Module: "github.com/maypok86/otter/v2",
			New: newOtter[uint64], NewBytes: newOtter[[]byte],
		},
		{
			Name: "theine", Module: "github.com/Yiling-J/theine-go",
			New: newTheine[uint64], NewBytes: newTheine[[]byte],
		},
		{
			Name: "ristretto", Module: "github.com/dgraph-io/ristretto",
			New: newRistretto[uint64], NewBytes: newRistretto[[]byte],
		},
		{
			Name: "ristretto2", Module: "github.com/dgraph-io/ristretto/v2",
			New: newRistretto2[uint64], NewBytes: newRistretto2[[]byte],
		},
		{
			Name: "ttlcache", Module: "github.com/jellydator/ttlcache/v3", LRU: true,
			New: newTTLCache[uint64], NewBytes: newTTLCache[[]byte],
		},
		{
			Name: "gocache", Module: "github.com/patrickmn/go-cache",
			Note: "has no bound: it holds every key",
			New:  newGoCache[uint64], NewBytes: newGoCache[[]byte],
		},
		{
			Name: "bigcache", Module: "github.com/allegro/bigcache/v3", Bytes: true,
			Note: "bounds bytes, not entries, and takes no less than 1 MiB: it was given room for the capacity, and has more",
			New:  newBigCache[uint64], NewBytes: newBigCache[[]byte],
		},
		{
			Name: "freecache", Module: "github.com/coocood/freecache", Bytes: true,
			Note: "bounds bytes, not entries, and takes no less than 512 KiB: it was given room for the capacity, and has more",
			New:  newFreeCache[uint64], NewBytes: newFreeCache[[]byte],
		},
		{
			Name: "fastcache", Module: "github.com/VictoriaMetrics/fastcache", Bytes: true,
			Note: "bounds bytes, not entries, in steps of 32 MiB: it was given room for the capacity, and has more",
			New:  newFastCache[uint64], NewBytes: newFastCache[[]byte],
		},
	}
}

func newGolangLRU[V any](o Options) (backend.Backend[uint64, V], error) {
	return golanglru.New[uint64, V](o.Capacity)
}

func newOtter[V any](o Options) (backend.Backend[uint64, V], error) {
	return otter.New(&libotter.Options[uint64, V]{MaximumSize: o.Capacity})
}

func newTheine[V any](o Options) (backend.Backend[uint64, V], error) {
	return theine.New[uint64, V](int64(o.Capacity))
}

func newRistretto[V any](o Options) (backend.Backend[uint64, V], error) {
	return ristretto.New[uint64, V](ristretto.NewConfig(o.Capacity))
}

func newRistretto2[V any](o Options) (backend.Backend[uint64, V], error) {
	return ristretto2.New[uint64, V](ristretto2.NewConfig(o.Capacity))
}

func newTTLCache[V any](o Options) (backend.Backend[uint64, V], error) {
	return ttlcache.New[uint64, V](uint64(o.Capacity))
}

func newGoCache[V any](Options) (backend.Backend[uint64, V], error) {
	return gocache.New[uint64, V]()
}

// The bytes that an entry takes beside its value are the key, what the adapter
// writes before the value, and what the library adds: read off its source.

func newBigCache[V any](o Options) (backend.Backend[uint64, V], error) {
	const added = 40
	return bigcache.New[uint64](bigcache.NewConfig(megabytes(o.bytes(added))), bigcache.Options[V]{})
}

func newFreeCache[V any](o Options) (backend.Backend[uint64, V], error) {
	const added = 24 + 8 + 1
	return freecache.New[uint64](int(max(o.bytes(added), freecache.MinBytes)), freecache.Options[V]{})
}

func newFastCache[V any](o Options) (backend.Backend[uint64, V], error) {
	const added = 4 + 8 + 4 + 1
	return fastcache.New[uint64](int(max(o.bytes(added), fastcache.MinBytes)), fastcache.Options[V]{})
}

// bytes returns the capacity for a cache that is bounded by bytes and in which an
// entry takes so many more than its value.
func (o Options) bytes(added int) int64 {
	if o.Bytes > 0 {
		return o.Bytes
	}
	value := o.Value
	if value == 0 {
		value = 8
	}
	return int64(o.Capacity) * int64(value+added)
}

// megabytes rounds up.
func megabytes(bytes int64) int {
	const megabyte = 1 << 20
	return int((bytes + megabyte - 1) / megabyte)
}

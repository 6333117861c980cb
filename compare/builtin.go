package compare

import (
	"github.com/cachepact/cachepact/adapters/bigcache"
	"github.com/cachepact/cachepact/adapters/gocache"
	"github.com/cachepact/cachepact/adapters/golanglru"
	"github.com/cachepact/cachepact/adapters/ristretto"
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
			Name: "ristretto", Module: "github.com/dgraph-io/ristretto",
			New: newRistretto[uint64], NewBytes: newRistretto[[]byte],
		},
		{
			Name: "bigcache", Module: "github.com/allegro/bigcache/v3", Bytes: true,
			Note: "bounds bytes, not entries, and takes no less than 1 MiB: it was given room for the capacity, and has more",
			New:  newBigCache[uint64], NewBytes: newBigCache[[]byte],
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
	}
}

func newGolangLRU[V any](o Options) (backend.Backend[uint64, V], error) {
	return golanglru.New[uint64, V](o.Capacity)
}

func newRistretto[V any](o Options) (backend.Backend[uint64, V], error) {
	return ristretto.New[uint64, V](ristretto.Config(o.Capacity))
}

func newBigCache[V any](o Options) (backend.Backend[uint64, V], error) {
	// A number under a number takes 48 bytes with what the library and the adapter
	// add.
	const added = 40
	return bigcache.New[uint64](bigcache.Config(megabytes(o.bytes(added))), bigcache.Options[V]{})
}

func newTTLCache[V any](o Options) (backend.Backend[uint64, V], error) {
	return ttlcache.New[uint64, V](uint64(o.Capacity))
}

func newGoCache[V any](Options) (backend.Backend[uint64, V], error) {
	return gocache.New[uint64, V]()
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

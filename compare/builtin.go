package compare

import (
	libotter "github.com/maypok86/otter/v2"

	"github.com/cachepact/cachepact/adapters/bigcache"
	"github.com/cachepact/cachepact/adapters/gocache"
	"github.com/cachepact/cachepact/adapters/golanglru"
	"github.com/cachepact/cachepact/adapters/otter"
	"github.com/cachepact/cachepact/adapters/ristretto"
	"github.com/cachepact/cachepact/adapters/theine"
	"github.com/cachepact/cachepact/adapters/ttlcache"
	"github.com/cachepact/cachepact/backend"
)

// Builtin returns the caches of this module's adapters.
func Builtin() []Contestant {
	return []Contestant{
		{
			Name:   "golanglru",
			Module: "github.com/hashicorp/golang-lru/v2",
			LRU:    true,
			New: func(o Options) (backend.Backend[uint64, uint64], error) {
				return golanglru.New[uint64, uint64](o.Capacity)
			},
		},
		{
			Name:   "ristretto",
			Module: "github.com/dgraph-io/ristretto",
			New: func(o Options) (backend.Backend[uint64, uint64], error) {
				return ristretto.New[uint64, uint64](ristretto.Config(o.Capacity))
			},
		},
		{
			Name:   "otter",
			Module: "github.com/maypok86/otter/v2",
			New: func(o Options) (backend.Backend[uint64, uint64], error) {
				return otter.New(&libotter.Options[uint64, uint64]{MaximumSize: o.Capacity})
			},
		},
		{
			Name:   "theine",
			Module: "github.com/Yiling-J/theine-go",
			New: func(o Options) (backend.Backend[uint64, uint64], error) {
				return theine.New[uint64, uint64](int64(o.Capacity))
			},
		},
		{
			Name:   "bigcache",
			Module: "github.com/allegro/bigcache/v3",
			Bytes:  true,
			Note:   "bounds bytes, not entries, and takes no less than 1 MiB: it was given room for the capacity, and has more",
			New: func(o Options) (backend.Backend[uint64, uint64], error) {
				return bigcache.New[uint64](bigcache.Config(bigcacheMB(o.Capacity)), bigcache.Options[uint64]{})
			},
		},
		{
			Name:   "ttlcache",
			Module: "github.com/jellydator/ttlcache/v3",
			LRU:    true,
			New: func(o Options) (backend.Backend[uint64, uint64], error) {
				return ttlcache.New[uint64, uint64](uint64(o.Capacity))
			},
		},
		{
			Name:   "gocache",
			Module: "github.com/patrickmn/go-cache",
			Note:   "has no bound: it holds every key",
			New: func(Options) (backend.Backend[uint64, uint64], error) {
				return gocache.New[uint64, uint64]()
			},
		},
	}
}

// bigcacheMB returns the megabytes that hold so many entries of a number under a
// number: 48 bytes each with what the library and the adapter add.
func bigcacheMB(entries int) int {
	const entry, megabyte = 48, 1 << 20
	return (entries*entry + megabyte - 1) / megabyte
}

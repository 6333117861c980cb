// Package adapters lists the adapters of this module for its tools: the comparison, the benchmarks, the tables of the
// documentation and the tests of dependencies.
//
// A program imports the package of the adapter that it uses. This package imports every adapter, and so every library.
package adapters

import (
	"cmp"

	"github.com/cachepact/cachepact/adapters/bigcache"
	"github.com/cachepact/cachepact/adapters/fastcache"
	"github.com/cachepact/cachepact/adapters/freecache"
	"github.com/cachepact/cachepact/adapters/freelru"
	"github.com/cachepact/cachepact/adapters/gocache"
	"github.com/cachepact/cachepact/adapters/golanglru"
	"github.com/cachepact/cachepact/adapters/otter"
	"github.com/cachepact/cachepact/adapters/ristretto"
	"github.com/cachepact/cachepact/adapters/ristretto2"
	"github.com/cachepact/cachepact/adapters/theine"
	"github.com/cachepact/cachepact/adapters/ttlcache"
	"github.com/cachepact/cachepact/backend"
)

// A Unit is what the capacity of a cache is counted in.
type Unit string

// The units of capacities.
const (
	Entries   Unit = "entries"
	Bytes     Unit = "bytes"
	Unbounded Unit = "none"
)

// LRU is the eviction policy that evicts exactly the least recently used entry.
const LRU = "LRU"

// An Adapter describes a package of this directory, and opens its backend with keys of type K and values of type V.
type Adapter[K comparable, V any] struct {
	// Name is the name of the package and of its page in docs/adapters.
	Name string
	// Module is the path of the library's module.
	Module string
	// Bound is the unit of the capacity.
	Bound Unit
	// Optional says that the library can also be opened without a bound.
	Optional bool
	// Eviction is the eviction policy in standard terms, such as [LRU] or FIFO.
	Eviction string
	// Note is what a reader of a comparison must know about the configuration.
	Note string
	// New returns an empty backend.
	New func(Options) (backend.Backend[K, V], error)
}

// Options is the capacity of a backend.
type Options struct {
	// Capacity is a number of entries, at least 1.
	Capacity int
	// Bytes is the bound in bytes, for adapters whose Bound is [Bytes]. If it is zero, the backend has room for
	// Capacity entries.
	Bytes int64
	// Value is the mean size of a value in bytes. It is used if Bytes is zero. Zero means the eight bytes of a number.
	Value int
}

// bytes returns the bound in bytes of a cache in which each entry takes overhead bytes in addition to its value.
// It is at least smallest.
func (o Options) bytes(overhead, smallest int) int {
	bytes := o.Bytes
	if bytes == 0 {
		bytes = int64(o.Capacity) * int64(cmp.Or(o.Value, 8)+overhead)
	}
	return max(int(bytes), smallest)
}

// The overheads of entries with a uint64 key: the key, the adapter's header and the library's header, whose size is
// taken from the library's source.
const (
	bigcacheOverhead  = 40
	freecacheOverhead = 24 + 8 + 1
	fastcacheOverhead = 4 + 8 + 4 + 1
)

// All returns every adapter.
func All[K comparable, V any]() []Adapter[K, V] {
	type (
		B = backend.Backend[K, V]
		O = Options
	)
	return []Adapter[K, V]{
		{
			Name: "golanglru", Module: "github.com/hashicorp/golang-lru/v2", Bound: Entries, Eviction: LRU,
			New: func(o O) (B, error) { return golanglru.New[K, V](o.Capacity) },
		},
		{
			Name: "freelru", Module: "github.com/elastic/go-freelru", Bound: Entries, Eviction: LRU,
			New: func(o O) (B, error) { return freelru.New[K, V](o.Capacity) },
		},
		{
			Name: "otter", Module: "github.com/maypok86/otter/v2", Bound: Entries, Optional: true, Eviction: "W-TinyLFU",
			New: func(o O) (B, error) { return otter.New(otter.NewOptions[K, V](o.Capacity)) },
		},
		{
			Name: "theine", Module: "github.com/Yiling-J/theine-go", Bound: Entries, Eviction: "W-TinyLFU",
			New: func(o O) (B, error) { return theine.New[K, V](o.Capacity) },
		},
		{
			Name: "ristretto", Module: "github.com/dgraph-io/ristretto", Bound: Entries, Eviction: "TinyLFU",
			New: func(o O) (B, error) { return ristretto.New[K, V](ristretto.NewConfig(o.Capacity)) },
		},
		{
			Name: "ristretto2", Module: "github.com/dgraph-io/ristretto/v2", Bound: Entries, Eviction: "TinyLFU",
			New: func(o O) (B, error) { return ristretto2.New[K, V](ristretto2.NewConfig(o.Capacity)) },
		},
		{
			Name: "ttlcache", Module: "github.com/jellydator/ttlcache/v3", Bound: Entries, Optional: true, Eviction: LRU,
			New: func(o O) (B, error) { return ttlcache.New[K, V](o.Capacity) },
		},
		{
			Name: "gocache", Module: "github.com/patrickmn/go-cache", Bound: Unbounded, Eviction: "none",
			Note: "has no bound: it holds every key",
			New:  func(O) (B, error) { return gocache.New[K, V]() },
		},
		{
			Name: "bigcache", Module: "github.com/allegro/bigcache/v3", Bound: Bytes, Optional: true, Eviction: "FIFO",
			Note: "bounds bytes, in steps of 1 MiB: it is configured for the capacity and may hold more entries",
			New: func(o O) (B, error) {
				megabytes := (o.bytes(bigcacheOverhead, megabyte) + megabyte - 1) / megabyte
				return bigcache.New[K](bigcache.NewConfig(megabytes), bigcache.Options[V]{})
			},
		},
		{
			Name: "freecache", Module: "github.com/coocood/freecache", Bound: Bytes, Eviction: "approximate LRU",
			Note: "bounds bytes, at least 512 KiB: it is configured for the capacity and may hold more entries",
			New: func(o O) (B, error) {
				return freecache.New[K](o.bytes(freecacheOverhead, freecache.MinBytes), freecache.Options[V]{})
			},
		},
		{
			Name: "fastcache", Module: "github.com/VictoriaMetrics/fastcache", Bound: Bytes, Eviction: "FIFO",
			Note: "bounds bytes, in steps of 32 MiB: it is configured for the capacity and may hold more entries",
			New: func(o O) (B, error) {
				return fastcache.New[K](o.bytes(fastcacheOverhead, fastcache.MinBytes), fastcache.Options[V]{})
			},
		},
	}
}

const megabyte = 1 << 20

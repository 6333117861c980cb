package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/cachepact/cachepact/adapters"
	"github.com/cachepact/cachepact/adapters/fastcache"
	"github.com/cachepact/cachepact/backend"
)

// A keyType is a type of keys to measure with.
type keyType interface{ string | uint64 }

// raw is a library's cache as a program without adapters would use it. It is called through this interface, because an
// adapter is called through an interface too.
type raw[K keyType, V any] interface {
	Get(key K) (V, bool)
	Put(key K, value V)
	Remove(key K)
}

// The other methods of raw caches are in interfaces of their own, because not every library has them.
type (
	ttlPutter[K keyType, V any] interface {
		PutTTL(key K, value V, ttl time.Duration)
	}
	// A waiter applies the writes that the library has only queued.
	waiter interface{ Wait() }
	// A closer ends the library's goroutines and frees its memory.
	closer interface{ Close() }
)

// capacities is the capacity of a cache, raw or behind an adapter.
type capacities struct {
	entries int
	bytes   int           // for libraries that are bounded by bytes
	ttl     time.Duration // of all entries, for raw libraries that need it in advance
}

// megabytes returns the bound in bytes for libraries that count megabytes.
func (c capacities) megabytes() int { return (c.bytes + 1<<20 - 1) >> 20 }

// A peer is the raw library of an adapter.
type peer[K keyType, V any] struct {
	open     func(capacities) (raw[K, V], error)
	minBytes int  // the library's smallest bound in bytes
	offHeap  bool // the entries are not in Go's heap
}

// A library is an adapter and its raw library. An adapter without a peer is measured alone.
type library[K keyType, V any] struct {
	adapters.Adapter[K, V]
	peer peer[K, V]
}

// looseFast is fastcache with LooseSize.
const looseFast = "fastcache-loose"

// libraries returns every registered adapter, and fastcache-loose, with their peers.
func libraries[K keyType, V any]() (all []library[K, V]) {
	peers := map[string]peer[K, V]{
		"golanglru":  {open: openLRU[K, V]},
		"freelru":    {open: openFreeLRU[K, V]},
		"gocache":    {open: openGoCache[K, V]},
		"ttlcache":   {open: openTTLCache[K, V]},
		"otter":      {open: openOtter[K, V]},
		"theine":     {open: openTheine[K, V]},
		"ristretto":  {open: openRistretto[K, V]},
		"ristretto2": {open: openRistretto2[K, V]},
		"bigcache":   {open: openBigCache[K, V]},
		"freecache":  {open: openFreeCache[K, V]},
		"fastcache":  {open: openFastCache[K, V], minBytes: fastcache.MinBytes, offHeap: true},
	}
	for _, a := range adapters.All[K, V]() {
		all = append(all, library[K, V]{a, peers[a.Name]})
		if a.Name == "fastcache" {
			a.Name = looseFast
			a.New = func(o adapters.Options) (backend.Backend[K, V], error) {
				return fastcache.New[K](int(o.Bytes), fastcache.Options[V]{LooseSize: true})
			}
			all = append(all, library[K, V]{a, peers["fastcache"]})
		}
	}
	return all
}

func libraryNames() (names []string) {
	for _, l := range libraries[uint64, int]() {
		names = append(names, l.Name)
	}
	return names
}

func find(name string) (library[uint64, int], error) {
	all := libraries[uint64, int]()
	i := slices.IndexFunc(all, func(l library[uint64, int]) bool { return l.Name == name })
	if i < 0 {
		return library[uint64, int]{}, fmt.Errorf("library %q: unknown; use one of %v", name, libraryNames())
	}
	return all[i], nil
}

// capacity returns a capacity for a number of entries with values of valueSize bytes. A bound in bytes includes the
// headers of the library and of the adapter.
func (l library[K, V]) capacity(entries, valueSize int) capacities {
	const header = 64
	return capacities{entries: entries, bytes: max(l.peer.minBytes, entries*(keyLen+header+valueSize))}
}

// fills returns a number of entries that is certain to fill a cache of capacity c.
func (l library[K, V]) fills(c capacities, valueSize int) int {
	const shortKey, shortHeader = 8, 4 // no library stores an entry in less
	if l.Bound == adapters.Bytes {
		return c.bytes / (shortKey + shortHeader + valueSize) * 11 / 10
	}
	return c.entries + c.entries/8
}

// open opens the raw library or its adapter. It fails with errNone if the raw library has no TTLs but needs them.
func (l library[K, V]) open(i impl, c capacities) (driver[K, V], error) {
	if i == adapterImpl {
		b, err := l.openAdapter(c)
		return adapterDriver[K, V]{b}, err
	}
	if l.peer.open == nil {
		return nil, fmt.Errorf("%w: the adapter has no raw peer", errNone)
	}
	r, err := l.peer.open(c)
	if _, ok := r.(ttlPutter[K, V]); err == nil && c.ttl > 0 && !ok {
		err = fmt.Errorf("%w: the library has no TTLs", errNone)
		return nil, cmp.Or(rawDriver[K, V]{r}.close(), err)
	}
	return rawDriver[K, V]{r}, err
}

func (l library[K, V]) openAdapter(c capacities) (backend.Backend[K, V], error) {
	return l.New(adapters.Options{Capacity: c.entries, Bytes: int64(c.bytes)})
}

// Package bench measures what the adapters cost beside their libraries.
//
// A [Case] is one kind of work, such as getting keys that are there. An
// [Experiment] is a case for one library and one type of keys and values. It
// opens the raw library or the adapter with the same configuration and does the
// same work on either, operation by operation through an interface. Both the
// benchmarks of this package and [Measure] run experiments.
//
// # What is timed
//
// Keys, values and the order of operations are made before. Every piece of work is
// checked after the clock has stopped: a hit was a hit, a write can be read, the
// mix was the one announced. Work that was not done is an error, not a speed.
package bench

import (
	"time"

	"github.com/cachepact/cachepact/backend"
)

// A Key is a type of keys to measure with.
type Key interface{ string | uint64 }

// Raw is a library's cache as a program without adapters would use it. It is
// called through this interface as an adapter is through its own.
type Raw[K Key, V any] interface {
	Get(key K) (V, bool)
	Put(key K, value V)
}

// The rest of what a raw cache can do is in interfaces of their own, so that each
// call costs what the library makes it cost.
type (
	// A remover removes the entry of a key. Every raw cache does.
	remover[K Key] interface{ Remove(key K) }
	// A ttlPutter puts an entry with a TTL. Raw caches of libraries without TTLs
	// are not one.
	ttlPutter[K Key, V any] interface {
		PutTTL(key K, value V, ttl time.Duration)
	}
	// A settler applies the writes that the library has only queued.
	settler interface{ Settle() }
	// A closer ends the library's goroutines and frees its memory.
	closer interface{ Close() }
)

// Options is how a cache is to be opened, raw or through an adapter.
type Options struct {
	Capacity int // in entries
	Bytes    int // the same in bytes, for libraries that count them
	TTL      time.Duration
}

// megabytes returns o.Bytes for libraries that count megabytes.
func (o Options) megabytes() int { return (o.Bytes + 1<<20 - 1) >> 20 }

// A library is a row of the table of what is measured.
type library[K Key, V any] struct {
	name    string
	raw     func(Options) (Raw[K, V], error)
	adapter func(Options) (backend.Backend[K, V], error)
}

// Facts is what must be known of a library to fill and check its caches.
type Facts struct {
	Bytes     bool // it holds bytes and is bounded by them
	Floor     int  // it takes so many bytes if asked for fewer
	Unbounded bool // it never evicts
	Admits    bool // it may refuse a new key when it is full
	TTL       bool // the raw library has TTLs
	OffHeap   bool // its bytes are not in the heap of Go
}

// looseFast is fastcache with LooseSize.
const looseFast = "fastcache-loose"

var facts = map[string]Facts{
	"bigcache":   {Bytes: true},
	"fastcache":  {Bytes: true, Floor: 32 << 20, OffHeap: true},
	looseFast:    {Bytes: true, Floor: 32 << 20, OffHeap: true},
	"freecache":  {Bytes: true, Floor: 512 << 10, TTL: true},
	"gocache":    {Unbounded: true, TTL: true},
	"golanglru":  {},
	"otter":      {Admits: true, TTL: true},
	"ristretto":  {Admits: true, TTL: true},
	"ristretto2": {Admits: true, TTL: true},
	"theine":     {Admits: true, TTL: true},
	"ttlcache":   {TTL: true},
}

// Package golanglru is a [backend.Backend] over github.com/hashicorp/golang-lru/v2: a cache with a capacity in entries
// that evicts the least recently used entry.
//
// Put, and Get and GetEntry on a hit, make their entry the most recently used. All and Stats do not.
//
// # Differences from the library
//
//   - Each entry has its own TTL, which the library's lru package does not offer. An expired entry is never returned,
//     counted or listed. Put removes expired entries before the library evicts a live one.
//   - Invalidate of all keys replaces the library's cache by an empty one. The library's Purge visits each entry.
//   - An invalid key is an error and does not leave the cache locked.
//
// # Cost
//
// The adapter uses the library's simplelru package with a plain mutex, which is faster than the library's RWMutex. An
// entry with a TTL takes 40 more bytes.
package golanglru

import (
	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/cachepact/cachepact/adapters/internal/locked"
	"github.com/cachepact/cachepact/backend"
)

// Backend is a [backend.Backend] over the library's LRU. Values are shared with the caller. It also has the methods of
// [backend.Ranger], [backend.EntryGetter], [backend.Describer] and [io.Closer]. Stats counts hits, misses, evictions
// and expirations.
type Backend[K comparable, V any] struct {
	*core[K, V]
}

// core is unexported, so that users do not see the embedded field.
type core[K comparable, V any] = locked.Cache[K, V]

var _ backend.Backend[string, any] = (*Backend[string, any])(nil)

// New returns an empty backend that holds at most capacity entries. It fails if the capacity is below 1. The caller
// must call Close.
func New[K comparable, V any](capacity int) (*Backend[K, V], error) {
	c, err := locked.New("golanglru", func(removed func(K, locked.Entry[K, V])) (locked.Store[K, V], error) {
		return simplelru.NewLRU(capacity, removed)
	})
	if err != nil {
		return nil, err
	}
	return &Backend[K, V]{c}, nil
}

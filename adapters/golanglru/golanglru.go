// Package golanglru makes a [backend.Backend] of github.com/hashicorp/golang-lru/v2: a cache with a fixed number of
// entries that evicts the least recently used one.
//
// # Differences from the library
//
// Each entry has its own TTL, which the library's lru package does not offer. An expired entry is never returned,
// counted or listed. Put removes expired entries before the library evicts a live one.
//
// The adapter uses the library's simplelru package with a mutex of its own. An invalid key is an error and does not
// leave the cache locked.
//
// A Put makes its entry the most recently used one, and so does a Get or GetEntry that hits. All does not.
package golanglru

import (
	"io"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/cachepact/cachepact/adapters/internal/locked"
	"github.com/cachepact/cachepact/backend"
)

// Backend is a [backend.Backend] over the library's LRU. Values are shared with the caller. Stats counts hits, misses,
// evictions and expirations.
type Backend[K comparable, V any] struct{ cache[K, V] }

type cache[K comparable, V any] = *locked.Cache[K, V]

var (
	_ backend.Backend[string, any]     = (*Backend[string, any])(nil)
	_ backend.Ranger[string, any]      = (*Backend[string, any])(nil)
	_ backend.EntryGetter[string, any] = (*Backend[string, any])(nil)
	_ backend.Describer                = (*Backend[string, any])(nil)
	_ io.Closer                        = (*Backend[string, any])(nil)
)

// New returns an empty backend that holds at most capacity entries. It fails if the capacity is below 1. The caller
// closes the backend.
func New[K comparable, V any](capacity int) (*Backend[K, V], error) {
	c, err := locked.New("golanglru", func(removed func(K, locked.Entry[K, V])) (locked.Store[K, V], error) {
		return simplelru.NewLRU(capacity, removed)
	})
	if err != nil {
		return nil, err
	}
	return &Backend[K, V]{c}, nil
}

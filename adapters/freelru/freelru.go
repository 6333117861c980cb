// Package freelru is a [backend.Backend] over github.com/elastic/go-freelru: a cache with a capacity in entries
// that evicts the least recently used entry and allocates its memory in advance.
//
// Put, and Get and GetEntry on a hit, make their entry the most recently used. All and Stats do not.
//
// # Differences from the library
//
//   - TTLs are exact. The library cuts lifetimes to whole milliseconds of the wall clock, so an entry can expire early.
//     The adapter passes no lifetime to the library and keeps its own deadlines.
//   - An expired entry is never returned, counted or listed. Put removes expired entries before the library evicts a
//     live one.
//   - Keys are hashed with hash/maphash. The library takes a hash function.
//   - An invalid key is an error.
//
// # Cost
//
// As in the library, New allocates the memory for all entries. So does an Invalidate of all keys, because it replaces
// the library's cache by an empty one. A Put allocates nothing, except for the deadline of a new entry with a TTL.
package freelru

import (
	"fmt"
	"hash/maphash"
	"math"

	"github.com/elastic/go-freelru"

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

// maxCapacity is the library's largest capacity.
const maxCapacity = math.MaxUint32 - 1

// New returns an empty backend that holds at most capacity entries. It fails if the capacity is below 1 or does not fit
// into the 32 bits that the library uses. The caller closes the backend.
func New[K comparable, V any](capacity int) (*Backend[K, V], error) {
	if capacity < 1 || int64(capacity) > maxCapacity {
		return nil, fmt.Errorf("freelru: new: capacity %d is not between 1 and %d", capacity, int64(maxCapacity))
	}
	seed := maphash.MakeSeed()
	hash := func(key K) uint32 { return uint32(maphash.Comparable(seed, key)) }
	c, err := locked.New("freelru", func(removed func(K, locked.Entry[K, V])) (locked.Store[K, V], error) {
		lru, err := freelru.New[K, locked.Entry[K, V]](uint32(capacity), hash)
		if err != nil {
			return nil, err
		}
		lru.SetOnEvict(removed)
		return lru, nil
	})
	if err != nil {
		return nil, err
	}
	return &Backend[K, V]{c}, nil
}

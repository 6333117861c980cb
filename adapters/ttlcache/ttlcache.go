// Package ttlcache is a [backend.Backend] over github.com/jellydator/ttlcache/v3: a cache with a TTL for each entry
// that evicts the least recently used entry.
//
// Put, and Get and GetEntry on a hit, make their entry the most recently used. All and Stats do not.
//
// # Differences from the library
//
//   - There is no default TTL. A nil TTL never expires. A TTL of zero or less removes the entry, although -1 and -2
//     have another meaning in the library. A Get does not extend a TTL.
//   - There is no goroutine and no Start. Put and Stats remove expired entries. An expired entry takes memory until
//     then, but is never returned, counted or listed. Put removes expired entries before the library evicts a live one.
//   - New takes only the capacity, because the adapter cannot inspect the library's options: they are functions. A
//     loader would store an entry on a miss, and the library's costs stay wrong after it removes all entries.
//   - An invalid key is an error and does not leave the cache locked.
package ttlcache

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jellydator/ttlcache/v3"

	"github.com/cachepact/cachepact/backend"
)

// Backend is a [backend.Backend] over the library's cache. Values are shared with the caller. It also implements
// [backend.Ranger], [backend.EntryGetter], [backend.Describer] and [io.Closer].
type Backend[K comparable, V any] struct {
	keys     backend.KeyChecker[K]
	capacity int
	cache    atomic.Pointer[ttlcache.Cache[K, V]] // nil once closed
	hasTTL   atomic.Bool                          // some Put had a TTL

	mu   sync.Mutex       // held while cache is replaced, and while Stats counts
	past ttlcache.Metrics // of the caches that were replaced
}

var _ backend.Backend[string, any] = (*Backend[string, any])(nil)

// New returns an empty backend that holds at most capacity entries. As in the library, zero means no bound. New fails
// if the capacity is negative. The caller closes the backend.
func New[K comparable, V any](capacity int) (*Backend[K, V], error) {
	if capacity < 0 {
		return nil, wrap("new", fmt.Errorf("capacity %d is negative: use 0 for no bound", capacity))
	}
	b := &Backend[K, V]{keys: backend.NewKeyChecker[K](), capacity: capacity}
	b.cache.Store(b.empty())
	return b, nil
}

// Get implements [backend.Backend].
func (b *Backend[K, V]) Get(_ context.Context, key K) (value V, hit bool, err error) {
	cache := b.cache.Load()
	if cache == nil || b.keys.Check(key) != nil {
		return value, false, b.fail("get", key)
	}
	if item := cache.Get(key); item != nil {
		return item.Value(), true, nil
	}
	return value, false, nil
}

// Put implements [backend.Backend].
func (b *Backend[K, V]) Put(_ context.Context, key K, value V, ttl *time.Duration) error {
	cache := b.cache.Load()
	if cache == nil || b.keys.Check(key) != nil {
		return b.fail("put", key)
	}
	lifetime := ttlcache.NoTTL
	if ttl != nil {
		if *ttl <= 0 {
			cache.Delete(key)
			return nil
		}
		lifetime = *ttl
		if !b.hasTTL.Load() {
			b.hasTTL.Store(true)
		}
	}
	if b.hasTTL.Load() {
		cache.DeleteExpired()
	}
	cache.Set(key, value, lifetime)
	return nil
}

// Invalidate implements [backend.Backend]. With a nil key it replaces the library's cache by an empty one. A call that
// is still running in the old cache counts as done before.
func (b *Backend[K, V]) Invalidate(_ context.Context, key *K) error {
	if key != nil {
		cache := b.cache.Load()
		if cache == nil || b.keys.Check(*key) != nil {
			return b.fail("invalidate", *key)
		}
		cache.Delete(*key)
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	old := b.cache.Load()
	if old == nil {
		return wrap("invalidate", backend.ErrClosed)
	}
	b.cache.Store(b.empty())
	m := old.Metrics()
	b.past.Hits += m.Hits
	b.past.Misses += m.Misses
	return nil
}

// Stats implements [backend.Backend]. It counts hits and misses, but not evictions, because the library counts removed
// entries among them. It removes all expired entries while other calls wait.
func (b *Backend[K, V]) Stats(context.Context) (backend.Stats, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	cache := b.cache.Load()
	if cache == nil {
		return backend.Stats{}, wrap("stats", backend.ErrClosed)
	}
	cache.DeleteExpired()
	m := cache.Metrics()
	return backend.Stats{Size: int64(cache.Len()), Counters: map[string]uint64{
		backend.CounterHits:   b.past.Hits + m.Hits,
		backend.CounterMisses: b.past.Misses + m.Misses,
	}}, nil
}

// GetEntry implements [backend.EntryGetter].
func (b *Backend[K, V]) GetEntry(_ context.Context, key K) (e backend.Entry[V], hit bool, err error) {
	cache := b.cache.Load()
	if cache == nil || b.keys.Check(key) != nil {
		return e, false, b.fail("get", key)
	}
	item := cache.Get(key)
	if item == nil {
		return e, false, nil
	}
	for {
		// A Put changes the item in place. The value and the deadline must be of one version.
		version := item.Version()
		e = backend.Entry[V]{Value: item.Value(), Deadline: item.ExpiresAt()}
		if item.Version() == version {
			return e, true, nil
		}
	}
}

// All implements [backend.Ranger]. It first copies the library's map, which delays writers. If an entry is removed and
// put again during the loop, All may yield the earlier value.
func (b *Backend[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		cache := b.cache.Load()
		if cache == nil {
			return
		}
		for key, item := range cache.Items() {
			if b.cache.Load() != cache {
				return // all entries were invalidated
			}
			if cache.Has(key) && !item.IsExpired() && !yield(key, item.Value()) {
				return
			}
		}
	}
}

// Traits implements [backend.Describer].
func (b *Backend[K, V]) Traits() backend.Traits {
	t := backend.Traits{Values: backend.ByReference}
	if b.capacity == 0 {
		t.Bound = backend.BoundNone
	}
	return t
}

// Close removes every entry and implements [io.Closer].
func (b *Backend[K, V]) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cache.Store(nil)
	return nil
}

func (b *Backend[K, V]) empty() *ttlcache.Cache[K, V] {
	return ttlcache.New(
		ttlcache.WithCapacity[K, V](uint64(b.capacity)),
		ttlcache.WithDisableTouchOnHit[K, V](),
		ttlcache.WithVersion[K, V](true),
	)
}

// fail returns the error of a call with an invalid key or after Close.
func (b *Backend[K, V]) fail(operation string, key K) error {
	return wrap(operation, cmp.Or(b.keys.Check(key), backend.ErrClosed))
}

func wrap(operation string, err error) error {
	return fmt.Errorf("ttlcache: %s: %w", operation, err)
}

// Package ttlcache makes a [backend.Backend] of github.com/jellydator/ttlcache/v3:
// a cache with a lifetime for each entry that evicts the least recently used one.
//
// # Differences from the library
//
// There is no default TTL: a nil TTL never expires, and a TTL of zero or less is
// already over, whatever -1 and -2 mean to the library. A Get does not extend a
// lifetime.
//
// There is no Start and no goroutine. Each Put removes what has expired before
// it makes room, and so does Stats. Between two of these calls expired entries
// take memory, but are never returned, listed or counted.
//
// The library's options are closures that cannot be looked into, so New takes
// only the capacity. There are no loaders, event functions or costs: a loader
// would make a miss create an entry, and after the library's DeleteAll its costs
// keep counting what is gone.
//
// A key that cannot be hashed is an error and does not leave the cache locked.
package ttlcache

import (
	"context"
	"fmt"
	"io"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jellydator/ttlcache/v3"

	"github.com/cachepact/cachepact/backend"
)

// Backend is a [backend.Backend] over the library's cache. Values are held by
// reference.
type Backend[K comparable, V any] struct {
	keys     backend.KeyChecker[K]
	capacity int
	cache    atomic.Pointer[ttlcache.Cache[K, V]] // nil once closed
	hasTTL   atomic.Bool                          // there has been a TTL

	mu   sync.Mutex       // held to replace cache, and to count
	past ttlcache.Metrics // of the caches that have been replaced
}

var (
	_ backend.Backend[string, any]     = (*Backend[string, any])(nil)
	_ backend.Ranger[string, any]      = (*Backend[string, any])(nil)
	_ backend.EntryGetter[string, any] = (*Backend[string, any])(nil)
	_ backend.Describer                = (*Backend[string, any])(nil)
	_ io.Closer                        = (*Backend[string, any])(nil)
)

// New returns an empty backend that holds at most capacity entries. As in the
// library, a capacity of zero is none: the cache grows until entries expire or
// are removed. New fails if capacity is negative. The caller closes what it made.
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
	if err := b.keys.Check(key); err != nil {
		return value, false, wrap("get", err)
	}
	cache := b.cache.Load()
	if cache == nil {
		return value, false, wrap("get", backend.ErrClosed)
	}
	if item := cache.Get(key); item != nil {
		return item.Value(), true, nil
	}
	return value, false, nil
}

// Put implements [backend.Backend].
func (b *Backend[K, V]) Put(_ context.Context, key K, value V, ttl *time.Duration) error {
	if err := b.keys.Check(key); err != nil {
		return wrap("put", err)
	}
	cache := b.cache.Load()
	if cache == nil {
		return wrap("put", backend.ErrClosed)
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

// Invalidate implements [backend.Backend]. With a nil key it takes the same time
// however many entries there are.
func (b *Backend[K, V]) Invalidate(_ context.Context, key *K) error {
	if key == nil {
		return b.invalidateAll()
	}
	if err := b.keys.Check(*key); err != nil {
		return wrap("invalidate", err)
	}
	cache := b.cache.Load()
	if cache == nil {
		return wrap("invalidate", backend.ErrClosed)
	}
	cache.Delete(*key)
	return nil
}

// Stats implements [backend.Backend]. It counts hits and misses; the library
// counts evictions together with removals. It takes longer only by the entries
// that have expired since the last call, and holds up others for that time.
func (b *Backend[K, V]) Stats(context.Context) (backend.Stats, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	cache := b.cache.Load()
	if cache == nil {
		return backend.Stats{}, wrap("stats", backend.ErrClosed)
	}
	cache.DeleteExpired()
	now := cache.Metrics()
	return backend.Stats{Size: int64(cache.Len()), Counters: map[string]uint64{
		backend.CounterHits:   b.past.Hits + now.Hits,
		backend.CounterMisses: b.past.Misses + now.Misses,
	}}, nil
}

// GetEntry implements [backend.EntryGetter].
func (b *Backend[K, V]) GetEntry(_ context.Context, key K) (backend.Entry[V], bool, error) {
	if err := b.keys.Check(key); err != nil {
		return backend.Entry[V]{}, false, wrap("get", err)
	}
	cache := b.cache.Load()
	if cache == nil {
		return backend.Entry[V]{}, false, wrap("get", backend.ErrClosed)
	}
	item := cache.Get(key)
	if item == nil {
		return backend.Entry[V]{}, false, nil
	}
	for {
		// A Put changes the item in place: value and deadline are of one version.
		version := item.Version()
		e := backend.Entry[V]{Value: item.Value(), Deadline: item.ExpiresAt()}
		if item.Version() == version {
			return e, true, nil
		}
	}
}

// All implements [backend.Ranger]. It copies the library's map at once, which
// holds up writers. Of an entry that is removed and put again meanwhile it may
// yield the earlier value.
func (b *Backend[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		cache := b.cache.Load()
		if cache == nil {
			return
		}
		for key, item := range cache.Items() {
			if b.cache.Load() != cache {
				return // everything in it has been removed
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

// invalidateAll replaces the library's cache by an empty one. What still goes on
// in the old one counts as done before.
func (b *Backend[K, V]) invalidateAll() error {
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

// empty returns a new cache of the library.
func (b *Backend[K, V]) empty() *ttlcache.Cache[K, V] {
	return ttlcache.New(
		ttlcache.WithCapacity[K, V](uint64(b.capacity)),
		ttlcache.WithDisableTouchOnHit[K, V](),
		ttlcache.WithVersion[K, V](true),
	)
}

func wrap(what string, err error) error {
	return fmt.Errorf("ttlcache: %s: %w", what, err)
}

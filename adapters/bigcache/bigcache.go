// Package bigcache makes a [backend.Backend] of github.com/allegro/bigcache/v3:
// a cache that holds entries as bytes in a few large arrays, which the garbage
// collector need not look at, and evicts the oldest write.
//
// # Differences from the library
//
// Values of any type are encoded, byte slices and strings as they are; see
// [Options]. Keys may be of any comparable type, and have at most
// [backend.Traits.MaxKey] bytes.
//
// Entries have a TTL each, exact to the nanosecond, in place of the library's
// LifeWindow and CleanWindow, which must be zero. An expired entry is never
// returned, counted or listed. It gives up its memory only when it is the oldest
// write.
//
// An entry too large for a shard is refused before the library throws out the
// whole shard for it, and the key's earlier value is removed.
//
// Invalidate of a key whose hash is that of another key leaves the other.
// As in the library, a Put removes the entry of another key with the same hash.
//
// An overwritten or removed entry keeps its bytes until it is the oldest write.
// Frequent overwrites therefore evict entries that are rarely written, and with
// a HardMaxCacheSize of zero the cache grows with every Put until it is
// invalidated as a whole, which keeps the memory but starts at its beginning.
//
// Without a Hasher the keys are hashed with [hash/maphash], which is faster than
// the library's FNV and cannot be predicted.
package bigcache

import (
	"context"
	"fmt"
	"io"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/allegro/bigcache/v3"

	"github.com/cachepact/cachepact/adapters/internal/bytecache"
	"github.com/cachepact/cachepact/backend"
)

// Backend is a [backend.Backend] over the library's cache. Values are copied.
type Backend[K comparable, V any] struct {
	coder   *bytecache.Coder[K, V]
	cache   atomic.Pointer[bigcache.BigCache] // nil once closed
	bound   backend.Bound
	hasher  bigcache.Hasher
	stripes bytecache.Stripes // one is held by whoever writes a key

	sweeping sync.Mutex
	soonest  bytecache.Soonest

	counters counters
}

var (
	_ backend.Backend[string, any]     = (*Backend[string, any])(nil)
	_ backend.Ranger[string, any]      = (*Backend[string, any])(nil)
	_ backend.EntryGetter[string, any] = (*Backend[string, any])(nil)
	_ backend.Describer                = (*Backend[string, any])(nil)
	_ io.Closer                        = (*Backend[string, any])(nil)
)

// New returns an empty backend. It fails if the configuration has a field that
// the adapter cannot honour, a K cannot be a key, or no codec is given and the
// default one cannot carry every V; see [NewConfig] for a configuration to start
// from. The caller closes what it made.
func New[K comparable, V any](config Config, o Options[V]) (*Backend[K, V], error) {
	foreign := config.Hasher != nil // the user's
	lim, err := complete(&config)
	if err != nil {
		return nil, wrap("new", err)
	}
	coder, err := bytecache.NewCoder[K](o.Codec)
	if err != nil {
		return nil, wrap("new", err)
	}
	cache, err := bigcache.New(context.Background(), config)
	if err != nil {
		return nil, wrap("new", err)
	}
	coder.Limits, coder.NamesKept = lim.Limits, foreign
	b := &Backend[K, V]{coder: coder, bound: lim.bound, hasher: config.Hasher}
	b.cache.Store(cache)
	return b, nil
}

// Get implements [backend.Backend].
func (b *Backend[K, V]) Get(_ context.Context, key K) (V, bool, error) {
	value, _, hit, err := b.get(key)
	return value, hit, err
}

// Put implements [backend.Backend].
func (b *Backend[K, V]) Put(_ context.Context, key K, value V, ttl *time.Duration) error {
	if b.cache.Load() == nil {
		return wrap("put", backend.ErrClosed)
	}
	return wrap("put", b.coder.Put((*store[K, V])(b), key, value, ttl))
}

// Invalidate implements [backend.Backend]. With a nil key it takes the same time
// however many entries there are.
func (b *Backend[K, V]) Invalidate(_ context.Context, key *K) error {
	cache := b.cache.Load()
	if cache == nil {
		return wrap("invalidate", backend.ErrClosed)
	}
	if key == nil {
		// Each shard is emptied under its own lock, so an entry whose Put has
		// returned is gone from its shard when all are done.
		return wrap("invalidate", cache.Reset())
	}
	return wrap("invalidate", b.coder.Invalidate((*store[K, V])(b), *key))
}

// Stats implements [backend.Backend]. It counts hits, misses and expirations. It
// looks at the entries only if one can have expired since the last call.
func (b *Backend[K, V]) Stats(context.Context) (backend.Stats, error) {
	cache := b.cache.Load()
	if cache == nil {
		return backend.Stats{}, wrap("stats", backend.ErrClosed)
	}
	b.sweep(cache)
	return backend.Stats{Size: int64(cache.Len()), Counters: b.counters.read()}, nil
}

// GetEntry implements [backend.EntryGetter].
func (b *Backend[K, V]) GetEntry(_ context.Context, key K) (backend.Entry[V], bool, error) {
	value, deadline, hit, err := b.get(key)
	if !hit {
		return backend.Entry[V]{}, false, err
	}
	return backend.Entry[V]{Value: value, Deadline: b.coder.Clock.Time(deadline)}, true, nil
}

// All implements [backend.Ranger]. It lists the keys at once and reads each
// entry when its turn comes. It leaves out an entry that its codec cannot
// decode.
func (b *Backend[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		cache := b.cache.Load()
		if cache == nil {
			return
		}
		var names []string
		for it := cache.Iterator(); it.SetNext(); {
			if info, err := it.Value(); err == nil {
				names = append(names, info.Key())
			}
		}
		for _, name := range names {
			if b.cache.Load() == nil {
				return
			}
			entry, ok := peek(cache, name)
			if !ok {
				continue
			}
			deadline, data := bytecache.Split(entry)
			if b.coder.Clock.Expired(deadline) {
				continue
			}
			key, err := b.coder.DecodeKey(name)
			if err != nil {
				continue // unreachable: Put encoded it
			}
			if value, err := b.coder.ValueOwned(data); err == nil && !yield(key, value) {
				return
			}
		}
	}
}

// Traits implements [backend.Describer].
func (b *Backend[K, V]) Traits() backend.Traits {
	return backend.Traits{Bound: b.bound, MaxKey: b.coder.Limits.Key, MaxValue: b.coder.Limits.Value}
}

// Close removes every entry and implements [io.Closer].
func (b *Backend[K, V]) Close() error {
	cache := b.cache.Swap(nil)
	if cache == nil {
		return nil
	}
	if err := cache.Close(); err != nil {
		return wrap("close", err)
	}
	return nil
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("bigcache: %s: %w", what, err)
}

// Package freecache makes a [backend.Backend] of github.com/coocood/freecache: a
// cache that holds entries as bytes in 256 rings of a fixed size, which the
// garbage collector need not look at, and evicts what has not been used for long.
//
// # Differences from the library
//
// Values of any type are encoded, byte slices and strings as they are; see
// [Options]. Keys may be of any comparable type. Nil and empty values come back
// as what they were.
//
// A TTL is exact to the nanosecond and not moved by a step of the wall clock,
// in place of the library's seconds, of which the first is cut short. An expired
// entry is never returned, counted or listed. It gives up its memory when Stats
// is called, or when the library evicts it.
//
// Of a cache of so many bytes, an entry has at most a 1024th. A key has at most a
// quarter of that, [backend.Traits.MaxKey], and a value the rest,
// [backend.Traits.MaxValue]; what is larger is refused and the key's earlier
// value removed, which the library would go on serving.
//
// A size below [MinBytes] is an error, where the library takes more than it was
// told.
package freecache

import (
	"context"
	"fmt"
	"io"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coocood/freecache"

	"github.com/cachepact/cachepact/adapters/internal/bytecache"
	"github.com/cachepact/cachepact/backend"
)

// Backend is a [backend.Backend] over the library's cache. Values are copied.
type Backend[K comparable, V any] struct {
	coder   *bytecache.Coder[K, V]
	cache   atomic.Pointer[freecache.Cache] // nil once closed
	stripes bytecache.Stripes               // one is held by whoever writes a key

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

// New returns an empty backend of so many bytes, all of which the library takes
// at once. It fails if the size is less than [MinBytes] or more than [MaxBytes], a
// K cannot be a key, or no codec is given and the default one cannot carry every
// V. The caller closes what it made.
func New[K comparable, V any](size int, o Options[V]) (*Backend[K, V], error) {
	limits, err := limitsOf(size)
	if err != nil {
		return nil, wrap("new", err)
	}
	coder, err := bytecache.NewCoder[K](o.Codec)
	if err != nil {
		return nil, wrap("new", err)
	}
	coder.Limits = limits
	b := &Backend[K, V]{coder: coder}
	b.cache.Store(freecache.NewCacheCustomTimer(size, seconds{coder.Clock}))
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
		// Each segment is emptied under its own lock, so an entry whose Put has
		// returned is gone from its segment when all are done.
		b.counters.clear(cache)
		return nil
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
	return backend.Stats{Size: cache.EntryCount(), Counters: b.counters.read(cache)}, nil
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
		var names [][]byte
		b.walk(cache, func(e *freecache.Entry) bool {
			names = append(names, e.Key)
			return false
		})
		for _, name := range names {
			if b.cache.Load() == nil {
				return
			}
			entry, err := cache.Peek(name)
			if err != nil {
				continue
			}
			deadline, data := bytecache.Split(entry)
			if b.coder.Clock.Expired(deadline) {
				continue
			}
			key, err := b.coder.DecodeKey(string(name))
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
	return backend.Traits{Bound: backend.BoundApproximate, MaxKey: b.coder.Limits.Key, MaxValue: b.coder.Limits.Value}
}

// Close frees the memory and implements [io.Closer].
func (b *Backend[K, V]) Close() error {
	b.cache.Store(nil)
	return nil
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("freecache: %s: %w", what, err)
}

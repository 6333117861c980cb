// Package bigcache is a [backend.Backend] over github.com/allegro/bigcache/v3. The library stores entries as bytes in
// a few large arrays, which the garbage collector need not scan.
//
// # Same as the library
//
// The configuration, sharding, and eviction: the oldest write goes first.
//
// # Different from the library
//
//   - Values of any type are encoded; byte slices and strings are stored as they are. See [Options].
//   - Keys are of any comparable type and have at most [backend.Traits.MaxKey] bytes.
//   - Each entry has its own TTL, exact to the nanosecond. LifeWindow and CleanWindow must be zero. An expired entry
//     is never returned, counted or listed. It keeps its memory until it is the oldest write.
//   - An entry that is too large for a shard is an error, and the key's earlier entry is removed. The library would
//     remove all entries of the shard.
//   - Invalidate of a key does not remove another key whose hash collides. A Put still does, as in the library.
//   - Without a Hasher, keys are hashed with [hash/maphash]. It is faster than the library's FNV, and its hashes cannot
//     be predicted.
//
// # What it costs
//
// An overwritten or removed entry keeps its bytes until it is the oldest write, as in the library. So frequent
// overwrites evict entries that are rarely written. If HardMaxCacheSize is zero, the cache grows with every Put until
// Invalidate removes all entries; the memory is then used again.
package bigcache

import (
	"context"
	"fmt"
	"iter"
	"sync/atomic"

	"github.com/allegro/bigcache/v3"

	"github.com/cachepact/cachepact/adapters/internal/bytecache"
	"github.com/cachepact/cachepact/adapters/internal/expiry"
	"github.com/cachepact/cachepact/adapters/internal/spread"
	"github.com/cachepact/cachepact/backend"
)

// Backend is a [backend.Backend] over the library's cache. It also has the methods of [backend.Ranger],
// [backend.EntryGetter], [backend.Describer] and [io.Closer]. Values are copied.
//
//   - Invalidate with a nil key takes time in proportion to the number of shards, not of entries.
//   - Stats counts hits, misses and expirations. It looks at entries only if one may have expired since the last
//     call.
//   - Close removes all entries.
type Backend[K comparable, V any] struct {
	*core[K, V]
}

// core is unexported, so that users do not see the embedded field.
type core[K comparable, V any] = bytecache.Backend[K, V]

var _ backend.Ranger[string, any] = (*Backend[string, any])(nil)

// New returns an empty backend. See [NewConfig] for a configuration to start from. The caller must call Close.
//
// New fails if the configuration has a field that the adapter cannot honour, if a K cannot be a key, or if there is
// no codec and the default codec cannot carry every V.
func New[K comparable, V any](config Config, o Options[V]) (*Backend[K, V], error) {
	keeps := config.Hasher != nil // the user's Hasher may keep the keys that it gets
	c, err := complete(&config)
	if err != nil {
		return nil, fmt.Errorf("bigcache: new: %w", err)
	}
	c.KeepsNames = keeps
	b, err := bytecache.New[K](c, o.Codec, func(bool) (bytecache.Library, error) {
		cache, err := bigcache.New(context.Background(), config)
		l := &library{hasher: config.Hasher, sweeper: bytecache.Sweeper{Clock: c.Clock}}
		l.cache.Store(cache)
		return l, err
	})
	if err != nil {
		return nil, err
	}
	return &Backend[K, V]{b}, nil
}

// All implements [backend.Ranger]. It lists the keys at once and reads each entry before it yields it. It skips
// entries that the codec cannot decode.
func (b *Backend[K, V]) All() iter.Seq2[K, V] { return bytecache.All(b.core) }

// library is a [bytecache.Lister].
type library struct {
	cache   atomic.Pointer[bigcache.BigCache] // nil after Close
	hasher  bigcache.Hasher
	locks   bytecache.Locks // a writer of a key holds one
	sweeper bytecache.Sweeper

	// The library's own counters count expired entries as hits, and count the adapter's reads too.
	misses      spread.Tally
	expirations atomic.Uint64
}

func (l *library) Get(name string, _ []byte) ([]byte, bool, error) {
	cache := l.cache.Load()
	if cache == nil {
		return nil, false, backend.ErrClosed
	}
	entry, err := cache.Get(name) // a copy
	if err == nil {
		return entry, true, nil
	}
	if err == bigcache.ErrEntryNotFound { //nolint:errorlint // never wrapped; errors.Is takes a fifth of a miss's time
		l.misses.Add()
		return nil, false, nil
	}
	return nil, false, err
}

func (l *library) Set(name string, entry []byte, deadline int64, _ expiry.Reading) error {
	cache := l.cache.Load()
	if cache == nil {
		return backend.ErrClosed
	}
	lock := l.locks.Of(l.hasher.Sum64(name))
	lock.Lock()
	defer lock.Unlock()
	if err := cache.Set(name, entry); err != nil {
		return fmt.Errorf("%w: %w", backend.ErrTooLarge, err) // unreachable: the limits are lower
	}
	l.sweeper.Add(deadline)
	return nil
}

func (l *library) Remove(name string) error {
	cache := l.cache.Load()
	if cache == nil {
		return backend.ErrClosed
	}
	l.removeIf(cache, name, func([]byte) bool { return true })
	return nil
}

// removeIf removes the entry of name if condition returns true, and reports whether it did. It locks out writers of
// the key and of keys with the same hash, because the library's Delete compares only hashes.
func (l *library) removeIf(cache *bigcache.BigCache, name string, condition func(entry []byte) bool) bool {
	lock := l.locks.Of(l.hasher.Sum64(name))
	lock.Lock()
	defer lock.Unlock()
	entry, err := cache.Get(name)
	return err == nil && condition(entry) && cache.Delete(name) == nil
}

// Clear needs no lock of l: the library empties each shard under its own lock, so that an entry whose Put has
// returned is removed from its shard.
func (l *library) Clear() error {
	cache := l.cache.Load()
	if cache == nil {
		return backend.ErrClosed
	}
	return cache.Reset()
}

func (l *library) Stats() (backend.Stats, error) {
	cache := l.cache.Load()
	if cache == nil {
		return backend.Stats{}, backend.ErrClosed
	}
	l.sweeper.Sweep(func(expired func(entry []byte) bool) {
		for it := cache.Iterator(); it.SetNext(); {
			info, err := it.Value()
			if err == nil && expired(info.Value()) && l.removeIf(cache, info.Key(), expired) {
				l.expirations.Add(1)
			}
		}
	})
	return backend.Stats{Size: int64(cache.Len()), Counters: map[string]uint64{
		backend.CounterMisses:      l.misses.Sum(),
		backend.CounterExpirations: l.expirations.Load(),
	}}, nil
}

func (l *library) Names() (names []string) {
	if cache := l.cache.Load(); cache != nil {
		for it := cache.Iterator(); it.SetNext(); {
			if info, err := it.Value(); err == nil {
				names = append(names, info.Key())
			}
		}
	}
	return names
}

func (l *library) Peek(name string) (entry []byte, hit bool) {
	cache := l.cache.Load()
	if cache == nil {
		return nil, false
	}
	entry, err := cache.Get(name)
	return entry, err == nil
}

func (l *library) Close() error { return l.cache.Swap(nil).Close() }

// Package fastcache makes a [backend.Backend] of
// github.com/VictoriaMetrics/fastcache: a cache that holds entries as bytes
// outside of the Go heap, in 512 rings of chunks of 64 KB, and evicts the oldest
// write.
//
// # Differences from the library
//
// Values of any type are encoded, byte slices and strings as they are; see
// [Options]. Keys may be of any comparable type. Nil and empty values come back
// as what they were.
//
// Entries have a TTL each, exact to the nanosecond. An expired entry is never
// returned or counted. It gives up its memory when it is the oldest write.
//
// Size counts the live entries, where the library counts evicted ones too. So
// the adapter keeps account of what the library evicts, for which a Put looks for
// an earlier entry; New fails if it is linked with a version that lays out entries
// in another way. [Options].LooseSize does without.
//
// A key has at most [MaxKey] bytes and an encoded value [MaxValue]. What is
// larger is refused and the key's earlier value removed, where the library drops
// the write in silence and serves the earlier value.
//
// Invalidate of a key whose hash is that of another key leaves the other. As in
// the library, a Put removes the entry of another key with the same 64-bit hash;
// Size then counts one too many until its bytes are the oldest.
//
// A size below [MinBytes] is an error, where the library takes more than it was
// told. Close gives back the memory, which the garbage collector does not know.
//
// There is no All, because the library cannot list its entries.
package fastcache

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/fastcache"

	"github.com/cachepact/cachepact/adapters/internal/bytecache"
	"github.com/cachepact/cachepact/backend"
)

// Backend is a [backend.Backend] over the library's cache. Values are copied.
type Backend[K comparable, V any] struct {
	coder    *bytecache.Coder[K, V]
	cache    atomic.Pointer[fastcache.Cache] // nil once closed
	rings    *rings                          // nil if the size may be loose
	counters counters
}

var (
	_ backend.Backend[string, any]     = (*Backend[string, any])(nil)
	_ backend.EntryGetter[string, any] = (*Backend[string, any])(nil)
	_ backend.Describer                = (*Backend[string, any])(nil)
	_ io.Closer                        = (*Backend[string, any])(nil)
)

// New returns an empty backend of so many bytes, rounded up by the library to a
// multiple of [MinBytes] and taken as they are needed. It fails if the size is
// less than MinBytes or more than [MaxBytes], a K cannot be a key, or no codec is
// given and the default one cannot carry every V. The caller closes what it made,
// or the memory is lost to the program.
func New[K comparable, V any](maxBytes int, o Options[V]) (*Backend[K, V], error) {
	if err := check(maxBytes); err != nil {
		return nil, wrap("new", err)
	}
	if !o.LooseSize && !layoutKnown() {
		return nil, wrap("new", errLayout)
	}
	coder, err := bytecache.NewCoder[K](o.Codec)
	if err != nil {
		return nil, wrap("new", err)
	}
	coder.Limits = limits
	b := &Backend[K, V]{coder: coder}
	if !o.LooseSize {
		b.rings, coder.Lead = newRings(maxBytes), make([]byte, markSize)
	}
	b.cache.Store(fastcache.New(maxBytes))
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

// Invalidate implements [backend.Backend]. With a nil key it takes what it
// takes to give back the chunks, 64 KB each. Gets go on meanwhile; Puts wait,
// unless [Options].LooseSize is set, and what removes a key waits in any case.
func (b *Backend[K, V]) Invalidate(_ context.Context, key *K) error {
	if key == nil {
		return wrap("invalidate", b.removeAll(false))
	}
	if b.cache.Load() == nil {
		return wrap("invalidate", backend.ErrClosed)
	}
	return wrap("invalidate", b.coder.Invalidate((*store[K, V])(b), *key))
}

// Stats implements [backend.Backend]. It counts hits and misses, and evictions and
// expirations unless [Options].LooseSize is set. It looks at the account of a ring's entries only if one can have
// expired since the last call.
func (b *Backend[K, V]) Stats(context.Context) (backend.Stats, error) {
	cache := b.cache.Load()
	if cache == nil {
		return backend.Stats{}, wrap("stats", backend.ErrClosed)
	}
	return b.stats(cache), nil
}

// GetEntry implements [backend.EntryGetter].
func (b *Backend[K, V]) GetEntry(_ context.Context, key K) (backend.Entry[V], bool, error) {
	value, deadline, hit, err := b.get(key)
	if !hit {
		return backend.Entry[V]{}, false, err
	}
	return backend.Entry[V]{Value: value, Deadline: b.coder.Clock.Time(deadline)}, true, nil
}

// Traits implements [backend.Describer].
func (b *Backend[K, V]) Traits() backend.Traits {
	return backend.Traits{Bound: backend.BoundApproximate, MaxKey: MaxKey, MaxValue: MaxValue}
}

// Close gives back the memory and implements [io.Closer].
func (b *Backend[K, V]) Close() error {
	_ = b.removeAll(true) // closed already
	return nil
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("fastcache: %s: %w", what, err)
}

// Package otter makes a [backend.Backend] of github.com/maypok86/otter/v2: a
// cache of a number of entries that keeps those most likely to be used again, by
// frequency and recency (W-TinyLFU).
//
// # Differences from the library
//
// Each Put says how long its entry lives, to the nanosecond, and reads of entries
// without a TTL read no clock. There is no expiry calculator and no goroutine
// that stays. Each Put removes a few expired entries, Stats all of them. Between
// two of these calls expired entries take room, but are never returned, listed or
// counted.
//
// Size counts the live entries exactly. The library's EstimatedSize counts
// expired ones too and, while others write, entries that are not there.
//
// The library evicts a moment after a write, on a goroutine, and may hold a few
// hundred entries too many until then. Sync waits for it, Stats does when there
// are too many, and Close waits for the goroutines to end.
//
// Invalidate of all keys replaces the library's cache by an empty one.
//
// An overwritten entry keeps its place in the library, which is told of a read:
// the library's write would cost about twice as much.
//
// There are no loaders, refreshes, weights, listeners or executors.
package otter

import (
	"context"
	"fmt"
	"io"
	"iter"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/cachepact/cachepact/adapters/internal/expiry"
	"github.com/cachepact/cachepact/backend"
)

// Backend is a [backend.Backend] over the library's cache. Values are held by
// reference.
type Backend[K comparable, V any] struct {
	keys     backend.KeyChecker[K]
	options  otter.Options[K, *entry[K, V]] // of the stores after the first
	pointers bool                           // V has pointers
	clock    expiry.Clock
	store    atomic.Pointer[store[K, V]] // nil once closed
	counters counters
	tasks    tasks
}

var (
	_ backend.Backend[string, any]     = (*Backend[string, any])(nil)
	_ backend.Ranger[string, any]      = (*Backend[string, any])(nil)
	_ backend.EntryGetter[string, any] = (*Backend[string, any])(nil)
	_ backend.Syncer                   = (*Backend[string, any])(nil)
	_ backend.Describer                = (*Backend[string, any])(nil)
	_ io.Closer                        = (*Backend[string, any])(nil)
)

// New returns an empty backend with the library's options; see [NewOptions] for
// the usual ones. It takes MaximumSize, InitialCapacity and Logger. It fails if
// another option is set, because the adapter cannot honour it, or if a number is
// negative. It neither changes nor keeps o. The caller closes the backend.
func New[K comparable, V any](o *Options[K, V]) (*Backend[K, V], error) {
	if err := check(o); err != nil {
		return nil, wrap("new", err)
	}
	b := &Backend[K, V]{
		keys:     backend.NewKeyChecker[K](),
		options:  otter.Options[K, *entry[K, V]]{MaximumSize: o.MaximumSize, Logger: o.Logger},
		pointers: hasPointers(reflect.TypeFor[V]()),
		clock:    expiry.NewClock(),
	}
	first := b.options
	first.InitialCapacity = o.InitialCapacity
	s, err := b.empty(first)
	if err != nil {
		return nil, wrap("new", err)
	}
	b.store.Store(s)
	return b, nil
}

// Get implements [backend.Backend].
func (b *Backend[K, V]) Get(_ context.Context, key K) (value V, hit bool, err error) {
	if err := b.keys.Check(key); err != nil {
		return value, false, wrap("get", err)
	}
	s := b.store.Load()
	if s == nil {
		return value, false, wrap("get", backend.ErrClosed)
	}
	e, ok := s.cache.GetIfPresent(key)
	if !ok {
		return value, false, nil
	}
	v := e.current.Load()
	if v == nil {
		v = s.peek(key)
	}
	if v == nil || v.timer != nil && b.clock.Expired(v.timer.Deadline) {
		return value, false, nil
	}
	return v.value, true, nil
}

// Put implements [backend.Backend].
func (b *Backend[K, V]) Put(_ context.Context, key K, value V, ttl *time.Duration) error {
	if err := b.keys.Check(key); err != nil {
		return wrap("put", err)
	}
	s := b.store.Load()
	if s == nil {
		return wrap("put", backend.ErrClosed)
	}
	deadline := expiry.Never
	if ttl != nil || s.next.Load() != expiry.None {
		now := b.clock.Now()
		s.expire(now, reclaim)
		if ttl != nil {
			if *ttl <= 0 {
				s.cache.Invalidate(key)
				return nil
			}
			deadline = expiry.Deadline(now, *ttl)
		}
	}
	s.put(key, value, deadline)
	return nil
}

// reclaim is how many expired entries a Put removes, so that they become fewer
// however fast new ones come.
const reclaim = 4

// Invalidate implements [backend.Backend]. With a nil key it takes the same time
// however many entries there are.
func (b *Backend[K, V]) Invalidate(_ context.Context, key *K) error {
	if key == nil {
		return b.invalidateAll()
	}
	if err := b.keys.Check(*key); err != nil {
		return wrap("invalidate", err)
	}
	s := b.store.Load()
	if s == nil {
		return wrap("invalidate", backend.ErrClosed)
	}
	s.cache.Invalidate(*key)
	return nil
}

// Stats implements [backend.Backend]. It counts evictions and expirations. It
// takes longer only by the entries that have expired since the last call, and
// lets others in between them.
func (b *Backend[K, V]) Stats(context.Context) (backend.Stats, error) {
	s := b.store.Load()
	if s == nil {
		return backend.Stats{}, wrap("stats", backend.ErrClosed)
	}
	return backend.Stats{Size: s.size(), Counters: map[string]uint64{
		backend.CounterEvictions:   b.counters.evictions.Load(),
		backend.CounterExpirations: b.counters.expirations.Load(),
	}}, nil
}

// GetEntry implements [backend.EntryGetter].
func (b *Backend[K, V]) GetEntry(_ context.Context, key K) (backend.Entry[V], bool, error) {
	if err := b.keys.Check(key); err != nil {
		return backend.Entry[V]{}, false, wrap("get", err)
	}
	s := b.store.Load()
	if s == nil {
		return backend.Entry[V]{}, false, wrap("get", backend.ErrClosed)
	}
	e, ok := s.cache.GetIfPresent(key)
	if !ok {
		return backend.Entry[V]{}, false, nil
	}
	v := e.current.Load()
	if v == nil {
		v = s.peek(key)
	}
	if v == nil || b.clock.Expired(v.deadline()) {
		return backend.Entry[V]{}, false, nil
	}
	return backend.Entry[V]{Value: v.value, Deadline: b.clock.Time(v.deadline())}, true, nil
}

// All implements [backend.Ranger]. It reads each entry when its turn comes.
func (b *Backend[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		s := b.store.Load()
		if s == nil {
			return
		}
		for key := range s.cache.Keys() {
			if b.store.Load() != s {
				return // everything in it has been removed
			}
			v := s.peek(key)
			if v != nil && !b.clock.Expired(v.deadline()) && !yield(key, v.value) {
				return
			}
		}
	}
}

// Sync implements [backend.Syncer]. Writes are visible when they return; Sync
// waits for the evictions that they caused. It ignores ctx.
func (b *Backend[K, V]) Sync(context.Context) error {
	s := b.store.Load()
	if s == nil {
		return wrap("sync", backend.ErrClosed)
	}
	s.cache.CleanUp()
	return nil
}

// Traits implements [backend.Describer]. With a capacity the library's policy may
// drop the newest entry rather than another.
func (b *Backend[K, V]) Traits() backend.Traits {
	if b.options.MaximumSize == 0 {
		return backend.Traits{Values: backend.ByReference, Bound: backend.BoundNone}
	}
	return backend.Traits{Values: backend.ByReference, Rejects: true}
}

// Close removes every entry, waits for the goroutines of the library to end, and
// implements [io.Closer].
func (b *Backend[K, V]) Close() error {
	b.store.Store(nil)
	b.tasks.close()
	return nil
}

// invalidateAll replaces the store by an empty one. What still goes on in the old
// one counts as done before.
func (b *Backend[K, V]) invalidateAll() error {
	next, err := b.empty(b.options)
	if err != nil {
		return wrap("invalidate", err) // unreachable: New has tried the options
	}
	for {
		old := b.store.Load()
		if old == nil {
			return wrap("invalidate", backend.ErrClosed)
		}
		if b.store.CompareAndSwap(old, next) {
			return nil
		}
	}
}

func (b *Backend[K, V]) empty(o otter.Options[K, *entry[K, V]]) (*store[K, V], error) {
	return newStore(o, b.clock, b.pointers, &b.counters, &b.tasks)
}

func wrap(what string, err error) error {
	return fmt.Errorf("otter: %s: %w", what, err)
}

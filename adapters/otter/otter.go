// Package otter is a [backend.Backend] over github.com/maypok86/otter/v2: a cache with a capacity in entries that keeps
// the entries that were used often and recently (W-TinyLFU).
//
// The library evicts on a goroutine shortly after a write, and can hold a few hundred entries too many until then. Sync
// waits for the eviction. Stats waits if there are too many entries.
//
// # Differences from the library
//
//   - Each Put sets the TTL of its entry, exact to the nanosecond. A Get of an entry without a TTL reads no clock.
//   - There is no goroutine for expiration. Put removes a few expired entries and Stats removes all. An expired entry
//     takes memory until then, but is never returned, listed or counted.
//   - Size is exact. The library's EstimatedSize counts expired entries and, during writes, entries that do not exist.
//   - Invalidate of all keys replaces the library's cache by an empty one. Close waits for the library's goroutines.
//   - New rejects loaders, weights, listeners, executors and the other options that the adapter cannot honour.
//
// # Cost
//
// A Put of a new key allocates once more than the library. A Put over an entry swaps a pointer in the entry and reports
// a read to the library, because a write of the library would take about twice as long.
package otter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/cachepact/cachepact/adapters/internal/expiry"
	"github.com/cachepact/cachepact/backend"
)

// Backend is a [backend.Backend] over the library's cache. Values are shared with the caller. It also implements
// [backend.Ranger], [backend.EntryGetter], [backend.Syncer], [backend.Describer] and [io.Closer].
type Backend[K comparable, V any] struct {
	keys     backend.KeyChecker[K]
	options  otter.Options[K, *entry[K, V]] // of the stores after the first
	pointers bool                           // V has pointers
	clock    expiry.Clock
	store    atomic.Pointer[store[K, V]] // nil once closed
	counters counters
	tasks    tasks
}

var _ backend.Backend[string, any] = (*Backend[string, any])(nil)

// Options are the library's options.
type Options[K comparable, V any] = otter.Options[K, V]

// NewOptions returns options for a cache of at most capacity entries. Zero means no bound.
func NewOptions[K comparable, V any](capacity int) *Options[K, V] {
	return &Options[K, V]{MaximumSize: capacity}
}

// New returns an empty backend with the library's options; see [NewOptions] for the usual ones. It uses MaximumSize,
// InitialCapacity and Logger. It fails if another option is set, because the adapter cannot honour it, or if a number
// is negative. It neither changes nor keeps o. The caller closes the backend.
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

// check returns an error if o has a setting that the adapter cannot honour.
func check[K comparable, V any](o *Options[K, V]) error {
	switch {
	case o == nil:
		return errors.New("options are nil")
	case o.MaximumSize < 0:
		return fmt.Errorf("MaximumSize %d is negative", o.MaximumSize)
	case o.InitialCapacity < 0:
		return fmt.Errorf("InitialCapacity %d is negative", o.InitialCapacity)
	}
	for _, f := range []struct {
		name, why string
		set       bool
	}{
		{"MaximumWeight", "the capacity is in entries", o.MaximumWeight != 0},
		{"Weigher", "the capacity is in entries", o.Weigher != nil},
		{"ExpiryCalculator", "each Put sets the TTL of its entry", o.ExpiryCalculator != nil},
		{"RefreshCalculator", "there is no loader", o.RefreshCalculator != nil},
		{"Clock", "deadlines are on the monotonic clock", o.Clock != nil},
		{"OnDeletion", "Invalidate of all keys visits no entry", o.OnDeletion != nil},
		{"OnAtomicDeletion", "Invalidate of all keys visits no entry", o.OnAtomicDeletion != nil},
		{"StatsRecorder", "it would count a Get of an expired entry as a hit", o.StatsRecorder != nil},
		{"Executor", "Close waits for the goroutines that the adapter starts", o.Executor != nil},
	} {
		if f.set {
			return fmt.Errorf("%s must not be set: %s", f.name, f.why)
		}
	}
	return nil
}

// Get implements [backend.Backend].
func (b *Backend[K, V]) Get(_ context.Context, key K) (value V, hit bool, err error) {
	s := b.store.Load()
	if s == nil || b.keys.Check(key) != nil {
		return value, false, b.fail("get", key)
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
	s := b.store.Load()
	if s == nil || b.keys.Check(key) != nil {
		return b.fail("put", key)
	}
	deadline := expiry.Never
	if ttl != nil || s.next.Load() != expiry.None {
		now := b.clock.Now()
		s.expire(now, expiry.PutLimit)
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

// Invalidate implements [backend.Backend]. With a nil key it replaces the library's cache by an empty one. A call that
// is still running in the old cache counts as done before.
func (b *Backend[K, V]) Invalidate(_ context.Context, key *K) error {
	if key != nil {
		s := b.store.Load()
		if s == nil || b.keys.Check(*key) != nil {
			return b.fail("invalidate", *key)
		}
		s.cache.Invalidate(*key)
		return nil
	}
	next, err := b.empty(b.options)
	if err != nil {
		return wrap("invalidate", err) // unreachable: New has used the options
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

// Stats implements [backend.Backend]. It counts evictions and expirations. It removes the expired entries one by one,
// so that other calls do not wait for all of them.
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
func (b *Backend[K, V]) GetEntry(_ context.Context, key K) (found backend.Entry[V], hit bool, err error) {
	s := b.store.Load()
	if s == nil || b.keys.Check(key) != nil {
		return found, false, b.fail("get", key)
	}
	e, ok := s.cache.GetIfPresent(key)
	if !ok {
		return found, false, nil
	}
	v := e.current.Load()
	if v == nil {
		v = s.peek(key)
	}
	if v == nil || b.clock.Expired(v.deadline()) {
		return found, false, nil
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
				return // all entries were invalidated
			}
			v := s.peek(key)
			if v != nil && !b.clock.Expired(v.deadline()) && !yield(key, v.value) {
				return
			}
		}
	}
}

// Sync implements [backend.Syncer]. It waits for the evictions that earlier writes cause. Writes are visible without
// Sync. It ignores ctx.
func (b *Backend[K, V]) Sync(context.Context) error {
	s := b.store.Load()
	if s == nil {
		return wrap("sync", backend.ErrClosed)
	}
	s.cache.CleanUp()
	return nil
}

// Traits implements [backend.Describer]. With a capacity, the library's policy may reject a new entry.
func (b *Backend[K, V]) Traits() backend.Traits {
	if b.options.MaximumSize == 0 {
		return backend.Traits{Values: backend.ByReference, Bound: backend.BoundNone}
	}
	return backend.Traits{Values: backend.ByReference, Rejects: true}
}

// Close removes every entry, waits for the goroutines of the library, and implements [io.Closer].
func (b *Backend[K, V]) Close() error {
	b.store.Store(nil)
	b.tasks.close()
	return nil
}

func (b *Backend[K, V]) empty(o otter.Options[K, *entry[K, V]]) (*store[K, V], error) {
	return newStore(o, b.clock, b.pointers, &b.counters, &b.tasks)
}

// fail returns the error of a call with an invalid key or after Close.
func (b *Backend[K, V]) fail(operation string, key K) error {
	return wrap(operation, cmp.Or(b.keys.Check(key), backend.ErrClosed))
}

func wrap(operation string, err error) error {
	return fmt.Errorf("otter: %s: %w", operation, err)
}

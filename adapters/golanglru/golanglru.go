// Package golanglru makes a [backend.Backend] of
// github.com/hashicorp/golang-lru/v2: a cache of a fixed number of entries that
// evicts the least recently used one.
//
// # Differences from the library
//
// Entries have a TTL each, which the library's lru package does not offer. An
// expired entry is never returned, counted or listed, and makes room before any
// live entry is evicted.
//
// The adapter builds on the library's simplelru package under a mutex of its
// own, so a key that cannot be hashed is an error and does not leave the cache
// locked.
//
// A Get of an entry that is there makes it the most recently used one, and so
// does each Put. GetEntry counts as a Get. All does not.
package golanglru

import (
	"context"
	"fmt"
	"io"
	"iter"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/internal/clock"
)

// Backend is a [backend.Backend] over the library's LRU. Values are held by
// reference.
type Backend[K comparable, V any] struct {
	keys     backend.KeyChecker[K]
	capacity int
	clock    clock.Clock

	mu      sync.Mutex
	lru     *simplelru.LRU[K, entry[V]] // nil once closed
	soonest int64                       // no entry expires before

	hits, misses, evictions, expirations uint64
}

type entry[V any] struct {
	value    V
	deadline int64
}

var (
	_ backend.Backend[string, any]     = (*Backend[string, any])(nil)
	_ backend.Ranger[string, any]      = (*Backend[string, any])(nil)
	_ backend.EntryGetter[string, any] = (*Backend[string, any])(nil)
	_ backend.Describer                = (*Backend[string, any])(nil)
	_ io.Closer                        = (*Backend[string, any])(nil)
)

// New returns an empty backend that holds at most capacity entries. It fails if
// the library refuses the capacity. The caller closes what it made.
func New[K comparable, V any](capacity int) (*Backend[K, V], error) {
	lru, err := simplelru.NewLRU[K, entry[V]](capacity, nil)
	if err != nil {
		return nil, fmt.Errorf("golanglru: new: %w", err)
	}
	return &Backend[K, V]{keys: backend.NewKeyChecker[K](), capacity: capacity, clock: clock.New(), lru: lru}, nil
}

// Get implements [backend.Backend].
func (b *Backend[K, V]) Get(_ context.Context, key K) (V, bool, error) {
	e, hit, err := b.get(key)
	return e.value, hit, err
}

// Put implements [backend.Backend].
func (b *Backend[K, V]) Put(_ context.Context, key K, value V, ttl *time.Duration) error {
	if err := b.keys.Check(key); err != nil {
		return wrap("put", err)
	}
	e := entry[V]{value: value}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lru == nil {
		return wrap("put", backend.ErrClosed)
	}
	if ttl != nil {
		if *ttl <= 0 {
			b.lru.Remove(key)
			return nil
		}
		e.deadline = b.clock.Deadline(*ttl)
		b.soonest = sooner(b.soonest, e.deadline)
	}
	if b.lru.Len() == b.capacity && b.clock.Expired(b.soonest) && !b.lru.Contains(key) {
		b.sweep()
	}
	if b.lru.Add(key, e) {
		b.evictions++
	}
	return nil
}

// Invalidate implements [backend.Backend]. With a nil key it takes the same time
// however many entries there are.
func (b *Backend[K, V]) Invalidate(_ context.Context, key *K) error {
	if key != nil {
		if err := b.keys.Check(*key); err != nil {
			return wrap("invalidate", err)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lru == nil {
		return wrap("invalidate", backend.ErrClosed)
	}
	if key != nil {
		b.lru.Remove(*key)
		return nil
	}
	lru, err := simplelru.NewLRU[K, entry[V]](b.capacity, nil)
	if err != nil {
		return wrap("invalidate", err) // unreachable: New has tried the capacity
	}
	b.lru, b.soonest = lru, clock.Never
	return nil
}

// Stats implements [backend.Backend]. It counts hits, misses, evictions and
// expirations. It looks at the entries only if one can have expired since the
// last call.
func (b *Backend[K, V]) Stats(context.Context) (backend.Stats, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lru == nil {
		return backend.Stats{}, wrap("stats", backend.ErrClosed)
	}
	if b.clock.Expired(b.soonest) {
		b.sweep()
	}
	return backend.Stats{Size: int64(b.lru.Len()), Counters: map[string]uint64{
		backend.CounterHits:        b.hits,
		backend.CounterMisses:      b.misses,
		backend.CounterEvictions:   b.evictions,
		backend.CounterExpirations: b.expirations,
	}}, nil
}

// GetEntry implements [backend.EntryGetter].
func (b *Backend[K, V]) GetEntry(_ context.Context, key K) (backend.Entry[V], bool, error) {
	e, hit, err := b.get(key)
	if !hit {
		return backend.Entry[V]{}, false, err
	}
	return backend.Entry[V]{Value: e.value, Deadline: b.clock.Time(e.deadline)}, true, nil
}

// All implements [backend.Ranger]. It lists the keys at once and reads each
// entry when its turn comes.
func (b *Backend[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		var keys []K
		b.mu.Lock()
		if b.lru != nil {
			keys = b.lru.Keys()
		}
		b.mu.Unlock()
		for _, key := range keys {
			if e, ok := b.peek(key); ok && !yield(key, e.value) {
				return
			}
		}
	}
}

// Traits implements [backend.Describer].
func (b *Backend[K, V]) Traits() backend.Traits {
	return backend.Traits{Values: backend.ByReference}
}

// Close removes every entry and implements [io.Closer].
func (b *Backend[K, V]) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lru = nil
	return nil
}

// get is Get. It removes the entry if it has expired.
func (b *Backend[K, V]) get(key K) (entry[V], bool, error) {
	if err := b.keys.Check(key); err != nil {
		return entry[V]{}, false, wrap("get", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lru == nil {
		return entry[V]{}, false, wrap("get", backend.ErrClosed)
	}
	e, ok := b.lru.Get(key)
	if ok && !b.clock.Expired(e.deadline) {
		b.hits++
		return e, true, nil
	}
	if ok {
		b.lru.Remove(key)
		b.expirations++
	}
	b.misses++
	return entry[V]{}, false, nil
}

// peek returns a live entry and leaves no trace.
func (b *Backend[K, V]) peek(key K) (entry[V], bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lru == nil {
		return entry[V]{}, false
	}
	e, ok := b.lru.Peek(key)
	return e, ok && !b.clock.Expired(e.deadline)
}

// sweep removes the expired entries and finds out when the next one is due.
func (b *Backend[K, V]) sweep() {
	now := b.clock.Now()
	b.soonest = clock.Never
	for _, key := range b.lru.Keys() {
		switch e, _ := b.lru.Peek(key); {
		case e.deadline == clock.Never:
		case e.deadline <= now:
			b.lru.Remove(key)
			b.expirations++
		default:
			b.soonest = sooner(b.soonest, e.deadline)
		}
	}
}

// sooner returns the earlier of two deadlines.
func sooner(a, b int64) int64 {
	if a == clock.Never || b != clock.Never && b < a {
		return b
	}
	return a
}

func wrap(what string, err error) error {
	return fmt.Errorf("golanglru: %s: %w", what, err)
}

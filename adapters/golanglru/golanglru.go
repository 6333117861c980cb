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

	"github.com/cachepact/cachepact/adapters/internal/expiry"
	"github.com/cachepact/cachepact/backend"
)

// Backend is a [backend.Backend] over the library's LRU. Values are held by
// reference.
type Backend[K comparable, V any] struct {
	keys     backend.KeyChecker[K]
	capacity int
	clock    expiry.Clock

	mu    sync.Mutex
	lru   *simplelru.LRU[K, entry[K, V]] // nil once closed
	queue expiry.Queue[K]                // the timers of the entries in lru

	hits, misses, evictions, expirations uint64
}

type entry[K comparable, V any] struct {
	value V
	timer *expiry.Node[K] // nil: never expires
}

func (e entry[K, V]) deadline() int64 {
	if e.timer == nil {
		return expiry.Never
	}
	return e.timer.Deadline
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
	b := &Backend[K, V]{keys: backend.NewKeyChecker[K](), capacity: capacity, clock: expiry.NewClock()}
	if err := b.reset(); err != nil {
		return nil, wrap("new", err)
	}
	return b, nil
}

// Get implements [backend.Backend].
func (b *Backend[K, V]) Get(_ context.Context, key K) (V, bool, error) {
	value, _, hit, err := b.get(key)
	return value, hit, err
}

// Put implements [backend.Backend].
func (b *Backend[K, V]) Put(_ context.Context, key K, value V, ttl *time.Duration) error {
	if err := b.keys.Check(key); err != nil {
		return wrap("put", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lru == nil {
		return wrap("put", backend.ErrClosed)
	}
	var timer *expiry.Node[K]
	if ttl != nil || b.queue.Len() > 0 {
		now := b.clock.Now()
		b.expire(now, reclaim)
		if ttl != nil && *ttl <= 0 {
			b.lru.Remove(key)
			return nil
		}
		timer = b.timer(key, now, ttl)
	}
	if b.lru.Add(key, entry[K, V]{value, timer}) {
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
	if err := b.reset(); err != nil {
		return wrap("invalidate", err) // unreachable: New has tried the capacity
	}
	return nil
}

// Stats implements [backend.Backend]. It counts hits, misses, evictions and
// expirations. It takes longer only by the entries that have expired since the
// last call, and lets others in between them.
func (b *Backend[K, V]) Stats(context.Context) (backend.Stats, error) {
	for {
		if s, done, err := b.stats(); done {
			return s, err
		}
	}
}

// GetEntry implements [backend.EntryGetter].
func (b *Backend[K, V]) GetEntry(_ context.Context, key K) (backend.Entry[V], bool, error) {
	value, deadline, hit, err := b.get(key)
	return backend.Entry[V]{Value: value, Deadline: b.clock.Time(deadline)}, hit, err
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
			if value, live := b.peek(key); live && !yield(key, value) {
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
	b.lru, b.queue = nil, expiry.Queue[K]{}
	return nil
}

// get is GetEntry. It removes the entry if it has expired.
func (b *Backend[K, V]) get(key K) (value V, deadline int64, hit bool, err error) {
	if err := b.keys.Check(key); err != nil {
		return value, expiry.Never, false, wrap("get", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lru == nil {
		return value, expiry.Never, false, wrap("get", backend.ErrClosed)
	}
	if e, ok := b.lru.Get(key); ok {
		if deadline = e.deadline(); !b.clock.Expired(deadline) {
			b.hits++
			return e.value, deadline, true, nil
		}
		b.lru.Remove(key)
		b.expirations++
	}
	b.misses++
	return value, expiry.Never, false, nil
}

// peek returns a live value and leaves no trace.
func (b *Backend[K, V]) peek(key K) (value V, live bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lru == nil {
		return value, false
	}
	e, ok := b.lru.Peek(key)
	return e.value, ok && !b.clock.Expired(e.deadline())
}

// stats is Stats, unless so many entries have expired that it has to be called
// again.
func (b *Backend[K, V]) stats() (s backend.Stats, done bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lru == nil {
		return backend.Stats{}, true, wrap("stats", backend.ErrClosed)
	}
	if b.queue.Len() > 0 {
		now := b.clock.Now()
		b.expire(now, batch)
		if b.queue.Due(now) {
			return backend.Stats{}, false, nil
		}
	}
	return backend.Stats{Size: int64(b.lru.Len()), Counters: map[string]uint64{
		backend.CounterHits:        b.hits,
		backend.CounterMisses:      b.misses,
		backend.CounterEvictions:   b.evictions,
		backend.CounterExpirations: b.expirations,
	}}, true, nil
}

// timer returns the timer for a new entry under key. It takes over that of the
// entry it replaces.
func (b *Backend[K, V]) timer(key K, now int64, ttl *time.Duration) *expiry.Node[K] {
	old, _ := b.lru.Peek(key)
	deadline := expiry.Never
	if ttl != nil {
		deadline = expiry.Deadline(now, *ttl)
	}
	switch t := old.timer; {
	case deadline == expiry.Never:
		if t != nil {
			b.queue.Remove(t)
		}
		return nil
	case t == nil:
		t = &expiry.Node[K]{Key: key, Deadline: deadline}
		b.queue.Add(t)
		return t
	default:
		t.Deadline = deadline
		b.queue.Move(t)
		return t
	}
}

const (
	// reclaim is how many expired entries a Put removes, so that they become
	// fewer however fast new ones come.
	reclaim = 4
	// batch is how many Stats removes before it lets others in.
	batch = 256
)

// expire removes at most limit expired entries.
func (b *Backend[K, V]) expire(now int64, limit int) {
	for range limit {
		t := b.queue.Pop(now)
		if t == nil {
			return
		}
		b.lru.Remove(t.Key)
		b.expirations++
	}
}

// reset replaces the library's cache by an empty one, which is faster than to
// empty it and frees its memory.
func (b *Backend[K, V]) reset() (err error) {
	b.queue = expiry.Queue[K]{}
	b.lru, err = simplelru.NewLRU(b.capacity, func(_ K, e entry[K, V]) {
		if e.timer != nil {
			b.queue.Remove(e.timer)
		}
	})
	return err
}

func wrap(what string, err error) error {
	return fmt.Errorf("golanglru: %s: %w", what, err)
}

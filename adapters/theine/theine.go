// Package theine makes a [backend.Backend] of github.com/Yiling-J/theine-go: a
// cache of a number of entries that keeps those most likely to be used again, by
// frequency and recency (W-TinyLFU).
//
// # Differences from the library
//
// Each Put says how long its entry lives, to the nanosecond, and a Put without a
// TTL over an entry with one makes it live for ever. In the library the TTL
// stays. Each Put removes a few expired entries, Stats all of them. Between two
// of these calls expired entries take room, but are never returned, listed or
// counted.
//
// The library evicts a moment after a write, on a goroutine, and may hold a few
// hundred entries too many until then. Sync waits for it, and Stats does when
// there are too many.
//
// Invalidate of all keys, which the library lacks, replaces its cache by an empty
// one.
//
// Close may be called at any time, and so may anything after it. The library's
// Close leaves writers waiting for ever that it meets under way.
//
// Every entry costs 1. There are no cost functions, doorkeepers, entry pools,
// listeners, loaders or secondary caches.
package theine

import (
	"context"
	"fmt"
	"hash/maphash"
	"io"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/Yiling-J/theine-go"

	"github.com/cachepact/cachepact/adapters/internal/expiry"
	"github.com/cachepact/cachepact/adapters/internal/spread"
	"github.com/cachepact/cachepact/backend"
)

// Backend is a [backend.Backend] over the library's cache. Values are held by
// reference.
type Backend[K comparable, V any] struct {
	keys     backend.KeyChecker[K]
	capacity int
	clock    expiry.Clock
	store    atomic.Pointer[store[K, V]] // nil once closed

	seed    maphash.Seed
	_       [64]byte
	stripes [stripes]stripe // one is held by whoever writes the keys of that hash
	flush   sync.Mutex      // held by whoever waits for the library

	_                      [64]byte // the rest is on cache lines of its own
	evictions, expirations atomic.Uint64
	hits                   spread.Tally  // the library's are counted before it is known whether the entry has expired
	late                   atomic.Uint64 // Gets that found an expired entry

	mu     sync.Mutex // held to replace store, and to count misses
	misses uint64     // of the stores that have been replaced
}

// A store is a cache of the library with what belongs to it.
type store[K comparable, V any] struct {
	cache  *theine.Cache[K, entry[K, V]]
	timers *timers[K]
	expiry sync.Mutex // held to remove expired entries
}

type entry[K comparable, V any] struct {
	value V
	timer *timer[K] // nil: never expires
}

const stripes = 64

type stripe struct {
	sync.Mutex
	_ [56]byte // to a cache line of its own
}

var (
	_ backend.Backend[string, any]     = (*Backend[string, any])(nil)
	_ backend.Ranger[string, any]      = (*Backend[string, any])(nil)
	_ backend.EntryGetter[string, any] = (*Backend[string, any])(nil)
	_ backend.Syncer                   = (*Backend[string, any])(nil)
	_ backend.Describer                = (*Backend[string, any])(nil)
	_ io.Closer                        = (*Backend[string, any])(nil)
)

// New returns an empty backend that holds at most capacity entries. It fails if
// the library refuses the capacity. The caller closes what it made, or two
// goroutines stay.
func New[K comparable, V any](capacity int) (*Backend[K, V], error) {
	b := &Backend[K, V]{keys: backend.NewKeyChecker[K](), capacity: capacity, clock: expiry.NewClock(), seed: maphash.MakeSeed()}
	s, err := b.empty()
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
	e, ok := s.cache.Get(key)
	if !ok {
		return value, false, nil
	}
	if e.timer != nil && b.clock.Expired(e.timer.Deadline) {
		b.late.Add(1)
		return value, false, nil
	}
	b.hits.Add()
	return e.value, true, nil
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
	if ttl != nil || s.timers.next.Load() != expiry.None {
		now := b.clock.Now()
		b.reclaim(s, now)
		if ttl != nil {
			if *ttl <= 0 {
				return b.remove("put", key)
			}
			deadline = expiry.Deadline(now, *ttl)
		}
	}
	m := b.stripe(key)
	m.Lock()
	defer m.Unlock()
	if s = b.store.Load(); s == nil {
		return wrap("put", backend.ErrClosed)
	}
	e := entry[K, V]{value: value}
	if deadline != expiry.Never || s.timers.some.Load() {
		e.timer = s.timers.set(key, deadline)
	}
	s.cache.Set(key, e, 1)
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
	return b.remove("invalidate", *key)
}

// Stats implements [backend.Backend]. It counts hits, misses, evictions and
// expirations. It takes longer only by the entries that have expired since the
// last call, and lets others in between them.
func (b *Backend[K, V]) Stats(context.Context) (backend.Stats, error) {
	s := b.store.Load()
	if s == nil {
		return backend.Stats{}, wrap("stats", backend.ErrClosed)
	}
	size := b.size(s)
	if size > int64(b.capacity) {
		if err := b.settle("stats"); err != nil {
			return backend.Stats{}, err
		}
		size = b.size(s)
	}
	return backend.Stats{Size: size, Counters: map[string]uint64{
		backend.CounterHits:        b.hits.Sum(),
		backend.CounterMisses:      b.missed(),
		backend.CounterEvictions:   b.evictions.Load(),
		backend.CounterExpirations: b.expirations.Load(),
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
	e, ok := s.cache.Get(key)
	if !ok {
		return backend.Entry[V]{}, false, nil
	}
	if b.expired(e) {
		b.late.Add(1)
		return backend.Entry[V]{}, false, nil
	}
	b.hits.Add()
	found := backend.Entry[V]{Value: e.value}
	if e.timer != nil {
		found.Deadline = b.clock.Time(e.timer.Deadline)
	}
	return found, true, nil
}

// All implements [backend.Ranger]. It copies the entries at once, less those that
// have expired when their turn comes.
func (b *Backend[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		s := b.store.Load()
		if s == nil {
			return
		}
		type item struct {
			key K
			entry[K, V]
		}
		items := make([]item, 0, s.cache.Len())
		// The library holds a lock meanwhile, so the loop body must wait.
		s.cache.Range(func(key K, e entry[K, V]) bool {
			items = append(items, item{key, e})
			return true
		})
		for _, it := range items {
			if b.store.Load() != s {
				return // everything in it has been removed
			}
			if !b.expired(it.entry) && !yield(it.key, it.value) {
				return
			}
		}
	}
}

// Sync implements [backend.Syncer]. Writes are visible when they return; Sync
// waits for the evictions that they caused. It ignores ctx.
func (b *Backend[K, V]) Sync(context.Context) error { return b.settle("sync") }

// Traits implements [backend.Describer]. The library's policy may drop the newest
// entry rather than another.
func (b *Backend[K, V]) Traits() backend.Traits {
	return backend.Traits{Values: backend.ByReference, Rejects: true}
}

// Close removes every entry and tells the library's goroutines to end. They do so a
// moment later: the library has no way to wait for that. It implements [io.Closer].
func (b *Backend[K, V]) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.store.Load(); s != nil {
		b.replace(s, nil)
	}
	return nil
}

func (b *Backend[K, V]) expired(e entry[K, V]) bool {
	return e.timer != nil && b.clock.Expired(e.timer.Deadline)
}

// stripe returns the lock that writers of key hold. It keeps the order of the
// library's map and of the timers the same, and lets replace wait for writers.
func (b *Backend[K, V]) stripe(key K) *sync.Mutex {
	return &b.stripes[maphash.Comparable(b.seed, key)%stripes].Mutex
}

// remove removes the entry under key.
func (b *Backend[K, V]) remove(what string, key K) error {
	m := b.stripe(key)
	m.Lock()
	defer m.Unlock()
	s := b.store.Load()
	if s == nil {
		return wrap(what, backend.ErrClosed)
	}
	s.timers.remove(key)
	s.cache.Delete(key)
	return nil
}

// reclaimed is how many expired entries a Put removes, so that they become fewer
// however fast new ones come.
const reclaimed = 4

// reclaim removes a few expired entries, unless somebody else does.
func (b *Backend[K, V]) reclaim(s *store[K, V], now int64) {
	if s.timers.next.Load() > now || !s.expiry.TryLock() {
		return
	}
	defer s.expiry.Unlock()
	for range reclaimed {
		if !b.expire(s, now) {
			return
		}
	}
}

// expire removes an expired entry and reports whether there was one. The caller
// holds s.expiry, and so sees none that is half removed.
func (b *Backend[K, V]) expire(s *store[K, V], now int64) bool {
	t := s.timers.pop(now)
	if t == nil {
		return false
	}
	m := b.stripe(t.Key)
	m.Lock()
	defer m.Unlock()
	if b.store.Load() == s && s.timers.removeThis(t) {
		s.cache.Delete(t.Key)
		b.expirations.Add(1)
	}
	return true
}

// size returns the number of live entries in s.
func (b *Backend[K, V]) size(s *store[K, V]) int64 {
	s.expiry.Lock()
	defer s.expiry.Unlock()
	if s.timers.next.Load() != expiry.None {
		for now := b.clock.Now(); b.expire(s, now); {
			continue
		}
	}
	return int64(s.cache.Len())
}

// settle waits until the library has evicted what it must.
func (b *Backend[K, V]) settle(what string) error {
	b.flush.Lock()
	defer b.flush.Unlock()
	s := b.store.Load()
	if s == nil {
		return wrap(what, backend.ErrClosed)
	}
	s.cache.Wait()
	return nil
}

// removed is called by the library after it has removed an entry.
func (b *Backend[K, V]) removed(s *store[K, V], e entry[K, V], reason theine.RemoveReason) {
	switch {
	case reason != theine.EVICTED:
	case !b.expired(e):
		b.evictions.Add(1)
		if e.timer != nil {
			s.timers.removeThis(e.timer)
		}
	case s.timers.removeThis(e.timer):
		b.expirations.Add(1)
	}
}

// missed returns the number of misses.
func (b *Backend[K, V]) missed() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	misses := b.misses + b.late.Load()
	if s := b.store.Load(); s != nil {
		misses += s.cache.Stats().Misses()
	}
	return misses
}

// invalidateAll replaces the store by an empty one.
func (b *Backend[K, V]) invalidateAll() error {
	next, err := b.empty()
	if err != nil {
		return wrap("invalidate", err) // unreachable: New has tried the capacity
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.store.Load()
	if s == nil {
		next.cache.Close()
		return wrap("invalidate", backend.ErrClosed)
	}
	b.replace(s, next)
	return nil
}

// replace replaces the store. It closes the library's cache once no writer is left
// in it, because the library would leave it waiting. What readers still do there
// counts as done before or misses. The caller holds mu.
func (b *Backend[K, V]) replace(s, next *store[K, V]) {
	b.store.Store(next)
	for i := range b.stripes {
		await(&b.stripes[i].Mutex)
	}
	await(&b.flush)
	b.misses += s.cache.Stats().Misses()
	s.cache.Close()
}

// await waits for whoever holds m.
func await(m *sync.Mutex) {
	m.Lock()
	defer m.Unlock()
}

func (b *Backend[K, V]) empty() (*store[K, V], error) {
	s := &store[K, V]{timers: newTimers[K]()}
	var err error
	s.cache, err = theine.NewBuilder[K, entry[K, V]](int64(b.capacity)).
		RemovalListener(func(_ K, e entry[K, V], reason theine.RemoveReason) { b.removed(s, e, reason) }).
		Build()
	return s, err
}

func wrap(what string, err error) error {
	return fmt.Errorf("theine: %s: %w", what, err)
}

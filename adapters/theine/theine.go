// Package theine is a [backend.Backend] over github.com/Yiling-J/theine-go: a cache with a capacity in entries that
// keeps the entries that were used often and recently (W-TinyLFU).
//
// The library evicts on a goroutine shortly after a write, and can hold a few hundred entries too many until then. Sync
// waits for the eviction. Stats waits if there are too many entries.
//
// # Differences from the library
//
//   - Each Put sets the TTL of its entry, exact to the nanosecond. After a Put without a TTL the entry never expires.
//     In the library the earlier TTL stays.
//   - Put removes a few expired entries and Stats removes all. An expired entry takes memory until then, but is never
//     returned, listed or counted.
//   - Invalidate of all keys replaces the library's cache by an empty one. The library cannot remove all entries.
//   - Close is safe at any time. The library's Close can block running writers forever.
//   - Each entry costs 1. New takes only the capacity, because the adapter cannot inspect the library's builder: there
//     are no cost functions, doorkeepers, entry pools, listeners, loaders or secondary caches.
//
// # Cost
//
// A Put locks one of 64 mutexes, chosen by the key's hash. An entry with a TTL takes 100 bytes more.
package theine

import (
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/Yiling-J/theine-go"

	"github.com/cachepact/cachepact/adapters/internal/expiry"
	"github.com/cachepact/cachepact/adapters/internal/spread"
	"github.com/cachepact/cachepact/backend"
)

// Backend is a [backend.Backend] over the library's cache. Values are shared with the caller. It also implements
// [backend.Ranger], [backend.EntryGetter], [backend.Syncer], [backend.Describer] and [io.Closer].
type Backend[K comparable, V any] struct {
	keys     backend.KeyChecker[K]
	capacity int
	clock    expiry.Clock
	store    atomic.Pointer[store[K, V]] // nil once closed

	seed    maphash.Seed
	_       [64]byte
	stripes [stripes]stripe // a writer holds the stripe of its key
	waiting sync.Mutex      // held while a caller waits for the library

	_                      [64]byte // the counters have cache lines of their own
	evictions, expirations atomic.Uint64
	hits                   spread.Tally  // the library also counts Gets of expired entries as hits
	late                   atomic.Uint64 // Gets of expired entries

	mu     sync.Mutex // held while store is replaced, and while misses are counted
	misses uint64     // of the stores that were replaced
}

// A store is a cache of the library with the timers of its entries.
type store[K comparable, V any] struct {
	cache    *theine.Cache[K, entry[K, V]]
	timers   *timers[K]
	expiring sync.Mutex // held while expired entries are removed
}

type entry[K comparable, V any] struct {
	value V
	timer *timer[K] // nil: never expires
}

func (e entry[K, V]) deadline() int64 {
	if e.timer == nil {
		return expiry.Never
	}
	return e.timer.Deadline
}

const stripes = 64

type stripe struct {
	sync.Mutex
	_ [56]byte // fills the cache line
}

var _ backend.Backend[string, any] = (*Backend[string, any])(nil)

// New returns an empty backend that holds at most capacity entries. It fails if the capacity is below 1, because the
// library does. The caller closes the backend; otherwise two goroutines stay.
func New[K comparable, V any](capacity int) (*Backend[K, V], error) {
	b := &Backend[K, V]{
		keys: backend.NewKeyChecker[K](), capacity: capacity, clock: expiry.NewClock(), seed: maphash.MakeSeed(),
	}
	s, err := b.empty()
	if err != nil {
		return nil, wrap("new", err)
	}
	b.store.Store(s)
	return b, nil
}

// Get implements [backend.Backend].
func (b *Backend[K, V]) Get(_ context.Context, key K) (value V, hit bool, err error) {
	s := b.store.Load()
	if s == nil || b.keys.Check(key) != nil {
		return value, false, b.fail("get", key)
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
	s := b.store.Load()
	if s == nil || b.keys.Check(key) != nil {
		return b.fail("put", key)
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

// Invalidate implements [backend.Backend]. With a nil key it replaces the library's cache by an empty one.
func (b *Backend[K, V]) Invalidate(_ context.Context, key *K) error {
	if key != nil {
		if err := b.keys.Check(*key); err != nil {
			return wrap("invalidate", err)
		}
		return b.remove("invalidate", *key)
	}
	next, err := b.empty()
	if err != nil {
		return wrap("invalidate", err) // unreachable: New has used the capacity
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

// Stats implements [backend.Backend]. It counts hits, misses, evictions and expirations. It removes the expired entries
// one by one, so that other calls do not wait for all of them.
func (b *Backend[K, V]) Stats(context.Context) (backend.Stats, error) {
	s := b.store.Load()
	if s == nil {
		return backend.Stats{}, wrap("stats", backend.ErrClosed)
	}
	size := b.size(s)
	if size > int64(b.capacity) {
		if err := b.wait("stats"); err != nil {
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
func (b *Backend[K, V]) GetEntry(_ context.Context, key K) (found backend.Entry[V], hit bool, err error) {
	s := b.store.Load()
	if s == nil || b.keys.Check(key) != nil {
		return found, false, b.fail("get", key)
	}
	e, ok := s.cache.Get(key)
	if !ok {
		return found, false, nil
	}
	if b.clock.Expired(e.deadline()) {
		b.late.Add(1)
		return found, false, nil
	}
	b.hits.Add()
	return backend.Entry[V]{Value: e.value, Deadline: b.clock.Time(e.deadline())}, true, nil
}

// All implements [backend.Ranger]. It copies the entries first, and skips entries that have expired when their turn
// comes.
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
		// The library holds a lock during Range, so the loop body cannot run here.
		s.cache.Range(func(key K, e entry[K, V]) bool {
			items = append(items, item{key, e})
			return true
		})
		for _, it := range items {
			if b.store.Load() != s {
				return // all entries were invalidated
			}
			if !b.clock.Expired(it.deadline()) && !yield(it.key, it.value) {
				return
			}
		}
	}
}

// Sync implements [backend.Syncer]. It waits for the evictions that earlier writes cause. Writes are visible without
// Sync. It ignores ctx.
func (b *Backend[K, V]) Sync(context.Context) error { return b.wait("sync") }

// Traits implements [backend.Describer]. The library's policy may reject a new entry.
func (b *Backend[K, V]) Traits() backend.Traits {
	return backend.Traits{Values: backend.ByReference, Rejects: true}
}

// Close removes every entry and implements [io.Closer]. The library's goroutines end shortly after Close, because the
// library has no way to wait for them.
func (b *Backend[K, V]) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.store.Load(); s != nil {
		b.replace(s, nil)
	}
	return nil
}

// stripe returns the lock for writes of key. It makes a write to the library's cache and to the timers atomic, and it
// lets replace wait for running writes.
func (b *Backend[K, V]) stripe(key K) *sync.Mutex {
	return &b.stripes[maphash.Comparable(b.seed, key)%stripes].Mutex
}

func (b *Backend[K, V]) remove(operation string, key K) error {
	m := b.stripe(key)
	m.Lock()
	defer m.Unlock()
	s := b.store.Load()
	if s == nil {
		return wrap(operation, backend.ErrClosed)
	}
	s.timers.remove(key)
	s.cache.Delete(key)
	return nil
}

// reclaim removes a few expired entries, unless another goroutine is removing some.
func (b *Backend[K, V]) reclaim(s *store[K, V], now int64) {
	if s.timers.next.Load() > now || !s.expiring.TryLock() {
		return
	}
	defer s.expiring.Unlock()
	for range expiry.PutLimit {
		if !b.expire(s, now) {
			return
		}
	}
}

// expire removes an expired entry and reports whether there was one. The caller holds s.expiring, so that no other
// goroutine is about to remove the same entry.
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
	s.expiring.Lock()
	defer s.expiring.Unlock()
	if s.timers.next.Load() != expiry.None {
		for now := b.clock.Now(); b.expire(s, now); {
			continue
		}
	}
	return int64(s.cache.Len())
}

// wait waits until the library has evicted the entries above its capacity.
func (b *Backend[K, V]) wait(operation string) error {
	b.waiting.Lock()
	defer b.waiting.Unlock()
	s := b.store.Load()
	if s == nil {
		return wrap(operation, backend.ErrClosed)
	}
	s.cache.Wait()
	return nil
}

// removed is called by the library after it has removed an entry.
func (b *Backend[K, V]) removed(s *store[K, V], e entry[K, V], reason theine.RemoveReason) {
	switch {
	case reason != theine.EVICTED:
	case !b.clock.Expired(e.deadline()):
		b.evictions.Add(1)
		if e.timer != nil {
			s.timers.removeThis(e.timer)
		}
	case s.timers.removeThis(e.timer):
		b.expirations.Add(1)
	}
}

// missed returns the number of misses in all stores.
func (b *Backend[K, V]) missed() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	misses := b.misses + b.late.Load()
	if s := b.store.Load(); s != nil {
		misses += s.cache.Stats().Misses()
	}
	return misses
}

// replace replaces the store and closes the library's cache. It first waits for the writers in the old cache, because
// the library would block them forever. Readers may still find entries there. The caller holds mu.
func (b *Backend[K, V]) replace(s, next *store[K, V]) {
	b.store.Store(next)
	for i := range b.stripes {
		await(&b.stripes[i].Mutex)
	}
	await(&b.waiting)
	b.misses += s.cache.Stats().Misses()
	s.cache.Close()
}

// await waits until m is free.
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

// fail returns the error of a call with an invalid key or after Close.
func (b *Backend[K, V]) fail(operation string, key K) error {
	return wrap(operation, cmp.Or(b.keys.Check(key), backend.ErrClosed))
}

func wrap(operation string, err error) error {
	return fmt.Errorf("theine: %s: %w", operation, err)
}

// Package gocache is a [backend.Backend] over github.com/patrickmn/go-cache: a map with a TTL for each entry and
// without a capacity bound. As in the library, the cache grows until entries expire or are removed.
//
// # Differences from the library
//
//   - Keys are of any comparable type without pointers and channels. The adapter encodes them as strings without loss.
//   - There is no default expiration. A nil TTL never expires, and a TTL of zero or less removes the entry.
//   - There is no goroutine. Put removes a few expired entries and Stats removes all. An expired entry takes memory
//     until then, but is never returned, listed or counted.
//   - Deadlines are on the monotonic clock. The library uses the wall clock, so a clock change moves its expirations.
//
// New rejects a key type with a pointer or a channel, because an encoded address does not keep its object alive.
//
// # Cost
//
// A Get takes the library's lock only. A Put takes another lock from the first Put with a TTL on. An entry with a TTL
// takes 60 bytes more.
package gocache

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	gocache "github.com/patrickmn/go-cache"

	"github.com/cachepact/cachepact/adapters/internal/expiry"
	"github.com/cachepact/cachepact/adapters/internal/keycode"
	"github.com/cachepact/cachepact/backend"
)

// Backend is a [backend.Backend] over the library's cache. Values are shared with the caller. It also implements
// [backend.Ranger], [backend.EntryGetter], [backend.Describer] and [io.Closer].
type Backend[K comparable, V any] struct {
	keys   *keycode.Encoder[K]
	clock  expiry.Clock
	cache  gocache.Cache // of plain[V] and *timed[V]
	closed atomic.Bool

	// mu is held during every write to cache, because the library cannot remove an entry on the condition that it is
	// still the expired one. A Put without a TTL needs no lock until the first Put with a TTL.
	mu          sync.Mutex
	hasTTL      atomic.Bool          // some Put had a TTL
	queue       expiry.Queue[string] // the timed entries of cache
	expirations uint64
}

// plain is an entry that never expires.
type plain[V any] struct {
	value V
}

// timed is an entry with a deadline. It does not change after it was stored.
type timed[V any] struct {
	value V
	expiry.Node[string]
}

var _ backend.Backend[string, any] = (*Backend[string, any])(nil)

// New returns an empty backend. It fails with an error that wraps [backend.ErrKey] if K contains a type that cannot be
// encoded. The caller closes the backend.
func New[K comparable, V any]() (*Backend[K, V], error) {
	keys, err := keycode.New[K]()
	if err != nil {
		return nil, wrap("new", err)
	}
	return &Backend[K, V]{keys: keys, clock: expiry.NewClock(), cache: *gocache.New(gocache.NoExpiration, 0)}, nil
}

// Get implements [backend.Backend].
func (b *Backend[K, V]) Get(_ context.Context, key K) (value V, hit bool, err error) {
	var object any
	if k, ok := b.keys.Raw(key); ok && !b.closed.Load() {
		object, _ = b.cache.Get(k)
	} else {
		object, err = b.get(key)
	}
	if e, ok := object.(plain[V]); ok {
		return e.value, true, nil
	}
	if e, ok := object.(*timed[V]); ok && !b.clock.Expired(e.Deadline) {
		return e.value, true, nil
	}
	return value, false, err
}

// Put implements [backend.Backend].
func (b *Backend[K, V]) Put(_ context.Context, key K, value V, ttl *time.Duration) error {
	k, ok := b.keys.Raw(key) // is inlined, unlike encode
	if !ok {
		var err error
		if k, err = b.encode(key); err != nil {
			return wrap("put", err)
		}
	}
	if ttl != nil || b.hasTTL.Load() {
		return b.putLocked(k, value, ttl)
	}
	if b.closed.Load() {
		return wrap("put", backend.ErrClosed)
	}
	b.cache.Set(k, plain[V]{value}, gocache.NoExpiration)
	return nil
}

// Invalidate implements [backend.Backend]. With a nil key it replaces the library's map by an empty one.
func (b *Backend[K, V]) Invalidate(_ context.Context, key *K) error {
	var k string
	if key != nil {
		var err error
		if k, err = b.encode(*key); err != nil {
			return wrap("invalidate", err)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed.Load():
		return wrap("invalidate", backend.ErrClosed)
	case key != nil:
		b.remove(k)
	default:
		b.clear()
	}
	return nil
}

// Stats implements [backend.Backend]. It counts expirations. It counts no hits and misses, because a counter that every
// Get writes to would slow down parallel readers. It removes the expired entries, and unlocks the cache after each
// batch of them.
func (b *Backend[K, V]) Stats(context.Context) (backend.Stats, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.expire(b.clock.Now(), expiry.StatsLimit) {
		b.mu.Unlock()
		b.mu.Lock()
	}
	if b.closed.Load() {
		return backend.Stats{}, wrap("stats", backend.ErrClosed)
	}
	return backend.Stats{Size: int64(b.cache.ItemCount()), Counters: map[string]uint64{
		backend.CounterExpirations: b.expirations,
	}}, nil
}

// GetEntry implements [backend.EntryGetter].
func (b *Backend[K, V]) GetEntry(_ context.Context, key K) (backend.Entry[V], bool, error) {
	object, err := b.get(key)
	value, deadline, hit := b.entry(object)
	return backend.Entry[V]{Value: value, Deadline: b.clock.Time(deadline)}, hit, err
}

// All implements [backend.Ranger]. It first copies the library's map, which delays writers, and reads each entry again
// when its turn comes.
func (b *Backend[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for k := range b.cache.Items() {
			object, _ := b.cache.Get(k)
			value, _, live := b.entry(object)
			if !live {
				continue
			}
			key, err := b.keys.Decode(unsafe.Slice(unsafe.StringData(k), len(k)))
			if err == nil && !yield(key, value) {
				return
			}
		}
	}
}

// Traits implements [backend.Describer].
func (b *Backend[K, V]) Traits() backend.Traits {
	return backend.Traits{Values: backend.ByReference, Bound: backend.BoundNone}
}

// Close removes every entry and implements [io.Closer].
func (b *Backend[K, V]) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed.Store(true)
	b.clear()
	return nil
}

// get returns the library's object under key, even if it has expired, or nil.
func (b *Backend[K, V]) get(key K) (any, error) {
	k, ok := b.keys.Raw(key)
	if !ok {
		// The library does not keep the key of a Get, so the bytes of most keys stay on the stack.
		var scratch [scratchSize]byte
		bytes, err := b.keys.Append(scratch[:0], key)
		if err != nil {
			return nil, wrap("get", err)
		}
		k = unsafe.String(unsafe.SliceData(bytes), len(bytes))
	}
	if b.closed.Load() {
		return nil, wrap("get", backend.ErrClosed)
	}
	object, _ := b.cache.Get(k)
	return object, nil
}

// entry returns the value and the deadline in an object of the library, and whether it is live.
func (b *Backend[K, V]) entry(object any) (value V, deadline int64, live bool) {
	switch e := object.(type) {
	case plain[V]:
		return e.value, expiry.Never, true
	case *timed[V]:
		if !b.clock.Expired(e.Deadline) {
			return e.value, e.Deadline, true
		}
	}
	return value, expiry.Never, false
}

// putLocked is Put after the first Put with a TTL.
func (b *Backend[K, V]) putLocked(k string, value V, ttl *time.Duration) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed.Load() {
		return wrap("put", backend.ErrClosed)
	}
	b.hasTTL.Store(true)
	now := b.clock.Now()
	b.expire(now, expiry.PutLimit)
	deadline := expiry.Never
	if ttl != nil {
		deadline = expiry.Deadline(now, *ttl)
	}
	switch {
	case ttl != nil && *ttl <= 0:
		b.remove(k)
	case deadline == expiry.Never:
		b.dequeue(k)
		b.cache.Set(k, plain[V]{value}, gocache.NoExpiration)
	default:
		e := &timed[V]{value, expiry.Node[string]{Key: k, Deadline: deadline}}
		if old := b.lookup(k); old != nil {
			b.queue.Replace(&old.Node, &e.Node)
		} else {
			b.queue.Add(&e.Node)
		}
		b.cache.Set(k, e, gocache.NoExpiration)
	}
	return nil
}

// expire removes at most limit expired entries and reports whether more can be left.
func (b *Backend[K, V]) expire(now int64, limit int) (more bool) {
	for range limit {
		n := b.queue.Pop(now)
		if n == nil {
			return false
		}
		// A Put without the lock may have replaced the entry.
		if e := b.lookup(n.Key); e != nil && &e.Node == n {
			b.cache.Delete(n.Key)
			b.expirations++
		}
	}
	return true
}

// clear removes all entries.
func (b *Backend[K, V]) clear() {
	b.cache.Flush()
	b.queue = expiry.Queue[string]{}
}

func (b *Backend[K, V]) remove(k string) {
	b.dequeue(k)
	b.cache.Delete(k)
}

// dequeue removes the entry under k from the queue, if it has a deadline.
func (b *Backend[K, V]) dequeue(k string) {
	if b.queue.Len() == 0 {
		return
	}
	if e := b.lookup(k); e != nil {
		b.queue.Remove(&e.Node)
	}
}

// lookup returns the timed entry under k, or nil.
func (b *Backend[K, V]) lookup(k string) *timed[V] {
	object, _ := b.cache.Get(k)
	e, _ := object.(*timed[V])
	return e
}

// scratchSize is enough for the bytes of most keys.
const scratchSize = 64

// encode returns the bytes of key as a string that the library can keep.
func (b *Backend[K, V]) encode(key K) (string, error) {
	if k, ok := b.keys.Raw(key); ok {
		return k, nil
	}
	var scratch [scratchSize]byte
	bytes, err := b.keys.Append(scratch[:0], key)
	return string(bytes), err
}

func wrap(operation string, err error) error {
	return fmt.Errorf("gocache: %s: %w", operation, err)
}

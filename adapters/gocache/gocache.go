// Package gocache makes a [backend.Backend] of github.com/patrickmn/go-cache: a
// map with a lifetime for each entry and without a bound.
//
// # Differences from the library
//
// There is no default expiration: a nil TTL never expires, and a TTL of zero is
// already over. There is no cleanup interval and no goroutine either. Each Put
// removes a few expired entries, Stats all of them. Between two of these calls
// expired entries take memory, but are never returned, listed or counted.
//
// Lifetimes are measured on the monotonic clock. A step of the wall clock, which
// moves the library's expirations, does not move the adapter's.
//
// Keys of any comparable type are encoded as strings without loss. Pointers and
// channels cannot be keys. Size counts live entries only.
//
// The library has no bound on its entries, and neither has the adapter: it grows
// until entries expire or are removed.
package gocache

import (
	"context"
	"fmt"
	"io"
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

// Backend is a [backend.Backend] over the library's cache. Values are held by
// reference.
type Backend[K comparable, V any] struct {
	keys   *keycode.Encoder[K]
	clock  expiry.Clock
	cache  gocache.Cache // of plain[V] and *timed[V]
	closed atomic.Bool

	// mu is held by everything that writes to cache, except that a Put without a
	// TTL needs no lock until the first Put with one.
	mu          sync.Mutex
	hasTTL      atomic.Bool          // there has been a TTL
	queue       expiry.Queue[string] // the timed entries of cache
	expirations uint64
}

// plain is an entry that never expires.
type plain[V any] struct {
	value V
}

// timed is an entry with a deadline. It does not change while others can see it.
type timed[V any] struct {
	value V
	expiry.Node[string]
}

var (
	_ backend.Backend[string, any]     = (*Backend[string, any])(nil)
	_ backend.Ranger[string, any]      = (*Backend[string, any])(nil)
	_ backend.EntryGetter[string, any] = (*Backend[string, any])(nil)
	_ backend.Describer                = (*Backend[string, any])(nil)
	_ io.Closer                        = (*Backend[string, any])(nil)
)

// New returns an empty backend. It fails with an error that wraps
// [backend.ErrKey] if K contains a type that cannot be encoded. The caller
// closes what it made.
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
	k, ok := b.keys.Raw(key)
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

// Invalidate implements [backend.Backend]. With a nil key it takes the same time
// however many entries there are.
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
		b.cache.Flush()
		b.queue = expiry.Queue[string]{}
	}
	return nil
}

// Stats implements [backend.Backend]. It counts expirations; the library counts
// nothing. It takes longer only by the entries that have expired since the last
// call, and lets writers in between them.
func (b *Backend[K, V]) Stats(context.Context) (backend.Stats, error) {
	for {
		if s, done, err := b.stats(); done {
			return s, err
		}
	}
}

// GetEntry implements [backend.EntryGetter].
func (b *Backend[K, V]) GetEntry(_ context.Context, key K) (backend.Entry[V], bool, error) {
	object, err := b.get(key)
	value, deadline, hit := b.entry(object)
	return backend.Entry[V]{Value: value, Deadline: b.clock.Time(deadline)}, hit, err
}

// All implements [backend.Ranger]. It copies the library's map at once, which
// holds up writers, and reads each entry again when its turn comes.
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
	b.cache.Flush()
	b.queue = expiry.Queue[string]{}
	return nil
}

// get returns what the library has under key, expired or not, and nil if it has
// nothing.
func (b *Backend[K, V]) get(key K) (any, error) {
	k, ok := b.keys.Raw(key)
	if !ok {
		// The library does not keep the keys of its Get, so most need no memory.
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

// entry returns the value in an object of the library, and whether it is live.
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

// putLocked is Put once there has been a TTL.
func (b *Backend[K, V]) putLocked(k string, value V, ttl *time.Duration) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed.Load() {
		return wrap("put", backend.ErrClosed)
	}
	b.hasTTL.Store(true)
	now := b.clock.Now()
	b.expire(now, reclaim)
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

// stats is Stats, unless so many entries have expired that it has to be called
// again.
func (b *Backend[K, V]) stats() (s backend.Stats, done bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed.Load() {
		return backend.Stats{}, true, wrap("stats", backend.ErrClosed)
	}
	if b.queue.Len() > 0 {
		now := b.clock.Now()
		b.expire(now, batch)
		if b.queue.Due(now) {
			return backend.Stats{}, false, nil
		}
	}
	return backend.Stats{Size: int64(b.cache.ItemCount()), Counters: map[string]uint64{
		backend.CounterExpirations: b.expirations,
	}}, true, nil
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
		e := b.queue.Pop(now)
		if e == nil {
			return
		}
		// A Put that needed no lock may have come between.
		if now := b.lookup(e.Key); now != nil && &now.Node == e {
			b.cache.Delete(e.Key)
			b.expirations++
		}
	}
}

// remove removes the entry under k, if there is one.
func (b *Backend[K, V]) remove(k string) {
	b.dequeue(k)
	b.cache.Delete(k)
}

// dequeue takes the entry under k out of the queue, if it is there.
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

// encode returns the bytes of key as a string that can be kept.
func (b *Backend[K, V]) encode(key K) (string, error) {
	if k, ok := b.keys.Raw(key); ok {
		return k, nil
	}
	var scratch [scratchSize]byte
	bytes, err := b.keys.Append(scratch[:0], key)
	return string(bytes), err
}

func wrap(what string, err error) error {
	return fmt.Errorf("gocache: %s: %w", what, err)
}

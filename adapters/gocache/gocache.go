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

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/internal/clock"
	"github.com/cachepact/cachepact/internal/expiry"
	"github.com/cachepact/cachepact/internal/keycode"
)

// Backend is a [backend.Backend] over the library's cache. Values are held by
// reference.
type Backend[K comparable, V any] struct {
	keys  *keycode.Encoder[K]
	clock clock.Clock
	cache atomic.Pointer[gocache.Cache] // of plain[V] and *timed[V]; nil once closed

	mu          sync.Mutex           // held by everything that writes to cache
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
	b := &Backend[K, V]{keys: keys, clock: clock.New()}
	b.cache.Store(gocache.New(gocache.NoExpiration, 0))
	return b, nil
}

// Get implements [backend.Backend].
func (b *Backend[K, V]) Get(_ context.Context, key K) (V, bool, error) {
	value, _, hit, err := b.get(key)
	return value, hit, err
}

// Put implements [backend.Backend].
func (b *Backend[K, V]) Put(_ context.Context, key K, value V, ttl *time.Duration) error {
	k, err := b.own(key)
	if err != nil {
		return wrap("put", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.cache.Load()
	if c == nil {
		return wrap("put", backend.ErrClosed)
	}
	if ttl == nil && b.queue.Len() == 0 {
		c.Set(k, plain[V]{value}, gocache.NoExpiration)
		return nil
	}
	now := b.clock.Now()
	b.expire(c, now, reclaim)
	deadline := clock.Never
	if ttl != nil {
		if *ttl <= 0 {
			b.remove(c, k)
			return nil
		}
		deadline = clock.Add(now, *ttl)
	}
	if deadline == clock.Never {
		b.dequeue(c, k)
		c.Set(k, plain[V]{value}, gocache.NoExpiration)
		return nil
	}
	e := &timed[V]{value, expiry.Node[string]{Key: k, Deadline: deadline}}
	if old := lookup[V](c, k); old != nil {
		b.queue.Replace(&old.Node, &e.Node)
	} else {
		b.queue.Add(&e.Node)
	}
	c.Set(k, e, gocache.NoExpiration)
	return nil
}

// Invalidate implements [backend.Backend]. With a nil key it takes the same time
// however many entries there are.
func (b *Backend[K, V]) Invalidate(_ context.Context, key *K) error {
	var k string
	if key != nil {
		var scratch [scratchSize]byte
		var err error
		if k, err = b.view(scratch[:0], *key); err != nil {
			return wrap("invalidate", err)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.cache.Load()
	switch {
	case c == nil:
		return wrap("invalidate", backend.ErrClosed)
	case key != nil:
		b.remove(c, k)
	default:
		c.Flush()
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
	value, deadline, hit, err := b.get(key)
	return backend.Entry[V]{Value: value, Deadline: b.clock.Time(deadline)}, hit, err
}

// All implements [backend.Ranger]. It copies the library's map at once, which
// holds up writers, and reads each entry again when its turn comes.
func (b *Backend[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		c := b.cache.Load()
		if c == nil {
			return
		}
		for k := range c.Items() {
			value, _, hit, err := b.find(k)
			if !hit || err != nil {
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
	b.cache.Store(nil)
	b.queue = expiry.Queue[string]{}
	return nil
}

// get is GetEntry.
func (b *Backend[K, V]) get(key K) (value V, deadline int64, hit bool, err error) {
	if k, ok := b.keys.Raw(key); ok {
		return b.find(k)
	}
	var scratch [scratchSize]byte
	k, err := b.view(scratch[:0], key)
	if err != nil {
		return value, clock.Never, false, wrap("get", err)
	}
	return b.find(k)
}

// find is get of an encoded key, which it does not keep.
func (b *Backend[K, V]) find(k string) (value V, deadline int64, hit bool, err error) {
	c := b.cache.Load()
	if c == nil {
		return value, clock.Never, false, wrap("get", backend.ErrClosed)
	}
	object, _ := c.Get(k)
	switch e := object.(type) {
	case plain[V]:
		return e.value, clock.Never, true, nil
	case *timed[V]:
		if !b.clock.Expired(e.Deadline) {
			return e.value, e.Deadline, true, nil
		}
	}
	return value, clock.Never, false, nil
}

// stats is Stats, unless so many entries have expired that it has to be called
// again.
func (b *Backend[K, V]) stats() (s backend.Stats, done bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.cache.Load()
	if c == nil {
		return backend.Stats{}, true, wrap("stats", backend.ErrClosed)
	}
	if b.queue.Len() > 0 {
		now := b.clock.Now()
		b.expire(c, now, 1000)
		if b.queue.Due(now) {
			return backend.Stats{}, false, nil
		}
	}
	return backend.Stats{Size: int64(c.ItemCount()), Counters: map[string]uint64{
		backend.CounterExpirations: b.expirations,
	}}, true, nil
}

// reclaim is how many expired entries a Put removes, so that they become fewer
// however fast new ones come.
const reclaim = 4

// expire removes at most limit expired entries.
func (b *Backend[K, V]) expire(c *gocache.Cache, now int64, limit int) {
	for range limit {
		e := b.queue.Pop(now)
		if e == nil {
			return
		}
		c.Delete(e.Key)
		b.expirations++
	}
}

// remove removes the entry under k, if there is one.
func (b *Backend[K, V]) remove(c *gocache.Cache, k string) {
	b.dequeue(c, k)
	c.Delete(k)
}

// dequeue takes the entry under k out of the queue, if it is there.
func (b *Backend[K, V]) dequeue(c *gocache.Cache, k string) {
	if b.queue.Len() == 0 {
		return
	}
	if e := lookup[V](c, k); e != nil {
		b.queue.Remove(&e.Node)
	}
}

// lookup returns the timed entry under k, or nil.
func lookup[V any](c *gocache.Cache, k string) *timed[V] {
	object, _ := c.Get(k)
	e, _ := object.(*timed[V])
	return e
}

// scratchSize is enough for most keys, which then need no memory of their own to
// be looked up.
const scratchSize = 64

// view returns the bytes of key as a string that shares the memory of key or of
// scratch. The library does not keep the keys of its Get and Delete.
func (b *Backend[K, V]) view(scratch []byte, key K) (string, error) {
	if k, ok := b.keys.Raw(key); ok {
		return k, nil
	}
	k, err := b.keys.Append(scratch, key)
	return unsafe.String(unsafe.SliceData(k), len(k)), err
}

// own returns the bytes of key as a string that can be kept.
func (b *Backend[K, V]) own(key K) (string, error) {
	if k, ok := b.keys.Raw(key); ok {
		return k, nil
	}
	var scratch [scratchSize]byte
	k, err := b.keys.Append(scratch[:0], key)
	return string(k), err
}

func wrap(what string, err error) error {
	return fmt.Errorf("gocache: %s: %w", what, err)
}

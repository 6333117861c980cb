// Package memory is a [backend.Backend] that stores entries in a map under one
// mutex. It is the reference for the contract, a default for programs that need no
// library, and an example to copy.
//
// The code is plain rather than fast. The backend keeps every rule and implements
// every optional interface. At its capacity it evicts the least recently used entry.
package memory

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"sync"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// Options configures a [Backend].
type Options struct {
	// Capacity is the largest number of entries. A Put of a new key at this number
	// first removes the expired entries. If there are none, it evicts the least
	// recently used entry. Zero means no bound.
	Capacity int
}

// Backend is a [backend.Backend] in the memory of the process. Values are shared
// with the caller.
type Backend[K comparable, V any] struct {
	keys     backend.KeyChecker[K]
	capacity int

	mu       sync.Mutex
	closed   bool
	entries  map[K]*list.Element // of *entry[K, V]
	recent   *list.List          // most recently used first
	soonest  time.Time           // no entry expires earlier; zero: no entry has a TTL
	counters map[string]uint64
}

type entry[K comparable, V any] struct {
	key K
	backend.Entry[V]
}

func (e *entry[K, V]) live(now time.Time) bool {
	return e.Deadline.IsZero() || now.Before(e.Deadline)
}

var (
	_ backend.Backend[string, any]     = (*Backend[string, any])(nil)
	_ backend.Ranger[string, any]      = (*Backend[string, any])(nil)
	_ backend.EntryGetter[string, any] = (*Backend[string, any])(nil)
	_ backend.Batcher[string, any]     = (*Backend[string, any])(nil)
	_ backend.Syncer                   = (*Backend[string, any])(nil)
	_ backend.Describer                = (*Backend[string, any])(nil)
)

// New returns an empty backend. It fails if the capacity is negative. The caller
// must call Close.
func New[K comparable, V any](o Options) (*Backend[K, V], error) {
	if o.Capacity < 0 {
		return nil, fmt.Errorf("memory: new: capacity %d is negative", o.Capacity)
	}
	b := &Backend[K, V]{keys: backend.NewKeyChecker[K](), capacity: o.Capacity}
	b.counters = map[string]uint64{
		backend.CounterHits: 0, backend.CounterMisses: 0, backend.CounterEvictions: 0, backend.CounterExpirations: 0,
	}
	b.clear()
	return b, nil
}

// Get implements [backend.Backend].
func (b *Backend[K, V]) Get(ctx context.Context, key K) (V, bool, error) {
	e, hit, err := b.GetEntry(ctx, key)
	return e.Value, hit, err
}

// Put implements [backend.Backend].
func (b *Backend[K, V]) Put(_ context.Context, key K, value V, ttl *time.Duration) error {
	if err := b.lock("put", key); err != nil {
		return err
	}
	defer b.mu.Unlock()
	b.remove(b.entries[key])
	e := &entry[K, V]{key: key, Entry: backend.Entry[V]{Value: value}}
	if ttl != nil {
		if *ttl <= 0 {
			return nil
		}
		e.Deadline = time.Now().Add(*ttl)
		if b.soonest.IsZero() || e.Deadline.Before(b.soonest) {
			b.soonest = e.Deadline
		}
	}
	if b.capacity > 0 && len(b.entries) == b.capacity {
		b.sweep()
	}
	if b.capacity > 0 && len(b.entries) == b.capacity {
		b.remove(b.recent.Back())
		b.counters[backend.CounterEvictions]++
	}
	b.entries[key] = b.recent.PushFront(e)
	return nil
}

// Invalidate implements [backend.Backend].
func (b *Backend[K, V]) Invalidate(_ context.Context, key *K) error {
	if key == nil {
		if err := b.lock("invalidate"); err != nil {
			return err
		}
		defer b.mu.Unlock()
		b.clear()
		return nil
	}
	if err := b.lock("invalidate", *key); err != nil {
		return err
	}
	defer b.mu.Unlock()
	b.remove(b.entries[*key])
	return nil
}

// Stats implements [backend.Backend]. It counts hits, misses, evictions and
// expirations.
func (b *Backend[K, V]) Stats(context.Context) (backend.Stats, error) {
	if err := b.lock("stats"); err != nil {
		return backend.Stats{}, err
	}
	defer b.mu.Unlock()
	b.sweep()
	return backend.Stats{Size: int64(len(b.entries)), Counters: maps.Clone(b.counters)}, nil
}

// GetEntry implements [backend.EntryGetter].
func (b *Backend[K, V]) GetEntry(_ context.Context, key K) (backend.Entry[V], bool, error) {
	if err := b.lock("get", key); err != nil {
		return backend.Entry[V]{}, false, err
	}
	defer b.mu.Unlock()
	if el := b.entries[key]; el != nil {
		if e := el.Value.(*entry[K, V]); e.live(time.Now()) {
			b.recent.MoveToFront(el)
			b.counters[backend.CounterHits]++
			return e.Entry, true, nil
		}
		b.remove(el)
		b.counters[backend.CounterExpirations]++
	}
	b.counters[backend.CounterMisses]++
	return backend.Entry[V]{}, false, nil
}

// GetMany implements [backend.Batcher].
func (b *Backend[K, V]) GetMany(ctx context.Context, keys []K) (map[K]V, error) {
	found, errs := make(map[K]V, len(keys)), make([]error, len(keys))
	for i, k := range keys {
		v, hit, err := b.Get(ctx, k)
		if hit {
			found[k] = v
		}
		errs[i] = err
	}
	return found, errors.Join(errs...)
}

// PutMany implements [backend.Batcher].
func (b *Backend[K, V]) PutMany(ctx context.Context, items []backend.Item[K, V]) error {
	errs := make([]error, len(items))
	for i, it := range items {
		errs[i] = b.Put(ctx, it.Key, it.Value, it.TTL)
	}
	return errors.Join(errs...)
}

// All implements [backend.Ranger]. It copies the entries first, and skips an entry
// that expires before its turn.
func (b *Backend[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		b.mu.Lock()
		all := make([]*entry[K, V], 0, len(b.entries))
		for _, el := range b.entries {
			all = append(all, el.Value.(*entry[K, V]))
		}
		b.mu.Unlock()
		for _, e := range all {
			if e.live(time.Now()) && !yield(e.key, e.Value) {
				return
			}
		}
	}
}

// Sync implements [backend.Syncer]. It has nothing to wait for, because a write is
// visible when it returns.
func (b *Backend[K, V]) Sync(context.Context) error {
	err := b.lock("sync")
	if err == nil {
		b.mu.Unlock()
	}
	return err
}

// Traits implements [backend.Describer].
func (b *Backend[K, V]) Traits() backend.Traits {
	t := backend.Traits{Values: backend.ByReference}
	if b.capacity == 0 {
		t.Bound = backend.BoundNone
	}
	return t
}

// Close removes every entry and implements [io.Closer].
func (b *Backend[K, V]) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.clear()
	return nil
}

// lock checks the keys and locks b. It fails if a key is invalid or b is closed.
func (b *Backend[K, V]) lock(what string, keys ...K) error {
	for _, k := range keys {
		if err := b.keys.Check(k); err != nil {
			return fmt.Errorf("memory: %s: %w", what, err)
		}
	}
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return fmt.Errorf("memory: %s: %w", what, backend.ErrClosed)
	}
	return nil
}

func (b *Backend[K, V]) clear() {
	b.entries = map[K]*list.Element{}
	b.recent = list.New()
	b.soonest = time.Time{}
}

func (b *Backend[K, V]) remove(el *list.Element) {
	if el != nil {
		b.recent.Remove(el)
		delete(b.entries, el.Value.(*entry[K, V]).key)
	}
}

// sweep removes the expired entries. It visits the entries only if one may have
// expired.
func (b *Backend[K, V]) sweep() {
	now := time.Now()
	if b.soonest.IsZero() || now.Before(b.soonest) {
		return
	}
	b.soonest = time.Time{}
	for _, el := range b.entries {
		switch e := el.Value.(*entry[K, V]); {
		case !e.live(now):
			b.remove(el)
			b.counters[backend.CounterExpirations]++
		case !e.Deadline.IsZero() && (b.soonest.IsZero() || e.Deadline.Before(b.soonest)):
			b.soonest = e.Deadline
		}
	}
}

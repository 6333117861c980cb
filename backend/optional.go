package backend

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"
)

// As returns the first backend in the chain of b that implements T and reports
// whether there is one. The chain is b, the backend that b's Unwrap method returns,
// and so on:
//
//	Unwrap() Backend[K, V]
//
// A decorator that does not change keys or values should have this method. A
// decorator that changes keys or values must not have this method: a call of an
// interface behind the decorator would bypass the change.
func As[T any, K comparable, V any](b Backend[K, V]) (T, bool) {
	for b != nil {
		if t, ok := b.(T); ok {
			return t, true
		}
		u, ok := b.(interface{ Unwrap() Backend[K, V] })
		if !ok {
			break
		}
		b = u.Unwrap()
	}
	var zero T
	return zero, false
}

// Close closes b if b, or a backend that b decorates, is an [io.Closer]. Otherwise b
// has nothing to release, and Close returns nil.
func Close[K comparable, V any](b Backend[K, V]) error {
	if c, ok := As[io.Closer](b); ok {
		return c.Close()
	}
	return nil
}

// A Syncer is a backend that buffers writes.
type Syncer interface {
	// Sync waits until all earlier writes are visible and the evictions that they
	// cause are done. It returns ctx's error if ctx is done first, and an error that
	// wraps [ErrClosed] after Close.
	Sync(ctx context.Context) error
}

// Sync calls b.Sync if b is a [Syncer]. Otherwise the writes of b are already
// visible, and Sync returns nil.
func Sync[K comparable, V any](ctx context.Context, b Backend[K, V]) error {
	if s, ok := As[Syncer](b); ok {
		return s.Sync(ctx)
	}
	return nil
}

// A Ranger is a backend that can list its entries.
type Ranger[K comparable, V any] interface {
	// All yields the live entries in no particular order, each key at most once. It
	// yields every entry that is present during the whole iteration. It may or may
	// not yield an entry that is put or removed meanwhile. The loop body may call
	// any method of the backend. After Close, All yields nothing.
	All() iter.Seq2[K, V]
}

// All returns the live entries of b. If b is not a [Ranger], the error wraps
// [errors.ErrUnsupported].
func All[K comparable, V any](b Backend[K, V]) (iter.Seq2[K, V], error) {
	if r, ok := As[Ranger[K, V]](b); ok {
		return r.All(), nil
	}
	return nil, unsupported("all")
}

// An Entry is a value with its deadline.
type Entry[V any] struct {
	Value V
	// Deadline is when the entry expires. The zero Time means never.
	Deadline time.Time
}

// An EntryGetter is a backend that returns an entry with its deadline. A cache in
// front of another cache needs the deadline: a copy with the original TTL would
// expire too late.
type EntryGetter[K comparable, V any] interface {
	// GetEntry is like Get, and also returns the entry's absolute deadline.
	GetEntry(ctx context.Context, key K) (entry Entry[V], hit bool, err error)
}

// GetEntry returns the entry of key with its deadline. If b is not an
// [EntryGetter], the error wraps [errors.ErrUnsupported].
func GetEntry[K comparable, V any](ctx context.Context, b Backend[K, V], key K) (entry Entry[V], hit bool, err error) {
	if g, ok := As[EntryGetter[K, V]](b); ok {
		return g.GetEntry(ctx, key)
	}
	return Entry[V]{}, false, unsupported("get entry")
}

// An Item is one write of a [Batcher]. If TTL is nil, the entry never expires.
type Item[K comparable, V any] struct {
	Key   K
	Value V
	TTL   *time.Duration
}

// A Batcher is a backend that reads and writes many entries in one call, for
// example in one round trip to a server. The rules of Get and Put hold for each
// entry. The batch is not atomic.
type Batcher[K comparable, V any] interface {
	// GetMany returns the values of the keys that hit. With an error it returns the
	// hits that it found, which may be none.
	GetMany(ctx context.Context, keys []K) (map[K]V, error)
	// PutMany puts the items in order: if two items have the same key, the later item
	// stays. It tries every item, and its error wraps the error of each item that
	// failed.
	PutMany(ctx context.Context, items []Item[K, V]) error
}

// GetMany returns the values of the keys that hit. If b is not a [Batcher], GetMany
// calls Get for each key, and its error wraps the error of each call that failed.
func GetMany[K comparable, V any](ctx context.Context, b Backend[K, V], keys []K) (map[K]V, error) {
	if m, ok := As[Batcher[K, V]](b); ok {
		return m.GetMany(ctx, keys)
	}
	var errs []error
	hits := make(map[K]V, len(keys))
	for _, k := range keys {
		v, hit, err := b.Get(ctx, k)
		if err != nil {
			errs = append(errs, err)
		} else if hit {
			hits[k] = v
		}
	}
	return hits, join("get many", errs)
}

// PutMany puts items into b in order. If b is not a [Batcher], PutMany calls Put for
// each item, and its error wraps the error of each call that failed.
func PutMany[K comparable, V any](ctx context.Context, b Backend[K, V], items []Item[K, V]) error {
	if m, ok := As[Batcher[K, V]](b); ok {
		return m.PutMany(ctx, items)
	}
	var errs []error
	for _, it := range items {
		if err := b.Put(ctx, it.Key, it.Value, it.TTL); err != nil {
			errs = append(errs, err)
		}
	}
	return join("put many", errs)
}

func join(what string, errs []error) error {
	if len(errs) == 0 {
		return nil
	}
	return fmt.Errorf("backend: %s: %w", what, errors.Join(errs...))
}

func unsupported(what string) error {
	return fmt.Errorf("backend: %s: %w", what, errors.ErrUnsupported)
}

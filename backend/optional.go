package backend

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"
)

// As returns the first value in the chain of b that implements T and reports
// whether there is one. The chain is b itself followed by what its Unwrap
// method returns, and so on:
//
//	Unwrap() Backend[K, V]
//
// A decorator that passes every call on should have this method. One that
// changes keys or values must not, or an interface found behind it would see
// entries that the decorator's users do not.
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

// Close closes b if it, or what it decorates, is an [io.Closer]. Otherwise b has
// nothing to release: Close does nothing and returns nil.
func Close[K comparable, V any](b Backend[K, V]) error {
	if c, ok := As[io.Closer](b); ok {
		return c.Close()
	}
	return nil
}

// A Syncer is a backend that buffers writes.
type Syncer interface {
	// Sync returns once every write that returned before Sync was called is
	// visible to every Get, and every removal the capacity policy owes for those
	// writes is done. It returns ctx's error if ctx is done first and an error
	// that wraps [ErrClosed] after Close.
	Sync(ctx context.Context) error
}

// Sync calls the Sync method of b if it is a [Syncer]. Otherwise the writes of b are already
// visible and Sync returns nil.
func Sync[K comparable, V any](ctx context.Context, b Backend[K, V]) error {
	if f, ok := As[Syncer](b); ok {
		return f.Sync(ctx)
	}
	return nil
}

// A Ranger is a backend that can list its entries.
type Ranger[K comparable, V any] interface {
	// All yields the live entries in no particular order. Each key comes at most
	// once. An entry that is present during the whole iteration is yielded; one
	// put or removed meanwhile may or may not be. The loop body may call any
	// method of the backend. After Close, All yields nothing.
	All() iter.Seq2[K, V]
}

// All returns the live entries of b. If b is no [Ranger], there is no fallback:
// the error wraps [errors.ErrUnsupported].
func All[K comparable, V any](b Backend[K, V]) (iter.Seq2[K, V], error) {
	if r, ok := As[Ranger[K, V]](b); ok {
		return r.All(), nil
	}
	return nil, unsupported("all")
}

// An Entry is a value with the moment of its expiry.
type Entry[V any] struct {
	Value V
	// Deadline is when the entry expires. The zero Time means never.
	Deadline time.Time
}

// An EntryGetter is a backend that knows when an entry expires. A layer above
// another passes on deadlines, never durations, which would grow at each layer.
type EntryGetter[K comparable, V any] interface {
	// GetEntry is Get with the entry's absolute deadline.
	GetEntry(ctx context.Context, key K) (entry Entry[V], hit bool, err error)
}

// GetEntry returns the entry under key with its deadline. If b is no
// [EntryGetter] the deadline cannot be known and there is no fallback: the error
// wraps [errors.ErrUnsupported].
func GetEntry[K comparable, V any](ctx context.Context, b Backend[K, V], key K) (entry Entry[V], hit bool, err error) {
	if g, ok := As[EntryGetter[K, V]](b); ok {
		return g.GetEntry(ctx, key)
	}
	return Entry[V]{}, false, unsupported("get entry")
}

// An Item is one write of a [Batcher]. A nil TTL never expires.
type Item[K comparable, V any] struct {
	Key   K
	Value V
	TTL   *time.Duration
}

// A Batcher is a backend that reads and writes many entries in one round trip.
// Each entry is read or written as by Get or Put; the batch as a whole is not
// atomic.
type Batcher[K comparable, V any] interface {
	// GetMany returns the hits among keys. On an error it returns the hits it
	// has, possibly none.
	GetMany(ctx context.Context, keys []K) (map[K]V, error)
	// PutMany puts the items in order, so that of two items with one key the
	// later stays. It tries every item, and its error wraps that of each one
	// that failed.
	PutMany(ctx context.Context, items []Item[K, V]) error
}

// GetMany returns the hits among keys. If b is no [Batcher] it calls Get for
// each key and wraps the error of each one that failed.
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

// PutMany puts items into b in order. If b is no [Batcher] it calls Put for each
// item and wraps the error of each one that failed.
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

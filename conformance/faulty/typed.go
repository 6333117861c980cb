package faulty

import (
	"context"
	"io"
	"iter"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// typed gives a cache its types.
type typed[K comparable, V any] struct{ c *cache }

var (
	_ backend.Backend[string, any]     = typed[string, any]{}
	_ backend.Ranger[string, any]      = typed[string, any]{}
	_ backend.EntryGetter[string, any] = typed[string, any]{}
	_ backend.Batcher[string, any]     = typed[string, any]{}
	_ backend.Syncer                   = typed[string, any]{}
	_ backend.Describer                = typed[string, any]{}
	_ io.Closer                        = typed[string, any]{}
)

func (b typed[K, V]) Get(ctx context.Context, key K) (V, bool, error) {
	e, hit, err := b.c.get(ctx, key)
	return as[V](e.Value), hit, err
}

func (b typed[K, V]) GetEntry(ctx context.Context, key K) (backend.Entry[V], bool, error) {
	e, hit, err := b.c.getEntry(ctx, key)
	return backend.Entry[V]{Value: as[V](e.Value), Deadline: e.Deadline}, hit, err
}

func (b typed[K, V]) Put(ctx context.Context, key K, value V, ttl *time.Duration) error {
	return b.c.put(ctx, key, value, ttl)
}

func (b typed[K, V]) Invalidate(ctx context.Context, key *K) error {
	if key == nil {
		return b.c.invalidate(ctx, nil)
	}
	k := any(*key)
	err := b.c.invalidate(ctx, &k)
	if b.c.keepKey != nil && err == nil {
		b.c.keepKey(func() any { return *key }, func(k any) { *key = as[K](k) })
	}
	return err
}

func (b typed[K, V]) Stats(ctx context.Context) (backend.Stats, error) { return b.c.stats(ctx) }

func (b typed[K, V]) GetMany(ctx context.Context, keys []K) (map[K]V, error) {
	boxed := make([]any, len(keys))
	for i, key := range keys {
		boxed[i] = key
	}
	if b.c.keepKeys != nil {
		b.c.keepKeys(func(i, j int) { keys[i], keys[j] = keys[j], keys[i] }, len(keys))
	}
	found, err := b.c.getMany(ctx, boxed)
	out := map[K]V{}
	for key, value := range found {
		out[as[K](key)] = as[V](value)
	}
	return out, err
}

func (b typed[K, V]) PutMany(ctx context.Context, items []backend.Item[K, V]) error {
	boxed := make([]backend.Item[any, any], len(items))
	for i, it := range items {
		boxed[i] = backend.Item[any, any]{Key: it.Key, Value: it.Value, TTL: it.TTL}
	}
	return b.c.putMany(ctx, boxed)
}

func (b typed[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		b.c.all(func(key, value any) bool { return yield(as[K](key), as[V](value)) })
	}
}

func (b typed[K, V]) Sync(ctx context.Context) error { return b.c.flush(ctx) }
func (b typed[K, V]) Traits() backend.Traits         { return b.c.traits }
func (b typed[K, V]) Close() error                   { return b.c.close() }

// as is x as a T; an x of nil is the zero T.
func as[T any](x any) T {
	t, _ := x.(T)
	return t
}

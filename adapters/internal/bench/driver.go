package main

import (
	"context"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// A driver does many operations of one kind through the interface of a cache. There is one driver for raw caches and
// one for adapters, so that both pay for the same loop.
type driver[K keyType, V any] interface {
	gets(keys []K) (hits int, err error)
	// puts puts values[i] under keys[i].
	puts(keys []K, values []V, ttl *time.Duration) error
	removes(keys []K) error
	// mix does steps in order. The steps that write put value.
	mix(steps []step[K], value V) (tally, error)
	value(key K) (V, bool, error)
	// settle applies queued writes. More writes follow if within is true: then it is needed only where the library
	// drops writes when its queue is full.
	settle(within bool) error
	close() error
}

// A step is one operation of a mix.
type step[K keyType] struct {
	key   K
	write bool
}

// A tally counts the operations of a mix.
type tally struct{ reads, writes, hits int }

func (t *tally) add(u tally) {
	t.reads += u.reads
	t.writes += u.writes
	t.hits += u.hits
}

// batch is the number of writes after which a driver settles.
const batch = 1000

type rawDriver[K keyType, V any] struct{ c raw[K, V] }

func (d rawDriver[K, V]) gets(keys []K) (hits int, err error) {
	c := d.c
	for _, key := range keys {
		if _, ok := c.Get(key); ok {
			hits++
		}
	}
	return hits, nil
}

func (d rawDriver[K, V]) puts(keys []K, values []V, ttl *time.Duration) error {
	values = values[:len(keys)]
	if ttl != nil {
		c := d.c.(ttlPutter[K, V])
		for i, key := range keys {
			c.PutTTL(key, values[i], *ttl)
		}
		return nil
	}
	c := d.c
	for i, key := range keys {
		c.Put(key, values[i])
	}
	return nil
}

func (d rawDriver[K, V]) removes(keys []K) error {
	c := d.c
	for _, key := range keys {
		c.Remove(key)
	}
	return nil
}

func (d rawDriver[K, V]) mix(steps []step[K], value V) (t tally, err error) {
	c := d.c
	for _, s := range steps {
		if s.write {
			c.Put(s.key, value)
			t.writes++
			continue
		}
		if _, ok := c.Get(s.key); ok {
			t.hits++
		}
		t.reads++
	}
	return t, nil
}

func (d rawDriver[K, V]) value(key K) (V, bool, error) {
	v, ok := d.c.Get(key)
	return v, ok, nil
}

func (d rawDriver[K, V]) settle(bool) error {
	if w, ok := d.c.(waiter); ok {
		w.Wait()
	}
	return nil
}

func (d rawDriver[K, V]) close() error {
	if c, ok := d.c.(closer); ok {
		c.Close()
	}
	return nil
}

type adapterDriver[K keyType, V any] struct{ c backend.Backend[K, V] }

func (d adapterDriver[K, V]) gets(keys []K) (hits int, err error) {
	c, ctx := d.c, context.Background()
	for _, key := range keys {
		_, ok, err := c.Get(ctx, key)
		if err != nil {
			return hits, err
		}
		if ok {
			hits++
		}
	}
	return hits, nil
}

func (d adapterDriver[K, V]) puts(keys []K, values []V, ttl *time.Duration) error {
	c, ctx := d.c, context.Background()
	values = values[:len(keys)]
	for i, key := range keys {
		if err := c.Put(ctx, key, values[i], ttl); err != nil {
			return err
		}
	}
	return nil
}

func (d adapterDriver[K, V]) removes(keys []K) error {
	c, ctx := d.c, context.Background()
	for i := range keys {
		if err := c.Invalidate(ctx, &keys[i]); err != nil {
			return err
		}
	}
	return nil
}

func (d adapterDriver[K, V]) mix(steps []step[K], value V) (t tally, err error) {
	c, ctx := d.c, context.Background()
	for _, s := range steps {
		if s.write {
			if err := c.Put(ctx, s.key, value, nil); err != nil {
				return t, err
			}
			t.writes++
			continue
		}
		_, ok, err := c.Get(ctx, s.key)
		if err != nil {
			return t, err
		}
		if ok {
			t.hits++
		}
		t.reads++
	}
	return t, nil
}

func (d adapterDriver[K, V]) value(key K) (V, bool, error) {
	return d.c.Get(context.Background(), key)
}

// settle does nothing if more writes follow, because an adapter drops no write.
func (d adapterDriver[K, V]) settle(within bool) error {
	if within {
		return nil
	}
	return backend.Sync(context.Background(), d.c)
}

func (d adapterDriver[K, V]) close() error { return backend.Close(d.c) }

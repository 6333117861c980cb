package main

import (
	"context"
	"time"

	"github.com/cachepact/cachepact/backend"
)

type opKind int32

const (
	get opKind = iota
	put
	remove
)

// An op is one operation on a cache. A put puts the value with the index value.
type op[K keyType] struct {
	key   K
	value int32
	kind  opKind
}

// appendOps appends an operation of one kind for each key. Puts put different values, from the index first on.
func appendOps[K keyType](ops []op[K], kind opKind, keys []K, first int) []op[K] {
	for i, key := range keys {
		ops = append(ops, op[K]{key, int32((first + i) % hotKeys), kind})
	}
	return ops
}

// A driver does operations through the interface of a cache. There is one driver for raw caches and one for adapters,
// so that both pay for the same loop.
type driver[K keyType, V any] interface {
	// do does ops in order, and puts values with ttl.
	do(ops []op[K], values []V, ttl *time.Duration) (tally, error)
	value(key K) (V, bool, error)
	// settle applies queued writes. If within is true, more writes follow: then it is needed only by a library that
	// drops writes when its queue is full.
	settle(within bool) error
	close() error
}

// A tally counts operations.
type tally struct{ hits, writes int }

type rawDriver[K keyType, V any] struct{ c raw[K, V] }

func (d rawDriver[K, V]) do(ops []op[K], values []V, ttl *time.Duration) (t tally, err error) {
	c := d.c
	withTTL, _ := c.(ttlPutter[K, V])
	for i := range ops {
		switch o := &ops[i]; o.kind {
		case get:
			if _, ok := c.Get(o.key); ok {
				t.hits++
			}
		case put:
			if ttl == nil {
				c.Put(o.key, values[o.value])
			} else {
				withTTL.PutTTL(o.key, values[o.value], *ttl)
			}
			t.writes++
		case remove:
			c.Remove(o.key)
			t.writes++
		}
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

func (d adapterDriver[K, V]) do(ops []op[K], values []V, ttl *time.Duration) (t tally, err error) {
	c, ctx := d.c, context.Background()
	for i := range ops {
		switch o := &ops[i]; o.kind {
		case get:
			_, ok, err := c.Get(ctx, o.key)
			if err != nil {
				return t, err
			}
			if ok {
				t.hits++
			}
		case put:
			if err := c.Put(ctx, o.key, values[o.value], ttl); err != nil {
				return t, err
			}
			t.writes++
		case remove:
			if err := c.Invalidate(ctx, &o.key); err != nil {
				return t, err
			}
			t.writes++
		}
	}
	return t, nil
}

func (d adapterDriver[K, V]) value(key K) (V, bool, error) { return d.c.Get(context.Background(), key) }

// settle does nothing if more writes follow, because an adapter drops no write.
func (d adapterDriver[K, V]) settle(within bool) error {
	if within {
		return nil
	}
	return backend.Sync(context.Background(), d.c)
}

func (d adapterDriver[K, V]) close() error { return backend.Close(d.c) }

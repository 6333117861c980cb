// Package mycache is the cache of package first with all its faults repaired.
package mycache

import (
	"context"
	"sync"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// Cache is a map with a TTL for each entry. It has no capacity bound.
type Cache struct {
	mu sync.Mutex
	m  map[string]backend.Entry[string]
}

// New returns an empty cache.
func New() *Cache { return &Cache{m: map[string]backend.Entry[string]{}} }

// Get implements [backend.Backend].
func (c *Cache) Get(_ context.Context, key string) (string, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expire(key)
	e, hit := c.m[key]
	return e.Value, hit, nil
}

// Put implements [backend.Backend].
func (c *Cache) Put(_ context.Context, key, value string, ttl *time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := backend.Entry[string]{Value: value}
	if ttl != nil {
		e.Deadline = time.Now().Add(*ttl)
	}
	c.m[key] = e
	c.expire(key) // removes an entry whose TTL is zero or less
	return nil
}

// Invalidate implements [backend.Backend].
func (c *Cache) Invalidate(_ context.Context, key *string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if key == nil { // all keys; the empty string is a key like any other
		clear(c.m)
	} else {
		delete(c.m, *key)
	}
	return nil
}

// Stats implements [backend.Backend].
func (c *Cache) Stats(context.Context) (backend.Stats, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key := range c.m {
		c.expire(key)
	}
	return backend.Stats{Size: int64(len(c.m))}, nil
}

// Traits implements [backend.Describer].
func (c *Cache) Traits() backend.Traits { return backend.Traits{Bound: backend.BoundNone} }

func (c *Cache) expire(key string) {
	if d := c.m[key].Deadline; !d.IsZero() && !time.Now().Before(d) {
		delete(c.m, key)
	}
}

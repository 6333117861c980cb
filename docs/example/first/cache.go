// Package first is a simple cache that breaks several rules of the contract.
// The conformance suite finds them.
package first

import (
	"context"
	"sync"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// Cache is a map with a TTL for each entry.
type Cache struct {
	mu sync.Mutex
	m  map[string]item
}

type item struct {
	value   string
	expires time.Time
}

// New returns an empty cache.
func New() *Cache { return &Cache{m: map[string]item{}} }

// Get implements [backend.Backend].
func (c *Cache) Get(_ context.Context, key string) (string, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	it, ok := c.m[key]
	if !ok || !it.expires.IsZero() && time.Now().After(it.expires) {
		return "", false, nil
	}
	return it.value, true, nil
}

// Put implements [backend.Backend].
func (c *Cache) Put(_ context.Context, key, value string, ttl *time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	it := item{value: value}
	if ttl != nil && *ttl > 0 {
		it.expires = time.Now().Add(*ttl)
	}
	c.m[key] = it
	return nil
}

// Invalidate implements [backend.Backend].
func (c *Cache) Invalidate(_ context.Context, key *string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if key == nil || *key == "" {
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
	return backend.Stats{Size: int64(len(c.m))}, nil
}

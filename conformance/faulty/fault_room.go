package faulty

import (
	"context"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// roomFaults are wrong about who needs room, or holds it.
var roomFaults = []mutation{
	{Fault{"MissMakesRoom", "hit/absent", "A loading cache that reserves a slot before it knows the value: a Get that misses in a full cache evicts an entry.", Anything}, func(c *cache) {
		get := c.get
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			e, hit, err := get(ctx, key)
			if !hit && err == nil {
				c.locked(c.room)
			}
			return e, hit, err
		}
	}},
	{Fault{"ExpiredHoldRoom", "hit/put", "A count of entries beside the table, which eviction and removal lower, but expiry does not: the cache shrinks for ever.", Anything}, func(c *cache) {
		held := 0
		c.expired = func(*entry) { held++ }
		holdRoom(c, &held)
	}},
	{Fault{"RewrittenHoldRoom", "hit/put", "A Put over an expired entry finds nothing alive under the key, and counts a new one beside the one that it replaces.", Anything}, func(c *cache) {
		held := 0
		c.replace = func(old *entry, _ any) bool {
			if old != nil && !c.live(old) {
				held++
			}
			return true
		}
		holdRoom(c, &held)
	}},
	{Fault{"ZeroTTLMakesRoom", "ttl/zero", "A Put in a full cache evicts an entry before it notices that its TTL is over and it stores nothing.", Anything}, func(c *cache) {
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			if ttl != nil && *ttl <= 0 && c.check(key) == nil {
				c.locked(func() {
					if c.entries[c.id(key)] == nil {
						c.room()
					}
				})
			}
			return put(ctx, key, value, ttl)
		}
	}},
	{Fault{"AbsentRemovalTakesOldest", "invalidate/key", "In a full cache a removal that finds nothing goes on to free the slot that the next entry will need.", Anything}, func(c *cache) {
		onKey(func(c *cache, e *entry, remove func()) {
			if remove(); e == nil {
				c.room()
			}
		})(c)
	}},
}

// holdRoom takes the room of *held entries that are no more.
func holdRoom(c *cache, held *int) {
	room := c.room
	c.room = func() {
		if room(); c.capacity > 0 && *held > 0 && len(c.entries)+*held >= c.capacity {
			c.remove(c.oldest())
		}
	}
}

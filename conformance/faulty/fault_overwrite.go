package faulty

import (
	"context"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// overwriteFaults break hit/overwrite.
var overwriteFaults = []mutation{
	{Fault{"FirstWins", "hit/overwrite", "Add, SetNX or LoadOrStore where Set was meant: a Put over a live entry does nothing.", Anything}, func(c *cache) {
		c.replace = func(old *entry, _ any) bool { return old == nil || !c.live(old) }
	}},
	{Fault{"SecondSetLost", "hit/overwrite", "ristretto: the second Set of a new key is rejected while the first is queued.", Anything}, func(c *cache) {
		c.replace = func(old *entry, _ any) bool { return old == nil || old.hits > 0 || !old.put.Equal(time.Now()) }
	}},
	{Fault{"UpdatesLater", "hit/overwrite", "A write-behind cache: a new key is visible at once, but an update only when the buffer is drained.", Anything}, func(c *cache) {
		later := c.queue()
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			if err := c.begin("put", &key); err != nil {
				return err
			}
			fresh := c.entries[c.id(key)] == nil
			c.mu.Unlock()
			if fresh {
				return put(ctx, key, value, ttl)
			}
			later(func() { _ = put(ctx, key, value, ttl) })
			return nil
		}
	}},
	{Fault{"SameLengthKept", "hit/overwrite", "rsync's quick check: a value as long as the one before is taken for the same.", StringValues}, func(c *cache) {
		c.replace = func(old *entry, value any) bool {
			return old == nil || !c.live(old) || length(old.value) != length(value)
		}
	}},
	{Fault{"EmptyIgnored", "hit/overwrite", "fastcache's SetBig: an empty value is dropped, and the earlier one stays.", StringValues}, func(c *cache) {
		c.replace = func(old *entry, value any) bool { return old == nil || length(value) > 0 }
	}},
	{Fault{"TiesKeepTheOld", "hit/overwrite", "Cassandra's last-write-wins: of two writes with one timestamp, the earlier may stay.", Anything}, func(c *cache) {
		c.replace = func(old *entry, _ any) bool { return old == nil || !c.live(old) || time.Now().After(old.put) }
	}},
	{Fault{"UpdatesAfterTenIgnored", "hit/overwrite", "A version number of too few bits: after ten updates in a row the newer version looks older.", Anything}, func(c *cache) {
		version := map[any]int{}
		put, invalidate := c.put, c.invalidate
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			e := c.peek(key)
			stale := false
			c.locked(func() {
				if id := c.id; e != nil {
					version[id(key)]++
					stale = version[id(key)] > 10
				}
			})
			if stale {
				return nil
			}
			return put(ctx, key, value, ttl)
		}
		c.invalidate = func(ctx context.Context, key *any) error {
			c.locked(func() { clear(version) })
			return invalidate(ctx, key)
		}
	}},
	{Fault{"HotCopyStale", "hit/overwrite", "groupcache's hot cache: a copy kept for a second after a Get outlives the Put that replaces the entry.", Anything}, func(c *cache) {
		type hot struct {
			e     backend.Entry[any]
			until time.Time
		}
		copies := map[any]hot{}
		get, invalidate, put := c.get, c.invalidate, c.put
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			if c.peek(key) == nil {
				return get(ctx, key)
			}
			c.mu.Lock()
			h, ok := copies[c.id(key)]
			c.mu.Unlock()
			if ok && time.Now().Before(h.until) {
				return h.e, true, nil
			}
			e, hit, err := get(ctx, key)
			if hit {
				c.locked(func() { copies[c.id(key)] = hot{e, time.Now().Add(time.Second)} })
			}
			return e, hit, err
		}
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			if ttl != nil && c.check(key) == nil {
				c.locked(func() { delete(copies, c.id(key)) })
			}
			return put(ctx, key, value, ttl)
		}
		c.invalidate = func(ctx context.Context, key *any) error {
			c.locked(func() { clear(copies) })
			return invalidate(ctx, key)
		}
	}},
	{Fault{"SecondTierStale", "hit/overwrite", "Two tiers: an update reaches only the first, and once that has let go of the entry the second answers with the old value.", Anything}, func(c *cache) {
		second := map[any]any{} // the first value of each key
		puts := map[any]int{}   // number of the last Put
		n := 0
		put, get, invalidate := c.put, c.get, c.invalidate
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			err := put(ctx, key, value, ttl)
			if err == nil {
				c.locked(func() {
					if _, ok := second[c.id(key)]; !ok {
						second[c.id(key)] = c.in(value)
					}
					n++
					puts[c.id(key)] = n
				})
			}
			return err
		}
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			e, hit, err := get(ctx, key)
			c.mu.Lock()
			defer c.mu.Unlock()
			if hit && n-puts[c.id(key)] >= 64 {
				e.Value = c.out(second[c.id(key)])
			}
			return e, hit, err
		}
		c.invalidate = func(ctx context.Context, key *any) error {
			c.locked(func() { clear(second) })
			return invalidate(ctx, key)
		}
	}},
	{Fault{"RememberedMiss", "hit/overwrite", "DNS resolvers' negative caching: the memory of a miss outlives the Put that follows.", Anything}, func(c *cache) {
		missed := map[any]time.Time{}
		get := c.get
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			if c.peek(key) != nil {
				c.mu.Lock()
				t, ok := missed[c.id(key)]
				c.mu.Unlock()
				if ok && time.Since(t) < time.Second {
					return backend.Entry[any]{}, false, nil
				}
			}
			e, hit, err := get(ctx, key)
			if !hit && err == nil {
				c.locked(func() { missed[c.id(key)] = time.Now() })
			}
			return e, hit, err
		}
	}},
	{Fault{"UpdateEvicts", "hit/overwrite", "A full cache makes room before it looks whether the key is already there: each update pushes another entry out.", Anything}, func(c *cache) {
		replace := c.replace
		c.replace = func(old *entry, value any) bool {
			if old != nil && c.capacity > 0 && len(c.entries) == c.capacity {
				c.remove(c.oldest())
			}
			return replace(old, value)
		}
	}},
	{Fault{"UpdateAppends", "hit/overwrite", "bigcache's ring: an update is appended, and with many updates of one hot key the cold live entries fall out.", Anything}, func(c *cache) {
		updates := 0
		replace := c.replace
		c.replace = func(old *entry, value any) bool {
			if old != nil {
				updates++
			}
			if c.capacity > 0 && updates > c.capacity && c.oldest() != old {
				c.remove(c.oldest())
			}
			return replace(old, value)
		}
	}},
}

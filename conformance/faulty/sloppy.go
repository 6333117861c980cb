package faulty

import (
	"context"
	"sync"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// sloppy makes c use every relaxation that it declares, to the full. What it
// cannot do more than Correct does is not here: sharing values, refusing what is
// too large and growing without a bound.
func sloppy(c *cache) {
	t := c.traits
	if t.ExpiryLag > 0 {
		c.live = func(e *entry) bool { return e.deadline.IsZero() || time.Now().Before(e.deadline.Add(t.ExpiryLag)) }
	}
	if t.SizeLag > 0 {
		sloppyStats(c, max(t.SizeLag, t.ExpiryLag))
	}
	if t.Bound == backend.BoundApproximate {
		c.capacity += c.capacity / 8
	}
	if t.Rejects {
		n := 0
		c.replace = func(old *entry, _ any) bool {
			if n++; n%13 != 0 {
				return true
			}
			c.remove(old)
			return false
		}
	}
	if t.NeedsSync {
		sloppyWrites(c)
	}
}

// sloppyStats makes c count an expired entry for the lag, unless its key was put
// again or removed.
func sloppyStats(c *cache, lag time.Duration) {
	late := map[any]time.Time{} // deadlines of those that are gone, by id
	c.expired = func(e *entry) { late[c.id(e.key)] = e.deadline }
	c.size = func() int64 {
		n := int64(len(c.entries))
		for id, d := range late {
			if c.entries[id] == nil && time.Since(d) < lag {
				n++
			}
		}
		return n
	}
	put := c.put
	c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
		if c.check(key) == nil {
			c.locked(func() { delete(late, c.id(key)) })
		}
		return put(ctx, key, value, ttl)
	}
	invalidate := c.invalidate
	c.invalidate = func(ctx context.Context, key *any) error {
		c.locked(func() {
			if key == nil {
				clear(late)
			} else if c.check(*key) == nil {
				delete(late, c.id(*key))
			}
		})
		return invalidate(ctx, key)
	}
}

// sloppyWrites makes c keep writes until Sync.
func sloppyWrites(c *cache) {
	var pending []func()
	var flushing sync.Mutex
	put, invalidate, flush := c.put, c.invalidate, c.flush
	queue := func(f func()) { c.locked(func() { pending = append(pending, f) }) }
	c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
		if err := c.begin("put", &key); err != nil {
			return err
		}
		err := c.fits(value)
		c.mu.Unlock()
		if err != nil {
			ttl = new(time.Duration) // a Put that fails removes the earlier value
		}
		value = c.in(value)
		if ttl == nil {
			queue(func() { _ = put(ctx, key, value, nil) })
		} else {
			end := time.Now().Add(max(*ttl, 0))
			queue(func() { _ = put(ctx, key, value, new(time.Until(end))) })
		}
		if err != nil {
			return c.fail("put", &key, err)
		}
		return nil
	}
	c.invalidate = func(ctx context.Context, key *any) error {
		if err := c.begin("invalidate", key); err != nil {
			return err
		}
		c.mu.Unlock()
		queue(func() { _ = invalidate(ctx, key) })
		return nil
	}
	c.flush = func(ctx context.Context) error {
		if err := flush(ctx); err != nil {
			return err
		}
		flushing.Lock() // writes keep their order
		defer flushing.Unlock()
		var todo []func()
		c.locked(func() { todo, pending = pending, nil })
		for _, f := range todo {
			f()
		}
		return nil
	}
}

package faulty

import (
	"context"
	"strings"
)

// invalidateFaults break the rules invalidate/*.
var invalidateFaults = []mutation{
	{
		Fault{
			Name: "ClearOvertakesQueue", Rule: "invalidate/nil", Needs: Anything,
			Doc: "Invalidate of all keys empties the table at once, and writes that are still queued are " +
				"applied after it.",
		},
		func(c *cache) {
			c.traits.NeedsSync = true
			clearAll := c.invalidate
			sloppyWrites(c)
			queued := c.invalidate
			c.invalidate = func(ctx context.Context, key *any) error {
				if key == nil {
					return clearAll(ctx, nil)
				}
				return queued(ctx, key)
			}
		},
	},
	{
		Fault{
			Name: "RemovesFolded", Rule: "invalidate/key", Needs: StringKeys,
			Doc: "Invalidate ignores case, but Put does not: Invalidate of \"key\" also removes \"KEY\".",
		},
		onKey(func(c *cache, _ *entry, remove func()) { remove() }, func(c *cache, key any) {
			for _, e := range c.entries {
				if strings.EqualFold(e.key.(string), key.(string)) {
					c.remove(e)
				}
			}
		}),
	},
	{
		Fault{
			Name: "ClearLosesBound", Rule: "invalidate/nil", Needs: Anything,
			Doc: "Clear makes a new table with default options, which has no capacity.",
		},
		onAll(func(c *cache, wipe func()) {
			wipe()
			c.capacity = 0
		}),
	},
	{
		Fault{
			Name: "AbsentZeroKeyClears", Rule: "invalidate/zerokey", Needs: Anything,
			Doc: "Invalidate of an absent zero key removes all entries.",
		},
		onKey(func(_ *cache, _ *entry, remove func()) { remove() }, func(c *cache, key any) {
			if key == c.zero && c.entries[c.id(c.zero)] == nil {
				c.clear()
			}
		}),
	},
	{
		Fault{
			Name: "NilPointerKeyClears", Rule: "invalidate/zerokey", Needs: PointerKeys,
			Doc: "Invalidate of a key that is a nil pointer removes all entries.",
		},
		onKey(func(_ *cache, _ *entry, remove func()) { remove() }, func(c *cache, key any) {
			if key == c.zero {
				c.clear()
			}
		}),
	},
	{
		Fault{
			Name: "AbsentRemovalTakesOldest", Rule: "invalidate/key", Needs: Anything,
			Doc: "In a full cache, Invalidate of an absent key evicts the oldest entry.",
		},
		func(c *cache) {
			onKey(func(c *cache, e *entry, remove func()) {
				if remove(); e == nil {
					c.room()
				}
			})(c)
		},
	},
}

// onKey makes a fault that does f, under the lock, where Invalidate should
// remove one entry; e is nil if there is none. Then it does what also says.
func onKey(f func(c *cache, e *entry, remove func()), also ...func(c *cache, key any)) func(c *cache) {
	return func(c *cache) {
		invalidate := c.invalidate
		c.invalidate = func(ctx context.Context, key *any) error {
			if key == nil {
				return invalidate(ctx, key)
			}
			if err := c.begin("invalidate", key); err != nil {
				return err
			}
			defer c.mu.Unlock()
			for _, g := range also {
				g(c, *key)
			}
			e := c.entries[c.id(*key)]
			f(c, e, func() { c.remove(e) })
			return nil
		}
	}
}

// onAll makes a fault that does f, under the lock, where Invalidate should
// remove all entries.
func onAll(f func(c *cache, wipe func())) func(c *cache) {
	return func(c *cache) {
		invalidate := c.invalidate
		c.invalidate = func(ctx context.Context, key *any) error {
			if key != nil {
				return invalidate(ctx, key)
			}
			if err := c.begin("invalidate", nil); err != nil {
				return err
			}
			defer c.mu.Unlock()
			f(c, c.clear)
			return nil
		}
	}
}

// clearLeaves makes a fault that leaves the entries, the oldest first, for which
// stays says so.
func clearLeaves(stays func(c *cache, e *entry, i int) bool) func(c *cache) {
	return onAll(func(c *cache, _ func()) {
		i := 0
		for el := c.recent.Back(); el != nil; i++ {
			e := el.Value.(*entry)
			el = el.Prev()
			if !stays(c, e, i) {
				c.remove(e)
			}
		}
	})
}

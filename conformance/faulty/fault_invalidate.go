package faulty

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// invalidateFaults break the rules invalidate/*.
var invalidateFaults = []mutation{
	{Fault{"InvalidateIgnored", "invalidate/key", "A read-only replica: the removal of a key does nothing.", Anything}, onKey(func(*cache, *entry, func()) {})},
	{Fault{"InvalidateLater", "invalidate/key", "otter v1, ristretto: the removal is queued, and a Get that follows at once still hits.", Anything}, func(c *cache) {
		later := c.queue()
		onKey(func(c *cache, e *entry, _ func()) { later(func() { c.locked(func() { c.remove(e) }) }) })(c)
	}},
	{Fault{"QueuedDelTakesNextSet", "invalidate/key", "ristretto: in Set, Del, Set the Del is applied last, and the value just put is gone a moment later.", Anything}, func(c *cache) {
		later := c.queue()
		invalidate := c.invalidate
		c.invalidate = func(ctx context.Context, key *any) error {
			err := invalidate(ctx, key)
			if err == nil && key != nil {
				k := *key
				later(func() { c.locked(func() { c.remove(c.entries[c.id(k)]) }) })
			}
			return err
		}
	}},
	{Fault{"RemovedReturns", "invalidate/key", "ristretto: a Set still queued when Del comes is applied after it: the entry is gone, back, and gone again.", Anything}, func(c *cache) {
		later := c.queue()
		onKey(func(c *cache, e *entry, remove func()) {
			remove()
			if e != nil && e.hits == 0 && e.put.Equal(time.Now()) {
				later(func() { c.locked(func() { c.bringBack(e) }) })
			}
		})(c)
	}},
	{Fault{"RemovesByPrefix", "invalidate/key", "KEYS user:1* and DEL: with user:1, user:10 goes too.", StringKeys}, onKey(func(c *cache, _ *entry, remove func()) { remove() }, func(c *cache, key any) {
		for _, e := range c.entries {
			if prefix := key.(string); prefix != "" && strings.HasPrefix(e.key.(string), prefix) {
				c.remove(e)
			}
		}
	})},
	{Fault{"RemovesFolded", "invalidate/key", "A removal that ignores case in a table that does not: with key, KEY goes too.", StringKeys}, onKey(func(c *cache, _ *entry, remove func()) { remove() }, func(c *cache, key any) {
		for _, e := range c.entries {
			if strings.EqualFold(e.key.(string), key.(string)) {
				c.remove(e)
			}
		}
	})},
	{Fault{"RemovesCollidingKey", "invalidate/key", "bigcache: Delete compares hashes, not keys, and removes whatever else has the hash.", StringKeys}, onKey(func(c *cache, _ *entry, remove func()) { remove() }, func(c *cache, key any) {
		for _, e := range c.entries {
			if javaHash(e.key.(string)) == javaHash(key.(string)) {
				c.remove(e)
			}
		}
	})},
	{Fault{"AbsentIsError", "invalidate/key", "bigcache, hesape: removing an absent key is the error \"entry not found\".", Anything}, func(c *cache) {
		invalidate := c.invalidate
		c.invalidate = func(ctx context.Context, key *any) error {
			absent := key != nil && c.peek(*key) == nil
			if err := invalidate(ctx, key); err != nil || !absent {
				return err
			}
			return errors.New("faulty: entry not found")
		}
	}},
	{Fault{"AbsentTakesOldest", "invalidate/key", "RemoveOldest as the answer to a removal that finds nothing.", Anything}, onKey(func(c *cache, e *entry, remove func()) {
		if e == nil {
			e = c.oldest()
		}
		c.remove(e)
	})},
	{Fault{"LeavesTTLEntries", "invalidate/key", "Entries with and without TTL in two tables, of which the removal looks in one.", Anything}, onKey(func(c *cache, e *entry, remove func()) {
		if e != nil && e.deadline.IsZero() {
			remove()
		}
	})},
	{Fault{"TombstoneEatsNextPut", "invalidate/key", "A tombstone against resurrection that also swallows the Put which follows.", Anything}, func(c *cache) {
		tombs := map[any]bool{}
		onKey(func(c *cache, e *entry, remove func()) {
			if remove(); e != nil && e.hits == 0 {
				tombs[c.id(e.key)] = true
			}
		})(c)
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			eaten := false
			if c.check(key) == nil {
				c.locked(func() {
					eaten = tombs[c.id(key)]
					delete(tombs, c.id(key))
				})
			}
			if eaten {
				return nil
			}
			return put(ctx, key, value, ttl)
		}
	}},
	{Fault{"OldVersionShows", "invalidate/key", "A store of versions: removing the newest shows the one before.", Anything}, func(c *cache) {
		versions := map[any]*entry{}
		c.replace = func(old *entry, _ any) bool {
			if old != nil {
				versions[c.id(old.key)] = old
			}
			return true
		}
		onKey(func(c *cache, e *entry, remove func()) {
			remove()
			if e != nil {
				c.bringBack(versions[c.id(e.key)])
				delete(versions, c.id(e.key))
			}
		})(c)
	}},
	{Fault{"OneOfTwoCopies", "invalidate/key", "A copy-on-read second tier that a removal forgets: what was read before can be read still.", Anything}, func(c *cache) {
		onKey(func(c *cache, e *entry, remove func()) {
			if remove(); e != nil && e.hits >= 2 {
				e.hits = 0
				c.bringBack(e)
			}
		})(c)
	}},

	{Fault{"ClearIgnored", "invalidate/nil", "A nil key is \"no key\", and nothing is removed.", Anything}, onAll(func(*cache, func()) {})},
	{Fault{"ClearPanics", "invalidate/nil", "The key is read before it is known to be there.", Anything}, func(c *cache) {
		invalidate := c.invalidate
		c.invalidate = func(ctx context.Context, key *any) error { return invalidate(ctx, new(*key)) }
	}},
	{Fault{"ClearLater", "invalidate/nil", "Clear posts a message to the goroutine that owns the map, and returns.", Anything}, func(c *cache) {
		later := c.queue()
		onAll(func(c *cache, _ func()) {
			var all []*entry
			for _, e := range c.entries {
				all = append(all, e)
			}
			later(func() {
				c.locked(func() {
					for _, e := range all {
						c.remove(e)
					}
				})
			})
		})(c)
	}},
	{Fault{"ClearUndoneByQueue", "invalidate/nil", "A write-behind queue that Clear does not drain: what was put just before is applied just after.", Anything}, func(c *cache) {
		later := c.queue()
		onAll(func(c *cache, wipe func()) {
			last, now := c.recent.Front(), time.Now()
			wipe()
			if last != nil {
				if e := last.Value.(*entry); e.put.Equal(now) {
					later(func() { c.locked(func() { c.bringBack(e) }) })
				}
			}
		})(c)
	}},
	{Fault{"ClearLeavesTTL", "invalidate/nil", "Clear empties the table of entries without TTL only.", Anything}, clearLeaves(func(c *cache, e *entry, _ int) bool { return !e.deadline.IsZero() })},
	{Fault{"ClearLeavesZeroKey", "invalidate/nil", "A table that keeps the zero key in a field of its own, which Clear forgets.", Anything}, clearLeaves(func(c *cache, e *entry, _ int) bool {
		return e.key == c.zero
	})},
	{Fault{"ClearLeavesOne", "invalidate/nil", "for len(list) > 1: the last entry stays.", Anything}, clearLeaves(func(_ *cache, _ *entry, i int) bool { return i == 0 })},
	{Fault{"ClearStopsAt1000", "invalidate/nil", "SCAN with COUNT 1000, or S3's listing, asked once: what does not fit on the first page stays.", Anything}, clearLeaves(func(_ *cache, _ *entry, i int) bool { return i >= 1000 })},
	{Fault{"ClearLeavesReadEntries", "invalidate/nil", "Clear empties the probation segment, but not the protected one of what was read often.", Anything}, clearLeaves(func(c *cache, e *entry, _ int) bool { return e.hits >= 2 })},
	{Fault{"ClearByTime", "invalidate/nil", "memcached's flush_all: what was put at the moment of the flush is gone too, although it was put after.", Anything}, func(c *cache) {
		var cleared time.Time
		onAll(func(_ *cache, wipe func()) {
			wipe()
			cleared = time.Now()
		})(c)
		c.live = func(e *entry) bool { return before(e) && (cleared.IsZero() || e.put.After(cleared)) }
	}},
	{Fault{"ClearKeepsCost", "invalidate/nil", "ttlcache with a cost: Clear does not reset the cost, and a full cache holds nothing afterwards.", Anything}, func(c *cache) {
		onAll(func(c *cache, wipe func()) {
			if c.capacity > 0 {
				c.capacity = max(c.capacity-len(c.entries), 1)
			}
			wipe()
		})(c)
	}},
	{Fault{"ClearLosesBound", "invalidate/nil", "Clear makes a new table with the default options: the capacity is forgotten.", Anything}, onAll(func(c *cache, wipe func()) {
		wipe()
		c.capacity = 0
	})},
	{Fault{"ClearShrinksToOne", "invalidate/nil", "golang-lru's Resize(0) in place of Purge: afterwards every Put vanishes.", Anything}, func(c *cache) {
		bricked := false
		onAll(func(c *cache, wipe func()) {
			wipe()
			bricked = true
		})(c)
		c.replace = func(*entry, any) bool { return !bricked }
	}},
	{Fault{"ClearOnceOnly", "invalidate/nil", "A Clear under sync.Once: the second does nothing.", Anything}, func(c *cache) {
		done := false
		onAll(func(_ *cache, wipe func()) {
			if !done {
				wipe()
			}
			done = true
		})(c)
	}},

	{Fault{"ZeroKeyClears", "invalidate/zerokey", "if *key == zero { clear all }: removing the zero key removes everything.", Anything}, onKey(func(_ *cache, _ *entry, remove func()) { remove() }, func(c *cache, key any) {
		if key == c.zero {
			c.clear()
		}
	})},
	{Fault{"AbsentZeroKeyClears", "invalidate/zerokey", "Removing the zero key means everything, unless there is such an entry.", Anything}, onKey(func(_ *cache, _ *entry, remove func()) { remove() }, func(c *cache, key any) {
		if key == c.zero && c.entries[c.id(c.zero)] == nil {
			c.clear()
		}
	})},
	{Fault{"ZeroKeyNotRemoved", "invalidate/zerokey", "if *key == zero { return nil }: the zero key counts as no key.", Anything}, onKey(func(c *cache, e *entry, remove func()) {
		if e != nil && e.key != c.zero {
			remove()
		}
	})},
	{Fault{"NilValuedKeyClears", "invalidate/zerokey", "if any(*key) == nil { clear all }: a nil interface is a key, not the absence of one.", AnyKeys}, onKey(func(_ *cache, _ *entry, remove func()) { remove() }, func(c *cache, key any) {
		if key == nil {
			c.clear()
		}
	})},
	{Fault{"NilPointerKeyClears", "invalidate/zerokey", "A nil pointer as key is taken for a nil pointer to a key.", PointerKeys}, onKey(func(_ *cache, _ *entry, remove func()) { remove() }, func(c *cache, key any) {
		if key == c.zero {
			c.clear()
		}
	})},

	{Fault{"KeepsTTLPointer", "retain", "The TTL is read through the caller's pointer at each Get.", Anything}, func(c *cache) {
		kept := map[*entry]*time.Duration{}
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			err := put(ctx, key, value, ttl)
			if e := c.peek(key); e != nil && ttl != nil {
				c.locked(func() { kept[e] = ttl })
			}
			return err
		}
		c.live = func(e *entry) bool {
			if ttl := kept[e]; ttl != nil {
				return time.Since(e.put) < *ttl
			}
			return before(e)
		}
	}},
	{Fault{"ChangesTTL", "retain", "*ttl += jitter: the caller's own variable changes.", Anything}, func(c *cache) {
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			err := put(ctx, key, value, ttl)
			if ttl != nil && *ttl > 0 {
				*ttl = ttl.Truncate(7 * time.Second)
			}
			return err
		}
	}},
	{Fault{"KeepsKeyPointer", "retain", "Invalidate sends the caller's pointer to a goroutine, which reads it when the caller has moved on.", Anything}, func(c *cache) {
		var pending []func() any
		c.keepKey = func(read func() any, _ func(any)) { c.locked(func() { pending = append(pending, read) }) }
		catchUp := func() {
			for _, read := range pending {
				c.remove(c.entries[c.id(read())])
			}
			pending = nil
		}
		stats, get := c.stats, c.get
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			c.locked(catchUp)
			return get(ctx, key)
		}
		c.stats = func(ctx context.Context) (backend.Stats, error) {
			c.locked(catchUp)
			return stats(ctx)
		}
	}},
	{Fault{"ClearsCallersKey", "retain", "Invalidate zeroes the key it was given, as if it were its own.", Anything}, func(c *cache) {
		c.keepKey = func(_ func() any, write func(any)) { write(c.zero) }
	}},
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

// bringBack puts an entry that was removed into the table again, unless the key
// has another.
func (c *cache) bringBack(e *entry) {
	if e != nil && !c.closed && c.entries[c.id(e.key)] == nil {
		c.entries[c.id(e.key)] = e
		e.place = c.recent.PushFront(e)
	}
}

func javaHash(s string) (h int32) {
	for i := range len(s) {
		h = 31*h + int32(s[i])
	}
	return h
}

package faulty

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// viewFaults are in the optional interfaces.
var viewFaults = []mutation{
	{Fault{"AllShowsExpired", "ttl/expires", "expirable, go-cache: a listing shows entries whose TTL has passed.", Anything}, func(c *cache) {
		c.all = func(yield func(any, any) bool) {
			var all []*entry
			c.locked(func() {
				for _, e := range c.entries {
					all = append(all, e)
				}
			})
			for _, e := range all {
				if !yield(e.key, c.out(e.value)) {
					return
				}
			}
		}
	}},
	{Fault{"AllSkipsOne", "hit/put", "A cursor that starts after the first entry.", Anything}, func(c *cache) {
		all := c.all
		c.all = func(yield func(any, any) bool) {
			skipped := false
			all(func(key, value any) bool {
				if !skipped {
					skipped = true
					return true
				}
				return yield(key, value)
			})
		}
	}},
	{Fault{"AllRepeats", "hit/put", "Redis' SCAN: a key may come twice.", Anything}, func(c *cache) {
		all := c.all
		c.all = func(yield func(any, any) bool) {
			n := 0
			all(func(key, value any) bool {
				n++
				return yield(key, value) && (n != 5 || yield(key, value))
			})
		}
	}},
	{Fault{"AllGoesOn", "hit/put", "A Range that does not stop when the loop body breaks: the loop panics.", Anything}, func(c *cache) {
		all := c.all
		c.all = func(yield func(any, any) bool) {
			all(func(key, value any) bool {
				yield(key, value)
				return true
			})
		}
	}},
	{Fault{"AllHoldsLock", "hit/put", "theine's Range: the lock is held during the loop body, which may not call the cache.", Anything}, func(c *cache) {
		c.all = func(yield func(any, any) bool) {
			c.mu.Lock()
			defer c.mu.Unlock()
			for _, e := range c.entries {
				if c.live(e) && !yield(e.key, c.out(e.value)) {
					return
				}
			}
		}
	}},
	{Fault{"AllShowsRemoved", "hit/put", "A list of keys beside the table: a removed key is still listed, with the zero value.", Anything}, func(c *cache) {
		removed := map[any]any{}
		onKey(func(c *cache, e *entry, remove func()) {
			if remove(); e != nil {
				removed[c.id(e.key)] = e.key
			}
		})(c)
		all := c.all
		c.all = func(yield func(any, any) bool) {
			var gone []any
			c.locked(func() {
				for id, key := range removed {
					if c.entries[id] == nil && !c.closed {
						gone = append(gone, key)
					}
				}
			})
			for _, key := range gone {
				if !yield(key, nil) {
					return
				}
			}
			all(yield)
		}
	}},
	{Fault{"AllIsOld", "hit/put", "golang-lru's Values: a listing of a second ago.", Anything}, func(c *cache) {
		var at time.Time
		var known []*entry
		c.all = func(yield func(any, any) bool) {
			var all []*entry
			c.locked(func() {
				if time.Since(at) > time.Second {
					at, known = time.Now(), nil
					for _, e := range c.entries {
						known = append(known, e)
					}
				}
				all = known
			})
			for _, e := range all {
				if !yield(e.key, c.out(e.value)) {
					return
				}
			}
		}
	}},
	{Fault{"AllSharesValues", "hit/values", "A listing that hands out the cache's own slices, where Get copies.", BytesValues}, func(c *cache) {
		c.all = func(yield func(any, any) bool) {
			var all []*entry
			c.locked(func() {
				c.sweep()
				for _, e := range c.entries {
					all = append(all, e)
				}
			})
			for _, e := range all {
				if !yield(e.key, e.value) {
					return
				}
			}
		}
	}},
	{Fault{"EntryDeadlineSlips", "ttl/range", "The remaining TTL handed on as a duration and added again: the deadline moves with each look.", Anything}, func(c *cache) {
		get := c.getEntry
		c.getEntry = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			put := time.Time{}
			if e := c.peek(key); e != nil {
				c.locked(func() { put = e.put })
			}
			e, hit, err := get(ctx, key)
			if hit && !e.Deadline.IsZero() {
				e.Deadline = e.Deadline.Add(time.Since(put))
			}
			return e, hit, err
		}
	}},
	{Fault{"EntryDeadlineInSeconds", "ttl/range", "GetEntry rounds the deadline to seconds, as Redis' TTL does.", Anything}, func(c *cache) {
		get := c.getEntry
		c.getEntry = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			e, hit, err := get(ctx, key)
			e.Deadline = e.Deadline.Round(time.Second)
			return e, hit, err
		}
	}},
	{Fault{"EntryWithoutTTLHasDeadline", "hit/put", "Never is a date far away, not the zero time, and a layer above takes it for a TTL.", Anything}, func(c *cache) {
		get := c.getEntry
		c.getEntry = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			e, hit, err := get(ctx, key)
			if hit && e.Deadline.IsZero() {
				e.Deadline = time.Now().Add(100 * 365 * day)
			}
			return e, hit, err
		}
	}},
	{Fault{"BatchReturnsMisses", "hit/put", "MGET: the misses are in the answer, as zero values.", Anything}, func(c *cache) {
		c.getMany = func(ctx context.Context, keys []any) (map[any]any, error) {
			found, err := c.lookupMany(ctx, keys)
			for _, key := range keys {
				if _, ok := found[key]; !ok {
					found[key] = nil
				}
			}
			return found, err
		}
	}},
	{Fault{"BatchFirstStays", "hit/put", "A batch written last to first: of two items with one key the first stays.", Anything}, func(c *cache) {
		c.putMany = func(ctx context.Context, items []backend.Item[any, any]) error {
			items = slices.Clone(items)
			slices.Reverse(items)
			return c.storeMany(ctx, items)
		}
	}},
	{Fault{"BatchIgnoresTTL", "hit/put", "MSET takes no TTL: the entries of a batch never expire.", Anything}, func(c *cache) {
		c.putMany = func(ctx context.Context, items []backend.Item[any, any]) error {
			items = slices.Clone(items)
			for i := range items {
				items[i].TTL = nil
			}
			return c.storeMany(ctx, items)
		}
	}},
	{Fault{"BatchReturnsSome", "hit/put", "A server's largest batch of 32 keys, beyond which the rest is not asked for.", Anything}, func(c *cache) {
		c.getMany = func(ctx context.Context, keys []any) (map[any]any, error) {
			return c.lookupMany(ctx, keys[:min(len(keys), 32)])
		}
	}},
	{Fault{"BatchStopsAtError", "error/key", "A batch ends with the first item that fails: those after it are not tried.", FloatKeys}, func(c *cache) {
		c.putMany = func(ctx context.Context, items []backend.Item[any, any]) error {
			for _, it := range items {
				if err := c.put(ctx, it.Key, it.Value, it.TTL); err != nil {
					return err
				}
			}
			return nil
		}
	}},
	{Fault{"BatchHidesError", "error/key", "A batch in which some items fail is reported as done.", FloatKeys}, func(c *cache) {
		c.putMany = func(ctx context.Context, items []backend.Item[any, any]) error {
			if err := c.storeMany(ctx, items); errors.Is(err, backend.ErrClosed) {
				return err
			}
			return nil
		}
	}},
	{Fault{"BatchSortsCallersKeys", "retain", "The caller's slice of keys is reordered to group them by shard.", Anything}, func(c *cache) {
		c.keepKeys = func(swap func(i, j int), n int) {
			for i := range n / 2 {
				swap(i, n-1-i)
			}
		}
	}},
}

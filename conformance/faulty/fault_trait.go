package faulty

import (
	"context"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// traitFaults declare a relaxed promise, and break that.
var traitFaults = []mutation{
	{Fault{"DeclaredLateIsLater", "ttl/expires", "otter's wheel: expiry is declared to be a second late, and is two.", Anything}, func(c *cache) {
		c.traits.ExpiryLag, c.traits.SizeLag = time.Second, time.Second
		c.live = func(e *entry) bool {
			return e.deadline.IsZero() || time.Now().Before(e.deadline.Add(2*time.Second))
		}
	}},
	{Fault{"DeclaredLateIsEarly", "ttl/notearly", "Rounding that is declared as lag, but goes both ways.", Anything}, func(c *cache) {
		c.traits.ExpiryLag, c.traits.SizeLag = time.Second, time.Second
		c.live = func(e *entry) bool {
			return e.deadline.IsZero() || time.Now().Before(e.deadline.Round(time.Second).Add(time.Nanosecond))
		}
	}},
	{Fault{"DeclaredLagIsForever", "stats/size", "The size is declared to lag by a second, but only a Get removes what has expired.", Anything}, func(c *cache) {
		c.traits.SizeLag = time.Second
		c.stats = func(context.Context) (backend.Stats, error) {
			if err := c.begin("stats", nil); err != nil {
				return backend.Stats{}, err
			}
			defer c.mu.Unlock()
			return backend.Stats{Size: int64(len(c.entries))}, nil
		}
	}},
	{Fault{"DeclaredReferenceCopies", "hit/values", "A backend that declares ByReference, but copies.", BytesValues}, func(c *cache) {
		c.traits.Values = backend.ByReference
		c.in = func(v any) any { return any(append([]byte(nil), v.([]byte)...)) }
		c.out = c.in
	}},
	{Fault{"DeclaredApproximateIsATenth", "stats/size", "bigcache with too many shards: the bound is approximate, but a tenth of what was asked for.", Anything}, func(c *cache) {
		c.traits.Bound = backend.BoundApproximate
		if c.capacity > 0 {
			c.capacity = max(c.capacity/10, 1)
		}
	}},
	{Fault{"DeclaredUnboundedEvicts", "stats/size", "A backend that declares no bound, and evicts.", Anything}, func(c *cache) {
		c.traits.Bound = backend.BoundNone
	}},
	{Fault{"DeclaredRefusalOfAll", "hit/put", "An admission policy that learns from nothing: every new key is refused, also with room to spare.", Anything}, func(c *cache) {
		c.traits.Rejects = true
		c.replace = func(*entry, any) bool { return false }
	}},
	{Fault{"DeclaredRefusalWhenFull", "hit/put", "An admission policy that admits nothing more once the cache is full, however often it is asked.", Anything}, func(c *cache) {
		c.traits.Rejects = true
		c.replace = func(old *entry, _ any) bool {
			return old != nil || c.capacity == 0 || len(c.entries) < c.capacity
		}
	}},
	{Fault{"RefusedPutKeepsOld", "hit/overwrite", "ristretto: a refused update leaves the earlier value in place.", Anything}, func(c *cache) {
		c.traits.Rejects = true
		n := 0
		c.replace = func(old *entry, _ any) bool {
			n++
			return old == nil || n%8 != 0
		}
	}},
	{Fault{"RefusesMostWithRoom", "hit/put", "An admission policy that refuses every third new key though there is room.", Anything}, func(c *cache) {
		c.traits.Rejects = true
		n := 0
		c.replace = func(old *entry, _ any) bool {
			if old == nil {
				n++
			}
			return old != nil || n%3 != 0
		}
	}},
	{Fault{"DeclaredMaxKeyIsCut", "hit/keys", "memcached: longer keys than declared are cut, not refused.", StringKeys}, func(c *cache) {
		c.traits.MaxKey = 250
		c.check = func(any) error { return nil }
		c.id = func(key any) any { s := key.(string); return s[:min(len(s), 250)] }
	}},
	{Fault{"DeclaredMaxKeyIsLess", "hit/keys", "bigcache: keys of the declared length, header included, do not fit.", StringKeys}, func(c *cache) {
		c.traits.MaxKey = 250
		c.check = func(key any) error {
			if length(key) > 240 {
				return backend.ErrTooLarge
			}
			return nil
		}
	}},
	{Fault{"SyncDoesNothing", "hit/put", "Writes are declared to need a Sync, which returns at once.", Anything}, func(c *cache) {
		c.traits.NeedsSync = true
		later := c.queue()
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			if err := c.begin("put", &key); err != nil {
				return err
			}
			c.mu.Unlock()
			later(func() { _ = put(ctx, key, value, ttl) })
			return nil
		}
	}},
	{Fault{"SyncDropsQueue", "hit/put", "Sync empties the queue of writes instead of applying it.", Anything}, func(c *cache) {
		c.traits.NeedsSync = true
		n := 0
		c.replace = func(*entry, any) bool {
			n++
			return n <= 1
		}
		flush := c.flush
		c.flush = func(ctx context.Context) error {
			err := flush(ctx)
			c.locked(func() { n = 0 })
			return err
		}
	}},
	{Fault{"SyncReorders", "hit/overwrite", "The queued writes of one key are applied in no particular order.", Anything}, func(c *cache) {
		c.traits.NeedsSync = true
		type write struct {
			value any
			ttl   *time.Duration
		}
		var order []any
		writes := map[any][]write{}
		apply := func(ctx context.Context) (err error) {
			var todo []func() error
			c.locked(func() {
				for _, key := range order {
					w := writes[c.id(key)]
					delete(writes, c.id(key))
					for i := range w {
						x := w[len(w)-1-i]
						todo = append(todo, func() error { return c.store(ctx, key, x.value, x.ttl) })
					}
				}
				order = nil
			})
			for _, f := range todo {
				if e := f(); e != nil {
					err = e
				}
			}
			return err
		}
		c.put = func(_ context.Context, key, value any, ttl *time.Duration) error {
			if err := c.begin("put", &key); err != nil {
				return err
			}
			defer c.mu.Unlock()
			order = append(order, key)
			writes[c.id(key)] = append(writes[c.id(key)], write{value, ttl})
			return nil
		}
		flush, invalidate := c.flush, c.invalidate
		c.flush = func(ctx context.Context) error {
			if err := flush(ctx); err != nil {
				return err
			}
			return apply(ctx)
		}
		c.invalidate = func(ctx context.Context, key *any) error {
			_ = apply(ctx)
			return invalidate(ctx, key)
		}
	}},
}

package faulty

import (
	"context"
	"maps"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// concurrentFaults break the rules concurrent/*.
var concurrentFaults = []mutation{
	{
		Fault{
			Name: "TornValue", Rule: "concurrent/key", Needs: StringValues,
			Doc: "Put writes a value in two parts, and a Get between them returns half of each value.",
		},
		func(c *cache) {
			tails := map[any]string{}
			get, put := c.get, c.put
			c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
				head, tail := value.(string), ""
				if n := len(head); n > 0 && n < 1000 {
					head, tail = head[:n-1], head[n-1:]
				}
				if err := put(ctx, key, head, ttl); err != nil {
					return err
				}
				runtime.Gosched()
				c.locked(func() { tails[c.id(key)] = tail })
				return nil
			}
			join := func(key any, head any) any { return any(head.(string) + tails[c.id(key)]) }
			c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
				e, hit, err := get(ctx, key)
				if hit {
					c.locked(func() { e.Value = join(key, e.Value) })
				}
				return e, hit, err
			}
			all := c.all
			c.all = func(yield func(any, any) bool) {
				all(func(key any, head any) bool {
					c.mu.Lock()
					value := join(key, head)
					c.mu.Unlock()
					return yield(key, value)
				})
			}
		},
	},
	{
		Fault{
			Name: "CopyOnWriteRaces", Rule: "concurrent/key", Needs: Anything,
			Doc: "Put copies the table, changes the copy and swaps it in without compare-and-swap. Writes of " +
				"other goroutines in between are lost.",
		},
		func(c *cache) {
			put := c.put
			c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
				var was map[any]*entry
				c.locked(func() {
					if len(c.entries) < 64 {
						was = maps.Clone(c.entries)
					}
				})
				runtime.Gosched()
				c.locked(func() {
					if was != nil && !c.closed {
						c.entries = was
					}
				})
				return put(ctx, key, value, ttl)
			}
		},
	},
	{
		Fault{
			Name: "ClearSkipsBusy", Rule: "concurrent/nil", Needs: Anything,
			Doc: "Clear skips the entries that a writer has locked, so an earlier entry stays.",
		},
		func(c *cache) {
			busy := map[any]int{}
			put := c.put
			c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
				if c.check(key) == nil {
					c.locked(func() { busy[c.id(key)]++ })
					runtime.Gosched()
					defer c.locked(func() { busy[c.id(key)]-- })
				}
				return put(ctx, key, value, ttl)
			}
			clearLeaves(func(c *cache, e *entry, _ int) bool { return busy[c.id(e.key)] > 0 })(c)
		},
	},
	{
		Fault{
			Name: "ClearCounts", Rule: "concurrent/nil", Needs: Anything,
			Doc: "Clear reads the number of entries and removes that many, one at a time, while other " +
				"goroutines put and remove entries.",
		},
		func(c *cache) {
			invalidate := c.invalidate
			c.invalidate = func(ctx context.Context, key *any) error {
				if key != nil {
					return invalidate(ctx, key)
				}
				if err := c.begin("invalidate", nil); err != nil {
					return err
				}
				n := len(c.entries)
				c.mu.Unlock()
				for range n {
					c.locked(func() { c.remove(c.oldest()) })
					runtime.Gosched()
					runtime.Gosched()
				}
				return nil
			}
		},
	},
	{
		Fault{
			Name: "UnlockedMap", Rule: "concurrent/race", Needs: Anything,
			Doc: "Two goroutines write to a map without a lock. Go's runtime stops the program; here the " +
				"write panics.",
		},
		func(c *cache) {
			var writing atomic.Bool
			put := c.put
			c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
				if !writing.CompareAndSwap(false, true) {
					panic("concurrent map writes")
				}
				defer writing.Store(false)
				runtime.Gosched()
				return put(ctx, key, value, ttl)
			}
		},
	},
	{
		Fault{
			Name: "SendOnClosed", Rule: "concurrent/race", Needs: Anything,
			Doc: "ristretto: a Put that races with Close sends on a closed channel and panics.",
		},
		func(c *cache) {
			var closed atomic.Bool
			put := c.put
			c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
				was := closed.Load()
				runtime.Gosched()
				if !was && closed.Load() {
					panic("send on closed channel")
				}
				return put(ctx, key, value, ttl)
			}
			c.stops = append(c.stops, func() { closed.Store(true) })
		},
	},
	{
		Fault{
			Name: "UnlockedCounter", Rule: "concurrent/race", Needs: RaceDetector,
			Doc: "hits++ without a lock: a data race that only the race detector sees reliably.",
		},
		func(c *cache) {
			var hits uint64
			get := c.get
			c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
				hits++
				return get(ctx, key)
			}
		},
	},
}

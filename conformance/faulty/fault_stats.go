package faulty

import (
	"context"
	"runtime"

	"github.com/cachepact/cachepact/backend"
)

// statsFaults break the rules stats/*.
var statsFaults = []mutation{
	{
		Fault{
			Name: "SizeIn16Bits", Rule: "stats/size", Needs: Anything,
			Doc: "Size is a counter of 16 bits.",
		},
		func(c *cache) {
			c.size = func() int64 { return int64(uint16(len(c.entries))) }
		},
	},
	{
		Fault{
			Name: "CapacityOfOneIsTwo", Rule: "stats/size", Needs: Anything,
			Doc: "A ring buffer with a sentinel: the smallest capacity is 2.",
		},
		func(c *cache) {
			if c.capacity == 1 {
				c.capacity = 2
			}
		},
	},
	{
		Fault{
			Name: "TTLEntriesUnbounded", Rule: "stats/size", Needs: Anything,
			Doc: "Entries with a TTL are in a second table, which has no bound.",
		},
		func(c *cache) {
			c.room = func() {
				mortal := 0
				for _, e := range c.entries {
					if !e.deadline.IsZero() {
						mortal++
					}
				}
				if c.capacity > 0 && len(c.entries)-mortal >= c.capacity {
					c.evict()
				}
			}
		},
	},
	{
		Fault{
			Name: "ExpiredCountAsHits", Rule: "stats/counters", Needs: Anything,
			Doc: "A Get that finds an expired entry counts as a hit.",
		},
		func(c *cache) {
			get := c.get
			c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
				if e := c.peek(key); e != nil && !before(e) {
					c.locked(func() {
						c.counters[backend.CounterHits]++
						c.counters[backend.CounterMisses]--
					})
				}
				return get(ctx, key)
			}
		},
	},
	{
		Fault{
			Name: "StatsSharesItsMap", Rule: "stats/size", Needs: Anything,
			Doc: "Stats returns the cache's own map of counters, so the caller can change the counters.",
		},
		func(c *cache) {
			// The cache reads the map it gave away last, but never changes it: a map
			// that two goroutines change at once would end the process.
			var given map[string]uint64
			stats := c.stats
			c.stats = func(ctx context.Context) (backend.Stats, error) {
				s, err := stats(ctx)
				if err != nil {
					return s, err
				}
				c.mu.Lock()
				defer c.mu.Unlock()
				for name, n := range given {
					s.Counters[name] = max(s.Counters[name], n)
				}
				given = s.Counters
				return s, nil
			}
		},
	},
	{
		Fault{
			Name: "ClearCountsAsEvictions", Rule: "stats/counters", Needs: Anything,
			Doc: "golang-lru's Purge: Clear calls the eviction callback for each entry.",
		},
		onAll(func(c *cache, wipe func()) {
			c.counters[backend.CounterEvictions] += uint64(len(c.entries))
			wipe()
		}),
	},
	{
		Fault{
			Name: "ExpirationsCountTwice", Rule: "stats/counters", Needs: Anything,
			Doc: "An expired entry counts when a Get finds it and again when the sweep removes it.",
		},
		func(c *cache) {
			get := c.get
			c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
				if e := c.peek(key); e != nil && !before(e) {
					c.locked(func() { c.counters[backend.CounterExpirations]++ })
				}
				return get(ctx, key)
			}
		},
	},
	{
		Fault{
			Name: "CountersLoseUpdates", Rule: "stats/counters", Needs: Anything,
			Doc: "A counter is loaded, incremented and stored in separate steps, so concurrent increments " +
				"are lost.",
		},
		func(c *cache) {
			var hits, gets uint64
			get, stats := c.get, c.stats
			c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
				e, hit, err := get(ctx, key)
				if hit {
					var was, n uint64
					c.locked(func() { was, gets = hits, gets+1; n = gets })
					for range 1 + n%16/15*30 { // one in sixteen is slower: threads in step lose nothing that shows
						runtime.Gosched()
					}
					c.locked(func() { hits = was + 1 })
				}
				return e, hit, err
			}
			c.stats = func(ctx context.Context) (backend.Stats, error) {
				s, err := stats(ctx)
				if err == nil {
					c.locked(func() { s.Counters[backend.CounterHits] = hits })
				}
				return s, err
			}
		},
	},
	{
		Fault{
			Name: "DeclaredApproximateIsATenth", Rule: "stats/size", Needs: Anything,
			Doc: "bigcache with too many shards: the approximate bound is a tenth of the requested capacity.",
		},
		func(c *cache) {
			c.traits.Bound = backend.BoundApproximate
			if c.capacity > 0 {
				c.capacity = max(c.capacity/10, 1)
			}
		},
	},
}

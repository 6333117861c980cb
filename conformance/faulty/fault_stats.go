package faulty

import (
	"context"
	"fmt"
	"hash/maphash"
	"maps"
	"runtime"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// statsFaults break stats/size, with the capacity, and stats/counters.
var statsFaults = []mutation{
	{Fault{"CountsExpired", "stats/size", "go-cache, freecache, ristretto: expired entries are counted until something touches them.", Anything}, func(c *cache) {
		c.stats = func(context.Context) (backend.Stats, error) {
			if err := c.begin("stats", nil); err != nil {
				return backend.Stats{}, err
			}
			defer c.mu.Unlock()
			return backend.Stats{Size: int64(len(c.entries)), Counters: maps.Clone(c.counters)}, nil
		}
	}},
	{Fault{"CountsPuts", "stats/size", "A counter that rises with every Put, also over an entry that is there.", Anything}, func(c *cache) {
		extra := map[any]int64{}
		c.replace = func(old *entry, _ any) bool {
			if old != nil {
				extra[c.id(old.key)]++
			}
			return true
		}
		c.size = func() (n int64) {
			for id := range c.entries {
				n += 1 + extra[id]
			}
			return n
		}
	}},
	{Fault{"CountsBytes", "stats/size", "A size in bytes, or in cost, where entries are due.", StringValues}, func(c *cache) {
		c.size = func() (n int64) {
			for _, e := range c.entries {
				n += int64(length(e.value))
			}
			return n
		}
	}},
	{Fault{"CountsEvicted", "stats/size", "fastcache: what has been evicted is counted until the ring wraps around.", Anything}, func(c *cache) {
		c.size = func() int64 { return int64(len(c.entries)) + int64(c.counters[backend.CounterEvictions]) }
	}},
	{Fault{"CountsDownForAbsent", "stats/size", "Each removal lowers the size, also one that finds nothing: it becomes negative.", Anything}, func(c *cache) {
		vain := int64(0)
		onKey(func(_ *cache, e *entry, remove func()) {
			if remove(); e == nil {
				vain++
			}
		})(c)
		c.size = func() int64 { return int64(len(c.entries)) - vain }
	}},
	{Fault{"CountsDownTwice", "stats/size", "An expired entry that is read and then overwritten lowers the size twice.", Anything}, func(c *cache) {
		twice := int64(0)
		c.replace = func(old *entry, _ any) bool {
			if old != nil && !c.live(old) {
				twice++
			}
			return true
		}
		c.size = func() int64 { return max(int64(len(c.entries))-twice, 0) }
	}},
	{Fault{"ClearLeavesSize", "stats/size", "Clear empties the table, but not the counter beside it.", Anything}, func(c *cache) {
		left := int64(0)
		onAll(func(c *cache, wipe func()) {
			left += int64(len(c.entries))
			wipe()
		})(c)
		c.size = func() int64 { return int64(len(c.entries)) + left }
	}},
	{Fault{"SizeOfASecondAgo", "stats/size", "otter's EstimatedSize: the size is computed once a second.", Anything}, func(c *cache) {
		var at time.Time
		var known int64
		c.size = func() int64 {
			if time.Since(at) >= time.Second {
				at, known = time.Now(), int64(len(c.entries))
			}
			return known
		}
	}},
	{Fault{"SizeRounded", "stats/size", "A sampled size: a multiple of 16.", Anything}, func(c *cache) {
		c.size = func() int64 { return int64(len(c.entries)+8) / 16 * 16 }
	}},
	{Fault{"SizeInAByte", "stats/size", "A counter of eight bits.", Anything}, func(c *cache) {
		c.size = func() int64 { return int64(uint8(len(c.entries))) }
	}},
	{Fault{"SizeIn16Bits", "stats/size", "A counter of sixteen bits.", Anything}, func(c *cache) {
		c.size = func() int64 { return int64(uint16(len(c.entries))) }
	}},
	{Fault{"CountsZeroTTL", "stats/size", "A Put with a TTL of zero stores nothing, but is counted.", Anything}, func(c *cache) {
		empty := int64(0)
		c.lifetime = func(old *entry, ttl *time.Duration) (time.Time, bool) {
			d, ok := deadline(old, ttl)
			if !ok && old == nil {
				empty++
			}
			return d, ok
		}
		c.size = func() int64 { return int64(len(c.entries)) + empty }
	}},
	{Fault{"StatsEvicts", "stats/size", "Stats runs the library's CleanUp, which also takes a live entry.", Anything}, func(c *cache) {
		calls := 0
		c.size = func() int64 {
			if calls++; calls%16 == 0 {
				c.remove(c.oldest())
			}
			return int64(len(c.entries))
		}
	}},
	{Fault{"CapacityIgnored", "stats/size", "go-cache: there is no bound, and an adapter that takes a capacity and ignores it.", Anything}, func(c *cache) { c.capacity = 0 }},
	{Fault{"CapacityPlusOne", "stats/size", "len > capacity before the entry is added: one too many.", Anything}, func(c *cache) {
		if c.capacity > 0 {
			c.capacity++
		}
	}},
	{Fault{"CapacityMinusOne", "stats/size", "len >= capacity after the entry is added: one too few.", Anything}, func(c *cache) {
		if c.capacity > 1 {
			c.capacity--
		}
	}},
	{Fault{"CapacityOfOneIsTwo", "stats/size", "A smallest capacity, such as that of a ring with a sentinel, that is not declared.", Anything}, func(c *cache) {
		if c.capacity == 1 {
			c.capacity = 2
		}
	}},
	{Fault{"CapacityPowerOfTwo", "stats/size", "A table rounded up to a power of two holds more than was asked for.", Anything}, func(c *cache) {
		if n := c.capacity; n > 0 {
			for c.capacity = 1; c.capacity < n; c.capacity *= 2 {
			}
		}
	}},
	{Fault{"OvershootsByATenth", "stats/size", "otter, theine: eviction in batches, until which a tenth too many are held and counted.", Anything}, func(c *cache) {
		c.room = func() {
			if c.capacity > 0 && len(c.entries) >= c.capacity+max(c.capacity/10, 2) {
				for len(c.entries) >= c.capacity {
					c.remove(c.oldest())
					c.counters[backend.CounterEvictions]++
				}
			}
		}
	}},
	{Fault{"CapacityPerShard", "stats/size", "The capacity divided among shards: one shard evicts while others have room.", Anything}, func(c *cache) {
		shard := func(key any) uint64 { return maphash.Comparable(seed, key) % 4 }
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			err := put(ctx, key, value, ttl)
			if err != nil || c.capacity < 4 {
				return err
			}
			c.locked(func() {
				var oldest *entry
				n := 0
				for el := c.recent.Back(); el != nil; el = el.Prev() {
					if e := el.Value.(*entry); shard(e.key) == shard(key) {
						if n++; oldest == nil {
							oldest = e
						}
					}
				}
				if n > c.capacity/4 {
					c.remove(oldest)
				}
			})
			return nil
		}
	}},
	{Fault{"TTLEntriesUnbounded", "stats/size", "Entries with a TTL live in a table of their own, without a bound.", Anything}, func(c *cache) {
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
	}},
	{Fault{"RacersOvershoot", "stats/size", "Whether there is room is looked at before the lock is taken: goroutines that put at once all find some.", Anything}, func(c *cache) {
		put := c.put
		c.room = func() {}
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			if c.peek(key) == nil {
				c.locked(c.evict)
				runtime.Gosched()
			}
			return put(ctx, key, value, ttl)
		}
	}},
	{Fault{"RacersMiscount", "stats/size", "Whether the key is new is looked at before the lock is taken: two goroutines that put one key both count it.", Anything}, func(c *cache) {
		extra := int64(0)
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			fresh := c.peek(key) == nil
			runtime.Gosched()
			if fresh && c.peek(key) != nil {
				c.locked(func() { extra++ })
			}
			return put(ctx, key, value, ttl)
		}
		c.size = func() int64 { return int64(len(c.entries)) + extra }
	}},

	{Fault{"MissesCountAsHits", "stats/counters", "bigcache's metrics, once: a Get is counted as a hit before it is known to be one.", Anything}, func(c *cache) {
		get := c.get
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			e, hit, err := get(ctx, key)
			if !hit && err == nil {
				c.locked(func() { c.counters[backend.CounterHits]++ })
			}
			return e, hit, err
		}
	}},
	{Fault{"ExpiredCountAsHits", "stats/counters", "A Get that finds an expired entry is counted as a hit.", Anything}, func(c *cache) {
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
	}},
	{Fault{"ClearResetsCounters", "stats/counters", "ristretto's Clear: the metrics start again from zero.", Anything}, onAll(func(c *cache, empty func()) {
		empty()
		for name := range c.counters {
			c.counters[name] = 0
		}
	})},
	{Fault{"StatsResetsCounters", "stats/counters", "Metrics that count from one look to the next.", Anything}, func(c *cache) {
		stats := c.stats
		c.stats = func(ctx context.Context) (backend.Stats, error) {
			s, err := stats(ctx)
			c.locked(func() {
				for name := range c.counters {
					c.counters[name] = 0
				}
			})
			return s, err
		}
	}},
	{Fault{"StatsSharesItsMap", "stats/size", "Stats returns the cache's own map, and what the caller does to it is counted.", Anything}, func(c *cache) {
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
	}},
	{Fault{"UpdatesCountAsEvictions", "stats/counters", "OnEvict is called for every replaced entry, and counted.", Anything}, func(c *cache) {
		c.replace = func(old *entry, _ any) bool {
			if old != nil {
				c.counters[backend.CounterEvictions]++
			}
			return true
		}
	}},
	{Fault{"RemovalsCountAsEvictions", "stats/counters", "golang-lru's callback: an entry removed by hand counts as evicted.", Anything}, onKey(func(c *cache, e *entry, remove func()) {
		if remove(); e != nil {
			c.counters[backend.CounterEvictions]++
		}
	})},
	{Fault{"ClearCountsAsEvictions", "stats/counters", "Purge calls the eviction callback for each entry.", Anything}, onAll(func(c *cache, wipe func()) {
		c.counters[backend.CounterEvictions] += uint64(len(c.entries))
		wipe()
	})},
	{Fault{"ExpirationsCountTwice", "stats/counters", "An expired entry is counted when a Get finds it and again when it is swept.", Anything}, func(c *cache) {
		get := c.get
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			if e := c.peek(key); e != nil && !before(e) {
				c.locked(func() { c.counters[backend.CounterExpirations]++ })
			}
			return get(ctx, key)
		}
	}},
	{Fault{"DeadlinesCountAsExpirations", "stats/counters", "A timer is set for each TTL and not stopped when the entry is replaced or removed; it counts an expiration when it fires.", Anything}, func(c *cache) {
		var timers []time.Time
		put, stats := c.put, c.stats
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			err := put(ctx, key, value, ttl)
			if err == nil && ttl != nil && *ttl > 0 {
				c.locked(func() { timers = append(timers, time.Now().Add(*ttl)) })
			}
			return err
		}
		c.stats = func(ctx context.Context) (backend.Stats, error) {
			s, err := stats(ctx)
			if err == nil {
				fired := uint64(0)
				c.locked(func() {
					for _, at := range timers {
						if !time.Now().Before(at) {
							fired++
						}
					}
				})
				s.Counters[backend.CounterExpirations] = fired
			}
			return s, err
		}
	}},
	{Fault{"CountersSampled", "stats/counters", "One hit in ten is counted, as ten.", Anything}, func(c *cache) {
		n := 0
		get := c.get
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			e, hit, err := get(ctx, key)
			if hit {
				c.locked(func() {
					if n++; n%10 == 0 {
						c.counters[backend.CounterHits] += 9
					} else {
						c.counters[backend.CounterHits]--
					}
				})
			}
			return e, hit, err
		}
	}},
	{Fault{"CountersLoseUpdates", "stats/counters", "counter = counter + 1 on an atomic, in two steps: an update that is slow takes back those that came between.", Anything}, func(c *cache) {
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
	}},
	{Fault{"CounterFalls", "stats/counters", "A miss that a Put soon makes good is taken back from the count.", Anything}, func(c *cache) {
		c.replace = func(old *entry, _ any) bool {
			if old == nil && c.counters[backend.CounterMisses] > 0 {
				c.counters[backend.CounterMisses]--
			}
			return true
		}
	}},
	{Fault{"UnlockedCounter", "concurrent/race", "hits++ without a lock: a data race, which only the race detector sees for certain.", RaceDetector}, func(c *cache) {
		var hits uint64
		get := c.get
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			hits++
			return get(ctx, key)
		}
	}},
	{Fault{"PrintsOnClear", "invalidate/nil", "bigcache: a message for the developer goes to standard output.", Anything}, onAll(func(_ *cache, wipe func()) {
		wipe()
		fmt.Println("faulty: cleared")
	})},
}

package faulty

import (
	"context"
	"math"
	"runtime"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// ttlFaults break the rules ttl/*.
var ttlFaults = []mutation{
	{
		Fault{
			Name: "ZeroTTLMakesRoom", Rule: "ttl/zero", Needs: Anything,
			Doc: "A Put with a TTL of zero evicts an entry of a full cache before it sees that it stores " +
				"nothing.",
		},
		func(c *cache) {
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
		},
	},
	{
		Fault{
			Name: "NilIsDefault", Rule: "ttl/none", Needs: Anything,
			Doc: "go-cache, groupcache: an entry without a TTL gets the library's default lifetime of five " +
				"minutes.",
		},
		withTTL(func(_ *entry, ttl *time.Duration) *time.Duration {
			if ttl == nil {
				return new(5 * time.Minute)
			}
			return ttl
		}),
	},
	{
		Fault{
			Name: "IdleEntriesDie", Rule: "ttl/none", Needs: Anything,
			Doc: "expireAfterAccess by default: an entry that is not read for ten hours is removed.",
		},
		func(c *cache) {
			used := map[*entry]time.Time{}
			c.touch = func(e *entry) { c.recent.MoveToFront(e.place); used[e] = time.Now() }
			c.live = func(e *entry) bool {
				last := e.put
				if t, ok := used[e]; ok {
					last = t
				}
				return before(e) && time.Since(last) < 10*time.Hour
			}
		},
	},
	{
		Fault{
			Name: "SkippedBucket", Rule: "ttl/expires", Needs: Anything,
			Doc: "ristretto v0.2: the sweep visits one bucket of deadlines per tick and skips some, and Get " +
				"does not check deadlines.",
		},
		func(c *cache) {
			skip := func(e *entry) bool { return e.deadline.UnixNano()/1000%5 == 3 }
			c.live = func(e *entry) bool { return before(e) || skip(e) }
		},
	},
	{
		Fault{
			Name: "CountsFromTheTick", Rule: "ttl/notearly", Needs: Anything,
			Doc: "A timer wheel counts a TTL from its last tick and not from the Put.",
		},
		func(c *cache) {
			c.lifetime = func(old *entry, ttl *time.Duration) (time.Time, bool) {
				d, ok := deadline(old, ttl)
				if !d.IsZero() && *ttl > 50*time.Millisecond {
					d = d.Add(-time.Duration(time.Now().UnixNano() % int64(50*time.Millisecond)))
				}
				return d, ok
			}
		},
	},
	{
		Fault{
			Name: "MissesAge", Rule: "ttl/notearly", Needs: Anything,
			Doc: "The index into the deadline heap is stale, so a Get of an expired entry also removes its " +
				"neighbour.",
		},
		func(c *cache) {
			get := c.get
			c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
				if e := c.peek(key); e != nil && !before(e) {
					c.locked(func() {
						if next := e.place.Next(); next != nil && !next.Value.(*entry).deadline.IsZero() {
							c.remove(next.Value.(*entry))
						}
					})
				}
				return get(ctx, key)
			}
		},
	},
	{
		Fault{
			Name: "MinusTwoIsPrevious", Rule: "ttl/zero", Needs: Anything,
			Doc: "ttlcache: a TTL of exactly -2 means the TTL of the earlier entry.",
		},
		withTTL(func(old *entry, ttl *time.Duration) *time.Duration {
			switch {
			case ttl == nil || *ttl != -2 || old == nil:
				return ttl
			case old.deadline.IsZero():
				return nil
			}
			return new(time.Until(old.deadline))
		}),
	},
	{
		Fault{
			Name: "LowestOverflows", Rule: "ttl/zero", Needs: Anything,
			Doc: "The smallest Duration is negated and overflows, so the entry never expires.",
		},
		withTTL(func(_ *entry, ttl *time.Duration) *time.Duration {
			if ttl != nil && *ttl == math.MinInt64 {
				return nil
			}
			return ttl
		}),
	},
	{
		Fault{
			Name: "SameValueKeepsTTL", Rule: "ttl/overwrite", Needs: StringValues,
			Doc: "A Put of an equal value is skipped, and its new TTL with it.",
		},
		func(c *cache) {
			c.replace = func(old *entry, value any) bool {
				return old == nil || !c.live(old) || old.value != value
			}
		},
	},
	{
		Fault{
			Name: "SlidesWhenListed", Rule: "ttl/overwrite", Needs: Anything,
			Doc: "Stats and All call a Get that extends lifetimes.",
		},
		func(c *cache) {
			stats := c.stats
			c.stats = func(ctx context.Context) (backend.Stats, error) {
				s, err := stats(ctx)
				c.locked(func() {
					for _, e := range c.entries {
						if !e.deadline.IsZero() {
							e.deadline = e.deadline.Add(time.Since(e.put))
							e.put = time.Now()
						}
					}
				})
				return s, err
			}
		},
	},
	{
		Fault{
			Name: "ClearLeavesDeadlines", Rule: "ttl/overwrite", Needs: Anything,
			Doc: "ristretto v0.2: Clear keeps the buckets of deadlines, and a sweep removes entries that " +
				"were put later without a TTL.",
		},
		oldDeadlines(func(key *any) bool { return key == nil }),
	},
	{
		Fault{
			Name: "EvictionLeavesDeadline", Rule: "ttl/overwrite", Needs: Anything,
			Doc: "The deadline of an evicted entry stays in the heap and later removes the key's new entry.",
		},
		func(c *cache) {
			due := map[any]time.Time{}
			c.room = func() {
				if e := c.oldest(); e != nil && len(c.entries) == c.capacity && !e.deadline.IsZero() {
					due[c.id(e.key)] = e.deadline
				}
				c.evict()
			}
			c.live = func(e *entry) bool {
				t, ok := due[c.id(e.key)]
				return before(e) && (!ok || time.Now().Before(t))
			}
		},
	},
	{
		Fault{
			Name: "StatsSweepInTwoSteps", Rule: "ttl/overwrite", Needs: Anything,
			Doc: "go-cache users call DeleteExpired before ItemCount. A Put between the two steps is " +
				"removed.",
		},
		func(c *cache) {
			stats := c.stats
			c.stats = func(ctx context.Context) (backend.Stats, error) {
				sweepInTwoSteps(c)
				return stats(ctx)
			}
		},
	},
	rounded("RoundsUpToMicros", "A TTL is rounded up to microseconds.", func(d time.Duration) time.Duration {
		return ceil(d, time.Microsecond)
	}),
	rounded("AtLeastTenMillis", "The smallest TTL is one tick of ten milliseconds.", func(d time.Duration) time.Duration { return max(d, 10*time.Millisecond) }),
	{
		Fault{
			Name: "LargestIsOver", Rule: "ttl/range", Needs: Anything,
			Doc: "The deadline of the largest Duration overflows, so the entry is expired at once.",
		},
		withTTL(func(_ *entry, ttl *time.Duration) *time.Duration {
			if ttl != nil && *ttl == math.MaxInt64 {
				return new(time.Duration)
			}
			return ttl
		}),
	},
	{
		Fault{
			Name: "AllShowsExpired", Rule: "ttl/expires", Needs: Anything,
			Doc: "expirable, go-cache: a listing yields entries whose TTL has passed.",
		},
		func(c *cache) {
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
		},
	},
	{
		Fault{
			Name: "EntryDeadlineSlips", Rule: "ttl/range", Needs: Anything,
			Doc: "GetEntry adds the remaining TTL to the current time at each call, so the deadline moves.",
		},
		func(c *cache) {
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
		},
	},
}

// withTTL makes a fault that takes another TTL than the one given. It sees the
// entry before, if any.
func withTTL(f func(old *entry, ttl *time.Duration) *time.Duration) func(c *cache) {
	return func(c *cache) {
		c.lifetime = func(old *entry, ttl *time.Duration) (time.Time, bool) { return deadline(old, f(old, ttl)) }
	}
}

// rounded makes a fault that keeps f of a positive TTL.
func rounded(name, doc string, f func(d time.Duration) time.Duration) mutation {
	return mutation{Fault{name, "ttl/range", doc, Anything}, withTTL(func(_ *entry, ttl *time.Duration) *time.Duration {
		if ttl != nil && *ttl > 0 {
			return new(f(*ttl))
		}
		return ttl
	})}
}

func ceil(d, unit time.Duration) time.Duration {
	if d > math.MaxInt64-unit {
		return d
	}
	return (d + unit - 1).Truncate(unit)
}

// oldDeadlines makes a fault that remembers the deadlines of entries which some
// call of Invalidate removed, and applies them to what is put later.
func oldDeadlines(when func(key *any) bool) func(c *cache) {
	return func(c *cache) {
		due := map[any]time.Time{}
		invalidate := c.invalidate
		c.invalidate = func(ctx context.Context, key *any) error {
			if when(key) {
				c.locked(func() {
					for id, e := range c.entries {
						if !e.deadline.IsZero() && (key == nil || e.key == *key) {
							due[id] = e.deadline
						}
					}
				})
			}
			return invalidate(ctx, key)
		}
		c.live = func(e *entry) bool {
			t, ok := due[c.id(e.key)]
			return before(e) && (!ok || time.Now().Before(t))
		}
	}
}

// sweepInTwoSteps removes what has expired, and whatever has taken its place
// meanwhile.
func sweepInTwoSteps(c *cache) {
	var dead []any
	c.locked(func() {
		for _, e := range c.entries {
			if !before(e) {
				dead = append(dead, e.key)
			}
		}
	})
	for range 3 {
		runtime.Gosched()
	}
	c.locked(func() {
		for _, key := range dead {
			c.remove(c.entries[c.id(key)])
		}
	})
}

package faulty

import (
	"context"
	"math"
	"runtime"
	"time"

	"github.com/cachepact/cachepact/backend"
)

const day = 24 * time.Hour

// ttlFaults break the rules ttl/*.
var ttlFaults = []mutation{
	{Fault{"NilIsDefault", "ttl/none", "go-cache, groupcache: an entry without a TTL gets the library's default of five minutes.", Anything}, withTTL(func(_ *entry, ttl *time.Duration) *time.Duration {
		if ttl == nil {
			return new(5 * time.Minute)
		}
		return ttl
	})},
	{Fault{"NilIsADay", "ttl/none", "A default lifetime that tests rarely wait for: 24 hours.", Anything}, withTTL(func(_ *entry, ttl *time.Duration) *time.Duration {
		if ttl == nil {
			return new(day)
		}
		return ttl
	})},
	{Fault{"NilIsThirtyDays", "ttl/none", "CDN and memcached wrappers: the longest lifetime, 30 days, stands for never.", Anything}, withTTL(func(_ *entry, ttl *time.Duration) *time.Duration {
		if ttl == nil {
			return new(30 * day)
		}
		return ttl
	})},
	{Fault{"IdleEntriesDie", "ttl/none", "expireAfterAccess by default: what nobody has read for ten hours is gone.", Anything}, func(c *cache) {
		used := map[*entry]time.Time{}
		c.touch = func(e *entry) { c.recent.MoveToFront(e.place); used[e] = time.Now() }
		c.live = func(e *entry) bool {
			last := e.put
			if t, ok := used[e]; ok {
				last = t
			}
			return before(e) && time.Since(last) < 10*time.Hour
		}
	}},
	{Fault{"SweeperTakesImmortals", "ttl/none", "ristretto v0.2: the zero deadline of an entry without a TTL lies in the past, and a sweep set off by others takes it.", Anything}, func(c *cache) {
		c.every(10*time.Second, func() {
			c.locked(func() {
				due := false
				for _, e := range c.entries {
					due = due || !e.deadline.IsZero() && !c.live(e)
				}
				for _, e := range c.entries {
					if due && time.Now().After(e.deadline) {
						c.remove(e)
					}
				}
			})
		})
	}},
	{Fault{"NilTakesTheLastTTL", "ttl/none", "An options struct that is reused: an entry without a TTL gets that of the Put before.", Anything}, func(c *cache) {
		var last *time.Duration
		withTTL(func(_ *entry, ttl *time.Duration) *time.Duration {
			if ttl == nil {
				ttl, last = last, nil
				return ttl
			}
			last = nil
			if *ttl > 0 {
				last = new(*ttl)
			}
			return ttl
		})(c)
	}},

	{Fault{"TTLIgnored", "ttl/expires", "golang-lru, fastcache: there is no TTL, and an adapter that takes one and ignores it.", Anything}, withTTL(func(_ *entry, ttl *time.Duration) *time.Duration {
		if ttl != nil && *ttl > 0 {
			return nil
		}
		return ttl
	})},
	{Fault{"ExpiresBySweepOnly", "ttl/expires", "bigcache: Get does not look at the deadline, only a sweep each second does.", Anything}, func(c *cache) {
		c.live = func(*entry) bool { return true }
		c.every(time.Second, func() {
			c.locked(func() {
				for _, e := range c.entries {
					if !before(e) {
						c.remove(e)
					}
				}
			})
		})
	}},
	{Fault{"ServesStaleOnce", "ttl/expires", "stale-while-revalidate: the first Get after the deadline still returns the entry.", Anything}, func(c *cache) {
		get := c.get
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			if e := c.peek(key); e != nil && !before(e) {
				var value any
				c.locked(func() {
					value = c.out(e.value)
					c.remove(e)
				})
				return backend.Entry[any]{Value: value}, true, nil
			}
			return get(ctx, key)
		}
	}},
	{Fault{"FewExpiredServed", "ttl/expires", "A lazy expiry that starts with the second dead entry: a cache of one entry never notices.", Anything}, func(c *cache) {
		c.live = func(e *entry) bool { return before(e) || len(c.entries) == 1 }
	}},
	{Fault{"JitterLate", "ttl/expires", "Jitter against stampedes: up to a tenth is added to each TTL.", Anything}, withTTL(func(_ *entry, ttl *time.Duration) *time.Duration {
		if ttl != nil && *ttl > 0 && *ttl < math.MaxInt64/2 {
			return new(*ttl + *ttl/10)
		}
		return ttl
	})},
	{Fault{"CoarseClock", "ttl/expires", "A cached clock (fasthttp, freecache's timer): the time is read only every 100 ms.", Anything}, func(c *cache) {
		now := time.Now()
		c.every(100*time.Millisecond, func() { c.locked(func() { now = time.Now() }) })
		c.live = func(e *entry) bool { return e.deadline.IsZero() || now.Before(e.deadline) }
	}},
	{Fault{"SkippedBucket", "ttl/expires", "ristretto v0.2: a sweep that visits one bucket of deadlines each tick misses some for ever, and Get relies on it.", Anything}, func(c *cache) {
		skip := func(e *entry) bool { return e.deadline.UnixNano()/1000%5 == 3 }
		c.live = func(e *entry) bool { return before(e) || skip(e) }
	}},
	{Fault{"DeadRevivedByRead", "ttl/expires", "An expired entry is only marked, and a second Get clears the mark.", Anything}, func(c *cache) {
		get := c.get
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			if e := c.peek(key); e != nil && !before(e) {
				c.locked(func() { e.deadline = time.Time{} })
				return backend.Entry[any]{}, false, nil
			}
			return get(ctx, key)
		}
	}},

	{Fault{"JitterEarly", "ttl/notearly", "Early refresh (XFetch): an entry may go a tenth before its TTL is over.", Anything}, withTTL(func(_ *entry, ttl *time.Duration) *time.Duration {
		if ttl != nil && *ttl > 10 {
			return new(*ttl - *ttl/10)
		}
		return ttl
	})},
	{Fault{"WholeSecondClock", "ttl/notearly", "freecache: deadlines are kept in whole seconds of the wall clock, and 1 s may last 1 ms.", Anything}, func(c *cache) {
		c.lifetime = func(old *entry, ttl *time.Duration) (time.Time, bool) {
			d, ok := deadline(old, ttl)
			if !d.IsZero() && *ttl >= time.Second {
				d = d.Truncate(time.Second)
			}
			return d, ok
		}
	}},
	{Fault{"SweepsEarly", "ttl/notearly", "A sweep that takes what will be due before its next turn.", Anything}, func(c *cache) {
		c.every(time.Second, func() {
			c.locked(func() {
				for _, e := range c.entries {
					if !e.deadline.IsZero() && time.Until(e.deadline) < time.Second {
						c.remove(e)
					}
				}
			})
		})
	}},
	{Fault{"CountsFromTheTick", "ttl/notearly", "A timer wheel counts a TTL from its last tick, not from the Put.", Anything}, func(c *cache) {
		c.lifetime = func(old *entry, ttl *time.Duration) (time.Time, bool) {
			d, ok := deadline(old, ttl)
			if !d.IsZero() && *ttl > 50*time.Millisecond {
				d = d.Add(-time.Duration(time.Now().UnixNano() % int64(50*time.Millisecond)))
			}
			return d, ok
		}
	}},
	{Fault{"OneDueAllBefore", "ttl/notearly", "A queue of deadlines in the order of the Puts: when an entry is due, so is what was put before it.", Anything}, func(c *cache) {
		due, n := 0, 0
		number := map[*entry]int{}
		c.live = func(e *entry) bool {
			if number[e] == 0 {
				n++
				number[e] = n
			}
			if !before(e) {
				due = max(due, number[e])
			}
			return e.deadline.IsZero() || number[e] > due
		}
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			err := put(ctx, key, value, ttl)
			if e := c.peek(key); e != nil {
				c.locked(func() { c.live(e) })
			}
			return err
		}
	}},
	{Fault{"MissesAge", "ttl/notearly", "A heap index that is not moved along: every expired entry that is read takes its neighbour with it.", Anything}, func(c *cache) {
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
	}},

	{Fault{"ZeroIsForever", "ttl/zero", "ristretto, Redis' SET without EX: a TTL of 0 means none.", Anything}, withTTL(func(_ *entry, ttl *time.Duration) *time.Duration {
		if ttl != nil && *ttl == 0 {
			return nil
		}
		return ttl
	})},
	{Fault{"ZeroIsDefault", "ttl/zero", "go-cache: a TTL of 0 means the default lifetime.", Anything}, withTTL(func(_ *entry, ttl *time.Duration) *time.Duration {
		if ttl != nil && *ttl == 0 {
			return new(5 * time.Minute)
		}
		return ttl
	})},
	{Fault{"NegativeIsForever", "ttl/zero", "go-cache, ttlcache: a negative TTL means never.", Anything}, withTTL(func(_ *entry, ttl *time.Duration) *time.Duration {
		if ttl != nil && *ttl < 0 {
			return nil
		}
		return ttl
	})},
	{Fault{"MinusOneIsForever", "ttl/zero", "go-cache's NoExpiration: a TTL of exactly -1 means never.", Anything}, withTTL(func(_ *entry, ttl *time.Duration) *time.Duration {
		if ttl != nil && *ttl == -1 {
			return nil
		}
		return ttl
	})},
	{Fault{"MinusTwoIsPrevious", "ttl/zero", "ttlcache: a TTL of exactly -2 means that of the entry before.", Anything}, withTTL(func(old *entry, ttl *time.Duration) *time.Duration {
		switch {
		case ttl == nil || *ttl != -2 || old == nil:
			return ttl
		case old.deadline.IsZero():
			return nil
		}
		return new(time.Until(old.deadline))
	})},
	{Fault{"ZeroIsNoop", "ttl/zero", "ristretto: SetWithTTL with a negative TTL does nothing and keeps the old value.", Anything}, func(c *cache) {
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			if ttl != nil && *ttl <= 0 && c.begin("put", &key) == nil {
				c.mu.Unlock()
				return nil
			}
			return put(ctx, key, value, ttl)
		}
	}},
	{Fault{"ZeroIsError", "ttl/zero", "Redis' SET with EX 0: an error, and nothing is removed.", Anything}, func(c *cache) {
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			if ttl != nil && *ttl <= 0 && c.begin("put", &key) == nil {
				c.mu.Unlock()
				return c.fail("put", &key, context.DeadlineExceeded)
			}
			return put(ctx, key, value, ttl)
		}
	}},
	{Fault{"ZeroDiesNextTick", "ttl/zero", "Deadlines compared by After: an entry whose deadline is now is still alive.", Anything}, func(c *cache) {
		c.lifetime = func(_ *entry, ttl *time.Duration) (time.Time, bool) {
			if ttl == nil {
				return time.Time{}, true
			}
			return time.Now().Add(*ttl), true
		}
		c.live = func(e *entry) bool { return e.deadline.IsZero() || !time.Now().After(e.deadline) }
	}},
	{Fault{"LowestOverflows", "ttl/zero", "The lowest Duration made positive by -ttl, which it does not become: it never expires.", Anything}, withTTL(func(_ *entry, ttl *time.Duration) *time.Duration {
		if ttl != nil && *ttl == math.MinInt64 {
			return nil
		}
		return ttl
	})},
	{Fault{"ZeroLeavesImmortals", "ttl/zero", "A TTL of zero expires what has a deadline, but an entry without one stays.", Anything}, func(c *cache) {
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			if e := c.peek(key); e != nil && e.deadline.IsZero() && ttl != nil && *ttl <= 0 {
				return nil
			}
			return put(ctx, key, value, ttl)
		}
	}},

	{Fault{"NilKeepsOldTTL", "ttl/overwrite", "theine: an update without a TTL keeps the TTL of the entry before.", Anything}, func(c *cache) {
		c.lifetime = func(old *entry, ttl *time.Duration) (time.Time, bool) {
			if ttl == nil && old != nil && c.live(old) {
				return old.deadline, true
			}
			return deadline(old, ttl)
		}
	}},
	{Fault{"UpdateKeepsTTL", "ttl/overwrite", "Redis' KEEPTTL, otter's calculator at 0: an update never changes the deadline.", Anything}, func(c *cache) {
		c.lifetime = func(old *entry, ttl *time.Duration) (time.Time, bool) {
			if old != nil && c.live(old) && (ttl == nil || *ttl > 0) {
				return old.deadline, true
			}
			return deadline(old, ttl)
		}
	}},
	{Fault{"NeverShortens", "ttl/overwrite", "libp2p's address book: a TTL is only ever extended.", Anything}, func(c *cache) {
		c.lifetime = func(old *entry, ttl *time.Duration) (time.Time, bool) {
			d, ok := deadline(old, ttl)
			if ok && old != nil && c.live(old) && !d.IsZero() && !old.deadline.IsZero() && old.deadline.After(d) {
				d = old.deadline
			}
			return d, ok
		}
	}},
	{Fault{"NeverExtends", "ttl/overwrite", "The old deadline stays in the queue and takes the updated entry.", Anything}, func(c *cache) {
		c.lifetime = func(old *entry, ttl *time.Duration) (time.Time, bool) {
			d, ok := deadline(old, ttl)
			if ok && old != nil && c.live(old) && !d.IsZero() && !old.deadline.IsZero() && old.deadline.Before(d) {
				d = old.deadline
			}
			return d, ok
		}
	}},
	{Fault{"NeverAddsTTL", "ttl/overwrite", "An entry that once had no TTL is not in the queue of deadlines, and an update does not put it there.", Anything}, func(c *cache) {
		c.lifetime = func(old *entry, ttl *time.Duration) (time.Time, bool) {
			d, ok := deadline(old, ttl)
			if ok && old != nil && old.deadline.IsZero() {
				d = time.Time{}
			}
			return d, ok
		}
	}},
	{Fault{"SameValueKeepsTTL", "ttl/overwrite", "A write of an unchanged value is saved, and with it the new TTL.", StringValues}, func(c *cache) {
		c.replace = func(old *entry, value any) bool {
			return old == nil || !c.live(old) || old.value != value
		}
	}},
	{Fault{"SlidingExpiry", "ttl/overwrite", "ttlcache's default: each Get starts the TTL anew.", Anything}, func(c *cache) {
		c.touch = func(e *entry) {
			if !e.deadline.IsZero() {
				ttl := e.deadline.Sub(e.put)
				e.put = time.Now()
				e.deadline = e.put.Add(ttl)
			}
		}
	}},
	{Fault{"SlidesWhenListed", "ttl/overwrite", "A listing implemented by Get with touch: Stats and All extend every TTL.", Anything}, func(c *cache) {
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
	}},
	{Fault{"ClearLeavesDeadlines", "ttl/overwrite", "ristretto v0.2: Clear leaves the buckets of deadlines, and a sweep takes what was put again without a TTL.", Anything}, oldDeadlines(func(key *any) bool { return key == nil })},
	{Fault{"InvalidateLeavesDeadline", "ttl/overwrite", "A deadline stays in the heap when its entry is removed by hand, and later takes the key's new entry.", Anything}, oldDeadlines(func(key *any) bool { return key != nil })},
	{Fault{"EvictionLeavesDeadline", "ttl/overwrite", "A deadline stays in the heap when its entry is evicted, and later takes the key's new entry.", Anything}, func(c *cache) {
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
	}},
	{Fault{"TimerOfTheOldEntry", "ttl/overwrite", "time.AfterFunc for each entry, not stopped by an update: the old timer removes the new entry.", Anything}, func(c *cache) {
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			err := put(ctx, key, value, ttl)
			if err == nil && ttl != nil && *ttl > 0 {
				time.AfterFunc(*ttl, func() { c.locked(func() { c.remove(c.entries[c.id(key)]) }) })
			}
			return err
		}
	}},
	{Fault{"LateRemoval", "ttl/overwrite", "golang-lru with expiry in an adapter: Get finds an expired entry, and removes the key a moment later, when it holds a fresh one.", Anything}, func(c *cache) {
		get := c.get
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			if e := c.peek(key); e != nil && !before(e) {
				runtime.Gosched()
				c.locked(func() { c.remove(c.entries[c.id(key)]) })
			}
			return get(ctx, key)
		}
	}},
	{Fault{"SweepInTwoSteps", "ttl/overwrite", "A sweeper collects the expired keys under a read lock and deletes them under the write lock, whatever they hold by then.", Anything}, func(c *cache) {
		c.every(time.Second, func() { sweepInTwoSteps(c) })
	}},
	{Fault{"StatsSweepInTwoSteps", "ttl/overwrite", "go-cache users' trick: DeleteExpired before ItemCount, in two steps between which a Put may come.", Anything}, func(c *cache) {
		stats := c.stats
		c.stats = func(ctx context.Context) (backend.Stats, error) {
			sweepInTwoSteps(c)
			return stats(ctx)
		}
	}},

	rounded("RoundsUpToSeconds", "A TTL in whole seconds, rounded up so that it does not become 0.", func(d time.Duration) time.Duration {
		return ceil(d, time.Second)
	}),
	rounded("RoundsUpToMillis", "Redis' PX: a TTL in whole milliseconds, rounded up.", func(d time.Duration) time.Duration {
		return ceil(d, time.Millisecond)
	}),
	rounded("RoundsUpToMicros", "A TTL in whole microseconds, rounded up.", func(d time.Duration) time.Duration {
		return ceil(d, time.Microsecond)
	}),
	rounded("CutsToSeconds", "freecache: a TTL is cut to whole seconds, and one below a second becomes 0, which is never.", func(d time.Duration) time.Duration {
		if d < time.Second {
			return math.MaxInt64
		}
		return d.Truncate(time.Second)
	}),
	rounded("CutsToMillis", "A TTL in milliseconds: what is below one is lost.", func(d time.Duration) time.Duration { return d.Truncate(time.Millisecond) }),
	rounded("AtLeastTenMillis", "A smallest TTL of one tick: less lasts as long.", func(d time.Duration) time.Duration { return max(d, 10*time.Millisecond) }),
	rounded("AtMostADay", "A longest TTL of a day that is not declared.", func(d time.Duration) time.Duration { return min(d, day) }),
	rounded("AtMostAYear", "A longest TTL of a year that is not declared.", func(d time.Duration) time.Duration { return min(d, 365*day) }),
	rounded("Int32Nanos", "A TTL in 32 bits of nanoseconds: more than 2.1 s wraps.", func(d time.Duration) time.Duration { return time.Duration(int32(d)) }),
	rounded("Int32Micros", "A TTL in 32 bits of microseconds: more than 35 minutes wraps.", func(d time.Duration) time.Duration {
		return time.Duration(int32(d/time.Microsecond))*time.Microsecond + d%time.Microsecond
	}),
	rounded("Int32Millis", "JavaScript's setTimeout: more than 24.9 days of milliseconds wraps in 32 bits.", func(d time.Duration) time.Duration {
		return time.Duration(int32(d/time.Millisecond))*time.Millisecond + d%time.Millisecond
	}),
	rounded("Uint16Seconds", "A TTL in 16 bits of seconds: more than 18 hours wraps.", func(d time.Duration) time.Duration {
		return time.Duration(uint16(d/time.Second))*time.Second + d%time.Second
	}),
	rounded("Int32Seconds", "A TTL in 32 bits of seconds: more than 68 years wraps.", func(d time.Duration) time.Duration {
		return time.Duration(int32(d/time.Second))*time.Second + d%time.Second
	}),
	rounded("MoreThan30Days", "memcached: more than 30 days is taken for a moment since 1970, which is long past.", func(d time.Duration) time.Duration {
		if d > 30*day {
			return -1
		}
		return d
	}),
	rounded("WheelWraps", "A timer wheel of one hour: a longer TTL falls into the slot of its remainder.", func(d time.Duration) time.Duration {
		if d > time.Hour && d < math.MaxInt64 {
			return d%time.Hour + 1
		}
		return d
	}),
	rounded("Float32Seconds", "A TTL as a float32 of seconds: seven digits.", func(d time.Duration) time.Duration {
		f := float64(float32(d.Seconds())) * 1e9
		if f >= math.MaxInt64 {
			return math.MaxInt64
		}
		return time.Duration(f)
	}),
	{Fault{"UnixNanoOverflows", "ttl/range", "go-cache, freecache: now+ttl overflows 64 bits of nanoseconds, and the largest TTLs are over at once.", Anything}, func(c *cache) {
		c.lifetime = func(old *entry, ttl *time.Duration) (time.Time, bool) {
			d, ok := deadline(old, ttl)
			if !d.IsZero() {
				d = time.Unix(0, time.Now().UnixNano()+int64(*ttl))
			}
			return d, ok
		}
	}},
	{Fault{"TinyIsError", "ttl/range", "expirable: a TTL too short for its ticker panics or fails.", Anything}, func(c *cache) {
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			if ttl != nil && *ttl > 0 && *ttl < 100 {
				return c.fail("put", &key, context.DeadlineExceeded)
			}
			return put(ctx, key, value, ttl)
		}
	}},
	{Fault{"LargestIsOver", "ttl/range", "The largest Duration, often used for never, is one more than the library's arithmetic bears.", Anything}, withTTL(func(_ *entry, ttl *time.Duration) *time.Duration {
		if ttl != nil && *ttl == math.MaxInt64 {
			return new(time.Duration)
		}
		return ttl
	})},
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

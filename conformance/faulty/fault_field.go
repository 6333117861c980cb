package faulty

import (
	"context"
	"crypto/md5"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// fieldFaults came up in caches of other architectures than this one's: tables
// that are copied, rings, actors, write-behind queues, connection pools.
var fieldFaults = []mutation{
	byText("KeyMD5", "memcached clients: a key too long for the protocol is replaced by its MD5, of which collisions are published.", func(s string) any {
		if len(s) > 100 {
			return md5.Sum([]byte(s))
		}
		return s
	}),
	{Fault{"VersionOfAByte", "hit/overwrite", "The Put number 256 of a key has the version of an old one and is taken for late.", Anything}, func(c *cache) {
		versions := map[any]int{}
		c.replace = func(old *entry, _ any) bool {
			if old == nil {
				return true
			}
			versions[c.id(old.key)]++
			return versions[c.id(old.key)]%256 != 0
		}
	}},
	{Fault{"GenerationOfAByte", "invalidate/nil", "Clear raises a generation of eight bits: after 256 of them the entries of the first are back.", Anything}, func(c *cache) {
		var was map[any]*entry
		clears := 0
		onAll(func(c *cache, empty func()) {
			if clears == 0 {
				was = c.entries
			}
			empty()
			if clears++; clears == 256 && len(was) > 0 {
				c.entries = was
				for _, e := range was {
					e.place = c.recent.PushFront(e)
				}
			}
		})(c)
	}},
	{Fault{"RemovedHoldRoom", "hit/put", "A FIFO of keys in which the removed stay: they hold room, and live entries go in their stead.", Anything}, func(c *cache) {
		held := 0
		onKey(func(_ *cache, e *entry, remove func()) {
			if remove(); e != nil {
				held++
			}
		})(c)
		room := c.room
		c.room = func() {
			if room(); c.capacity > 0 && held > 0 && len(c.entries)+held >= c.capacity {
				held--
				c.remove(c.oldest())
			}
		}
	}},
	{Fault{"OneFlight", "concurrent/key", "singleflight around Get: one that starts after a Put joins a flight from before it.", Anything}, func(c *cache) {
		type flight struct {
			done chan struct{}
			e    backend.Entry[any]
			hit  bool
			err  error
		}
		var flights sync.Map
		get := c.get
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			if err := c.check(key); err != nil {
				return get(ctx, key)
			}
			mine := &flight{done: make(chan struct{})}
			if other, shared := flights.LoadOrStore(c.id(key), mine); shared {
				f := other.(*flight)
				<-f.done
				return f.e, f.hit, f.err
			}
			mine.e, mine.hit, mine.err = get(ctx, key)
			runtime.Gosched()
			flights.Delete(c.id(key))
			close(mine.done)
			return mine.e, mine.hit, mine.err
		}
	}},
	{Fault{"BatchLocksCross", "concurrent/race", "PutMany locks the shards of its keys in the order given: two batches in different orders wait for each other.", Anything}, func(c *cache) {
		var shards sync.Map
		putMany := c.putMany
		c.putMany = func(ctx context.Context, items []backend.Item[any, any]) error {
			held := map[any]bool{}
			for _, it := range items {
				if c.check(it.Key) == nil && !held[it.Key] {
					held[it.Key] = true
					lock, _ := shards.LoadOrStore(it.Key, new(sync.Mutex))
					lock.(*sync.Mutex).Lock()
					defer lock.(*sync.Mutex).Unlock()
					runtime.Gosched()
				}
			}
			return putMany(ctx, items)
		}
	}},
	{Fault{"AllRepeatsUnderWrites", "hit/put", "A cursor over a table that is rehashed meanwhile: a listing during writes yields some keys twice.", Anything}, func(c *cache) {
		var writing atomic.Int64
		put, all := c.put, c.all
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			writing.Add(1)
			return put(ctx, key, value, ttl)
		}
		c.all = func(yield func(any, any) bool) {
			before := writing.Load()
			all(func(key, value any) bool {
				runtime.Gosched()
				if !yield(key, value) {
					return false
				}
				return writing.Load() == before || yield(key, value)
			})
		}
	}},
	{Fault{"BatchOfNothingFails", "hit/put", "MGET without keys is a syntax error.", Anything}, func(c *cache) {
		getMany := c.getMany
		c.getMany = func(ctx context.Context, keys []any) (map[any]any, error) {
			if len(keys) == 0 {
				return nil, failure("get many", nil, backend.ErrKey)
			}
			return getMany(ctx, keys)
		}
	}},
	{Fault{"CancelledPutIsHalfDone", "ctx/done", "A cancelled Put returns the context's error after its index entry was written, which is counted for ever.", Anything}, func(c *cache) {
		put, stats := c.put, c.stats
		var half atomic.Int64
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			if err := ctx.Err(); err != nil {
				half.Add(1)
				return c.fail("put", &key, err)
			}
			return put(ctx, key, value, ttl)
		}
		c.stats = func(ctx context.Context) (backend.Stats, error) {
			s, err := stats(ctx)
			if err == nil {
				s.Size += half.Load()
			}
			return s, err
		}
	}},
	{Fault{"RefusalsCountAsMisses", "stats/counters", "A Put that the admission policy refuses is counted as a miss.", Anything}, func(c *cache) {
		c.traits.Rejects = true
		c.replace = func(old *entry, _ any) bool {
			if old == nil && c.capacity > 0 && len(c.entries) >= c.capacity && c.counters[backend.CounterMisses]%2 == 0 {
				c.counters[backend.CounterMisses]++
				return false
			}
			return true
		}
	}},
	{Fault{"ClearOvertakesQueue", "invalidate/nil", "Invalidate of all empties the table at once, and the writes that are still queued follow.", Anything}, func(c *cache) {
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
	}},
}

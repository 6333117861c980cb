package faulty

import (
	"context"
	"errors"
	"hash/fnv"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"github.com/cachepact/cachepact/backend"
)

// hitFaults break hit/absent, hit/put and hit/isolation.
var hitFaults = []mutation{
	{Fault{"MissIsError", "hit/absent", "bigcache, hesape: a miss is the error \"entry not found\".", Anything}, func(c *cache) {
		get := c.get
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			e, hit, err := get(ctx, key)
			if !hit && err == nil {
				err = errors.New("faulty: entry not found")
			}
			return e, hit, err
		}
	}},
	{Fault{"MissIsZeroHit", "hit/absent", "gokv's users, Python's defaultdict: an absent key hits with the zero value.", Anything}, func(c *cache) {
		get := c.get
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			e, _, err := get(ctx, key)
			return e, err == nil, err
		}
	}},
	{Fault{"MissHasLeftovers", "hit/absent", "freecache's GetWithBuf: what was read last is still in the buffer and comes back beside a miss.", Anything}, func(c *cache) {
		var last backend.Entry[any]
		get := c.get
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			e, hit, err := get(ctx, key)
			c.mu.Lock()
			defer c.mu.Unlock()
			if hit {
				last = e
			} else if err == nil {
				e = last
			}
			return e, hit, err
		}
	}},
	{Fault{"MissCreates", "hit/absent", "Loading caches and defaultdict: a Get of an absent key leaves an empty entry behind, which is counted.", Anything}, func(c *cache) {
		ghosts := map[any]bool{}
		get, put, invalidate := c.get, c.put, c.invalidate
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			e, hit, err := get(ctx, key)
			if !hit && err == nil {
				c.locked(func() { ghosts[c.id(key)] = true })
			}
			return e, hit, err
		}
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			c.locked(func() { delete(ghosts, c.id(key)) })
			return put(ctx, key, value, ttl)
		}
		c.invalidate = func(ctx context.Context, key *any) error {
			c.locked(func() { clear(ghosts) })
			return invalidate(ctx, key)
		}
		c.size = func() int64 { return int64(len(c.entries) + len(ghosts)) }
	}},
	{Fault{"MissServesAny", "hit/absent", "A cache that shares one slot among many keys answers an absent key with the neighbour's value.", Anything}, func(c *cache) {
		get := c.get
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			e, hit, err := get(ctx, key)
			if hit || err != nil {
				return e, hit, err
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.recent.Len() == 1 && c.live(c.oldest()) {
				return backend.Entry[any]{Value: c.out(c.oldest().value)}, true, nil
			}
			return e, false, nil
		}
	}},

	{Fault{"WritesLater", "hit/put", "ristretto: Set only queues the entry, and a Get that follows at once misses it.", Anything}, func(c *cache) {
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
	{Fault{"DropsBursts", "hit/put", "ristretto: a Set that finds the write buffer of 64 items full is dropped without a word.", Anything}, func(c *cache) {
		var last time.Time
		burst := 0
		c.replace = func(old *entry, _ any) bool {
			if now := time.Now(); now.Equal(last) {
				burst++
			} else {
				burst, last = 0, now
			}
			return old != nil || burst < 64
		}
	}},
	{Fault{"GetConsumes", "hit/put", "A queue used as a cache: Get takes the entry out.", Anything}, func(c *cache) {
		c.touch = func(e *entry) { c.remove(e) }
	}},
	{Fault{"GetWearsOut", "hit/put", "An access counter of six bits: an entry is gone after 64 reads.", Anything}, func(c *cache) {
		c.touch = func(e *entry) {
			c.recent.MoveToFront(e.place)
			if e.hits == 64 {
				c.remove(e)
			}
		}
	}},
	{Fault{"Doorkeeper", "hit/put", "TinyLFU's doorkeeper without a declaration: the first Put of a key only leaves a mark.", Anything}, func(c *cache) {
		seen := map[any]bool{}
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			if err := c.begin("put", &key); err != nil {
				return err
			}
			known := seen[c.id(key)]
			seen[c.id(key)] = true
			c.mu.Unlock()
			if !known {
				return nil
			}
			return put(ctx, key, value, ttl)
		}
	}},
	{Fault{"RefusesWhenFull", "hit/put", "ristretto: TinyLFU refuses new keys in a full cache, and does not say so.", Anything}, func(c *cache) {
		c.replace = func(old *entry, _ any) bool {
			c.sweep()
			return old != nil || c.capacity == 0 || len(c.entries) < c.capacity
		}
	}},
	{Fault{"EvictsTheNewest", "hit/put", "MRU by mistake: at capacity the entry used last makes room, so that old entries never leave.", Anything}, func(c *cache) {
		c.room = func() {
			for c.capacity > 0 && len(c.entries) >= c.capacity {
				c.remove(c.recent.Front().Value.(*entry))
				c.counters[backend.CounterEvictions]++
			}
		}
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			err := put(ctx, key, value, ttl)
			c.locked(func() {
				if c.capacity > 0 && len(c.entries) == c.capacity {
					c.remove(c.recent.Front().Value.(*entry))
				}
			})
			return err
		}
	}},
	{Fault{"DirectMapped", "hit/put", "A table of fixed slots (groupcache's hot cache, Git's pack cache): two keys of one slot push each other out though there is room.", StringKeys}, func(c *cache) {
		slots := map[uint32]*entry{}
		get, put := c.get, c.put
		slot := func(key any) uint32 {
			h := fnv.New32a()
			_, _ = h.Write([]byte(key.(string)))
			return h.Sum32() % 16384
		}
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) { return get(ctx, key) }
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			err := put(ctx, key, value, ttl)
			e := c.peek(key)
			c.locked(func() {
				if in := slots[slot(key)]; in != nil && in.key != key {
					c.remove(in)
				}
				slots[slot(key)] = e
			})
			return err
		}
	}},
	{Fault{"WeaklyHeld", "hit/put", "A cache of weak or soft references, or a sync.Pool: the garbage collector empties it.", Anything}, func(c *cache) {
		refs := map[*entry]weak.Pointer[any]{}
		put, get := c.put, c.get
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			err := put(ctx, key, value, ttl)
			if e := c.peek(key); e != nil {
				c.locked(func() {
					held := e.value
					refs[e] = weak.Make(&held)
				})
			}
			return err
		}
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			if e := c.peek(key); e != nil {
				c.locked(func() {
					if refs[e].Value() == nil {
						c.remove(e)
					}
				})
			}
			return get(ctx, key)
		}
	}},
	{Fault{"BlindToOtherGoroutines", "hit/put", "A cache per thread or per P: what one goroutine put, another does not see.", Anything}, func(c *cache) {
		owner := map[*entry]string{}
		get, put := c.get, c.put
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			if e := c.peek(key); e != nil {
				me, theirs := goroutine(), ""
				c.locked(func() { theirs = owner[e] })
				if me != theirs {
					return backend.Entry[any]{}, false, nil
				}
			}
			return get(ctx, key)
		}
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			err := put(ctx, key, value, ttl)
			if e := c.peek(key); e != nil {
				c.locked(func() { owner[e] = goroutine() })
			}
			return err
		}
	}},
	{Fault{"SoftLimit", "hit/put", "memcached's slabs: entries are pushed out at half of the capacity, because the other half is set aside.", Anything}, func(c *cache) {
		c.capacity = (c.capacity + 1) / 2
	}},

	{Fault{"SharedTable", "hit/isolation", "A package-level map: two caches made by two calls of New are one.", Anything}, func(c *cache) {
		// The probe closes what it makes, so entries live as long as a check.
		type key struct{ k any }
		shared := &global
		get, put := c.get, c.put
		c.get = func(ctx context.Context, k any) (backend.Entry[any], bool, error) {
			e, hit, err := get(ctx, k)
			if v, ok := shared.Load(key{c.id(k)}); ok && !hit && err == nil && v.(*cache) != c {
				return v.(*cache).get(ctx, k)
			}
			return e, hit, err
		}
		c.put = func(ctx context.Context, k any, value any, ttl *time.Duration) error {
			err := put(ctx, k, value, ttl)
			if err == nil {
				shared.Store(key{c.id(k)}, c)
			}
			return err
		}
		c.stops = append(c.stops, shared.Clear)
	}},
	{Fault{"FlushesAllInstances", "hit/isolation", "memcached's flush_all, Redis' FLUSHALL: emptying one cache empties every other on the server.", Anything}, func(c *cache) {
		seen := flushes.Load()
		get, put, stats, invalidate := c.get, c.put, c.stats, c.invalidate
		catchUp := func() {
			c.locked(func() {
				if now := flushes.Load(); now != seen {
					seen = now
					c.clear()
				}
			})
		}
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			catchUp()
			return get(ctx, key)
		}
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			catchUp()
			return put(ctx, key, value, ttl)
		}
		c.stats = func(ctx context.Context) (backend.Stats, error) {
			catchUp()
			return stats(ctx)
		}
		c.invalidate = func(ctx context.Context, key *any) error {
			if key == nil {
				flushes.Add(1)
			}
			return invalidate(ctx, key)
		}
	}},
	{Fault{"ClosesSiblings", "hit/isolation", "A connection pool kept in a package variable: closing one cache closes them all.", Anything}, func(c *cache) {
		born := closes.Load()
		check := c.check
		c.check = func(key any) error {
			if closes.Load() != born {
				return backend.ErrClosed
			}
			return check(key)
		}
		c.stops = append(c.stops, func() { closes.Add(1) })
	}},
	{Fault{"SharedSize", "hit/isolation", "Prometheus gauges registered once per process: the size is that of all caches together.", Anything}, func(c *cache) {
		var mine int64
		share := func() {
			c.locked(func() {
				now := int64(len(c.entries))
				together.Add(now - mine)
				mine = now
			})
		}
		put, invalidate, stats := c.put, c.invalidate, c.stats
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			defer share()
			return put(ctx, key, value, ttl)
		}
		c.invalidate = func(ctx context.Context, key *any) error {
			defer share()
			return invalidate(ctx, key)
		}
		c.stats = func(ctx context.Context) (backend.Stats, error) {
			s, err := stats(ctx)
			share()
			if err == nil {
				s.Size = together.Load()
			}
			return s, err
		}
		c.stops = append(c.stops, share)
	}},
}

// What the faults of hit/isolation wrongly share.
var (
	global   sync.Map
	flushes  atomic.Int64
	closes   atomic.Int64
	together atomic.Int64
)

// goroutine identifies the calling goroutine.
func goroutine() string {
	var buf [32]byte
	return string(buf[:runtime.Stack(buf[:], false)])
}

package faulty

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"reflect"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
	"weak"

	"github.com/cachepact/cachepact/backend"
)

// hitFaults break the rules hit/*.
var hitFaults = []mutation{
	{
		Fault{
			Name: "PutInTwoSteps", Rule: "hit/put", Needs: Anything,
			Doc: "Put calls Del and then Set. A Get between the two misses a key that was never removed.",
		},
		func(c *cache) {
			put := c.put
			c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
				if c.check(key) == nil {
					c.locked(func() { c.remove(c.entries[c.id(key)]) })
					runtime.Gosched()
				}
				return put(ctx, key, value, ttl)
			}
		},
	},
	{
		Fault{
			Name: "AllRepeatsUnderWrites", Rule: "hit/put", Needs: Anything,
			Doc: "A listing iterates over a table that is rehashed meanwhile, and yields some keys twice.",
		},
		func(c *cache) {
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
		},
	},
	{
		Fault{
			Name: "BatchOfNothingFails", Rule: "hit/put", Needs: Anything,
			Doc: "Redis: MGET without keys is a syntax error.",
		},
		func(c *cache) {
			getMany := c.getMany
			c.getMany = func(ctx context.Context, keys []any) (map[any]any, error) {
				if len(keys) == 0 {
					return nil, failure("get many", nil, backend.ErrKey)
				}
				return getMany(ctx, keys)
			}
		},
	},
	{
		Fault{
			Name: "MissIsError", Rule: "hit/absent", Needs: Anything,
			Doc: "bigcache, hesape: a miss is the error \"entry not found\".",
		},
		func(c *cache) {
			get := c.get
			c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
				e, hit, err := get(ctx, key)
				if !hit && err == nil {
					err = errors.New("faulty: entry not found")
				}
				return e, hit, err
			}
		},
	},
	{
		Fault{
			Name: "MissIsZeroHit", Rule: "hit/absent", Needs: Anything,
			Doc: "Python's defaultdict: an absent key is a hit with the zero value.",
		},
		func(c *cache) {
			get := c.get
			c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
				e, _, err := get(ctx, key)
				return e, err == nil, err
			}
		},
	},
	{
		Fault{
			Name: "WeaklyHeld", Rule: "hit/put", Needs: Anything,
			Doc: "A cache of weak references or a sync.Pool: the garbage collector removes entries.",
		},
		func(c *cache) {
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
		},
	},
	{
		Fault{
			Name: "FlushesAllInstances", Rule: "hit/isolation", Needs: Anything,
			Doc: "memcached's flush_all, Redis' FLUSHALL: clearing one cache clears every other cache on the " +
				"server.",
		},
		func(c *cache) {
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
		},
	},
	{
		Fault{
			Name: "ClosesSiblings", Rule: "hit/isolation", Needs: Anything,
			Doc: "A package variable holds the connection pool, so closing one cache closes all caches.",
		},
		func(c *cache) {
			born := closes.Load()
			check := c.check
			c.check = func(key any) error {
				if closes.Load() != born {
					return backend.ErrClosed
				}
				return check(key)
			}
			c.stops = append(c.stops, func() { closes.Add(1) })
		},
	},
	{
		Fault{
			Name: "KeySeeded32", Rule: "hit/keys", Needs: StringKeys,
			Doc: "Keys are compared by a seeded hash of 32 bits, so a few of a hundred thousand keys collide.",
		},
		func(c *cache) {
			seed := maphash.MakeSeed() // of each cache: with some seeds no keys of the check collide
			c.id = func(key any) any { return uint32(maphash.String(seed, key.(string))) }
		},
	},
	byText("KeyEnds", "Java's first String.hashCode: a hash samples long strings, here the first and last 32 "+
		"bytes and the length.", func(s string) any {
		if len(s) > 64 {
			return [2]any{len(s), s[:32] + s[len(s)-32:]}
		}
		return s
	}),
	{
		Fault{
			Name: "KeyGlob", Rule: "hit/keys", Needs: StringKeys,
			Doc: "Get calls Redis' KEYS instead of GET, so a key with an asterisk matches other keys.",
		},
		func(c *cache) {
			get := c.get
			c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
				if prefix, ok := strings.CutSuffix(key.(string), "*"); ok && c.peek(key) == nil {
					var found *any
					c.locked(func() {
						for _, e := range c.entries {
							if s, _ := e.key.(string); strings.HasPrefix(s, prefix) {
								found = &e.key
							}
						}
					})
					if found != nil {
						return get(ctx, *found)
					}
				}
				return get(ctx, key)
			}
		},
	},
	{
		Fault{
			Name: "FloatKeyBits", Rule: "hit/keys", Needs: FloatKeys,
			Doc: "Keys are compared by their bits, so 0 and -0 are two keys.",
		},
		func(c *cache) {
			c.id = func(key any) any { return math.Float64bits(key.(float64)) }
		},
	},
	{
		Fault{
			Name: "AnyKeyUnnamed", Rule: "hit/keys", Needs: AnyKeys,
			Doc: "A codec encodes the kind of a key and not its type, so a string and a named string are one " +
				"key.",
		},
		func(c *cache) {
			c.id = func(key any) any {
				if v := reflect.ValueOf(key); v.Kind() == reflect.String {
					return v.String()
				}
				return key
			}
		},
	},
	{
		Fault{
			Name: "PointerKeyByContents", Rule: "hit/keys", Needs: PointerKeys,
			Doc: "Pointer keys are compared by the values that they point to.",
		},
		func(c *cache) {
			c.id = func(key any) any {
				if v := reflect.ValueOf(key); !v.IsNil() {
					return fmt.Sprint(v.Elem().Interface())
				}
				return key
			}
		},
	},
	{
		Fault{
			Name: "SameLengthKept", Rule: "hit/overwrite", Needs: StringValues,
			Doc: "rsync's quick check: Put keeps the earlier value if the new value has the same length.",
		},
		func(c *cache) {
			c.replace = func(old *entry, value any) bool {
				return old == nil || !c.live(old) || length(old.value) != length(value)
			}
		},
	},
	{
		Fault{
			Name: "EmptyIgnored", Rule: "hit/overwrite", Needs: StringValues,
			Doc: "fastcache's SetBig: Put of an empty value keeps the earlier value.",
		},
		func(c *cache) {
			c.replace = func(old *entry, value any) bool { return old == nil || length(value) > 0 }
		},
	},
	{
		Fault{
			Name: "UpdateEvicts", Rule: "hit/overwrite", Needs: Anything,
			Doc: "A full cache evicts an entry before it checks whether the key is already present, so each " +
				"update evicts another entry.",
		},
		func(c *cache) {
			replace := c.replace
			c.replace = func(old *entry, value any) bool {
				if old != nil && c.capacity > 0 && len(c.entries) == c.capacity {
					c.remove(c.oldest())
				}
				return replace(old, value)
			}
		},
	},
	{
		Fault{
			Name: "ExpiredHoldRoom", Rule: "hit/put", Needs: Anything,
			Doc: "A counter of entries is decremented by evictions and removals but not by expirations, so " +
				"the cache shrinks for ever.",
		},
		func(c *cache) {
			held := 0
			c.expired = func(*entry) { held++ }
			holdRoom(c, &held)
		},
	},
	{
		Fault{
			Name: "DeclaredRefusalWhenFull", Rule: "hit/put", Needs: Anything,
			Doc: "The admission policy rejects every new key once the cache is full, however often the key " +
				"is put.",
		},
		func(c *cache) {
			c.traits.Rejects = true
			c.replace = func(old *entry, _ any) bool {
				return old != nil || c.capacity == 0 || len(c.entries) < c.capacity
			}
		},
	},
	{
		Fault{
			Name: "RefusesMostWithRoom", Rule: "hit/put", Needs: Anything,
			Doc: "The admission policy rejects every third new key although the cache is not full.",
		},
		func(c *cache) {
			c.traits.Rejects = true
			n := 0
			c.replace = func(old *entry, _ any) bool {
				if old == nil {
					n++
				}
				return old != nil || n%3 != 0
			}
		},
	},
	{
		Fault{
			Name: "DeclaredMaxKeyIsCut", Rule: "hit/keys", Needs: StringKeys,
			Doc: "memcached clients: a key longer than the declared limit is cut instead of being an error.",
		},
		func(c *cache) {
			c.traits.MaxKey = 250
			c.check = func(any) error { return nil }
			c.id = func(key any) any { s := key.(string); return s[:min(len(s), 250)] }
		},
	},
	{
		Fault{
			Name: "SyncDoesNothing", Rule: "hit/put", Needs: Anything,
			Doc: "Writes need a Sync, and Sync returns before they are visible.",
		},
		func(c *cache) {
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
		},
	},
	inText("ValueCut65535", "The length field has 16 bits, so a value is cut at 65,535 bytes.", func(s string) string { return s[:min(len(s), 65535)] }),
	{
		Fault{
			Name: "KeepsCallersSlice", Rule: "hit/values", Needs: BytesValues,
			Doc: "Put keeps the caller's slice, and the caller fills the slice again for the next entry.",
		},
		func(c *cache) {
			c.in = func(v any) any { return v }
		},
	},
	{
		Fault{
			Name: "HandsOutItsSlice", Rule: "hit/values", Needs: BytesValues,
			Doc: "Get returns the cache's own slice, and the caller changes it.",
		},
		func(c *cache) {
			c.out = func(v any) any { return v }
		},
	},
	{
		Fault{
			Name: "PutAppends", Rule: "hit/values", Needs: BytesValues,
			Doc: "Put appends a checksum to the caller's slice and overwrites the bytes behind it.",
		},
		func(c *cache) {
			c.in = func(v any) any {
				b := v.([]byte)
				if framed := append(b, 0xC5); len(b) > 0 { // copied with its checksum, which Get cuts off
					return any(bytes.Clone(framed)[:len(b):len(b)])
				}
				return c.own(v)
			}
		},
	},
	{
		Fault{
			Name: "ReadsShareASlab", Rule: "hit/values", Needs: BytesValues,
			Doc: "Values are cut from one slab and keep its capacity, so an append to one value overwrites " +
				"the next value.",
		},
		func(c *cache) {
			var slab []byte
			c.out = func(v any) any {
				b := v.([]byte)
				if len(b) == 0 {
					return c.own(v)
				}
				if cap(slab)-len(slab) < len(b) {
					slab = make([]byte, 0, len(b)+1<<16)
				}
				slab = append(slab, b...)
				return any(slab[len(slab)-len(b):])
			}
		},
	},
	{
		Fault{
			Name: "AllHoldsLock", Rule: "hit/put", Needs: Anything,
			Doc: "theine's Range: the lock is held while the loop body runs, so the body cannot call the " +
				"cache.",
		},
		func(c *cache) {
			c.all = func(yield func(any, any) bool) {
				c.mu.Lock()
				defer c.mu.Unlock()
				for _, e := range c.entries {
					if c.live(e) && !yield(e.key, c.out(e.value)) {
						return
					}
				}
			}
		},
	},
	{
		Fault{
			Name: "BatchReturnsSome", Rule: "hit/put", Needs: Anything,
			Doc: "A server answers at most 32 keys of a batch, and the client does not request the rest.",
		},
		func(c *cache) {
			c.getMany = func(ctx context.Context, keys []any) (map[any]any, error) {
				return c.lookupMany(ctx, keys[:min(len(keys), 32)])
			}
		},
	},
}

// holdRoom takes the room of *held entries that are no more.
func holdRoom(c *cache, held *int) {
	room := c.room
	c.room = func() {
		if room(); c.capacity > 0 && *held > 0 && len(c.entries)+*held >= c.capacity {
			c.remove(c.oldest())
		}
	}
}

// inText makes a fault that stores f of a string.
func inText(name, doc string, f func(s string) string) mutation {
	return mutation{Fault{name, "hit/values", doc, StringValues}, func(c *cache) {
		c.in = func(v any) any { return any(f(v.(string))) }
	}}
}

// What the faults of hit/isolation wrongly share.
var (
	flushes atomic.Int64
	closes  atomic.Int64
)

// byText makes a fault that tells string keys apart by f of them.
func byText(name, doc string, f func(s string) any) mutation {
	return mutation{Fault{name, "hit/keys", doc, StringKeys}, func(c *cache) {
		c.id = func(key any) any { return f(key.(string)) }
	}}
}

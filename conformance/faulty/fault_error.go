package faulty

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// errorFaults break the rules error/* and ctx/done.
var errorFaults = []mutation{
	{Fault{"NaNLeaks", "error/key", "golang-lru, otter: a NaN equals nothing, so that its entries can be neither found nor removed.", FloatKeys}, func(c *cache) {
		c.check = func(any) error { return nil }
	}},
	{Fault{"NaNMisses", "error/key", "A Get of NaN is a miss, and a Put of NaN is dropped: no error says why.", FloatKeys}, func(c *cache) {
		get, put, invalidate := c.get, c.put, c.invalidate
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			e, hit, err := get(ctx, key)
			return e, hit, unlessKey(err)
		}
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			return unlessKey(put(ctx, key, value, ttl))
		}
		c.invalidate = func(ctx context.Context, key *any) error { return unlessKey(invalidate(ctx, key)) }
	}},
	{Fault{"NaNIsStored", "error/key", "NaN is stored under the bits of a number, and found.", FloatKeys}, func(c *cache) {
		c.check = func(any) error { return nil }
		c.id = func(key any) any {
			if key != key { //nolint:gocritic // NaN
				return "NaN"
			}
			return key
		}
	}},
	{Fault{"UncomparablePanics", "error/key", "Every map[any]any: a key that holds a slice panics.", AnyKeys}, func(c *cache) {
		c.check = func(key any) error {
			if key != key { //nolint:gocritic // NaN
				return backend.ErrKey
			}
			return nil
		}
	}},
	{Fault{"UncomparableHoldsLock", "error/key", "golang-lru, ttlcache: the panic of an uncomparable key leaves the lock held, and every later call hangs.", AnyKeys}, func(c *cache) {
		var lock sync.Mutex
		get := c.get
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			lock.Lock()
			e, hit, err := get(ctx, key)
			if !errors.Is(err, backend.ErrKey) {
				lock.Unlock()
			}
			return e, hit, err
		}
	}},
	{Fault{"NaNInAny", "error/key", "NaN is looked for in float types, but not in an interface that holds one.", AnyKeys}, func(c *cache) {
		check := c.check
		c.check = func(key any) error {
			switch key.(type) {
			case float64, float32:
				return nil
			}
			return check(key)
		}
		c.id = func(key any) any { return fmt.Sprintf("%T %#v", key, key) }
	}},
	{Fault{"InvalidateTakesAnyKey", "error/key", "Get and Put refuse an impossible key, but Invalidate finds nothing under it and says nothing.", FloatKeys}, func(c *cache) {
		invalidate := c.invalidate
		c.invalidate = func(ctx context.Context, key *any) error { return unlessKey(invalidate(ctx, key)) }
	}},
	{Fault{"KeyErrorOfItsOwn", "error/key", "An error of the library's own, which errors.Is does not find to be ErrKey.", FloatKeys}, func(c *cache) {
		c.fail = func(what string, key *any, cause error) error {
			if errors.Is(cause, backend.ErrKey) {
				cause = errors.New("hash of unhashable type")
			}
			return failure(what, key, cause)
		}
	}},

	{Fault{"LargeKeepsOld", "error/put", "fastcache: a value of 64 KiB is dropped without an error, and the earlier one is served on.", StringValues}, func(c *cache) {
		c.replace = func(_ *entry, value any) bool { return length(value) < 65536 }
	}},
	{Fault{"FailedPutKeepsOld", "error/put", "freecache: a value that is too large is an error, and the earlier one is served on.", StringValues}, func(c *cache) {
		declare(c)
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			if c.fits(value) != nil && c.check(key) == nil && !c.isClosed() {
				return c.fail("put", &key, backend.ErrTooLarge)
			}
			return put(ctx, key, value, ttl)
		}
	}},
	{Fault{"TooLargeIsSilent", "error/put", "A declared limit, but no error: what exceeds it is dropped.", StringValues}, func(c *cache) {
		declare(c)
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			if err := put(ctx, key, value, ttl); !errors.Is(err, backend.ErrTooLarge) {
				return err
			}
			return nil
		}
	}},
	{Fault{"TooLargeErrorOfItsOwn", "error/put", "An error of the library's own, which errors.Is does not find to be ErrTooLarge.", StringValues}, func(c *cache) {
		declare(c)
		c.fits = func(value any) error {
			if c.checkValue(value) != nil {
				return errors.New("value too big")
			}
			return nil
		}
	}},
	{Fault{"TooLargeByOne", "error/put", "len >= max: a value of exactly the declared limit is refused.", StringValues}, func(c *cache) {
		declare(c)
		c.fits = func(value any) error {
			if length(value) >= c.traits.MaxValue {
				return backend.ErrTooLarge
			}
			return nil
		}
	}},
	{Fault{"LimitsAddUp", "error/put", "bigcache, fastcache: the limit is on key and value together, so that the largest value fits only under a short key.", StringValues}, func(c *cache) {
		declare(c)
		c.traits.MaxKey = 1024
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			if length(key)+length(value) > c.traits.MaxValue+100 && length(value) <= c.traits.MaxValue {
				return c.fail("put", &key, backend.ErrTooLarge)
			}
			return put(ctx, key, value, ttl)
		}
	}},
	{Fault{"TooLargeIsCut", "error/put", "A value above the declared limit is cut to it.", StringValues}, func(c *cache) {
		declare(c)
		c.fits = func(any) error { return nil }
		c.in = func(v any) any {
			s := v.(string)
			return any(s[:min(len(s), c.traits.MaxValue)])
		}
	}},
	{Fault{"TooLargeEvictsOthers", "error/put", "bigcache: a Set that fails has already emptied the shard.", StringValues}, func(c *cache) {
		declare(c)
		c.fits = func(value any) error {
			if err := c.checkValue(value); err != nil {
				c.clear()
				return err
			}
			return nil
		}
	}},
	{Fault{"TooLargeLeavesPart", "error/put", "A Put that fails half-way: the part that was written can be read.", StringValues}, func(c *cache) {
		declare(c)
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			if c.fits(value) == nil || c.check(key) != nil {
				return put(ctx, key, value, ttl)
			}
			if err := put(ctx, key, any(value.(string)[:c.traits.MaxValue]), ttl); err != nil {
				return err
			}
			return c.fail("put", &key, backend.ErrTooLarge)
		}
	}},
	{Fault{"LongKeyErrorOfItsOwn", "error/put", "freecache: a key above the declared limit is an error, but not ErrTooLarge.", StringKeys}, func(c *cache) {
		c.traits.MaxKey = 1024
		c.check = func(key any) error {
			if c.checkKey(key) != nil {
				return errors.New("key too large")
			}
			return nil
		}
	}},
	{Fault{"LongKeyTakesNeighbour", "error/put", "A key above the declared limit is refused after the entry of its first bytes was overwritten.", StringKeys}, func(c *cache) {
		c.traits.MaxKey = 1024
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			if length(key) > c.traits.MaxKey {
				_ = put(ctx, any(key.(string)[:c.traits.MaxKey]), value, ttl)
			}
			return put(ctx, key, value, ttl)
		}
	}},

	{Fault{"ErrorHasKey", "error/text", "fmt.Errorf(\"key %q: …\"): keys end up in logs.", StringKeys}, func(c *cache) {
		c.fail = func(what string, key *any, cause error) error {
			if key == nil {
				return failure(what, key, cause)
			}
			return fmt.Errorf("faulty: %s %v: %w", what, *key, cause)
		}
	}},
	{Fault{"ErrorHasQuotedKey", "error/text", "A key in an error, quoted and shortened, is still a key.", StringKeys}, func(c *cache) {
		c.fail = func(what string, key *any, cause error) error {
			if key == nil {
				return failure(what, key, cause)
			}
			return fmt.Errorf("faulty: %s %.24q: %w", what, *key, cause)
		}
	}},
	{Fault{"ErrorHasValue", "error/text", "fmt.Errorf(\"cannot store %v\"): values end up in logs.", StringValues}, func(c *cache) {
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			if err := put(ctx, key, value, ttl); err != nil {
				return fmt.Errorf("faulty: put %.60v: %w", value, err)
			}
			return nil
		}
	}},
	{Fault{"ErrorHasBadKey", "error/text", "The message of a panic that was recovered, with the key in it.", AnyKeys}, func(c *cache) {
		c.check = func(key any) error {
			if c.checkKey(key) != nil {
				return fmt.Errorf("%w: runtime error: hash of unhashable value %v", backend.ErrKey, key)
			}
			return nil
		}
	}},
	{Fault{"ErrorWithoutPackage", "error/text", "The cause as it is: a log line that does not say who speaks.", Anything}, func(c *cache) {
		c.fail = func(_ string, _ *any, cause error) error { return fmt.Errorf("operation failed [%w]", cause) }
	}},
	{Fault{"ErrorNotWrapped", "error/text", "%v where %w was meant: the text of the cause, but not the cause.", Anything}, func(c *cache) {
		c.fail = func(what string, _ *any, cause error) error { return fmt.Errorf("faulty: %s: %v", what, cause) } //nolint:errorlint // the fault
	}},
	{Fault{"ErrorTooLong", "error/text", "A stack trace in the text of an error.", Anything}, func(c *cache) {
		c.fail = func(what string, key *any, cause error) error {
			return fmt.Errorf("%w%s", failure(what, key, cause), strings.Repeat("\n\tgoroutine 1 [running]", 100))
		}
	}},

	{Fault{"DoneIsMiss", "ctx/done", "A Get that gives up because of its context says that the entry is not there.", Anything}, func(c *cache) {
		get := c.get
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			if ctx.Err() != nil {
				return backend.Entry[any]{}, false, nil
			}
			return get(ctx, key)
		}
	}},
	{Fault{"DonePutIsSilent", "ctx/done", "A Put that gives up because of its context returns nil, and the earlier value stays.", Anything}, func(c *cache) {
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			if ctx.Err() != nil {
				return nil
			}
			return put(ctx, key, value, ttl)
		}
	}},
	{Fault{"DoneInvalidateIsSilent", "ctx/done", "An Invalidate that gives up because of its context returns nil, and the entry stays.", Anything}, func(c *cache) {
		invalidate := c.invalidate
		c.invalidate = func(ctx context.Context, key *any) error {
			if ctx.Err() != nil {
				return nil
			}
			return invalidate(ctx, key)
		}
	}},
	{Fault{"DoneStatsAreZero", "ctx/done", "Stats that give up because of their context are zero, without an error.", Anything}, func(c *cache) {
		stats := c.stats
		c.stats = func(ctx context.Context) (backend.Stats, error) {
			if ctx.Err() != nil {
				return backend.Stats{}, nil
			}
			return stats(ctx)
		}
	}},
	{Fault{"DoneErrorOfItsOwn", "ctx/done", "\"timeout\" as an error of its own: the caller cannot tell that it was itself who gave up.", Anything}, func(c *cache) {
		get := c.get
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			if ctx.Err() != nil {
				return backend.Entry[any]{}, false, errors.New("faulty: get: timeout")
			}
			return get(ctx, key)
		}
	}},
	{Fault{"DoneBreaksConnection", "ctx/done", "A cancelled call leaves half a request on the connection, and the next call fails.", Anything}, func(c *cache) {
		broken := false
		get, put := c.get, c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			if err := ctx.Err(); err != nil {
				c.locked(func() { broken = true })
				return c.fail("put", &key, err)
			}
			return put(ctx, key, value, ttl)
		}
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			var was bool
			c.locked(func() { was, broken = broken, false })
			if was {
				return backend.Entry[any]{}, false, errors.New("faulty: get: unexpected reply")
			}
			return get(ctx, key)
		}
	}},
	{Fault{"KeepsFirstContext", "ctx/done", "The context of the first call opens the connection, and when it ends every later call fails.", Anything}, func(c *cache) {
		first := context.Context(nil)
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			var kept context.Context
			c.locked(func() {
				if first == nil && ctx != context.Background() {
					first = ctx
				}
				kept = first
			})
			if kept != nil && kept != ctx && kept.Err() != nil {
				return c.fail("put", &key, kept.Err())
			}
			return put(ctx, key, value, ttl)
		}
	}},
	{Fault{"DeadlineBecomesTTL", "ctx/done", "The deadline of the context is taken for the entry's.", Anything}, func(c *cache) {
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			if d, ok := ctx.Deadline(); ok && ttl == nil {
				ttl = new(time.Until(d))
			}
			return put(ctx, key, value, ttl)
		}
	}},
	{Fault{"EntryDiesWithContext", "ctx/done", "Entries are bound to the request that put them: when its context ends, they are gone.", Anything}, func(c *cache) {
		origin := map[*entry]context.Context{}
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			err := put(ctx, key, value, ttl)
			if e := c.peek(key); e != nil && ctx.Err() == nil && ctx != context.Background() {
				c.locked(func() { origin[e] = ctx })
			}
			return err
		}
		c.live = func(e *entry) bool {
			ctx := origin[e]
			return before(e) && (ctx == nil || ctx.Err() == nil)
		}
	}},
}

// declare makes c declare a largest value, unless it does so already.
func declare(c *cache) {
	if c.traits.MaxValue == 0 {
		c.traits.MaxValue = 4096
	}
}

func (c *cache) isClosed() (closed bool) {
	c.locked(func() { closed = c.closed })
	return closed
}

// unlessKey drops an error that says that a key is invalid.
func unlessKey(err error) error {
	if errors.Is(err, backend.ErrKey) {
		return nil
	}
	return err
}

package faulty

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// errorFaults break the rules error/*, ctx/* and retain.
var errorFaults = []mutation{
	{
		Fault{
			Name: "UncomparablePanics", Rule: "error/key", Needs: AnyKeys,
			Doc: "Every map[any]any: a key that holds a slice panics.",
		},
		func(c *cache) {
			c.check = func(key any) error {
				if key != key { //nolint:gocritic // NaN
					return backend.ErrKey
				}
				return nil
			}
		},
	},
	{
		Fault{
			Name: "InvalidateTakesAnyKey", Rule: "error/key", Needs: FloatKeys,
			Doc: "Get and Put return an error for an invalid key, but Invalidate returns nil.",
		},
		func(c *cache) {
			invalidate := c.invalidate
			c.invalidate = func(ctx context.Context, key *any) error { return unlessKey(invalidate(ctx, key)) }
		},
	},
	{
		Fault{
			Name: "TooLargeByOne", Rule: "error/put", Needs: StringValues,
			Doc: "The limit is checked by len >= max, so a value of exactly the declared limit is an error.",
		},
		func(c *cache) {
			declare(c)
			c.fits = func(value any) error {
				if length(value) >= c.traits.MaxValue {
					return backend.ErrTooLarge
				}
				return nil
			}
		},
	},
	{
		Fault{
			Name: "LimitsAddUp", Rule: "error/put", Needs: StringValues,
			Doc: "bigcache, fastcache: the limit holds for key and value together, so the largest value fits " +
				"only with a short key.",
		},
		func(c *cache) {
			declare(c)
			c.traits.MaxKey = 1024
			put := c.put
			c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
				if length(key)+length(value) > c.traits.MaxValue+100 && length(value) <= c.traits.MaxValue {
					return c.fail("put", &key, backend.ErrTooLarge)
				}
				return put(ctx, key, value, ttl)
			}
		},
	},
	{
		Fault{
			Name: "TooLargeEvictsOthers", Rule: "error/put", Needs: StringValues,
			Doc: "bigcache: a Set that fails has already emptied the shard.",
		},
		func(c *cache) {
			declare(c)
			c.fits = func(value any) error {
				if err := c.checkValue(value); err != nil {
					c.clear()
					return err
				}
				return nil
			}
		},
	},
	{
		Fault{
			Name: "ErrorHasKey", Rule: "error/text", Needs: StringKeys,
			Doc: "An error made by fmt.Errorf(\"key %q: …\") puts keys into logs.",
		},
		func(c *cache) {
			c.fail = func(what string, key *any, cause error) error {
				if key == nil {
					return failure(what, key, cause)
				}
				return fmt.Errorf("faulty: %s %v: %w", what, *key, cause)
			}
		},
	},
	{
		Fault{
			Name: "ErrorWithoutPackage", Rule: "error/text", Needs: Anything,
			Doc: "An error is the bare cause, so a log line does not name the package.",
		},
		func(c *cache) {
			c.fail = func(_ string, _ *any, cause error) error { return fmt.Errorf("operation failed [%w]", cause) }
		},
	},
	{
		Fault{
			Name: "DoneIsMiss", Rule: "ctx/done", Needs: Anything,
			Doc: "A Get whose context is done returns a miss instead of the context's error.",
		},
		func(c *cache) {
			get := c.get
			c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
				if ctx.Err() != nil {
					return backend.Entry[any]{}, false, nil
				}
				return get(ctx, key)
			}
		},
	},
	{
		Fault{
			Name: "EntryDiesWithContext", Rule: "ctx/done", Needs: Anything,
			Doc: "An entry is removed when the context of its Put ends.",
		},
		func(c *cache) {
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
		},
	},
	{
		Fault{
			Name: "KeepsKeyPointer", Rule: "retain", Needs: Anything,
			Doc: "Invalidate passes the caller's pointer to a goroutine, which reads the key after " +
				"Invalidate has returned.",
		},
		func(c *cache) {
			var pending []func() any
			c.keepKey = func(read func() any, _ func(any)) { c.locked(func() { pending = append(pending, read) }) }
			catchUp := func() {
				for _, read := range pending {
					c.remove(c.entries[c.id(read())])
				}
				pending = nil
			}
			stats, get := c.stats, c.get
			c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
				c.locked(catchUp)
				return get(ctx, key)
			}
			c.stats = func(ctx context.Context) (backend.Stats, error) {
				c.locked(catchUp)
				return stats(ctx)
			}
		},
	},
	{
		Fault{
			Name: "BatchStopsAtError", Rule: "error/key", Needs: FloatKeys,
			Doc: "A batch ends with the first item that fails, so later items are not tried.",
		},
		func(c *cache) {
			c.putMany = func(ctx context.Context, items []backend.Item[any, any]) error {
				for _, it := range items {
					if err := c.put(ctx, it.Key, it.Value, it.TTL); err != nil {
						return err
					}
				}
				return nil
			}
		},
	},
	{
		Fault{
			Name: "BatchSortsCallersKeys", Rule: "retain", Needs: Anything,
			Doc: "GetMany sorts the caller's slice of keys to group them by shard.",
		},
		func(c *cache) {
			c.keepKeys = func(swap func(i, j int), n int) {
				for i := range n / 2 {
					swap(i, n-1-i)
				}
			}
		},
	},
}

// declare makes c declare a largest value, unless it does so already.
func declare(c *cache) {
	if c.traits.MaxValue == 0 {
		c.traits.MaxValue = 4096
	}
}

// unlessKey drops an error that says that a key is invalid.
func unlessKey(err error) error {
	if errors.Is(err, backend.ErrKey) {
		return nil
	}
	return err
}

package faulty

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// closeFaults break the rules close/*.
var closeFaults = []mutation{
	{
		Fault{
			Name: "CloseTwicePanics", Rule: "close/idempotent", Needs: Anything,
			Doc: "bigcache: the second Close closes a closed channel and panics.",
		},
		func(c *cache) {
			done := make(chan struct{})
			c.close = func() error {
				close(done)
				return c.shut()
			}
		},
	},
	{
		Fault{
			Name: "LeaksJanitor", Rule: "close/idempotent", Needs: Anything,
			Doc: "go-cache, expirable: Close does not stop the goroutine that sweeps.",
		},
		func(c *cache) {
			go func() {
				for {
					time.Sleep(10 * time.Second)
					c.locked(c.sweep)
				}
			}()
		},
	},
	{
		Fault{
			Name: "CloseDoesNotWait", Rule: "close/idempotent", Needs: Anything,
			Doc: "ristretto v0.2: Close returns while its goroutines still run.",
		},
		func(c *cache) {
			stop := make(chan struct{})
			go func() {
				<-stop
				time.Sleep(5 * time.Millisecond)
			}()
			c.stops = append(c.stops, func() { close(stop) })
		},
	},
	{
		Fault{
			Name: "CloseUnusedHangs", Rule: "close/idempotent", Needs: Anything,
			Doc: "The first Put starts a worker, and Close waits for the end of a worker that was never " +
				"started.",
		},
		func(c *cache) {
			stop, done := make(chan struct{}), make(chan struct{})
			started := false
			put := c.put
			c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
				c.locked(func() {
					if !started && !c.closed {
						started = true
						go func() { <-stop; close(done) }()
					}
				})
				return put(ctx, key, value, ttl)
			}
			c.stops = append(c.stops, func() { close(stop); <-done })
		},
	},
	{
		Fault{
			Name: "TimersOutliveClose", Rule: "close/idempotent", Needs: Anything,
			Doc: "Close does not stop the time.AfterFunc timer of each entry. The timer fires and logs that " +
				"the cache is closed.",
		},
		func(c *cache) {
			put := c.put
			c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
				err := put(ctx, key, value, ttl)
				if err == nil && ttl != nil && *ttl > 0 {
					time.AfterFunc(*ttl, func() {
						c.locked(func() {
							if c.closed {
								fmt.Fprintln(os.Stderr, "faulty: expire: closed")
							}
						})
					})
				}
				return err
			}
		},
	},
	{
		Fault{
			Name: "ClosedAllYields", Rule: "close/after", Needs: Anything,
			Doc: "After Close, a listing still yields the entries from before.",
		},
		func(c *cache) {
			var last []*entry
			c.close = func() error {
				c.locked(func() {
					for _, e := range c.entries {
						last = append(last, e)
					}
				})
				return c.shut()
			}
			all := c.all
			c.all = func(yield func(any, any) bool) {
				for _, e := range last {
					if !yield(e.key, e.value) {
						return
					}
				}
				all(yield)
			}
		},
	},
	{
		Fault{
			Name: "ClosedPanics", Rule: "close/after", Needs: Anything,
			Doc: "Close sets the map to nil, and a later Put writes to the nil map and panics.",
		},
		func(c *cache) {
			put := c.put
			c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
				err := put(ctx, key, value, ttl)
				if errors.Is(err, backend.ErrClosed) {
					panic("assignment to entry in nil map")
				}
				return err
			}
		},
	},
}

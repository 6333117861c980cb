package faulty

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// closeFaults break the rules close/*.
var closeFaults = []mutation{
	{Fault{"CloseTwicePanics", "close/idempotent", "bigcache: the second Close closes a closed channel.", Anything}, func(c *cache) {
		done := make(chan struct{})
		c.close = func() error {
			close(done)
			return c.shut()
		}
	}},
	{Fault{"CloseTwiceFails", "close/idempotent", "os.File: the second Close returns an error.", Anything}, func(c *cache) {
		var closed atomic.Bool
		c.close = func() error {
			if closed.Swap(true) {
				return c.fail("close", nil, backend.ErrClosed)
			}
			return c.shut()
		}
	}},
	{Fault{"CloseFails", "close/idempotent", "A last flush to a server that is gone: Close reports it, though nothing can be done.", Anything}, func(c *cache) {
		used := false
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			c.locked(func() { used = true })
			return put(ctx, key, value, ttl)
		}
		c.close = func() error {
			if err := c.shut(); err != nil || !used {
				return err
			}
			used = false
			return errors.New("faulty: close: broken pipe")
		}
	}},
	{Fault{"ClosersRace", "close/idempotent", "if !closed { closed = true; close(done) } without a lock: two goroutines that close at once both do it.", Anything}, func(c *cache) {
		done := make(chan struct{})
		var closed atomic.Bool
		c.close = func() error {
			if !closed.Load() {
				runtime.Gosched()
				close(done)
				closed.Store(true)
			}
			return c.shut()
		}
	}},
	{Fault{"LeaksJanitor", "close/idempotent", "go-cache, expirable: a goroutine that nothing stops.", Anything}, func(c *cache) {
		go func() {
			for {
				time.Sleep(10 * time.Second)
				c.locked(c.sweep)
			}
		}()
	}},
	{Fault{"LeaksBlocked", "close/idempotent", "A goroutine waits on a channel that nobody closes.", Anything}, func(c *cache) {
		work := make(chan func())
		go func() {
			for f := range work {
				f()
			}
		}()
	}},
	{Fault{"LeaksPerTTL", "close/idempotent", "A goroutine for each entry with a TTL, which sleeps until its end, also after Close.", Anything}, func(c *cache) {
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			err := put(ctx, key, value, ttl)
			if err == nil && ttl != nil && *ttl >= time.Hour && *ttl < day {
				go time.Sleep(*ttl)
			}
			return err
		}
	}},
	{Fault{"CloseDoesNotWait", "close/idempotent", "ristretto v0.2: Close returns while its goroutines still run.", Anything}, func(c *cache) {
		stop := make(chan struct{})
		go func() {
			<-stop
			time.Sleep(5 * time.Millisecond)
		}()
		c.stops = append(c.stops, func() { close(stop) })
	}},
	{Fault{"CloseUnusedHangs", "close/idempotent", "A worker started by the first Put, and a Close that waits for its end even if it never began.", Anything}, func(c *cache) {
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
	}},
	{Fault{"CloseTwiceHangs", "close/idempotent", "ristretto: the second Close sends to a goroutine that the first has ended.", Anything}, func(c *cache) {
		stop := make(chan struct{})
		go func() { <-stop }()
		c.close = func() error {
			stop <- struct{}{}
			return c.shut()
		}
	}},
	{Fault{"TimersOutliveClose", "close/idempotent", "time.AfterFunc for each entry, not stopped by Close: it fires, and logs that the cache is closed.", Anything}, func(c *cache) {
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
	}},

	{Fault{"WorksAfterClose", "close/after", "bigcache, go-cache: Close ends the goroutines, and everything else goes on.", Anything}, func(c *cache) {
		c.close = func() error {
			c.closing.Do(func() {
				for _, stop := range c.stops {
					stop()
				}
			})
			return nil
		}
	}},
	{Fault{"ClosedGetMisses", "close/after", "ristretto: Get after Close is a miss without an error.", Anything}, func(c *cache) {
		get := c.get
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			e, hit, err := get(ctx, key)
			return e, hit, unlessClosed(err)
		}
	}},
	{Fault{"ClosedPutSilent", "close/after", "ristretto: Set after Close returns as if it had stored the entry.", Anything}, func(c *cache) {
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			return unlessClosed(put(ctx, key, value, ttl))
		}
	}},
	{Fault{"ClosedPutOfNothingSilent", "close/after", "A Put with a TTL of zero returns early, before the closed cache is noticed.", Anything}, func(c *cache) {
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			err := put(ctx, key, value, ttl)
			if ttl != nil && *ttl <= 0 {
				err = unlessClosed(err)
			}
			return err
		}
	}},
	{Fault{"ClosedInvalidateSilent", "close/after", "A closed cache is empty anyway: Invalidate after Close returns nil.", Anything}, func(c *cache) {
		invalidate := c.invalidate
		c.invalidate = func(ctx context.Context, key *any) error { return unlessClosed(invalidate(ctx, key)) }
	}},
	{Fault{"ClosedClearSilent", "close/after", "Only Invalidate of all keys forgets to look whether the cache is closed.", Anything}, func(c *cache) {
		invalidate := c.invalidate
		c.invalidate = func(ctx context.Context, key *any) error {
			err := invalidate(ctx, key)
			if key == nil {
				err = unlessClosed(err)
			}
			return err
		}
	}},
	{Fault{"ClosedStatsWork", "close/after", "The numbers of a closed cache can still be read.", Anything}, func(c *cache) {
		stats := c.stats
		c.stats = func(ctx context.Context) (backend.Stats, error) {
			s, err := stats(ctx)
			return s, unlessClosed(err)
		}
	}},
	{Fault{"ClosedSyncSilent", "close/after", "theine's Wait: after Close there is nothing left to wait for.", Anything}, func(c *cache) {
		c.flush = func(ctx context.Context) error { return unlessClosed(c.sync(ctx)) }
	}},
	{Fault{"ClosedBatchSilent", "close/after", "Only the batch methods forget to look whether the cache is closed.", Anything}, func(c *cache) {
		c.getMany = func(ctx context.Context, keys []any) (map[any]any, error) {
			found, err := c.lookupMany(ctx, keys)
			return found, unlessClosed(err)
		}
	}},
	{Fault{"ClosedAllYields", "close/after", "A listing works on the table as it was when Close came.", Anything}, func(c *cache) {
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
	}},
	{Fault{"ClosedErrorOfItsOwn", "close/after", "An error of the library's own, which errors.Is does not find to be ErrClosed.", Anything}, func(c *cache) {
		c.fail = func(what string, key *any, cause error) error {
			if errors.Is(cause, backend.ErrClosed) {
				cause = errors.New("use of closed cache")
			}
			return failure(what, key, cause)
		}
	}},
	{Fault{"ClosedGetReturnsValue", "close/after", "An error beside a value: the closed cache still hands out what it held.", Anything}, func(c *cache) {
		var last backend.Entry[any]
		get := c.get
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			e, hit, err := get(ctx, key)
			c.mu.Lock()
			defer c.mu.Unlock()
			if hit {
				last = e
			} else if errors.Is(err, backend.ErrClosed) {
				e = last
			}
			return e, hit, err
		}
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			err := put(ctx, key, value, ttl)
			if err == nil {
				c.locked(func() { last.Value = value })
			}
			return err
		}
	}},
	{Fault{"ClosedPanics", "close/after", "The table is set to nil by Close, and a write to a nil map panics.", Anything}, func(c *cache) {
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			err := put(ctx, key, value, ttl)
			if errors.Is(err, backend.ErrClosed) {
				panic("assignment to entry in nil map")
			}
			return err
		}
	}},
	{Fault{"ReopensOnPut", "close/after", "A connection that is opened when needed: the first Put after Close fails, and opens it again.", Anything}, func(c *cache) {
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			err := put(ctx, key, value, ttl)
			if errors.Is(err, backend.ErrClosed) {
				c.locked(func() { c.closed = false })
			}
			return err
		}
	}},
}

// unlessClosed drops an error that says that the cache is closed.
func unlessClosed(err error) error {
	if errors.Is(err, backend.ErrClosed) {
		return nil
	}
	return err
}

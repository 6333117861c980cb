package faulty

import (
	"context"
	"errors"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// concurrentFaults can be seen only when goroutines meet. Each is real, but none
// is a data race in Go's sense, so that it shows without the race detector.
var concurrentFaults = []mutation{
	{Fault{"TornValue", "concurrent/key", "A value written in two parts: a Get between them sees half of each.", StringValues}, func(c *cache) {
		tails := map[any]string{}
		get, put := c.get, c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			head, tail := value.(string), ""
			if n := len(head); n > 0 && n < 1000 {
				head, tail = head[:n-1], head[n-1:]
			}
			if err := put(ctx, key, head, ttl); err != nil {
				return err
			}
			runtime.Gosched()
			c.locked(func() { tails[c.id(key)] = tail })
			return nil
		}
		join := func(key any, head any) any { return any(head.(string) + tails[c.id(key)]) }
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			e, hit, err := get(ctx, key)
			if hit {
				c.locked(func() { e.Value = join(key, e.Value) })
			}
			return e, hit, err
		}
		all := c.all
		c.all = func(yield func(any, any) bool) {
			all(func(key any, head any) bool {
				c.mu.Lock()
				value := join(key, head)
				c.mu.Unlock()
				return yield(key, value)
			})
		}
	}},
	{Fault{"CopyOnWriteRaces", "concurrent/key", "A table copied, changed and swapped in without compare-and-swap: what others wrote meanwhile is undone.", Anything}, func(c *cache) {
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			var was map[any]*entry
			c.locked(func() {
				if len(c.entries) < 64 {
					was = maps.Clone(c.entries)
				}
			})
			runtime.Gosched()
			c.locked(func() {
				if was != nil && !c.closed {
					c.entries = was
				}
			})
			return put(ctx, key, value, ttl)
		}
	}},
	{Fault{"ReadWritesBack", "concurrent/key", "A Get that moves the entry to the front by putting it again brings back what was removed or replaced meanwhile.", Anything}, func(c *cache) {
		get := c.get
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			read := c.peek(key)
			e, hit, err := get(ctx, key)
			runtime.Gosched()
			if read != nil && hit {
				c.locked(func() {
					if now := c.entries[c.id(key)]; now != read && read.deadline.IsZero() {
						c.remove(now)
						c.bringBack(read)
					}
				})
			}
			return e, hit, err
		}
	}},
	{Fault{"LocalCopies", "concurrent/key", "A small cache for each goroutine or P in front of the shared one, which other goroutines' writes do not reach.", Anything}, func(c *cache) {
		type place struct {
			goroutine string
			id        any
		}
		type local struct {
			value any
			reads int
		}
		near := map[place]local{}
		get, put, invalidate := c.get, c.put, c.invalidate
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			if c.peek(key) == nil || c.capacity > 0 {
				return get(ctx, key)
			}
			at := place{goroutine(), c.id(key)}
			c.mu.Lock()
			l, ok := near[at]
			l.reads++
			near[at] = l
			c.mu.Unlock()
			if ok && l.reads < 3 {
				return backend.Entry[any]{Value: l.value}, true, nil
			}
			e, hit, err := get(ctx, key)
			c.locked(func() {
				if delete(near, at); hit && e.Deadline.IsZero() {
					near[at] = local{value: e.Value}
				}
			})
			return e, hit, err
		}
		forget := func() {
			me := goroutine()
			c.locked(func() { maps.DeleteFunc(near, func(at place, _ local) bool { return at.goroutine == me }) })
		}
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			forget()
			return put(ctx, key, value, ttl)
		}
		c.invalidate = func(ctx context.Context, key *any) error {
			forget()
			return invalidate(ctx, key)
		}
	}},
	{Fault{"TwoReplicas", "concurrent/key", "A Put reaches one replica after the other, and reads go to either: new, then old again.", Anything}, func(c *cache) {
		second := map[any]*entry{} // what the second still holds during a Put
		reads := 0
		get, put := c.get, c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			old := c.peek(key)
			if old == nil || !old.deadline.IsZero() {
				return put(ctx, key, value, ttl)
			}
			c.locked(func() { second[c.id(key)] = old })
			err := put(ctx, key, value, ttl)
			runtime.Gosched()
			c.locked(func() { delete(second, c.id(key)) })
			return err
		}
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			e, hit, err := get(ctx, key)
			c.mu.Lock()
			defer c.mu.Unlock()
			if old := second[c.id(key)]; hit && old != nil {
				if reads++; reads%2 == 0 {
					e.Value = c.out(old.value)
				}
			}
			return e, hit, err
		}
	}},
	{Fault{"RemovalUndoneByWriter", "concurrent/key", "A slow Put that fails to see its key removed meanwhile writes the entry before it back.", Anything}, func(c *cache) {
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			old := c.peek(key)
			runtime.Gosched()
			if old != nil && old.deadline.IsZero() {
				c.locked(func() { c.bringBack(old) })
			}
			runtime.Gosched()
			return put(ctx, key, value, ttl)
		}
	}},

	{Fault{"PutInTwoSteps", "hit/put", "Del, then Set: a Get between the two misses a key that was never removed.", Anything}, func(c *cache) {
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			if c.check(key) == nil {
				c.locked(func() { c.remove(c.entries[c.id(key)]) })
				runtime.Gosched()
			}
			return put(ctx, key, value, ttl)
		}
	}},
	{Fault{"ValueAndTTLApart", "ttl/overwrite", "otter's Set and SetExpiresAfter: of two Puts that meet, one's value may stay with the other's TTL.", Anything}, func(c *cache) {
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			if err := put(ctx, key, value, ttl); err != nil || ttl != nil && *ttl <= 0 {
				return err
			}
			runtime.Gosched()
			c.locked(func() {
				if e := c.entries[c.id(key)]; e != nil {
					e.deadline, _ = deadline(e, ttl)
				}
			})
			return nil
		}
	}},

	{Fault{"ClearSkipsBusy", "concurrent/nil", "Clear passes over what a writer holds at that moment, and the entry put before stays.", Anything}, func(c *cache) {
		busy := map[any]int{}
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			if c.check(key) == nil {
				c.locked(func() { busy[c.id(key)]++ })
				runtime.Gosched()
				defer c.locked(func() { busy[c.id(key)]-- })
			}
			return put(ctx, key, value, ttl)
		}
		clearLeaves(func(c *cache, e *entry, _ int) bool { return busy[c.id(e.key)] > 0 })(c)
	}},
	{Fault{"ClearTierByTier", "concurrent/nil", "Clear empties the first tier, then the second, and a Get between them brings an entry back to the first.", Anything}, func(c *cache) {
		second := map[any]*entry{} // not empty during a Clear
		get, invalidate := c.get, c.invalidate
		c.invalidate = func(ctx context.Context, key *any) error {
			if key != nil {
				return invalidate(ctx, key)
			}
			c.locked(func() { maps.Copy(second, c.entries) })
			err := invalidate(ctx, nil)
			runtime.Gosched()
			c.locked(func() { clear(second) })
			return err
		}
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			if c.check(key) == nil {
				c.locked(func() { c.bringBack(second[c.id(key)]) })
			}
			return get(ctx, key)
		}
	}},
	{Fault{"ClearUndoneByWriter", "concurrent/nil", "A Put works on a copy of the table that it took before the Clear, and swaps it in after.", Anything}, func(c *cache) {
		clears := 0
		onAll(func(_ *cache, wipe func()) {
			wipe()
			clears++
		})(c)
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			var was []*entry
			then := 0
			c.locked(func() {
				then = clears
				if len(c.entries) < 64 {
					was = slices.Collect(maps.Values(c.entries))
				}
			})
			runtime.Gosched()
			c.locked(func() {
				for _, e := range was {
					if clears != then {
						c.bringBack(e)
					}
				}
			})
			return put(ctx, key, value, ttl)
		}
	}},
	{Fault{"ClearCounts", "concurrent/nil", "Clear removes as many entries as there were when it began, one at a time, while others come and go.", Anything}, func(c *cache) {
		invalidate := c.invalidate
		c.invalidate = func(ctx context.Context, key *any) error {
			if key != nil {
				return invalidate(ctx, key)
			}
			if err := c.begin("invalidate", nil); err != nil {
				return err
			}
			n := len(c.entries)
			c.mu.Unlock()
			for range n {
				c.locked(func() { c.remove(c.oldest()) })
				runtime.Gosched()
				runtime.Gosched()
			}
			return nil
		}
	}},
	{Fault{"ClearIfIdle", "concurrent/nil", "A Clear that finds another call running leaves the work to a later one.", Anything}, func(c *cache) {
		running := 0
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			c.locked(func() { running++ })
			runtime.Gosched()
			defer c.locked(func() { running-- })
			return put(ctx, key, value, ttl)
		}
		onAll(func(_ *cache, wipe func()) {
			if running == 0 {
				wipe()
			}
		})(c)
	}},

	{Fault{"UnlockedMap", "concurrent/race", "A map without a lock: Go's runtime stops the program when two goroutines write at once. Here it is a panic.", Anything}, func(c *cache) {
		var writing atomic.Bool
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			if !writing.CompareAndSwap(false, true) {
				panic("concurrent map writes")
			}
			defer writing.Store(false)
			runtime.Gosched()
			return put(ctx, key, value, ttl)
		}
	}},
	{Fault{"LockOrder", "concurrent/race", "Stats takes one lock and then another, Clear the other way around: when they meet, both wait for ever.", Anything}, func(c *cache) {
		var a, b sync.Mutex
		stats, invalidate := c.stats, c.invalidate
		c.stats = func(ctx context.Context) (backend.Stats, error) {
			a.Lock()
			defer a.Unlock()
			runtime.Gosched()
			b.Lock()
			defer b.Unlock()
			return stats(ctx)
		}
		c.invalidate = func(ctx context.Context, key *any) error {
			if key == nil {
				b.Lock()
				defer b.Unlock()
				runtime.Gosched()
				a.Lock()
				defer a.Unlock()
			}
			return invalidate(ctx, key)
		}
	}},
	{Fault{"SendOnClosed", "concurrent/race", "ristretto: a Put that races Close sends on a closed channel and panics.", Anything}, func(c *cache) {
		var closed atomic.Bool
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			was := closed.Load()
			runtime.Gosched()
			if !was && closed.Load() {
				panic("send on closed channel")
			}
			return put(ctx, key, value, ttl)
		}
		c.stops = append(c.stops, func() { closed.Store(true) })
	}},
	{Fault{"StrandsWriters", "concurrent/race", "theine: a writer that waits for room in the queue when Close ends its reader waits for ever.", Anything}, func(c *cache) {
		writes, stop, done := make(chan func()), make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			for {
				select {
				case f := <-writes:
					f()
				case <-stop:
					return
				}
			}
		}()
		c.stops = append(c.stops, func() { close(stop); <-done })
		put := c.put
		c.put = func(ctx context.Context, key, value any, ttl *time.Duration) error {
			if err := c.begin("put", &key); err != nil {
				return err
			}
			c.mu.Unlock()
			result := make(chan error, 1)
			writes <- func() { result <- put(ctx, key, value, ttl) }
			return <-result
		}
	}},
	{Fault{"OddErrorWhileClosing", "concurrent/race", "A call that meets Close returns the error of whatever it was waiting for.", Anything}, func(c *cache) {
		var closed atomic.Bool
		get := c.get
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			was := closed.Load()
			runtime.Gosched()
			if !was && closed.Load() {
				return backend.Entry[any]{}, false, errors.New("faulty: broken pipe")
			}
			return get(ctx, key)
		}
		c.stops = append(c.stops, func() { closed.Store(true) })
	}},
	{Fault{"LoadIsError", "concurrent/race", "A semaphore that is tried, not awaited: under load a call fails with \"too many requests\".", Anything}, func(c *cache) {
		free := make(chan struct{}, 2)
		get := c.get
		c.get = func(ctx context.Context, key any) (backend.Entry[any], bool, error) {
			select {
			case free <- struct{}{}:
			default:
				return backend.Entry[any]{}, false, c.fail("get", &key, errors.New("too many requests"))
			}
			runtime.Gosched()
			defer func() { <-free }()
			return get(ctx, key)
		}
	}},
}

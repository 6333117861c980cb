package faulty

import (
	"bytes"
	"container/list"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"runtime"
	"sync"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// cache is a correct backend whose methods and steps can be replaced. Its keys
// and values are those of its user in an any; see [typed].
type cache struct {
	methods
	steps
	traits   backend.Traits
	capacity int          // 0: no bound
	zero     any          // the zero key
	values   reflect.Type // of values
	valid    backend.KeyChecker[any]

	mu       sync.Mutex
	closed   bool
	entries  map[any]*entry // by what id returns
	recent   *list.List     // most recently used first
	counters map[string]uint64

	closing sync.Once
	stops   []func() // end background goroutines
}

// methods are the methods of the backend.
type methods struct {
	get        func(ctx context.Context, key any) (backend.Entry[any], bool, error)
	getEntry   func(ctx context.Context, key any) (backend.Entry[any], bool, error)
	put        func(ctx context.Context, key, value any, ttl *time.Duration) error
	invalidate func(ctx context.Context, key *any) error
	stats      func(ctx context.Context) (backend.Stats, error)
	getMany    func(ctx context.Context, keys []any) (map[any]any, error)
	putMany    func(ctx context.Context, items []backend.Item[any, any]) error
	all        func(yield func(any, any) bool)
	flush      func(ctx context.Context) error
	close      func() error

	// What a fault does with what it should not keep or change; usually nil.
	keepKey  func(read func() any, write func(any)) // of Invalidate
	keepKeys func(swap func(i, j int), n int)       // of GetMany
}

// steps are what the methods are made of. All but check and fail are called
// under the lock.
type steps struct {
	check    func(key any) error                                    // whether key can be one
	fail     func(what string, key *any, cause error) error         // makes the error of a method
	id       func(key any) any                                      // what tells keys apart
	in, out  func(any) any                                          // on the way in and out
	fits     func(value any) error                                  // whether value is not too large
	lifetime func(old *entry, ttl *time.Duration) (time.Time, bool) // deadline of a new entry; false: stores nothing
	live     func(e *entry) bool                                    // whether the deadline is still to come
	replace  func(old *entry, value any) bool                       // whether a Put over old has an effect; old may be nil
	room     func()                                                 // before an entry is added
	touch    func(e *entry)                                         // after a hit
	expired  func(e *entry)                                         // after e was found dead, or nil
	size     func() int64
}

type entry struct {
	key      any
	value    any
	put      time.Time
	deadline time.Time // zero: never
	hits     int
	place    *list.Element
}

func newCache(capacity int, t backend.Traits, zero any, values reflect.Type) *cache {
	c := &cache{capacity: capacity, traits: t, zero: zero, values: values}
	if t.Bound == backend.BoundNone {
		c.capacity = 0
	}
	c.counters = map[string]uint64{
		backend.CounterHits: 0, backend.CounterMisses: 0, backend.CounterEvictions: 0, backend.CounterExpirations: 0,
	}
	c.clear()
	c.methods = methods{
		get: c.lookup, put: c.store, invalidate: c.forget, stats: c.count, getMany: c.lookupMany, putMany: c.storeMany,
		all: c.list, flush: c.sync, close: c.shut,
	}
	c.getEntry = func(ctx context.Context, key any) (backend.Entry[any], bool, error) { return c.get(ctx, key) }
	c.steps = steps{
		check: c.checkKey, fail: failure, id: func(key any) any { return key }, in: c.own, out: c.own, fits: c.checkValue,
		lifetime: deadline, live: before, replace: func(*entry, any) bool { return true },
		room: c.evict, touch: func(e *entry) { c.recent.MoveToFront(e.place) }, size: func() int64 { return int64(len(c.entries)) },
	}
	return c
}

// The correct methods.

func (c *cache) lookup(_ context.Context, key any) (backend.Entry[any], bool, error) {
	if err := c.begin("get", &key); err != nil {
		return backend.Entry[any]{}, false, err
	}
	defer c.mu.Unlock()
	e := c.entries[c.id(key)]
	if e != nil && !c.live(e) {
		c.expire(e)
		e = nil
	}
	if e == nil {
		c.counters[backend.CounterMisses]++
		return backend.Entry[any]{}, false, nil
	}
	e.hits++
	c.touch(e)
	c.counters[backend.CounterHits]++
	return backend.Entry[any]{Value: c.out(e.value), Deadline: e.deadline}, true, nil
}

func (c *cache) store(_ context.Context, key, value any, ttl *time.Duration) error {
	if err := c.begin("put", &key); err != nil {
		return err
	}
	defer c.mu.Unlock()
	old := c.entries[c.id(key)]
	if !c.replace(old, value) {
		return nil
	}
	if err := c.fits(value); err != nil {
		c.remove(old)
		return c.fail("put", &key, err)
	}
	deadline, ok := c.lifetime(old, ttl)
	c.remove(old)
	if !ok {
		return nil
	}
	c.room()
	c.add(key, value, deadline)
	return nil
}

func (c *cache) forget(_ context.Context, key *any) error {
	if err := c.begin("invalidate", key); err != nil {
		return err
	}
	defer c.mu.Unlock()
	if key == nil {
		c.clear()
	} else {
		c.remove(c.entries[c.id(*key)])
	}
	return nil
}

func (c *cache) count(context.Context) (backend.Stats, error) {
	if err := c.begin("stats", nil); err != nil {
		return backend.Stats{}, err
	}
	defer c.mu.Unlock()
	c.sweep()
	return backend.Stats{Size: c.size(), Counters: maps.Clone(c.counters)}, nil
}

func (c *cache) lookupMany(ctx context.Context, keys []any) (map[any]any, error) {
	found, errs := map[any]any{}, make([]error, len(keys))
	for i, k := range keys {
		e, hit, err := c.get(ctx, k)
		if hit {
			found[k] = e.Value
		}
		errs[i] = err
	}
	return found, errors.Join(errs...)
}

func (c *cache) storeMany(ctx context.Context, items []backend.Item[any, any]) error {
	errs := make([]error, len(items))
	for i, it := range items {
		errs[i] = c.put(ctx, it.Key, it.Value, it.TTL)
	}
	return errors.Join(errs...)
}

func (c *cache) list(yield func(any, any) bool) {
	var all []*entry
	c.locked(func() {
		for _, e := range c.entries {
			all = append(all, e)
		}
	})
	for _, e := range all {
		var value any
		live := false
		c.locked(func() { live, value = c.live(e), c.out(e.value) })
		if live && !yield(e.key, value) {
			return
		}
	}
}

func (c *cache) sync(context.Context) error {
	err := c.begin("sync", nil)
	if err == nil {
		c.mu.Unlock()
	}
	return err
}

func (c *cache) shut() error {
	c.closing.Do(func() {
		c.locked(func() {
			c.closed = true
			c.clear()
		})
		for _, stop := range c.stops {
			stop()
		}
	})
	return nil
}

// The correct steps.

func (c *cache) checkKey(key any) error {
	if err := c.valid.Check(key); err != nil {
		return err
	}
	if s, ok := key.(string); ok && c.traits.MaxKey > 0 && len(s) > c.traits.MaxKey {
		return backend.ErrTooLarge
	}
	return nil
}

func (c *cache) checkValue(value any) error {
	if limit := c.traits.MaxValue; limit > 0 && length(value) > limit {
		return backend.ErrTooLarge
	}
	return nil
}

func failure(what string, _ *any, cause error) error {
	return fmt.Errorf("faulty: %s: %w", what, cause)
}

func deadline(_ *entry, ttl *time.Duration) (time.Time, bool) {
	switch {
	case ttl == nil:
		return time.Time{}, true
	case *ttl <= 0:
		return time.Time{}, false
	}
	return time.Now().Add(*ttl), true
}

func before(e *entry) bool {
	return e.deadline.IsZero() || time.Now().Before(e.deadline)
}

// own copies values of type []byte, unless the cache declares that it shares.
func (c *cache) own(v any) any {
	if b, ok := v.([]byte); ok && c.traits.Values == backend.ByValue {
		return any(bytes.Clone(b))
	}
	return v
}

// What methods and faults share.

// begin checks the key, if any, and locks c unless it is closed.
func (c *cache) begin(what string, key *any) error {
	if key != nil {
		if err := c.check(*key); err != nil {
			return c.fail(what, key, err)
		}
	}
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return c.fail(what, key, backend.ErrClosed)
	}
	return nil
}

func (c *cache) locked(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

// peek returns the entry under key, or nil.
func (c *cache) peek(key any) (e *entry) {
	if c.check(key) == nil {
		c.locked(func() { e = c.entries[c.id(key)] })
	}
	return e
}

func (c *cache) add(key, value any, deadline time.Time) *entry {
	e := &entry{key: key, value: c.in(value), put: time.Now(), deadline: deadline}
	e.place = c.recent.PushFront(e)
	c.entries[c.id(key)] = e
	return e
}

// remove removes e, unless it is nil or has been removed before.
func (c *cache) remove(e *entry) {
	if e != nil && c.entries[c.id(e.key)] == e {
		delete(c.entries, c.id(e.key))
		c.recent.Remove(e.place)
	}
}

func (c *cache) clear() {
	c.entries = map[any]*entry{}
	c.recent = list.New()
}

// expire removes a dead entry.
func (c *cache) expire(e *entry) {
	c.remove(e)
	c.counters[backend.CounterExpirations]++
	if c.expired != nil {
		c.expired(e)
	}
}

// sweep removes the expired entries.
func (c *cache) sweep() {
	for _, e := range c.entries {
		if !c.live(e) {
			c.expire(e)
		}
	}
}

// evict makes room for one entry.
func (c *cache) evict() {
	if c.capacity > 0 && len(c.entries) >= c.capacity {
		c.sweep()
	}
	if c.capacity > 0 && len(c.entries) >= c.capacity {
		c.remove(c.oldest())
		c.counters[backend.CounterEvictions]++
	}
}

func (c *cache) oldest() *entry {
	if c.recent.Len() == 0 {
		return nil
	}
	return c.recent.Back().Value.(*entry)
}

// queue starts a goroutine that runs what later is given, in order, until Close.
func (c *cache) queue() (later func(f func())) {
	var mu sync.Mutex
	var todo []func()
	var stopped bool
	change := sync.NewCond(&mu)
	done := make(chan struct{})
	go func() {
		defer close(done)
		mu.Lock()
		defer mu.Unlock()
		for {
			for len(todo) == 0 && !stopped {
				change.Wait()
			}
			if stopped {
				return
			}
			f := todo[0]
			mu.Unlock()
			runtime.Gosched()
			f()
			mu.Lock()
			todo = todo[1:]
			change.Broadcast()
		}
	}()
	c.stops = append(c.stops, func() {
		mu.Lock()
		stopped = true
		change.Broadcast()
		mu.Unlock()
		<-done
	})
	return func(f func()) {
		mu.Lock()
		defer mu.Unlock()
		if !stopped {
			todo = append(todo, f)
			change.Broadcast()
		}
	}
}

// length returns the length of a string or []byte, else 0.
func length(v any) int {
	switch v := v.(type) {
	case string:
		return len(v)
	case []byte:
		return len(v)
	}
	return 0
}

package faulty

import (
	"bytes"
	"container/list"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"reflect"
	"runtime"
	"sync"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// cache is a correct backend whose methods and steps can be replaced.
type cache[K comparable, V any] struct {
	methods[K, V]
	steps[K, V]
	traits   backend.Traits
	capacity int // 0: no bound
	valid    backend.KeyChecker[K]

	mu       sync.Mutex
	closed   bool
	entries  map[any]*entry[K, V] // by what id returns
	recent   *list.List           // most recently used first
	counters map[string]uint64

	closing sync.Once
	stops   []func() // end background goroutines
}

// methods are the methods of the backend.
type methods[K comparable, V any] struct {
	get        func(ctx context.Context, key K) (backend.Entry[V], bool, error)
	put        func(ctx context.Context, key K, value V, ttl *time.Duration) error
	invalidate func(ctx context.Context, key *K) error
	stats      func(ctx context.Context) (backend.Stats, error)
	getMany    func(ctx context.Context, keys []K) (map[K]V, error)
	putMany    func(ctx context.Context, items []backend.Item[K, V]) error
	all        func(yield func(K, V) bool)
	flush      func(ctx context.Context) error
	close      func() error
}

// steps are what the methods are made of. All but check and fail are called
// under the lock.
type steps[K comparable, V any] struct {
	check    func(key K) error                                            // whether key can be one
	fail     func(what string, key *K, cause error) error                 // makes the error of a method
	id       func(key K) any                                              // what tells keys apart
	in, out  func(V) V                                                    // on the way in and out
	fits     func(value V) error                                          // whether value is not too large
	lifetime func(old *entry[K, V], ttl *time.Duration) (time.Time, bool) // deadline of a new entry; false: stores nothing
	live     func(e *entry[K, V]) bool                                    // whether the deadline is still to come
	replace  func(old *entry[K, V], value V) bool                         // whether a Put over old has an effect; old may be nil
	room     func()                                                       // before an entry is added
	touch    func(e *entry[K, V])                                         // after a hit
	size     func() int64
}

type entry[K comparable, V any] struct {
	key      K
	value    V
	put      time.Time
	deadline time.Time // zero: never
	hits     int
	place    *list.Element
}

var (
	_ backend.Backend[string, any]     = (*cache[string, any])(nil)
	_ backend.Ranger[string, any]      = (*cache[string, any])(nil)
	_ backend.EntryGetter[string, any] = (*cache[string, any])(nil)
	_ backend.Batcher[string, any]     = (*cache[string, any])(nil)
	_ backend.Flusher                  = (*cache[string, any])(nil)
	_ backend.Describer                = (*cache[string, any])(nil)
)

func newCache[K comparable, V any](capacity int, t backend.Traits) *cache[K, V] {
	c := &cache[K, V]{capacity: capacity, traits: t, valid: backend.NewKeyChecker[K]()}
	if !copies[V]() {
		c.traits.Values = backend.ByReference
	}
	if t.Bound == backend.BoundNone {
		c.capacity = 0
	}
	c.counters = map[string]uint64{
		backend.CounterHits: 0, backend.CounterMisses: 0, backend.CounterEvictions: 0, backend.CounterExpirations: 0,
	}
	c.clear()
	c.methods = methods[K, V]{
		get: c.lookup, put: c.store, invalidate: c.forget, stats: c.count, getMany: c.lookupMany, putMany: c.storeMany,
		all: c.list, flush: c.sync, close: c.shut,
	}
	c.steps = steps[K, V]{
		check: c.checkKey, fail: failure[K], id: func(key K) any { return key }, in: c.own, out: c.own, fits: c.checkValue,
		lifetime: deadline[K, V], live: before[K, V], replace: func(*entry[K, V], V) bool { return true },
		room: c.evict, touch: func(e *entry[K, V]) { c.recent.MoveToFront(e.place) }, size: func() int64 { return int64(len(c.entries)) },
	}
	return c
}

func (c *cache[K, V]) Get(ctx context.Context, key K) (V, bool, error) {
	e, hit, err := c.get(ctx, key)
	return e.Value, hit, err
}

func (c *cache[K, V]) GetEntry(ctx context.Context, key K) (backend.Entry[V], bool, error) {
	return c.get(ctx, key)
}

func (c *cache[K, V]) Put(ctx context.Context, key K, value V, ttl *time.Duration) error {
	return c.put(ctx, key, value, ttl)
}
func (c *cache[K, V]) Invalidate(ctx context.Context, key *K) error     { return c.invalidate(ctx, key) }
func (c *cache[K, V]) Stats(ctx context.Context) (backend.Stats, error) { return c.stats(ctx) }
func (c *cache[K, V]) GetMany(ctx context.Context, keys []K) (map[K]V, error) {
	return c.getMany(ctx, keys)
}

func (c *cache[K, V]) PutMany(ctx context.Context, items []backend.Item[K, V]) error {
	return c.putMany(ctx, items)
}
func (c *cache[K, V]) All() iter.Seq2[K, V]            { return func(yield func(K, V) bool) { c.all(yield) } }
func (c *cache[K, V]) Flush(ctx context.Context) error { return c.flush(ctx) }
func (c *cache[K, V]) Close() error                    { return c.close() }
func (c *cache[K, V]) Traits() backend.Traits          { return c.traits }

// The correct methods.

func (c *cache[K, V]) lookup(_ context.Context, key K) (backend.Entry[V], bool, error) {
	if err := c.begin("get", &key); err != nil {
		return backend.Entry[V]{}, false, err
	}
	defer c.mu.Unlock()
	e := c.entries[c.id(key)]
	if e != nil && !c.live(e) {
		c.remove(e)
		c.counters[backend.CounterExpirations]++
		e = nil
	}
	if e == nil {
		c.counters[backend.CounterMisses]++
		return backend.Entry[V]{}, false, nil
	}
	e.hits++
	c.touch(e)
	c.counters[backend.CounterHits]++
	return backend.Entry[V]{Value: c.out(e.value), Deadline: e.deadline}, true, nil
}

func (c *cache[K, V]) store(_ context.Context, key K, value V, ttl *time.Duration) error {
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

func (c *cache[K, V]) forget(_ context.Context, key *K) error {
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

func (c *cache[K, V]) count(context.Context) (backend.Stats, error) {
	if err := c.begin("stats", nil); err != nil {
		return backend.Stats{}, err
	}
	defer c.mu.Unlock()
	c.sweep()
	return backend.Stats{Size: c.size(), Counters: maps.Clone(c.counters)}, nil
}

func (c *cache[K, V]) lookupMany(ctx context.Context, keys []K) (map[K]V, error) {
	found, errs := map[K]V{}, make([]error, len(keys))
	for i, k := range keys {
		e, hit, err := c.get(ctx, k)
		if hit {
			found[k] = e.Value
		}
		errs[i] = err
	}
	return found, errors.Join(errs...)
}

func (c *cache[K, V]) storeMany(ctx context.Context, items []backend.Item[K, V]) error {
	errs := make([]error, len(items))
	for i, it := range items {
		errs[i] = c.put(ctx, it.Key, it.Value, it.TTL)
	}
	return errors.Join(errs...)
}

func (c *cache[K, V]) list(yield func(K, V) bool) {
	var all []*entry[K, V]
	c.locked(func() {
		for _, e := range c.entries {
			all = append(all, e)
		}
	})
	for _, e := range all {
		var value V
		live := false
		c.locked(func() { live, value = c.live(e), c.out(e.value) })
		if live && !yield(e.key, value) {
			return
		}
	}
}

func (c *cache[K, V]) sync(context.Context) error {
	err := c.begin("flush", nil)
	if err == nil {
		c.mu.Unlock()
	}
	return err
}

func (c *cache[K, V]) shut() error {
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

func (c *cache[K, V]) checkKey(key K) error {
	if err := c.valid.Check(key); err != nil {
		return err
	}
	if s, ok := any(key).(string); ok && c.traits.MaxKey > 0 && len(s) > c.traits.MaxKey {
		return backend.ErrTooLarge
	}
	return nil
}

func (c *cache[K, V]) checkValue(value V) error {
	if limit := c.traits.MaxValue; limit > 0 && length(value) > limit {
		return backend.ErrTooLarge
	}
	return nil
}

func failure[K comparable](what string, _ *K, cause error) error {
	return fmt.Errorf("faulty: %s: %w", what, cause)
}

func deadline[K comparable, V any](_ *entry[K, V], ttl *time.Duration) (time.Time, bool) {
	switch {
	case ttl == nil:
		return time.Time{}, true
	case *ttl <= 0:
		return time.Time{}, false
	}
	return time.Now().Add(*ttl), true
}

func before[K comparable, V any](e *entry[K, V]) bool {
	return e.deadline.IsZero() || time.Now().Before(e.deadline)
}

// own copies values of type []byte, unless the cache declares that it shares.
func (c *cache[K, V]) own(v V) V {
	if b, ok := any(v).([]byte); ok && c.traits.Values == backend.ByCopy {
		return any(bytes.Clone(b)).(V)
	}
	return v
}

// copies reports whether own copies all memory that a V refers to.
func copies[V any]() bool {
	t := reflect.TypeFor[V]()
	return t.Kind() <= reflect.Complex128 || t.Kind() == reflect.String || t == reflect.TypeFor[[]byte]()
}

// What methods and faults share.

// begin checks the key, if any, and locks c unless it is closed.
func (c *cache[K, V]) begin(what string, key *K) error {
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

func (c *cache[K, V]) locked(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

// peek returns the entry under key, or nil.
func (c *cache[K, V]) peek(key K) (e *entry[K, V]) {
	if c.check(key) == nil {
		c.locked(func() { e = c.entries[c.id(key)] })
	}
	return e
}

func (c *cache[K, V]) add(key K, value V, deadline time.Time) *entry[K, V] {
	e := &entry[K, V]{key: key, value: c.in(value), put: time.Now(), deadline: deadline}
	e.place = c.recent.PushFront(e)
	c.entries[c.id(key)] = e
	return e
}

// remove removes e, unless it is nil or has been removed before.
func (c *cache[K, V]) remove(e *entry[K, V]) {
	if e != nil && c.entries[c.id(e.key)] == e {
		delete(c.entries, c.id(e.key))
		c.recent.Remove(e.place)
	}
}

func (c *cache[K, V]) clear() {
	c.entries = map[any]*entry[K, V]{}
	c.recent = list.New()
}

// sweep removes the expired entries.
func (c *cache[K, V]) sweep() {
	for _, e := range c.entries {
		if !c.live(e) {
			c.remove(e)
			c.counters[backend.CounterExpirations]++
		}
	}
}

// evict makes room for one entry.
func (c *cache[K, V]) evict() {
	if c.capacity > 0 && len(c.entries) >= c.capacity {
		c.sweep()
	}
	if c.capacity > 0 && len(c.entries) >= c.capacity {
		c.remove(c.oldest())
		c.counters[backend.CounterEvictions]++
	}
}

func (c *cache[K, V]) oldest() *entry[K, V] {
	if c.recent.Len() == 0 {
		return nil
	}
	return c.recent.Back().Value.(*entry[K, V])
}

// every runs f in a goroutine every d until Close.
func (c *cache[K, V]) every(d time.Duration, f func()) {
	stop, done := make(chan struct{}), make(chan struct{})
	c.stops = append(c.stops, func() { close(stop); <-done })
	go func() {
		defer close(done)
		tick := time.NewTicker(d)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				f()
			}
		}
	}()
}

// queue starts a goroutine that runs what later is given, in order, until Close.
// wait returns when all that was given before has been run.
func (c *cache[K, V]) queue() (later func(f func()), wait func()) {
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
	later = func(f func()) {
		mu.Lock()
		defer mu.Unlock()
		if !stopped {
			todo = append(todo, f)
			change.Broadcast()
		}
	}
	wait = func() {
		mu.Lock()
		defer mu.Unlock()
		for len(todo) > 0 && !stopped {
			change.Wait()
		}
	}
	return later, wait
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

package otter

import (
	"sync"
	"sync/atomic"

	"github.com/maypok86/otter/v2"

	"github.com/cachepact/cachepact/internal/clock"
	"github.com/cachepact/cachepact/internal/expiry"
)

// A store is a cache of the library with the account of its entries. An
// Invalidate of all keys replaces it as a whole.
//
// The library calls back with the bucket of a key locked, and mu is taken then.
// So nothing calls the library's writing methods with mu held.
type store[K comparable, V any] struct {
	cache    *otter.Cache[K, *entry[K, V]]
	clock    clock.Clock
	capacity int64 // 0: no bound
	pointers bool  // V has pointers
	counters *counters
	tasks    *tasks

	next atomic.Int64 // when the first timer can come

	// mu is held to change the number of live entries, and for each change of an
	// entry by which a timer comes or goes.
	mu    sync.Mutex
	live  int64
	queue expiry.Queue[due[K, V]] // the timers of current versions
}

// counters are those of all stores of a backend.
type counters struct {
	evictions, expirations atomic.Uint64
}

// newStore returns an empty store.
func newStore[K comparable, V any](o otter.Options[K, *entry[K, V]], c clock.Clock, pointers bool, n *counters, t *tasks) (*store[K, V], error) {
	s := &store[K, V]{clock: c, capacity: int64(o.MaximumSize), pointers: pointers, counters: n, tasks: t}
	s.next.Store(s.queue.Next())
	o.OnAtomicDeletion = s.deleted
	// The library hands over nothing but its maintenance, which is the same each
	// time. To start it allocates nothing.
	maintain := s.maintain
	o.Executor = func(task func()) {
		if s.tasks.start() {
			go maintain()
		} else {
			task()
		}
	}
	var err error
	s.cache, err = otter.New(&o)
	return s, err
}

// maintain has the library do what it owes for earlier reads and writes.
func (s *store[K, V]) maintain() {
	defer s.tasks.done()
	s.cache.CleanUp()
	if s.overfull() { // by writes that came meanwhile
		s.cache.CleanUp()
	}
}

func (s *store[K, V]) overfull() bool {
	if s.capacity == 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live > s.capacity
}

// get returns the current version of the entry under key, expired or not, or nil.
func (s *store[K, V]) get(key K) *version[K, V] {
	e, ok := s.cache.GetIfPresent(key)
	if !ok {
		return nil
	}
	if v := e.current.Load(); v != nil {
		return v
	}
	return s.peek(key)
}

// peek is get, waits for a Put of the same key that is under way, and leaves no
// trace.
func (s *store[K, V]) peek(key K) (v *version[K, V]) {
	s.cache.Compute(key, func(e *entry[K, V], found bool) (*entry[K, V], otter.ComputeOp) {
		if found {
			v = e.current.Load()
		}
		return nil, otter.CancelOp
	})
	return v
}

// put stores a value under key.
func (s *store[K, V]) put(key K, value V, deadline int64) {
	split := false
	if e, ok := s.cache.GetIfPresent(key); ok {
		if s.replace(e, key, value, deadline) {
			return
		}
		split = s.pointers
	}
	e := newEntry(key, value, deadline, split)
	s.cache.Compute(key, func(old *entry[K, V], found bool) (*entry[K, V], otter.ComputeOp) {
		s.mu.Lock()
		if !found || s.end(old) == nil {
			s.live++
		}
		if t := e.current.Load().timer; t != nil {
			s.queue.Add(t)
		}
		s.next.Store(s.queue.Next())
		s.mu.Unlock()
		return e, otter.WriteOp
	})
}

// replace gives e another version, unless e has ended or its first version must
// not stay.
func (s *store[K, V]) replace(e *entry[K, V], key K, value V, deadline int64) bool {
	old := e.current.Load()
	if old == nil || s.pointers && old == &e.first {
		return false
	}
	v := newVersion(e, key, value, deadline)
	if old.timer == nil && v.timer == nil && e.current.CompareAndSwap(old, v) {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if old = e.current.Load(); old == nil {
			return false
		}
		if e.current.CompareAndSwap(old, v) {
			break
		}
	}
	switch {
	case old.timer != nil && v.timer != nil:
		s.queue.Replace(old.timer, v.timer)
	case old.timer != nil:
		s.queue.Remove(old.timer)
	case v.timer != nil:
		s.queue.Add(v.timer)
	}
	s.next.Store(s.queue.Next())
	return true
}

// end ends e and returns its last version, or nil if it had ended. The caller
// holds mu and takes e out of the account.
func (s *store[K, V]) end(e *entry[K, V]) *version[K, V] {
	v := e.current.Swap(nil)
	if v != nil && v.timer != nil {
		s.queue.Remove(v.timer)
		s.next.Store(s.queue.Next())
	}
	return v
}

// deleted is called by the library before it removes or replaces an entry. One
// that is replaced has been ended before.
func (s *store[K, V]) deleted(e otter.DeletionEvent[K, *entry[K, V]]) {
	if e.Cause == otter.CauseReplacement {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.end(e.Value)
	if v == nil {
		return
	}
	s.live--
	switch {
	case e.Cause != otter.CauseOverflow:
	case s.clock.Expired(v.deadline()):
		s.counters.expirations.Add(1)
	default:
		s.counters.evictions.Add(1)
	}
}

// expire removes at most limit expired entries, or all if limit is negative.
func (s *store[K, V]) expire(now int64, limit int) {
	for ; limit != 0 && s.next.Load() <= now; limit-- {
		d, ok := s.pop(now)
		if !ok {
			return
		}
		s.cache.Compute(d.key, func(e *entry[K, V], _ bool) (*entry[K, V], otter.ComputeOp) {
			if e == d.entry {
				return nil, otter.InvalidateOp
			}
			return nil, otter.CancelOp
		})
	}
}

// pop ends an entry whose timer has come.
func (s *store[K, V]) pop(now int64) (d due[K, V], ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.queue.Pop(now)
	s.next.Store(s.queue.Next())
	if t == nil {
		return d, false
	}
	// A version with a timer is replaced with mu held only, and its timer then
	// leaves the queue: the version is current, unless the entry is just being
	// deleted.
	if v := t.Key.entry.current.Load(); v != nil && v.timer == t && t.Key.entry.current.CompareAndSwap(v, nil) {
		s.live--
		s.counters.expirations.Add(1)
	}
	return t.Key, true
}

// size returns the number of live entries.
func (s *store[K, V]) size() int64 {
	if s.next.Load() != expiry.None {
		s.expire(s.clock.Now(), -1)
	}
	if s.overfull() {
		s.cache.CleanUp()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live
}

// tasks are the goroutines of a backend.
type tasks struct {
	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
}

// start reports whether another may be started.
func (t *tasks) start() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		t.running.Add(1)
	}
	return !t.closed
}

func (t *tasks) done() { t.running.Done() }

// close lets no more start and waits for the end of those that run.
func (t *tasks) close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.running.Wait()
}

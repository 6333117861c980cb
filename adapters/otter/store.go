package otter

import (
	"sync"
	"sync/atomic"

	"github.com/maypok86/otter/v2"

	"github.com/cachepact/cachepact/adapters/internal/expiry"
)

// A store is a cache of the library with the number and the deadlines of its entries. Invalidate of all keys replaces
// the store.
//
// The library calls deleted while it holds the lock of the key's bucket, and deleted locks mu. So nothing calls a
// writing method of the library while it holds mu.
type store[K comparable, V any] struct {
	cache    *otter.Cache[K, *entry[K, V]]
	clock    expiry.Clock
	capacity int64 // 0: no bound
	pointers bool  // V has pointers
	counters *counters
	tasks    *tasks

	// The number of entries that got a current version, and the number of entries that lost theirs. Writers update
	// the first and the library's maintenance the second, so each has its own cache line.
	_       [64]byte
	created atomic.Int64
	_       [64]byte
	ended   atomic.Int64
	_       [64]byte

	next atomic.Int64 // queue.Next, to read without mu

	// mu is held during each change of an entry that adds a timer to the queue or removes one.
	mu    sync.Mutex
	queue expiry.Queue[due[K, V]] // the timers of current versions
}

// counters count for all stores of a backend. They have cache lines of their own.
type counters struct {
	_                      [64]byte
	evictions, expirations atomic.Uint64
	_                      [64]byte
}

func newStore[K comparable, V any](
	o otter.Options[K, *entry[K, V]], c expiry.Clock, pointers bool, n *counters, t *tasks,
) (*store[K, V], error) {
	s := &store[K, V]{clock: c, capacity: int64(o.MaximumSize), pointers: pointers, counters: n, tasks: t}
	s.next.Store(s.queue.Next())
	o.OnAtomicDeletion = s.deleted
	// The library passes only its maintenance to the executor. Starting the same function each time allocates nothing.
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

// maintain applies earlier reads and writes to the library's policy.
func (s *store[K, V]) maintain() {
	defer s.tasks.running.Done()
	s.cache.CleanUp()
	if s.overfull() { // because of writes during CleanUp
		s.cache.CleanUp()
	}
}

func (s *store[K, V]) overfull() bool {
	return s.capacity > 0 && s.live() > s.capacity
}

// live returns the number of entries with a current version. The number was right at one moment during the call.
func (s *store[K, V]) live() int64 {
	for created := s.created.Load(); ; {
		ended, again := s.ended.Load(), s.created.Load()
		if created == again {
			return created - ended
		}
		created = again
	}
}

// size returns the number of live entries.
func (s *store[K, V]) size() int64 {
	if s.next.Load() != expiry.None {
		s.expire(s.clock.Now(), -1)
	}
	if s.overfull() {
		s.cache.CleanUp()
	}
	return s.live()
}

// peek returns the current version of the entry under key, even if it has expired, or nil. It waits for a running Put
// of the same key and does not count as a read.
func (s *store[K, V]) peek(key K) (v *version[K, V]) {
	s.cache.Compute(key, func(e *entry[K, V], found bool) (*entry[K, V], otter.ComputeOp) {
		if found {
			v = e.current.Load()
		}
		return nil, otter.CancelOp
	})
	return v
}

func (s *store[K, V]) put(key K, value V, deadline int64) {
	split := false
	if e, ok := s.cache.GetIfPresent(key); ok {
		if s.replaceVersion(e, key, value, deadline) {
			return
		}
		split = s.pointers
	}
	e := newEntry(key, value, deadline, split)
	s.cache.Compute(key, func(old *entry[K, V], found bool) (*entry[K, V], otter.ComputeOp) {
		if !found && deadline == expiry.Never {
			s.created.Add(1)
		} else {
			s.replaceEntry(old, e)
		}
		return e, otter.WriteOp
	})
}

// replaceEntry ends old, which may be nil, and counts and queues e.
func (s *store[K, V]) replaceEntry(old, e *entry[K, V]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var last *version[K, V]
	if old != nil {
		last = old.current.Swap(nil)
	}
	if last == nil {
		s.created.Add(1)
	}
	s.requeue(last, e.current.Load())
}

// replaceVersion gives e another version. It fails if e has ended, or if e must not keep its first version.
func (s *store[K, V]) replaceVersion(e *entry[K, V], key K, value V, deadline int64) bool {
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
			s.requeue(old, v)
			return true
		}
	}
}

// requeue removes the timer of old from the queue and adds the timer of v. Either version may be nil. The caller holds
// mu.
func (s *store[K, V]) requeue(old, v *version[K, V]) {
	had, has := old != nil && old.timer != nil, v != nil && v.timer != nil
	switch {
	case had && has:
		s.queue.Replace(old.timer, v.timer)
	case had:
		s.queue.Remove(old.timer)
	case has:
		s.queue.Add(v.timer)
	default:
		return
	}
	s.next.Store(s.queue.Next())
}

// deleted is called by the library before it removes or replaces an entry. A replaced entry was ended by replaceEntry.
func (s *store[K, V]) deleted(e otter.DeletionEvent[K, *entry[K, V]]) {
	if e.Cause == otter.CauseReplacement {
		return
	}
	v := e.Value.current.Swap(nil)
	if v == nil {
		return
	}
	s.ended.Add(1)
	if v.timer != nil {
		s.mu.Lock()
		s.requeue(v, nil)
		s.mu.Unlock()
	}
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

// pop ends an entry whose deadline has passed.
func (s *store[K, V]) pop(now int64) (d due[K, V], ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.queue.Pop(now)
	if t != nil {
		d, ok = t.Key, true
		// The version with this timer is current unless its entry is being deleted: replacing the version needs mu and
		// takes the timer out of the queue.
		v := d.entry.current.Load()
		if v != nil && v.timer == t && d.entry.current.CompareAndSwap(v, nil) {
			s.ended.Add(1)
			s.counters.expirations.Add(1)
		}
	}
	s.next.Store(s.queue.Next()) // store it last, because readers of next rely on ended
	return d, ok
}

// tasks are the goroutines of a backend.
type tasks struct {
	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
}

// start reports whether another goroutine may start.
func (t *tasks) start() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		t.running.Add(1)
	}
	return !t.closed
}

// close prevents further goroutines and waits until the running ones end.
func (t *tasks) close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.running.Wait()
}

package otter

import (
	"sync"
	"sync/atomic"

	"github.com/maypok86/otter/v2"

	"github.com/cachepact/cachepact/adapters/internal/expiry"
)

// A store is a cache of the library with the account of its entries. An
// Invalidate of all keys replaces it as a whole.
//
// The library calls back with the bucket of a key locked, and mu is taken then.
// So nothing calls the library's writing methods with mu held.
type store[K comparable, V any] struct {
	cache    *otter.Cache[K, *entry[K, V]]
	clock    expiry.Clock
	capacity int64 // 0: no bound
	pointers bool  // V has pointers
	counters *counters
	tasks    *tasks

	// Entries that have had a current version, and those of them that have no
	// more. Writers count the ones and maintenance the others, on cache lines of
	// their own.
	_       [64]byte
	created atomic.Int64
	_       [64]byte
	ended   atomic.Int64
	_       [64]byte

	next atomic.Int64 // when the first timer can come

	// mu is held for each change of an entry by which a timer comes or goes.
	mu    sync.Mutex
	queue expiry.Queue[due[K, V]] // the timers of current versions
}

// counters are those of all stores of a backend.
type counters struct {
	_                      [64]byte // to a cache line of their own
	evictions, expirations atomic.Uint64
	_                      [64]byte
}

// newStore returns an empty store.
func newStore[K comparable, V any](o otter.Options[K, *entry[K, V]], c expiry.Clock, pointers bool, n *counters, t *tasks) (*store[K, V], error) {
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
	return s.capacity > 0 && s.live() > s.capacity
}

// live returns the number of entries that have a current version, as it was at
// one moment.
func (s *store[K, V]) live() int64 {
	for created := s.created.Load(); ; {
		ended, again := s.ended.Load(), s.created.Load()
		if created == again {
			return created - ended
		}
		created = again
	}
}

// peek returns the current version of the entry under key, expired or not, or
// nil. It waits for a Put of the same key that is under way and leaves no trace.
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
		if !found && deadline == expiry.Never {
			s.created.Add(1)
		} else {
			s.succeed(old, e)
		}
		return e, otter.WriteOp
	})
}

// succeed lets e take the place of old, which may be nil.
func (s *store[K, V]) succeed(old, e *entry[K, V]) {
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

// requeue takes the timer of old out of the queue and puts that of v into it.
// Either may be nil. The caller holds mu.
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
	s.requeue(old, v)
	return true
}

// deleted is called by the library before it removes or replaces an entry. One
// that is replaced has been ended before.
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
		s.forget(v)
	}
	switch {
	case e.Cause != otter.CauseOverflow:
	case s.clock.Expired(v.deadline()):
		s.counters.expirations.Add(1)
	default:
		s.counters.evictions.Add(1)
	}
}

// forget takes the timer of v, which is no longer current, out of the queue.
func (s *store[K, V]) forget(v *version[K, V]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requeue(v, nil)
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
	if t != nil {
		d, ok = t.Key, true
		// The version with this timer is current, unless its entry is just being
		// deleted: to replace it takes mu, and its timer then leaves the queue.
		v := d.entry.current.Load()
		if v != nil && v.timer == t && d.entry.current.CompareAndSwap(v, nil) {
			s.ended.Add(1)
			s.counters.expirations.Add(1)
		}
	}
	s.next.Store(s.queue.Next()) // at last: who reads it may then rely on ended
	return d, ok
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

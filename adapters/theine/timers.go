package theine

import (
	"sync"
	"sync/atomic"

	"github.com/cachepact/cachepact/adapters/internal/expiry"
)

// A timer is the deadline of an entry. Each Put with a TTL makes another timer, so a timer identifies the Put.
type timer[K comparable] = expiry.Node[K]

// timers are the timers of the entries of a store. The caller of set and remove holds the stripe of the key.
type timers[K comparable] struct {
	next atomic.Int64 // queue.Next, to read without mu
	some atomic.Bool  // byKey is not empty

	mu    sync.Mutex
	byKey map[K]*timer[K]
	queue expiry.Queue[K] // the timers that pop has not returned
}

func newTimers[K comparable]() *timers[K] {
	t := &timers[K]{byKey: map[K]*timer[K]{}}
	t.next.Store(expiry.None)
	return t
}

// set replaces the timer of key. It returns nil if the new entry never expires.
func (t *timers[K]) set(key K, deadline int64) *timer[K] {
	if deadline == expiry.Never {
		t.remove(key)
		return nil
	}
	n := &timer[K]{Key: key, Deadline: deadline}
	t.mu.Lock()
	defer t.mu.Unlock()
	if old := t.byKey[key]; old != nil {
		t.queue.Remove(old)
	}
	t.byKey[key] = n
	t.some.Store(true)
	t.queue.Add(n)
	t.next.Store(t.queue.Next())
	return n
}

// remove removes the timer of key, if there is one.
func (t *timers[K]) remove(key K) {
	if !t.some.Load() {
		return // a timer of this key would be visible, because the caller holds the stripe
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if old := t.byKey[key]; old != nil {
		t.forget(old)
	}
}

// removeThis removes n if it is the timer of its key, and reports whether it was.
func (t *timers[K]) removeThis(n *timer[K]) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byKey[n.Key] != n {
		return false
	}
	t.forget(n)
	return true
}

func (t *timers[K]) forget(n *timer[K]) {
	delete(t.byKey, n.Key)
	t.some.Store(len(t.byKey) > 0)
	t.queue.Remove(n)
	t.next.Store(t.queue.Next())
}

// pop returns a timer whose deadline has passed, or nil. It remains the timer of its key until removeThis.
func (t *timers[K]) pop(now int64) *timer[K] {
	if t.next.Load() > now {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.queue.Pop(now)
	t.next.Store(t.queue.Next())
	return n
}

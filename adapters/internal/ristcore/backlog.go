package ristcore

import (
	"sync"
	"sync/atomic"
)

// A backlog counts the inserts that the library has applied. Inserts that are too far ahead of the library wait. They
// do not wait until the library has nothing left to do.
type backlog struct {
	step    uint64        // see maxStep
	calls   uint64        // calls of the Cost hook
	applied atomic.Uint64 // inserts that the library has applied

	_       [64]byte      // keeps the fields below, which every insert reads, off the cache line of the counters
	limit   atomic.Uint64 // inserts up to this number need not wait
	waiting atomic.Int64
	lock    sync.Mutex
	raised  sync.Cond // signals that limit has risen
}

func (b *backlog) init(step uint64) {
	b.step = step
	b.raised.L = &b.lock
	b.limit.Store(2 * step)
}

// apply records that the library is about to apply another insert, and so has applied all earlier ones.
func (b *backlog) apply() {
	n := b.calls
	b.calls++
	b.applied.Store(n)
	if n%b.step != 0 {
		return
	}
	// apply stores limit and then reads waiting. throttle stores waiting and then reads limit. So one of the two sees
	// the other's write.
	b.limit.Store(n + 2*b.step)
	if b.waiting.Load() > 0 {
		b.lock.Lock()
		defer b.lock.Unlock()
		b.raised.Broadcast()
	}
}

// throttle returns when the library is at most two steps behind the n-th insert, which the caller has sent to it. The
// caller holds no lock that a hook or another insert needs.
func (b *backlog) throttle(n uint64) {
	if n <= b.limit.Load() {
		return
	}
	b.lock.Lock()
	defer b.lock.Unlock()
	b.waiting.Add(1)
	defer b.waiting.Add(-1)
	for n > b.limit.Load() {
		b.raised.Wait()
	}
}

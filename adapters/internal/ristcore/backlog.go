package ristcore

import (
	"sync"
	"sync/atomic"
)

// A backlog counts the inserts that the library has applied. It makes whoever is
// too far ahead of it wait, but not until the library has nothing left to do.
type backlog struct {
	step    uint64        // see maxStep
	calls   uint64        // of the Cost hook
	applied atomic.Uint64 // so many inserts are

	_       [64]byte      // apart: read with every insert, and seldom written
	limit   atomic.Uint64 // so many inserts need not wait
	waiting atomic.Int64
	lock    sync.Mutex
	raised  sync.Cond // the limit is
}

func (b *backlog) init(step uint64) {
	b.step = step
	b.raised.L = &b.lock
	b.limit.Store(2 * step)
}

// apply says that another insert is about to be applied: those before it are.
func (b *backlog) apply() {
	n := b.calls
	b.calls++
	b.applied.Store(n)
	if n%b.step != 0 {
		return
	}
	// The limit is stored before waiting is read, and throttle stores and reads the
	// other way round: one of the two sees the other.
	b.limit.Store(n + 2*b.step)
	if b.waiting.Load() > 0 {
		b.lock.Lock()
		defer b.lock.Unlock()
		b.raised.Broadcast()
	}
}

// throttle returns when the library is at most two steps behind the n-th insert,
// which the caller has handed to it. The caller holds no lock that a hook or another
// insert needs.
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

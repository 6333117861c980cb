package ristcore

import (
	"math"
	"sync"
	"sync/atomic"
)

// nothingAwaited is more than anybody waits for.
const nothingAwaited = math.MaxUint64

// A backlog counts the inserts that the library has applied, and lets others wait
// for them.
type backlog struct {
	calls   uint64        // of the Cost hook
	applied atomic.Uint64 // so many inserts are

	_       [64]byte      // apart: read with every insert, and seldom written
	awaited atomic.Uint64 // the least number that somebody waits for
	lock    sync.Mutex
	reached sync.Cond
}

func (b *backlog) init() {
	b.reached.L = &b.lock
	b.awaited.Store(nothingAwaited)
}

// apply says that another insert is about to be applied: those before it are.
func (b *backlog) apply() {
	n := b.calls
	b.calls++
	b.applied.Store(n)
	if n >= b.awaited.Load() {
		b.wake()
	}
}

func (b *backlog) wake() {
	b.lock.Lock()
	defer b.lock.Unlock()
	b.awaited.Store(nothingAwaited)
	b.reached.Broadcast()
}

// queue waits with whoever waits: while one does, no other adds to the backlog.
func (b *backlog) queue() {
	if n := b.awaited.Load(); n != nothingAwaited {
		b.await(n)
	}
}

// await returns when n inserts have been applied. More than n must have been handed
// to the library, or be about to, lest it wait for ever.
func (b *backlog) await(n uint64) {
	if b.applied.Load() >= n {
		return
	}
	b.lock.Lock()
	defer b.lock.Unlock()
	for b.applied.Load() < n {
		// This is stored before applied is read again, and apply stores and reads
		// the other way round: one of the two sees the other.
		b.awaited.Store(min(b.awaited.Load(), n))
		if b.applied.Load() < n {
			b.reached.Wait()
		}
	}
}

package bytecache

import (
	"sync"
	"sync/atomic"

	"github.com/cachepact/cachepact/adapters/internal/expiry"
)

// A Sweeper decides when a library looks for expired entries: only if one may have expired since the last sweep.
type Sweeper struct {
	Clock expiry.Clock

	lock    sync.Mutex
	soonest atomic.Int64 // no entry expires earlier; Never if no entry has a deadline
}

// Add records the deadline of an entry that is visible already. So a sweep either sees the entry or runs before Add.
func (s *Sweeper) Add(deadline int64) {
	if deadline == expiry.Never {
		return
	}
	for {
		at := s.soonest.Load()
		if at != expiry.Never && at <= deadline || s.soonest.CompareAndSwap(at, deadline) {
			return
		}
	}
}

// Sweep calls f if an entry may have expired. f looks at all entries and removes those for which expired returns
// true.
func (s *Sweeper) Sweep(f func(expired func(entry []byte) bool)) {
	if !s.Clock.Expired(s.soonest.Load()) {
		return
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	if !s.Clock.Expired(s.soonest.Load()) {
		return // another sweep has finished meanwhile
	}
	now := s.Clock.Now()
	s.soonest.Store(expiry.Never)
	f(func(entry []byte) bool {
		deadline, _ := Split(entry)
		if deadline != expiry.Never && deadline <= now {
			return true
		}
		s.Add(deadline)
		return false
	})
}

// Locks are mutexes for keys. Keys with the same hash have the same lock.
type Locks [256]struct {
	sync.Mutex
	_ [56]byte // fills a cache line
}

// Of returns the lock for a key's hash.
func (l *Locks) Of(hash uint64) *sync.Mutex { return &l[hash%uint64(len(l))].Mutex }

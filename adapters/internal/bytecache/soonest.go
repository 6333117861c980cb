package bytecache

import (
	"sync/atomic"

	"github.com/cachepact/cachepact/adapters/internal/expiry"
)

// A Soonest is a moment before which no entry expires, so that nobody looks for
// expired entries in vain. The zero Soonest knows of no entry that expires.
//
// A writer calls Add once its entry can be seen. A sweep calls Reset before it
// looks at the entries, and Add for those that are to expire later. So an entry
// is either in sight of the sweep or added after its Reset.
type Soonest struct{ at atomic.Int64 }

// Add takes note of an entry's deadline.
func (s *Soonest) Add(deadline int64) {
	if deadline == expiry.Never {
		return
	}
	for {
		at := s.at.Load()
		if at != expiry.Never && at <= deadline || s.at.CompareAndSwap(at, deadline) {
			return
		}
	}
}

// Due reports whether an entry can have expired by now.
func (s *Soonest) Due(c expiry.Clock) bool { return c.Expired(s.at.Load()) }

// Reset forgets all deadlines.
func (s *Soonest) Reset() { s.at.Store(expiry.Never) }

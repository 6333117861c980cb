// Package expiry has the deadlines of entries and a queue that finds the expired ones.
//
// A [Clock] turns a TTL into a deadline: nanoseconds on the monotonic clock, which a change of the wall clock does not
// move. A [Queue] orders the deadlines, so that an adapter need not visit every entry to find the expired ones. It
// holds a [Node] for each entry with a TTL. The entry owns the node: the node is in the queue as long as the entry is
// in the cache, and the queue never changes its key or its deadline. An entry without a TTL needs no node.
package expiry

import (
	"math"
	"time"
)

// Never is the deadline of an entry without a TTL. It is the zero value, so that code can skip the clock for such
// entries.
const Never int64 = 0

// A Clock counts nanoseconds from [NewClock] on. The zero Clock is not usable.
type Clock struct {
	base time.Time
}

// NewClock starts a clock. Its readings are never negative.
func NewClock() Clock { return Clock{base: time.Now()} }

// Now returns the nanoseconds since NewClock. It reads only the monotonic clock, which takes about half as long as
// [time.Now].
func (c Clock) Now() int64 { return int64(time.Since(c.base)) }

// Deadline returns the deadline of an entry that is put now with a positive TTL. A deadline that overflows is [Never].
func (c Clock) Deadline(ttl time.Duration) int64 { return Deadline(c.Now(), ttl) }

// Deadline is [Clock.Deadline] with an earlier reading of the clock.
func Deadline(now int64, ttl time.Duration) int64 {
	if int64(ttl) > math.MaxInt64-now {
		return Never
	}
	return now + int64(ttl)
}

// Expired reports whether deadline has passed. It reads the clock only if there is a deadline.
func (c Clock) Expired(deadline int64) bool { return deadline != Never && c.Now() >= deadline }

// Time returns deadline as a time, and the zero Time for [Never].
func (c Clock) Time(deadline int64) time.Time {
	if deadline == Never {
		return time.Time{}
	}
	return c.base.Add(time.Duration(deadline))
}

// A Reading reads a clock when it is first used, and keeps the result.
type Reading struct {
	clock Clock
	now   int64 // 0: not read yet
}

// Reading returns a Reading that has not read the clock yet.
func (c Clock) Reading() Reading { return Reading{clock: c} }

// Now returns the result of the reading.
func (r *Reading) Now() int64 {
	if r.now == 0 {
		r.now = r.clock.Now()
	}
	return r.now
}

// Deadline is [Clock.Deadline] at the time of the reading.
func (r *Reading) Deadline(ttl time.Duration) int64 { return Deadline(r.Now(), ttl) }

// Expired is [Clock.Expired] at the time of the reading.
func (r *Reading) Expired(deadline int64) bool { return deadline != Never && r.Now() >= deadline }

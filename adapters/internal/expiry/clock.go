// Package clock gives adapters deadlines that are cheap to compare: nanoseconds
// on a monotonic clock that a step of the wall clock does not move.
package expiry

import (
	"math"
	"time"
)

// Never is the deadline of an entry without a TTL. It is the zero value, so that
// code can skip reading the clock for such entries.
const Never int64 = 0

// A Clock counts nanoseconds from the moment it was made. The zero Clock is not
// usable; call [NewClock].
type Clock struct {
	base time.Time
}

// NewClock starts a clock. Its readings are never negative.
func NewClock() Clock { return Clock{base: time.Now()} }

// Now returns the nanoseconds since NewClock. It reads only the monotonic clock,
// which costs about half of [time.Now].
func (c Clock) Now() int64 { return int64(time.Since(c.base)) }

// Deadline returns the deadline of an entry put now with a TTL, which must be
// positive. A deadline that does not fit is [Never].
func (c Clock) Deadline(ttl time.Duration) int64 { return Deadline(c.Now(), ttl) }

// Deadline is [Clock.Deadline] with a reading of the clock that the caller has.
func Deadline(now int64, ttl time.Duration) int64 {
	if int64(ttl) > math.MaxInt64-now {
		return Never
	}
	return now + int64(ttl)
}

// A Reading is a moment of a clock that is read when it is first needed, and once.
type Reading struct {
	clock Clock
	now   int64 // 0: not read
}

// Reading returns one that has not been taken.
func (c Clock) Reading() Reading { return Reading{clock: c} }

// Now returns the moment.
func (r *Reading) Now() int64 {
	if r.now == 0 {
		r.now = r.clock.Now()
	}
	return r.now
}

// Deadline is [Clock.Deadline] at the moment.
func (r *Reading) Deadline(ttl time.Duration) int64 { return Deadline(r.Now(), ttl) }

// Expired is [Clock.Expired] at the moment.
func (r *Reading) Expired(deadline int64) bool { return deadline != Never && r.Now() >= deadline }

// Expired reports whether deadline has come. It reads the clock only for an
// entry that has a deadline.
func (c Clock) Expired(deadline int64) bool {
	return deadline != Never && c.Now() >= deadline
}

// Time returns deadline as a time, and the zero Time for [Never].
func (c Clock) Time(deadline int64) time.Time {
	if deadline == Never {
		return time.Time{}
	}
	return c.base.Add(time.Duration(deadline))
}

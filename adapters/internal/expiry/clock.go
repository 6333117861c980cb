// Package expiry computes the deadlines of entries, and finds expired entries without visiting every entry.
//
// A [Clock] turns a TTL into a deadline in nanoseconds on the monotonic clock. A change of the wall clock does not move
// a deadline. A [Queue] orders deadlines. It holds a [Node] for each entry with a TTL. The entry owns the node: the
// node is in the queue as long as the entry is in the cache, and the queue never changes the node's key or deadline. An
// entry without a TTL needs no node.
package expiry

import (
	"math"
	"time"
)

// Never is the deadline of an entry without a TTL. It is zero, so the zero value of a deadline means that the entry
// never expires.
const Never int64 = 0

// A Clock counts nanoseconds from [NewClock] on. The zero Clock is not usable.
type Clock struct {
	base time.Time
}

// NewClock returns a clock that starts now. Its readings are never negative.
func NewClock() Clock { return Clock{base: time.Now()} }

// Now returns the nanoseconds since the call of NewClock. It reads only the monotonic clock, which takes about half as
// long as [time.Now].
func (c Clock) Now() int64 { return int64(time.Since(c.base)) }

// Deadline returns the deadline of an entry that is put now with a positive TTL. If the sum overflows, the deadline is
// [Never].
func (c Clock) Deadline(ttl time.Duration) int64 { return Deadline(c.Now(), ttl) }

// Deadline is like [Clock.Deadline], but takes the time now from an earlier call of [Clock.Now].
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

// A Reading reads a clock once, at the first call of any method, and keeps the result.
type Reading struct {
	clock Clock
	now   int64 // 0: not read yet
}

// Reading returns a Reading that has not read the clock yet.
func (c Clock) Reading() Reading { return Reading{clock: c} }

// Now returns the kept result.
func (r *Reading) Now() int64 {
	if r.now == 0 {
		r.now = r.clock.Now()
	}
	return r.now
}

// Deadline is like [Clock.Deadline], but uses the kept result.
func (r *Reading) Deadline(ttl time.Duration) int64 { return Deadline(r.Now(), ttl) }

// Expired is like [Clock.Expired], but uses the kept result.
func (r *Reading) Expired(deadline int64) bool { return deadline != Never && r.Now() >= deadline }

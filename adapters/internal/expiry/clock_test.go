package expiry_test

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cachepact/cachepact/adapters/internal/expiry"
)

func TestClockExpired(t *testing.T) {
	for _, ttl := range []time.Duration{1, 1500 * time.Millisecond, 100 * 365 * 24 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			c := expiry.NewClock()
			time.Sleep(time.Second) // so that the clock is not at zero
			d := c.Deadline(ttl)
			if c.Expired(d) {
				t.Errorf("ttl %v: expired at once", ttl)
			}
			time.Sleep(ttl - 1)
			if c.Expired(d) {
				t.Errorf("ttl %v: expired 1 ns early", ttl)
			}
			time.Sleep(time.Nanosecond)
			if !c.Expired(d) {
				t.Errorf("ttl %v: not expired at its deadline", ttl)
			}
		})
	}
}

func TestClockNever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := expiry.NewClock()
		time.Sleep(1000 * 24 * time.Hour)
		if c.Expired(expiry.Never) {
			t.Error("Expired(Never) = true, want false")
		}
		if got := c.Time(expiry.Never); !got.IsZero() {
			t.Errorf("Time(Never) = %v, want the zero Time", got)
		}
	})
}

func TestClockDeadlineSaturates(t *testing.T) {
	const age = time.Hour
	tests := []struct {
		ttl  time.Duration
		want int64
	}{
		{1, int64(age) + 1},
		{math.MaxInt64 - age - 1, math.MaxInt64 - 1},
		{math.MaxInt64 - age, math.MaxInt64},
		{math.MaxInt64 - age + 1, expiry.Never},
		{math.MaxInt64, expiry.Never},
	}
	synctest.Test(t, func(t *testing.T) {
		c := expiry.NewClock()
		time.Sleep(age)
		for _, tt := range tests {
			if got := c.Deadline(tt.ttl); got != tt.want {
				t.Errorf("Deadline(%d) = %d, want %d", tt.ttl, got, tt.want)
			}
		}
	})
}

func TestClockTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := expiry.NewClock()
		time.Sleep(time.Minute)
		want := time.Now().Add(5 * time.Second)
		if got := c.Time(c.Deadline(5 * time.Second)); !got.Equal(want) {
			t.Errorf("Time = %v, want %v", got, want)
		}
	})
}

func TestReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := expiry.NewClock()
		r := c.Reading()
		time.Sleep(time.Second)
		first := r.Now()
		time.Sleep(time.Second)
		if first != int64(time.Second) || r.Now() != first {
			t.Errorf("Now = %d, then %d, want %d", first, r.Now(), time.Second)
		}
		if got, want := r.Deadline(time.Minute), first+int64(time.Minute); got != want {
			t.Errorf("Deadline = %d, want %d", got, want)
		}
		for deadline, want := range map[int64]bool{expiry.Never: false, first - 1: true, first: true, first + 1: false} {
			if got := r.Expired(deadline); got != want {
				t.Errorf("Expired(%d) = %v at %d", deadline, got, first)
			}
		}
	})
}

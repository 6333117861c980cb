package hits

import (
	"context"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/compare/internal/load"
	"github.com/cachepact/cachepact/compare/trace"
)

// A schedule replays requests by several clients at once, in a time of their own.
//
// Each client takes the next request of the trace, as soon as it is free. Any
// request costs it some work, and one that misses a load besides, at the end of
// which it stores the value. Until then the others go on, and may miss the same key.
// So a value comes into the cache later than in a tight loop, and more so the more
// clients there are and the more they get done during a load.
//
// The clients take turns on one goroutine, always the one whose time is earliest, and of several the one that waits longest,
// so that a load takes no real time, and the same replay is the same each time. For
// a cache that works in the background that would be no time at all. A load, or the
// work on a request, is plenty of it: a cache that owes work does it in microseconds.
// So the cache is synced whenever the clients' time moves on after a Put.
type schedule struct {
	*driver
	pacing
	clients []client // a heap, the earliest first
	dirty   bool     // the cache may owe work
	stored  time.Duration
	turn    int64
}

// A client is free at a time, then stores what it has loaded, and takes a request.
type client struct {
	free     time.Duration
	key      uint64
	deadline time.Duration
	id       uint32
	loaded   bool
	turn     int64 // in which it took its request
}

func (c client) before(d client) bool {
	return c.free < d.free || c.free == d.free && c.turn < d.turn
}

func newSchedule(d *driver, p pacing) *schedule {
	_, buffers := backend.As[backend.Syncer](d.b)
	s := &schedule{driver: d, pacing: p, clients: make([]client, p.clients)}
	if !buffers {
		s.stored = never
	}
	return s
}

// never comes after every time of a client.
const never time.Duration = 1<<63 - 1

func (s *schedule) play(ctx context.Context, seg load.Segment) error {
	for i := range seg.Keys {
		c := &s.clients[0]
		if c.free > s.stored {
			if err := s.settle(ctx); err != nil {
				return err
			}
		}
		if err := s.finish(ctx, c); err != nil {
			return err
		}
		missed, err := s.request(ctx, seg, i)
		if err != nil {
			return err
		}
		if seg.Op(i) == trace.Set || seg.Op(i) == trace.Update {
			s.owes(c.free)
		}
		s.turn++
		c.turn = s.turn
		c.free += s.work
		if missed {
			c.free += s.load
			c.loaded, c.key, c.id = true, seg.Keys[i], seg.IDs[i]
			if s.due != nil {
				c.deadline = seg.Deadlines[i]
			}
		}
		s.sift()
	}
	return nil
}

// settle lets the cache do what it owes.
func (s *schedule) settle(ctx context.Context) error {
	if !s.dirty {
		return nil
	}
	s.dirty = false
	return backend.Sync(ctx, s.b)
}

// count asks the settled cache what it counts.
func (s *schedule) count(ctx context.Context) error {
	if err := s.settle(ctx); err != nil {
		return err
	}
	return s.driver.count(ctx)
}

// finish stores what a client has loaded.
func (s *schedule) finish(ctx context.Context, c *client) error {
	if !c.loaded {
		return nil
	}
	c.loaded = false
	if s.due != nil {
		s.expires(c.key, c.id, c.deadline)
	}
	s.owes(c.free)
	return s.fill(ctx, c.key, c.id)
}

// owes notes that the cache may have work to do after a Put.
func (s *schedule) owes(now time.Duration) {
	if s.stored != never {
		s.dirty, s.stored = true, now
	}
}

// sift moves the first client to where it belongs.
func (s *schedule) sift() {
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(s.clients); child++ {
			if s.clients[child].before(s.clients[least]) {
				least = child
			}
		}
		if least == i {
			return
		}
		s.clients[i], s.clients[least] = s.clients[least], s.clients[i]
		i = least
	}
}

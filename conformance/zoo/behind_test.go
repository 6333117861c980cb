package zoo

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

// behind queues writes, which a goroutine applies.
type behind struct {
	bug    bug
	mu     sync.Mutex
	change *sync.Cond
	queue  []func()
	busy   bool
	closed bool
	done   chan struct{}
	m      map[string]item
}

var behindBugs = map[bug]string{
	"flush returns at once":                                  "hit/put hit/overwrite",
	"flush leaves the last":                                  "hit/put hit/overwrite",
	"flush waits for what follows":                           "concurrent/key concurrent/race",
	"writes are applied last first":                          "hit/overwrite",
	"a full queue drops":                                     "hit/put",
	"TTL counts from the apply, and the value is not copied": "hit/values",
	"clear overtakes the queue":                              "invalidate/nil",
	"close drops the queue's lock":                           "close/idempotent",
	"flush after close is fine":                              "close/after",
	"flush ignores the closed and hangs":                     "close/after concurrent/race",
}

func newBehind(b bug, _ conformance.Options) cache {
	s := &behind{bug: b, m: map[string]item{}, done: make(chan struct{})}
	s.change = sync.NewCond(&s.mu)
	go s.work()
	return s
}

func (s *behind) work() {
	defer close(s.done)
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		for len(s.queue) == 0 && !s.closed {
			s.change.Wait()
		}
		if s.closed {
			return
		}
		f := s.queue[0]
		s.queue = s.queue[1:]
		if n := len(s.queue); n > 0 && s.bug == "writes are applied last first" {
			f, s.queue = s.queue[n-1], append([]func(){f}, s.queue[:n-1]...)
		}
		s.busy = true
		s.mu.Unlock()
		s.mu.Lock() // others may come in between
		f()
		s.busy = false
		s.change.Broadcast()
	}
}

func (s *behind) enqueue(what string, f func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fail(what, backend.ErrClosed)
	}
	if s.bug == "a full queue drops" && len(s.queue) >= 32 {
		return nil
	}
	s.queue = append(s.queue, f)
	s.change.Broadcast()
	return nil
}

func (s *behind) Sync(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bug == "flush returns at once" {
		if s.closed {
			return fail("sync", backend.ErrClosed)
		}
		return nil
	}
	for len(s.queue) > 0 || s.busy {
		if s.bug == "flush leaves the last" && len(s.queue) <= 1 {
			break
		}
		if s.closed && s.bug != "flush ignores the closed and hangs" {
			break
		}
		s.change.Wait()
	}
	if s.bug == "flush waits for what follows" {
		for len(s.queue) == 0 && !s.closed {
			s.change.Wait()
		}
	}
	if s.closed && s.bug != "flush after close is fine" {
		return fail("sync", backend.ErrClosed)
	}
	return nil
}

func (s *behind) Get(_ context.Context, key string) ([]byte, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, false, fail("get", backend.ErrClosed)
	}
	it, ok := s.m[key]
	if !ok || past(it.deadline) {
		return nil, false, nil
	}
	return bytes.Clone(it.value), true, nil
}

func (s *behind) Put(_ context.Context, key string, value []byte, ttl *time.Duration) error {
	if s.bug != "TTL counts from the apply, and the value is not copied" {
		value = bytes.Clone(value)
	}
	it := item{value: value, deadline: until(ttl)}
	dead := over(ttl)
	return s.enqueue("put", func() {
		if dead {
			delete(s.m, key)
		} else {
			s.m[key] = it
		}
	})
}

func (s *behind) Invalidate(_ context.Context, key *string) error {
	if key == nil {
		if s.bug == "clear overtakes the queue" {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.closed {
				return fail("invalidate", backend.ErrClosed)
			}
			clear(s.m)
			return nil
		}
		return s.enqueue("invalidate", func() { clear(s.m) })
	}
	k := *key
	return s.enqueue("invalidate", func() { delete(s.m, k) })
}

func (s *behind) Stats(context.Context) (backend.Stats, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return backend.Stats{}, fail("stats", backend.ErrClosed)
	}
	n := int64(0)
	for _, it := range s.m {
		if !past(it.deadline) {
			n++
		}
	}
	return backend.Stats{Size: n}, nil
}

func (s *behind) Close() error {
	s.mu.Lock()
	s.closed = true
	s.change.Broadcast()
	if s.bug == "close drops the queue's lock" {
		<-s.done // which needs the lock
	}
	s.mu.Unlock()
	<-s.done
	return nil
}

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
	mu     sync.Mutex
	change *sync.Cond
	queue  []func()
	busy   bool
	closed bool
	done   chan struct{}
	m      map[string]item
}

func newBehind(_ conformance.Options) cache {
	s := &behind{m: map[string]item{}, done: make(chan struct{})}
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
	s.queue = append(s.queue, f)
	s.change.Broadcast()
	return nil
}

func (s *behind) Sync(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.queue) > 0 || s.busy {
		if s.closed {
			break
		}
		s.change.Wait()
	}
	if s.closed {
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
	value = bytes.Clone(value)
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
	s.mu.Unlock()
	<-s.done
	return nil
}

package zoo

import (
	"context"
	"sync"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

// seconds keeps deadlines in whole seconds, rounded up, and sweeps the table of
// each second once it is over, as a timer wheel does. It declares how late it is.
type seconds struct {
	mu     sync.Mutex
	closed bool
	m      map[string]item
	due    map[int64]map[string]bool // keys by second
	stop   func()
	once   sync.Once
}

func newSeconds(_ conformance.Options) cache {
	s := &seconds{m: map[string]item{}, due: map[int64]map[string]bool{}}
	s.stop = background(time.Second, s.sweep)
	return s
}

func (s *seconds) sweep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now().Unix()
	for sec, keys := range s.due {
		if sec > now {
			continue
		}
		for k := range keys {
			if past(s.m[k].deadline) {
				delete(s.m, k)
			}
		}
		delete(s.due, sec)
	}
}

// round returns a deadline in nanoseconds as one of whole seconds.
func (s *seconds) round(deadline int64) int64 {
	if deadline == never {
		return never
	}
	const second = int64(time.Second)
	if deadline > never-second {
		return never
	}
	return (deadline + second - 1) / second * second
}

func (s *seconds) Get(_ context.Context, key string) ([]byte, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, false, fail("get", backend.ErrClosed)
	}
	it, ok := s.m[key]
	if !ok || past(it.deadline) {
		return nil, false, nil
	}
	return it.value, true, nil
}

func (s *seconds) Put(_ context.Context, key string, value []byte, ttl *time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fail("put", backend.ErrClosed)
	}
	if over(ttl) {
		delete(s.m, key)
		return nil
	}
	it := item{value: value, deadline: s.round(until(ttl))}
	s.m[key] = it
	if it.deadline != never {
		sec := it.deadline / int64(time.Second)
		if s.due[sec] == nil {
			s.due[sec] = map[string]bool{}
		}
		s.due[sec][key] = true
	}
	return nil
}

func (s *seconds) Invalidate(_ context.Context, key *string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return fail("invalidate", backend.ErrClosed)
	case key != nil:
		delete(s.m, *key)
	default:
		clear(s.m)
		clear(s.due)
	}
	return nil
}

func (s *seconds) Stats(context.Context) (backend.Stats, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return backend.Stats{}, fail("stats", backend.ErrClosed)
	}
	return backend.Stats{Size: int64(len(s.m))}, nil
}

func (s *seconds) Close() error {
	s.once.Do(func() {
		s.mu.Lock()
		s.closed = true
		s.mu.Unlock()
		s.stop()
	})
	return nil
}

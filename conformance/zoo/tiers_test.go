package zoo

import (
	"context"
	"sync"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

// tiers is a small cache in front of a large one, under one lock.
type tiers struct {
	mu     sync.Mutex
	closed bool
	near   map[string]item
	far    map[string]item
}

func newTiers(_ conformance.Options) cache {
	return &tiers{near: map[string]item{}, far: map[string]item{}}
}

func (s *tiers) Get(_ context.Context, key string) ([]byte, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, false, fail("get", backend.ErrClosed)
	}
	it, near := s.near[key]
	if !near {
		var ok bool
		if it, ok = s.far[key]; !ok {
			return nil, false, nil
		}
		if len(s.near) >= 16 {
			for k := range s.near {
				delete(s.near, k)
				break
			}
		}
		s.near[key] = it
	}
	if past(it.deadline) {
		delete(s.near, key)
		delete(s.far, key)
		return nil, false, nil
	}
	return it.value, true, nil
}

func (s *tiers) Put(_ context.Context, key string, value []byte, ttl *time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fail("put", backend.ErrClosed)
	}
	delete(s.near, key)
	if over(ttl) {
		delete(s.far, key)
		return nil
	}
	s.far[key] = item{value: value, deadline: until(ttl)}
	return nil
}

func (s *tiers) Invalidate(_ context.Context, key *string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fail("invalidate", backend.ErrClosed)
	}
	if key == nil {
		clear(s.near)
		clear(s.far)
		return nil
	}
	delete(s.near, *key)
	delete(s.far, *key)
	return nil
}

func (s *tiers) Stats(context.Context) (backend.Stats, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return backend.Stats{}, fail("stats", backend.ErrClosed)
	}
	n := int64(0)
	for _, it := range s.far {
		if !past(it.deadline) {
			n++
		}
	}
	for k, it := range s.near {
		if _, far := s.far[k]; !past(it.deadline) && !far {
			n++
		}
	}
	return backend.Stats{Size: n}, nil
}

func (s *tiers) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

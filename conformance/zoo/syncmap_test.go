package zoo

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

// syncMap is a sync.Map of immutable items with a janitor. Readers take no lock.
type syncMap struct {
	m      sync.Map // of *item
	closed atomic.Bool
	stop   func()
	once   sync.Once
}

type item struct {
	value    []byte
	deadline int64
	ttl      *time.Duration
	born     int64
}

func newSyncMap(_ conformance.Options) cache {
	s := &syncMap{stop: func() {}}
	s.stop = background(time.Second/2, s.sweep)
	return s
}

func (s *syncMap) sweep() {
	s.m.Range(func(k, v any) bool {
		it := v.(*item)
		dead := past(it.deadline)
		switch {
		case !dead:
		default:
			s.m.CompareAndDelete(k, v)
		}
		return true
	})
}

func (s *syncMap) name(key string) string {
	return key
}

func (s *syncMap) Get(_ context.Context, key string) ([]byte, bool, error) {
	if s.closed.Load() {
		return nil, false, fail("get", backend.ErrClosed)
	}
	key = s.name(key)
	v, ok := s.m.Load(key)
	if !ok {
		return nil, false, nil
	}
	it := v.(*item)
	deadline := it.deadline
	if past(deadline) {
		s.m.CompareAndDelete(key, v)
		return nil, false, nil
	}
	return bytes.Clone(it.value), true, nil
}

func (s *syncMap) Put(_ context.Context, key string, value []byte, ttl *time.Duration) error {
	if s.closed.Load() {
		return fail("put", backend.ErrClosed)
	}
	key = s.name(key)
	if over(ttl) {
		s.m.Delete(key)
		return nil
	}
	it := &item{bytes.Clone(value), until(ttl), ttl, time.Now().UnixNano()}
	s.m.Store(key, it)
	return nil
}

func (s *syncMap) Invalidate(_ context.Context, key *string) error {
	switch {
	case s.closed.Load():
		return fail("invalidate", backend.ErrClosed)
	case key != nil:
		s.m.Delete(s.name(*key))
	default:
		s.m.Clear()
	}
	return nil
}

func (s *syncMap) Stats(context.Context) (backend.Stats, error) {
	if s.closed.Load() {
		return backend.Stats{}, fail("stats", backend.ErrClosed)
	}
	n := int64(0)
	s.m.Range(func(any, any) bool { n++; return true })
	return backend.Stats{Size: n}, nil
}

func (s *syncMap) Close() error {
	s.once.Do(func() {
		s.m.Clear()
		s.closed.Store(true)
		s.stop()
	})
	return nil
}

package zoo

import (
	"context"
	"iter"
	"maps"
	"sync"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

// timers gives each entry with a TTL a timer of its own, which removes it.
type timers struct {
	mu     sync.RWMutex
	closed bool
	m      map[string]*timed
	fires  sync.WaitGroup
}

type timed struct {
	value    []byte
	deadline int64
	timer    *time.Timer
}

func newTimers(_ conformance.Options) cache {
	return &timers{m: map[string]*timed{}}
}

func (s *timers) live(key string) *timed {
	e := s.m[key]
	if e == nil || past(e.deadline) {
		return nil
	}
	return e
}

func (s *timers) Get(ctx context.Context, key string) ([]byte, bool, error) {
	e, hit, err := s.GetEntry(ctx, key)
	if err == nil && !hit {
		e.Value = nil
	}
	return e.Value, hit, err
}

func (s *timers) GetEntry(_ context.Context, key string) (e backend.Entry[[]byte], hit bool, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return e, false, fail("get", backend.ErrClosed)
	}
	t := s.live(key)
	if t == nil {
		return e, false, nil
	}
	e.Value = t.value
	if t.deadline != never {
		e.Deadline = time.Unix(0, t.deadline)
	}
	return e, true, nil
}

func (s *timers) remove(key string) {
	if e := s.m[key]; e != nil {
		if e.timer != nil && e.timer.Stop() {
			s.fires.Done()
		}
		delete(s.m, key)
	}
}

func (s *timers) Put(_ context.Context, key string, value []byte, ttl *time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fail("put", backend.ErrClosed)
	}
	s.remove(key)
	if over(ttl) {
		return nil
	}
	e := &timed{value: value, deadline: until(ttl)}
	s.m[key] = e
	if ttl == nil {
		return nil
	}
	s.fires.Add(1)
	e.timer = time.AfterFunc(*ttl, func() {
		defer s.fires.Done()
		s.mu.Lock()
		defer s.mu.Unlock()
		if now := s.m[key]; now == e {
			delete(s.m, key)
		}
	})
	return nil
}

func (s *timers) Invalidate(_ context.Context, key *string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fail("invalidate", backend.ErrClosed)
	}
	if key != nil {
		s.remove(*key)
		return nil
	}
	for k := range s.m {
		s.remove(k)
	}
	return nil
}

func (s *timers) Stats(context.Context) (backend.Stats, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return backend.Stats{}, fail("stats", backend.ErrClosed)
	}
	n := int64(0)
	for k := range s.m {
		if s.live(k) != nil {
			n++
		}
	}
	return backend.Stats{Size: n}, nil
}

func (s *timers) All() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		s.mu.RLock()
		m := maps.Clone(s.m)
		s.mu.RUnlock()
		for k, e := range m {
			if !past(e.deadline) && !yield(k, e.value) {
				return
			}
		}
	}
}

func (s *timers) GetMany(ctx context.Context, keys []string) (map[string][]byte, error) {
	got := map[string][]byte{}
	for _, k := range keys {
		v, hit, err := s.Get(ctx, k)
		if err != nil {
			return got, err
		}
		if hit {
			got[k] = v
		}
	}
	return got, nil
}

func (s *timers) PutMany(ctx context.Context, items []backend.Item[string, []byte]) error {
	seen := map[string]bool{}
	for _, it := range items {
		seen[it.Key] = true
		if err := s.Put(ctx, it.Key, it.Value, it.TTL); err != nil {
			return err
		}
	}
	return nil
}

func (s *timers) Close() error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		for k := range s.m {
			s.remove(k)
		}
	}
	s.mu.Unlock()
	s.fires.Wait()
	return nil
}

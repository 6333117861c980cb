package zoo

import (
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

// tiers is a small cache in front of a large one, under one lock.
type tiers struct {
	bug    bug
	mu     sync.Mutex
	closed bool
	near   map[string]item
	far    map[string]item
	last   map[string]item // what one bug remembers
}

var tierBugs = map[bug]string{
	"put writes the far one only":       "hit/overwrite",
	"invalidate empties the near only":  "invalidate/key",
	"clear empties the far one only":    "invalidate/nil",
	"the near one forgets the TTL":      "ttl/expires ttl/notearly",
	"promotion without the lock":        "concurrent/key concurrent/nil",
	"size is the sum":                   "stats/size",
	"a zero TTL empties the near only":  "ttl/zero",
	"the near one keeps the dead":       "ttl/expires",
	"stale if error":                    "error/text close/after",
	"overflow of the near is lost":      "hit/put",
	"the far one knows a zero as never": "ttl/zero",
	"after removal, the one before":     "invalidate/key hit/absent",
	"prefixes are removed, too":         "invalidate/key",
	"clear in two locks":                "concurrent/nil",
}

func newTiers(b bug, _ conformance.Options) cache {
	return &tiers{bug: b, near: map[string]item{}, far: map[string]item{}, last: map[string]item{}}
}

func (s *tiers) Get(_ context.Context, key string) ([]byte, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed && s.bug == "stale if error" {
		return s.near[key].value, true, fail("get", backend.ErrClosed)
	}
	if s.closed {
		return nil, false, fail("get", backend.ErrClosed)
	}
	it, near := s.near[key]
	if !near {
		var ok bool
		if it, ok = s.far[key]; !ok {
			return nil, false, nil
		}
		if s.bug == "promotion without the lock" {
			s.mu.Unlock()
			runtime.Gosched()
			s.mu.Lock()
		}
		if len(s.near) >= 16 {
			for k := range s.near {
				delete(s.near, k)
				break
			}
		}
		promoted := it
		if s.bug == "the near one forgets the TTL" {
			promoted.deadline = never
		}
		s.near[key] = promoted
	}
	if past(it.deadline) && (!near || s.bug != "the near one keeps the dead") {
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
	if s.bug != "put writes the far one only" {
		delete(s.near, key)
	}
	if over(ttl) {
		if s.bug == "the far one knows a zero as never" && *ttl == 0 {
			s.far[key] = item{value: value, deadline: never}
		} else if s.bug != "a zero TTL empties the near only" {
			delete(s.far, key)
		}
		return nil
	}
	if old, ok := s.far[key]; ok && s.bug == "after removal, the one before" {
		s.last[key] = old
	}
	s.far[key] = item{value: value, deadline: until(ttl)}
	if s.bug == "overflow of the near is lost" {
		s.near[key] = s.far[key]
		delete(s.far, key)
		if len(s.near) > 400 {
			for k := range s.near {
				if k != key {
					delete(s.near, k)
					break
				}
			}
		}
	}
	return nil
}

func (s *tiers) Invalidate(_ context.Context, key *string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fail("invalidate", backend.ErrClosed)
	}
	if key == nil {
		if s.bug != "clear empties the far one only" {
			clear(s.near)
		}
		if s.bug == "clear in two locks" {
			s.mu.Unlock()
			runtime.Gosched()
			s.mu.Lock()
		}
		clear(s.far)
		clear(s.last)
		return nil
	}
	delete(s.near, *key)
	if s.bug == "prefixes are removed, too" {
		for i := range len(*key) {
			delete(s.far, (*key)[:i])
			delete(s.near, (*key)[:i])
		}
	}
	if s.bug != "invalidate empties the near only" {
		delete(s.far, *key)
	}
	if old, ok := s.last[*key]; ok {
		s.far[*key] = old
		delete(s.last, *key)
	}
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
		if _, far := s.far[k]; !past(it.deadline) && (!far || s.bug == "size is the sum") {
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

package zoo

import (
	"bytes"
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

// syncMap is a sync.Map of immutable items with a janitor. Readers take no lock.
type syncMap struct {
	bug    bug
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

var syncMapBugs = map[bug]string{
	"the janitor deletes by key":              "ttl/overwrite",
	"the janitor takes the immortal":          "ttl/none ttl/overwrite",
	"no janitor":                              "stats/size",
	"the janitor runs on":                     "close/idempotent",
	"get leaves expiry to the janitor":        "ttl/expires",
	"put keeps the TTL's pointer":             "retain",
	"clear ranges and deletes, skipping some": "invalidate/nil",
	"first put wins":                          "hit/overwrite",
	"a nil value is a miss":                   "hit/values",
	"read, then store back":                   "concurrent/key",
	"delete compares nothing":                 "ttl/overwrite",
	"keys trimmed":                            "hit/keys",
	"keys folded":                             "hit/keys",
	"close empties, nothing more":             "close/after",
}

func newSyncMap(b bug, _ conformance.Options) cache {
	s := &syncMap{bug: b, stop: func() {}}
	if b != "no janitor" {
		s.stop = background(time.Second/2, s.sweep)
	}
	return s
}

func (s *syncMap) sweep() {
	s.m.Range(func(k, v any) bool {
		it := v.(*item)
		dead := past(it.deadline)
		if s.bug == "the janitor takes the immortal" && it.deadline == never && time.Now().UnixNano()-it.born > int64(9*time.Minute) {
			dead = true
		}
		switch {
		case !dead:
		case s.bug == "the janitor deletes by key":
			runtime.Gosched()
			s.m.Delete(k)
		default:
			s.m.CompareAndDelete(k, v)
		}
		return true
	})
}

func (s *syncMap) name(key string) string {
	switch s.bug {
	case "keys trimmed":
		return string(bytes.TrimSpace([]byte(key)))
	case "keys folded":
		return string(bytes.ToLower([]byte(key)))
	}
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
	if it.ttl != nil && s.bug == "put keeps the TTL's pointer" {
		deadline = it.born + int64(*it.ttl)
	}
	if past(deadline) && s.bug != "get leaves expiry to the janitor" {
		if s.bug == "delete compares nothing" {
			runtime.Gosched()
			s.m.Delete(key)
		}
		s.m.CompareAndDelete(key, v)
		return nil, false, nil
	}
	if s.bug == "a nil value is a miss" && it.value == nil {
		return nil, false, nil
	}
	if s.bug == "read, then store back" && it.deadline == never {
		runtime.Gosched()
		s.m.Store(key, it)
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
	if s.bug == "first put wins" {
		s.m.LoadOrStore(key, it)
		return nil
	}
	s.m.Store(key, it)
	return nil
}

func (s *syncMap) Invalidate(_ context.Context, key *string) error {
	switch {
	case s.closed.Load():
		return fail("invalidate", backend.ErrClosed)
	case key != nil:
		s.m.Delete(s.name(*key))
	case s.bug == "clear ranges and deletes, skipping some":
		n := 0
		s.m.Range(func(k, _ any) bool {
			s.m.Delete(k)
			n++
			return n < 1000
		})
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
		s.closed.Store(s.bug != "close empties, nothing more")
		if s.bug != "the janitor runs on" {
			s.stop()
		}
	})
	return nil
}

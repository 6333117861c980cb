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
	bug    bug
	mu     sync.Mutex
	closed bool
	m      map[string]item
	due    map[int64]map[string]bool // keys by second
	stop   func()
	once   sync.Once
}

var secondsBugs = map[bug]string{
	"rounded down":                     "ttl/notearly",
	"rounded up, and a second more":    "ttl/expires ttl/range",
	"the wheel takes what was renewed": "ttl/overwrite",
	"the wheel has sixty slots":        "ttl/notearly ttl/range ttl/none ttl/expires",
	"missed slots stay in size":        "stats/size",
	"seconds of 32 bits":               "ttl/range",
	"less than a second is zero":       "ttl/range ttl/notearly",
}

func newSeconds(b bug, _ conformance.Options) cache {
	s := &seconds{bug: b, m: map[string]item{}, due: map[int64]map[string]bool{}}
	s.stop = background(time.Second, s.sweep)
	return s
}

func (s *seconds) sweep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now().Unix()
	for sec, keys := range s.due {
		if sec > now || s.bug == "missed slots stay in size" && sec%7 == 0 {
			continue
		}
		for k := range keys {
			if past(s.m[k].deadline) || s.bug == "the wheel takes what was renewed" || s.bug == "the wheel has sixty slots" {
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
	switch sec := deadline / second; s.bug {
	case "rounded down":
		return sec * second
	case "rounded up, and a second more":
		return (sec + 2) * second
	case "seconds of 32 bits":
		return int64(uint32(sec+1)) * second
	case "the wheel has sixty slots":
		return min(deadline, time.Now().UnixNano()+60*second)/second*second + second
	}
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
	if over(ttl) || ttl != nil && *ttl < time.Second && s.bug == "less than a second is zero" {
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

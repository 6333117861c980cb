package zoo

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

// timers gives each entry with a TTL a timer of its own, which removes it.
type timers struct {
	bug    bug
	mu     sync.RWMutex
	closed bool
	m      map[string]*timed
	fires  sync.WaitGroup
	locks  [64]sync.Mutex // of one bug
}

type timed struct {
	value    []byte
	deadline int64
	timer    *time.Timer
}

var timerBugs = map[bug]string{
	"the old timer removes the new entry": "ttl/overwrite",
	"timers outlive Close":                "close/idempotent",
	"the timer starts with each get":      "ttl/overwrite",
	"the longest timer overflows":         "ttl/range",
	"all yields under the lock":           "hit/put concurrent/race",
	"all copies keys, then looks":         "hit/put ttl/expires",
	"all yields what it saw twice":        "hit/put",
	"the entry's deadline is a duration":  "ttl/range hit/put",
	"the entry's deadline is the first":   "ttl/range",
	"getmany stops at a miss":             "hit/put",
	"putmany keeps the first":             "hit/put",
	"putmany locks in the order given":    "concurrent/race",
	"getmany returns the missed":          "hit/put",
	"size is the number of timers":        "stats/size",
}

func newTimers(b bug, _ conformance.Options) cache {
	return &timers{bug: b, m: map[string]*timed{}}
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
		if s.bug == "the entry's deadline is a duration" {
			e.Deadline = time.Now().Add(time.Until(e.Deadline).Truncate(time.Second))
		}
	}
	if t.timer != nil && s.bug == "the timer starts with each get" {
		t.timer.Reset(time.Minute)
		t.deadline = time.Now().Add(time.Minute).UnixNano()
	}
	return e, true, nil
}

func (s *timers) remove(key string) {
	if e := s.m[key]; e != nil {
		if e.timer != nil && s.bug != "the old timer removes the new entry" {
			if e.timer.Stop() {
				s.fires.Done()
			}
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
	old := s.m[key]
	s.remove(key)
	if over(ttl) {
		return nil
	}
	e := &timed{value: value, deadline: until(ttl)}
	if old != nil && old.deadline != never && e.deadline != never && s.bug == "the entry's deadline is the first" {
		e.deadline = max(old.deadline, e.deadline)
	}
	s.m[key] = e
	if ttl == nil {
		return nil
	}
	d := *ttl
	if s.bug == "the longest timer overflows" {
		d = (d + time.Second) - time.Second
		if d+time.Second < d {
			d = 0
		}
	}
	s.fires.Add(1)
	e.timer = time.AfterFunc(d, func() {
		defer s.fires.Done()
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.closed && s.bug == "timers outlive Close" {
			fmt.Fprintln(os.Stderr, "timer of a closed cache")
		}
		if now := s.m[key]; now == e || now != nil && s.bug == "the old timer removes the new entry" {
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
	for k, e := range s.m {
		if s.live(k) != nil && (s.bug != "size is the number of timers" || e.timer != nil) {
			n++
		}
	}
	return backend.Stats{Size: n}, nil
}

func (s *timers) All() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		s.mu.RLock()
		m := maps.Clone(s.m)
		if s.bug == "all yields under the lock" {
			defer s.mu.RUnlock()
		} else {
			s.mu.RUnlock()
		}
		for k, e := range m {
			switch {
			case s.bug == "all copies keys, then looks": // and so may show a zero value
				s.mu.RLock()
				now := s.m[k]
				s.mu.RUnlock()
				if now == nil {
					now = &timed{}
				}
				e = now
			case past(e.deadline):
				continue
			}
			if !yield(k, e.value) {
				return
			}
			if s.bug == "all yields what it saw twice" && len(m) > 20 && k == "key-7" && !yield(k, e.value) {
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
		if hit || s.bug == "getmany returns the missed" {
			got[k] = v
		} else if s.bug == "getmany stops at a miss" {
			break
		}
	}
	return got, nil
}

func (s *timers) PutMany(ctx context.Context, items []backend.Item[string, []byte]) error {
	seen := map[string]bool{}
	if s.bug == "putmany locks in the order given" {
		held := map[uint32]bool{}
		for _, it := range items {
			if i := hash(it.Key) % 64; !held[i] {
				held[i] = true
				s.locks[i].Lock()
				defer s.locks[i].Unlock()
				runtime.Gosched()
			}
		}
	}
	for _, it := range items {
		if s.bug == "putmany keeps the first" && seen[it.Key] {
			continue
		}
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
		if s.bug != "timers outlive Close" {
			for k := range s.m {
				s.remove(k)
			}
		}
	}
	s.mu.Unlock()
	if s.bug != "timers outlive Close" && s.bug != "the old timer removes the new entry" {
		s.fires.Wait()
	}
	return nil
}

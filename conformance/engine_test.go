package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/backend/memory"
	"github.com/cachepact/cachepact/conformance"
)

type (
	cache   = memory.Backend[string, string]
	subject = conformance.Subject[string, string]
)

// wrapped returns a subject whose backends are memory's, changed by wrap.
func wrapped(wrap func(b *cache) backend.Backend[string, string]) subject {
	return subject{Name: "wrapped", New: func(o conformance.Options) (backend.Backend[string, string], error) {
		b, err := memory.New[string, string](memory.Options{Capacity: o.Capacity})
		if err != nil {
			return nil, err
		}
		return wrap(b), nil
	}}
}

func outcome(t *testing.T, r conformance.Report, name string) conformance.Result {
	t.Helper()
	i := slices.IndexFunc(r.Checks, func(c conformance.Result) bool { return c.Name() == name })
	if i < 0 {
		t.Fatalf("no check %q", name)
	}
	return r.Checks[i]
}

// wantFail checks that the named check failed, and that its reason contains why.
func wantFail(t *testing.T, r conformance.Report, name, why string) {
	t.Helper()
	if got := outcome(t, r, name); got.Outcome != conformance.Fail || !strings.Contains(got.Why, why) {
		t.Errorf("%s: %s, %q; want a failure because of %q", name, got.Outcome, got.Why, why)
	}
}

func TestCheck_Reference(t *testing.T) {
	r := conformance.Check(subject{Name: "memory", New: newMemory[string, string]})
	if !r.OK() || r.Clock != "bubble" {
		t.Errorf("clock %s (%s), %v", r.Clock, r.ClockWhy, r)
	}
	if want := "github.com/cachepact/cachepact"; r.Backend != "memory.Backend" || r.Module != want {
		t.Errorf("backend %q of module %q; want memory.Backend of %q", r.Backend, r.Module, want)
	}
	seen := map[string]bool{}
	for _, c := range r.Checks {
		if seen[c.Name()] {
			t.Errorf("two checks are named %s", c.Name())
		}
		seen[c.Name()], seen[c.ID] = true, true
		if c.Text == "" {
			t.Errorf("%s has no text", c.Name())
		}
	}
	for _, rule := range conformance.Rules() {
		if !seen[rule.ID] {
			t.Errorf("no check of the rule %s", rule.ID)
		}
	}
}

// leaky has a goroutine that Close does not end.
type leaky struct{ *cache }

func newLeaky(t *testing.T) subject {
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	return wrapped(func(b *cache) backend.Backend[string, string] {
		go func() { <-stop }()
		return leaky{b}
	})
}

func TestCheck_Leak(t *testing.T) {
	s := newLeaky(t)
	s.Only = []string{"close", "hit/put/at-once", "ttl/expires"} // see TestRun_RealTime for the other checks
	if testing.Short() {
		s.Only = s.Only[:1]
	}
	r := conformance.Check(s)
	if r.Clock != "real" || !strings.Contains(r.ClockWhy, "goroutines") {
		t.Errorf("clock %s (%s); want real, because of goroutines", r.Clock, r.ClockWhy)
	}
	for _, f := range r.Failed() {
		if f.Name() != "close/idempotent/no-goroutine-left" {
			t.Errorf("fails %s in real time: %s", f.Name(), f.Why)
		}
	}
	wantFail(t, r, "close/idempotent/no-goroutine-left", "goroutines remained")
}

// The suite finds a leak although other goroutines of the process end at the same time.
func TestCheck_LeakAmongOthers(t *testing.T) {
	for range 8 {
		go time.Sleep(20 * time.Millisecond)
	}
	s := newLeaky(t)
	s.Timeout, s.Only = 500*time.Millisecond, []string{"close/idempotent/no-goroutine-left"}
	wantFail(t, conformance.Check(s), s.Only[0], "goroutines remained")
}

// hanging blocks for ever in Invalidate(nil).
type hanging struct {
	*cache
	lock chan struct{}
}

func (h hanging) Invalidate(ctx context.Context, key *string) error {
	if key == nil {
		h.lock <- struct{}{} // nobody receives
	}
	return h.cache.Invalidate(ctx, key)
}

func TestCheck_Hang(t *testing.T) {
	s := wrapped(func(b *cache) backend.Backend[string, string] { return hanging{b, make(chan struct{})} })
	s.Timeout = time.Second
	r := conformance.Check(s)
	wantFail(t, r, "invalidate/nil/empty", "deadlock")
	if got := outcome(t, r, "hit/put/at-once").Outcome; got != conformance.Pass {
		t.Errorf("hit/put/at-once: %s; want a pass in spite of the deadlock elsewhere", got)
	}
}

// spinning never returns from Stats when it has 2,000 entries.
type spinning struct {
	*cache
	stop *atomic.Bool
}

func (s spinning) Stats(ctx context.Context) (backend.Stats, error) {
	st, err := s.cache.Stats(ctx)
	for st.Size == 2000 && !s.stop.Load() {
		runtime.Gosched()
	}
	return st, err
}

func TestCheck_Watchdog(t *testing.T) {
	var stop atomic.Bool
	defer stop.Store(true)
	s := wrapped(func(b *cache) backend.Backend[string, string] { return spinning{b, &stop} })
	s.Timeout, s.Only = time.Second, []string{"hit/put/each-its-own"}
	r := conformance.Check(s)
	wantFail(t, r, s.Only[0], "hung")
	if got := outcome(t, r, s.Only[0]).Detail; !strings.Contains(got, "spinning.Stats") {
		t.Errorf("no stack of spinning.Stats in:\n%s", got)
	}
}

type panicking struct{ *cache }

func (p panicking) Put(ctx context.Context, k, v string, ttl *time.Duration) error {
	if ttl != nil && *ttl < 0 {
		panic("negative TTL")
	}
	return p.cache.Put(ctx, k, v, ttl)
}

func TestCheck_Panic(t *testing.T) {
	r := conformance.Check(wrapped(func(b *cache) backend.Backend[string, string] { return panicking{b} }))
	wantFail(t, r, "ttl/zero/removes", "panic: negative TTL")
}

type printing struct{ *cache }

func (p printing) Close() error {
	fmt.Fprint(os.Stderr, ".")
	return p.cache.Close()
}

func TestCheck_Prints(t *testing.T) {
	r := conformance.Check(wrapped(func(b *cache) backend.Backend[string, string] { return printing{b} }))
	wantFail(t, r, "hit/put/at-once", "standard")
}

// immortal keeps entries with a TTL of zero or less for ever, like some libraries.
type immortal struct{ *cache }

func (i immortal) Put(ctx context.Context, k, v string, ttl *time.Duration) error {
	if ttl != nil && *ttl <= 0 {
		ttl = nil
	}
	return i.cache.Put(ctx, k, v, ttl)
}

func newImmortal(b *cache) backend.Backend[string, string] { return immortal{b} }

func TestCheck_Known(t *testing.T) {
	s := wrapped(newImmortal)
	s.Known = []conformance.Deviation{{Check: "ttl/zero", Why: "zero means for ever", Link: "https://example.com/1"}}
	r := conformance.Check(s)
	got := outcome(t, r, "ttl/zero/removes")
	if got.Outcome != conformance.Deviates || got.Why != "zero means for ever" || got.Link == "" {
		t.Errorf("ttl/zero/removes: %+v; want a known deviation", got)
	}

	s = wrapped(func(b *cache) backend.Backend[string, string] { return b })
	s.Known = []conformance.Deviation{{Check: "ttl/zero/removes", Why: "zero means for ever"}}
	wantFail(t, conformance.Check(s), "ttl/zero/removes", "remove it")
}

func TestCheck_Message(t *testing.T) {
	got := outcome(t, conformance.Check(wrapped(newImmortal)), "ttl/zero/removes").Detail
	want := `ttl/zero/removes: Get("key-0") = hit "value-3"
	want: a miss: its TTL was not positive
	rule: A TTL of zero or less removes the earlier entry, stores nothing and returns nil.
	done: Put("key-1", "value-1", nil)
	      Put("key-0", "value-2", nil)
	      Get("key-0") → hit "value-2"
	      Put("key-0", "value-3", 0s)
	      Get("key-0") → hit "value-3"
`
	if !strings.HasPrefix(got, want) {
		t.Errorf("message:\n%s\nwant:\n%s", got, want)
	}
}

func TestCheck_Repro(t *testing.T) {
	got := outcome(t, conformance.Check(wrapped(newImmortal)), "concurrent/key/random-sequence").Detail
	for _, want := range []string{"with seed 0", "func TestRepeat(t *testing.T)", "new(time.Duration(", "b.Get(ctx, "} {
		if !strings.Contains(got, want) {
			t.Errorf("message lacks %q:\n%s", want, got)
		}
	}
	if n := strings.Count(got, "b.Put(ctx"); n > 2 {
		t.Errorf("%d Puts in a sequence that needs one:\n%s", n, got)
	}
}

func TestCheck_Bad(t *testing.T) {
	ok := wrapped(func(b *cache) backend.Backend[string, string] { return b })
	with := func(change func(s *subject)) subject {
		s := ok
		change(&s)
		return s
	}
	for _, tt := range []struct {
		name, want string
		s          subject
	}{
		{"no New", "Subject.New is required", subject{}},
		{"New fails", "New failed: broken", with(func(s *subject) {
			s.New = func(conformance.Options) (backend.Backend[string, string], error) { return nil, errors.New("broken") }
		})},
		{"nil backend", "nil backend and no error", with(func(s *subject) {
			s.New = func(conformance.Options) (backend.Backend[string, string], error) { return (*cache)(nil), nil }
		})},
		{"unknown deviation", `no check "hit/nothing"`, with(func(s *subject) {
			s.Known = []conformance.Deviation{{Check: "hit/nothing", Why: "x"}}
		})},
		{"deviation without reason", "has no Why", with(func(s *subject) {
			s.Known = []conformance.Deviation{{Check: "hit/put"}}
		})},
		{"other traits", "the backend declares", with(func(s *subject) { s.Traits.NeedsSync = true })},
		{"one key", "at least 2 keys", with(func(s *subject) { s.Keys.At, s.Keys.N = func(int) string { return "" }, 1 })},
		{"same keys", "are the same key", with(func(s *subject) { s.Keys.At = func(int) string { return "" } })},
		{"same values", "are equal", with(func(s *subject) { s.Values.At = func(int) string { return "" } })},
	} {
		if r := conformance.Check(tt.s); r.OK() || !strings.Contains(r.Error, tt.want) {
			t.Errorf("%s: error %q; want one with %q", tt.name, r.Error, tt.want)
		}
	}
	type opaque struct{ _ chan int }
	r := conformance.Check(conformance.Subject[string, opaque]{New: newMemory[string, opaque]})
	if !strings.Contains(r.Error, "Subject.Values.At") {
		t.Errorf("values of %T: error %q; want one that asks for Subject.Values.At", opaque{}, r.Error)
	}
	r = conformance.Check(conformance.Subject[chan int, string]{New: newMemory[chan int, string]})
	if !strings.Contains(r.Error, "Subject.Keys.At") {
		t.Errorf("keys that are channels: error %q; want one that asks for Subject.Keys.At", r.Error)
	}
}

// TestRun_RealTime runs all checks in real time: a slow machine must not make a correct backend fail.
func TestRun_RealTime(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds of real time")
	}
	conformance.Run(t, conformance.Subject[string, string]{New: newMemory[string, string], RealTime: true})
}

// stuck panics with its lock held, so that its Close hangs.
type stuck struct {
	*cache
	mu *sync.Mutex
}

func (s stuck) Put(ctx context.Context, k, v string, ttl *time.Duration) error {
	if k == "key-1" {
		s.mu.Lock()
		panic("with the lock held")
	}
	return s.cache.Put(ctx, k, v, ttl)
}

func (s stuck) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cache.Close()
}

// The suite reports the first fault.
func TestCheck_PanicThenHang(t *testing.T) {
	s := wrapped(func(b *cache) backend.Backend[string, string] { return stuck{b, new(sync.Mutex)} })
	s.Timeout, s.Only = 200*time.Millisecond, []string{"hit/put/at-once"}
	wantFail(t, conformance.Check(s), s.Only[0], "with the lock held")
}

// endless never returns from Close.
type endless struct{ *cache }

func (endless) Close() error { select {} }

func TestCheck_CloseHangs(t *testing.T) {
	s := wrapped(func(b *cache) backend.Backend[string, string] { return endless{b} })
	s.Timeout, s.Only = 200*time.Millisecond, []string{"close/idempotent/ended-when-it-returns"}
	wantFail(t, conformance.Check(s), s.Only[0], "hung")
}

// refusing declares Rejects only if it has a capacity.
type refusing struct {
	*cache
	bounded bool
}

func (r refusing) Traits() backend.Traits {
	if !r.bounded {
		return backend.Traits{Bound: backend.BoundNone}
	}
	return backend.Traits{Rejects: true}
}

func TestCheck_RefusesWithCapacity(t *testing.T) {
	r := conformance.Check(subject{New: func(o conformance.Options) (backend.Backend[string, string], error) {
		b, err := memory.New[string, string](memory.Options{Capacity: o.Capacity})
		return refusing{b, o.Capacity > 0}, err
	}, Only: []string{"stats/counters"}})
	if want := (backend.Traits{Rejects: true}); r.Traits != want {
		t.Errorf("traits %+v, want %+v", r.Traits, want)
	}
}

package compare

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/backend/memory"
	"github.com/cachepact/cachepact/compare/report"
)

// TestMain makes the test binary be the command when it is started as a child.
func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		Exit(Command(fakes()...))
	}
	os.Exit(m.Run())
}

// An altered is a correct cache in which a test breaks something.
type altered[V any] struct {
	backend.Backend[uint64, V]
	get    func(key uint64) error
	put    func(key uint64, value V, ttl *time.Duration) (V, *time.Duration, bool) // false: do nothing
	stats  func(*backend.Stats)
	traits backend.Traits
}

func (f *altered[V]) Get(ctx context.Context, key uint64) (value V, hit bool, err error) {
	if f.get != nil {
		if err := f.get(key); err != nil {
			return value, false, err
		}
	}
	return f.Backend.Get(ctx, key)
}

func (f *altered[V]) Put(ctx context.Context, key uint64, value V, ttl *time.Duration) error {
	if f.put != nil {
		var ok bool
		if value, ttl, ok = f.put(key, value, ttl); !ok {
			return nil
		}
	}
	return f.Backend.Put(ctx, key, value, ttl)
}

func (f *altered[V]) Stats(ctx context.Context) (backend.Stats, error) {
	s, err := f.Backend.Stats(ctx)
	if f.stats != nil {
		f.stats(&s)
	}
	return s, err
}

func (f *altered[V]) Traits() backend.Traits { return f.traits }

// faked returns a contestant that is correct but for what broken does to it.
func faked(name string, broken func(*altered[uint64])) Contestant {
	return Contestant{Name: name, New: func(o Options) (backend.Backend[uint64, uint64], error) {
		b, err := memory.New[uint64, uint64](memory.Options{Capacity: o.Capacity})
		if err != nil {
			return nil, err
		}
		f := &altered[uint64]{Backend: b}
		broken(f)
		return f, nil
	}}
}

var errFake = errors.New("fake: cannot")

// after returns f as what happens after a thousand Gets.
func after(f func() error) func(uint64) error {
	var gets atomic.Int64
	return func(uint64) error {
		if gets.Add(1) > 1000 {
			return f()
		}
		return nil
	}
}

// fakes are the contestants that only tests have.
func fakes() []Contestant {
	all := []Contestant{
		faked("good", func(*altered[uint64]) {}),
		faked("fails", func(f *altered[uint64]) { f.get = after(func() error { return errFake }) }),
		faked("panics", func(f *altered[uint64]) { f.get = after(func() error { panic("as it must") }) }),
		faked("dies", func(f *altered[uint64]) {
			f.get = after(func() error {
				go panic("in a goroutine of its own")
				select {}
			})
		}),
		faked("exits", func(f *altered[uint64]) { f.get = after(func() error { os.Exit(7); return nil }) }),
		faked("hangs", func(f *altered[uint64]) { f.get = after(func() error { select {} }) }),
		faked("chatty", func(f *altered[uint64]) {
			f.get = after(func() error { os.Stdout.WriteString("hello\n"); return nil })
		}),
		faked("drops", func(f *altered[uint64]) {
			var puts atomic.Int64
			f.put = func(_ uint64, v uint64, ttl *time.Duration) (uint64, *time.Duration, bool) {
				return v, ttl, puts.Add(1)%3 != 0
			}
		}),
		faked("admits", func(f *altered[uint64]) {
			var puts atomic.Int64
			f.traits.Rejects = true
			f.put = func(_ uint64, v uint64, ttl *time.Duration) (uint64, *time.Duration, bool) {
				return v, ttl, puts.Add(1)%3 != 0
			}
		}),
		faked("forgets", func(f *altered[uint64]) {
			f.put = func(_ uint64, v uint64, ttl *time.Duration) (uint64, *time.Duration, bool) { return v, ttl, false }
		}),
		faked("early", shiftTTL(func(d time.Duration) time.Duration { return d / 2 }, 0)),
		faked("late", shiftTTL(func(d time.Duration) time.Duration { return d + 100*time.Millisecond }, 0)),
		faked("declared", shiftTTL(func(d time.Duration) time.Duration { return d + 100*time.Millisecond }, time.Hour)),
		faked("counts", func(f *altered[uint64]) { f.stats = func(s *backend.Stats) { s.Size = max(1, s.Size) } }),
		{Name: "broken", New: func(Options) (backend.Backend[uint64, uint64], error) { return nil, errFake }},
		{Name: "endless", New: func(Options) (backend.Backend[uint64, uint64], error) {
			return memory.New[uint64, uint64](memory.Options{})
		}},
	}
	single, double := weighty("single", 1), weighty("double", 2)
	return append(all, single, double)
}

func shiftTTL(shift func(time.Duration) time.Duration, lag time.Duration) func(*altered[uint64]) {
	return func(f *altered[uint64]) {
		f.traits.ExpiryLag = lag
		f.put = func(_ uint64, v uint64, ttl *time.Duration) (uint64, *time.Duration, bool) {
			if ttl != nil {
				ttl = new(shift(*ttl))
			}
			return v, ttl, true
		}
	}
}

// weighty returns a cache that holds as many copies of each value.
func weighty(name string, copies int) Contestant {
	return Contestant{
		Name: name,
		New:  newLockedMap[uint64],
		NewBytes: func(o Options) (backend.Backend[uint64, []byte], error) {
			b, err := newLockedMap[[]byte](o)
			f := &altered[[]byte]{Backend: b}
			f.put = func(_ uint64, v []byte, ttl *time.Duration) ([]byte, *time.Duration, bool) {
				return bytes.Repeat(v, copies), ttl, true
			}
			return f, err
		},
	}
}

// fakeSession returns a session of the named contestants, fakes or not.
func fakeSession(t *testing.T, list string) *session {
	t.Helper()
	chosen, err := choose(append(Builtin(), fakes()...), list)
	if err != nil {
		t.Fatal(err)
	}
	return &session{
		contestants: chosen,
		capacities:  []Capacity{{entries: 500}},
		seed:        1,
		progress:    quiet{},
		stderr:      io.Discard,
		report:      &report.Report{Machine: thisMachine()},
	}
}

// finding returns the text of the first finding of a check on a contestant.
func (s *session) finding(name, check string) (string, bool) {
	for _, f := range s.report.Findings {
		if f.Name == name && f.Check == check {
			return f.Text, true
		}
	}
	return "", false
}

// started returns a worker that is a process, with a cache open.
func started(t *testing.T, name string) *child {
	t.Helper()
	w, err := startWorker(withProcesses(t.Context()), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.close)
	file := t.TempDir() + "/stream"
	if err := missStream(10 * batch).save(file); err != nil {
		t.Fatal(err)
	}
	job := speedJob{Contestant: name, Case: caseMiss, Capacity: 10, Procs: 1, Goroutines: 1, Stream: file}
	if err := w.call(t.Context(), jobOpen, job, nil); err != nil {
		t.Fatal(err)
	}
	return w.(*child)
}

func TestChild(t *testing.T) {
	c := started(t, "chatty")
	var n speedCount
	for range 2 {
		if err := c.call(t.Context(), jobSlice, sliceJob{20 * time.Millisecond}, &n); err != nil {
			t.Fatal(err)
		}
	}
	if n.ops() == 0 {
		t.Error("did nothing")
	}
	if err := c.call(t.Context(), "juggle", nil, nil); err == nil || !strings.Contains(err.Error(), `unknown job "juggle"`) {
		t.Errorf("unknown job: %v", err)
	}
	if err := c.call(t.Context(), jobOpen, speedJob{Contestant: "nobody"}, nil); err == nil || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("unknown contestant: %v", err)
	}
	c.close()
	c.close()
	if !c.cmd.ProcessState.Exited() && c.cmd.ProcessState.Sys() == nil {
		t.Error("the process did not end")
	}
	if err := c.call(t.Context(), jobSlice, sliceJob{time.Millisecond}, nil); err == nil {
		t.Error("call after close: no error")
	}
}

func TestChild_cancel(t *testing.T) {
	c := started(t, "hangs")
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		time.Sleep(50 * time.Millisecond)
		cancel()
	}()
	err := c.call(ctx, jobSlice, sliceJob{time.Hour}, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("call: %v; want that it was canceled", err)
	}
	if c.cmd.ProcessState == nil {
		t.Error("the process still runs")
	}
}

// A child ends when its parent has, even in the middle of a job.
func TestServe_parentGone(t *testing.T) {
	in, parent := io.Pipe()
	done := make(chan error)
	var out bytes.Buffer
	s := newSite([]Contestant{faked("hangs", func(f *altered[uint64]) {})})
	s.run = hangingRun{}
	go func() { done <- serve(t.Context(), s, in, &out) }()
	if _, err := io.WriteString(parent, `{"job":"`+jobSlice+`","in":{}}`+"\n"); err != nil {
		t.Fatal(err)
	}
	parent.Close()
	if err := <-done; err != nil {
		t.Errorf("serve = %v; want nil", err)
	}
}

type hangingRun struct{ speedRun }

func (hangingRun) slice(ctx context.Context, _ sliceJob) (n speedCount, err error) {
	<-ctx.Done()
	return n, ctx.Err()
}

func TestChild_command(t *testing.T) {
	if code, _, stderr := command(t, "child"); code != 2 || !strings.Contains(stderr, "only by a comparison") {
		t.Errorf("child: exit code %d, stderr %q", code, stderr)
	}
	root := Command()
	t.Setenv(childEnv, "1")
	if got := childArgs(root, []string{"compare", "speed"}); len(got) != 1 || got[0] != childCommand {
		t.Errorf("childArgs = %v", got)
	}
	outer := Command()
	outer.Use = "outer"
	outer.RemoveCommand(outer.Commands()...)
	outer.AddCommand(root)
	if got := strings.Join(childArgs(outer, nil), " "); got != "cachepact child" {
		t.Errorf("childArgs below another command = %q", got)
	}
}

func TestLastWords(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", ""},
		{"one\ntwo\n\n", "two"},
		{"one\ntwo", "two"},
		{"log\npanic: it broke\n\ngoroutine 1 [running]:\nmain.main()\n", "panic: it broke"},
		{"fatal error: all goroutines are asleep\nmore\n", "fatal error: all goroutines are asleep"},
	} {
		var w lastWords
		for _, c := range []byte(tt.text) {
			w.Write([]byte{c})
		}
		if got := w.String(); got != tt.want {
			t.Errorf("last words of %q = %q; want %q", tt.text, got, tt.want)
		}
	}
}

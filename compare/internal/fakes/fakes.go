// Package fakes has broken caches for the tests of comparisons.
package fakes

import (
	"bytes"
	"context"
	"errors"
	"os"
	"sync/atomic"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/backend/memory"
	"github.com/cachepact/cachepact/compare/internal/contest"
	"github.com/cachepact/cachepact/compare/internal/load"
	"github.com/cachepact/cachepact/compare/internal/worker"
)

// Main is the body of a TestMain. In a child process it serves the jobs of newHandler; otherwise it runs the tests.
func Main(runTests func() int, newHandler func() worker.Handler) {
	if !worker.InChild() {
		os.Exit(runTests())
	}
	cmd := worker.NewCommand(newHandler)
	cmd.SetArgs(nil)
	if cmd.ExecuteContext(context.Background()) != nil {
		os.Exit(2)
	}
	os.Exit(0)
}

// An Altered is a correct cache in which a test breaks something.
type Altered[V any] struct {
	backend.Backend[uint64, V]
	OnGet    func(key uint64) error
	OnPut    func(key uint64, value V, ttl *time.Duration) (V, *time.Duration, bool) // false: do nothing
	OnStats  func(*backend.Stats)
	Declared backend.Traits
}

// Get implements [backend.Backend].
func (f *Altered[V]) Get(ctx context.Context, key uint64) (value V, hit bool, err error) {
	if f.OnGet != nil {
		if err := f.OnGet(key); err != nil {
			return value, false, err
		}
	}
	return f.Backend.Get(ctx, key)
}

// Put implements [backend.Backend].
func (f *Altered[V]) Put(ctx context.Context, key uint64, value V, ttl *time.Duration) error {
	if f.OnPut != nil {
		var ok bool
		if value, ttl, ok = f.OnPut(key, value, ttl); !ok {
			return nil
		}
	}
	return f.Backend.Put(ctx, key, value, ttl)
}

// Stats implements [backend.Backend].
func (f *Altered[V]) Stats(ctx context.Context) (backend.Stats, error) {
	s, err := f.Backend.Stats(ctx)
	if f.OnStats != nil {
		f.OnStats(&s)
	}
	return s, err
}

// Traits implements [backend.Describer].
func (f *Altered[V]) Traits() backend.Traits { return f.Declared }

// New returns a contestant that is correct but for what broken does to it.
func New(name string, broken func(*Altered[uint64])) contest.Contestant {
	return contest.Contestant{Name: name, New: func(o contest.Options) (backend.Backend[uint64, uint64], error) {
		b, err := memory.New[uint64, uint64](memory.Options{Capacity: o.Capacity})
		if err != nil {
			return nil, err
		}
		f := &Altered[uint64]{Backend: b}
		broken(f)
		return f, nil
	}}
}

// ErrFake is the error of fakes that fail.
var ErrFake = errors.New("fake: cannot")

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

// All returns the contestants that only tests have.
func All() []contest.Contestant {
	all := []contest.Contestant{
		New("good", func(*Altered[uint64]) {}),
		New("fails", func(f *Altered[uint64]) { f.OnGet = after(func() error { return ErrFake }) }),
		New("panics", func(f *Altered[uint64]) { f.OnGet = after(func() error { panic("as it must") }) }),
		New("dies", func(f *Altered[uint64]) {
			f.OnGet = after(func() error {
				go panic("in a goroutine of its own")
				select {}
			})
		}),
		New("exits", func(f *Altered[uint64]) { f.OnGet = after(func() error { os.Exit(7); return nil }) }),
		New("hangs", func(f *Altered[uint64]) { f.OnGet = after(func() error { select {} }) }),
		New("chatty", func(f *Altered[uint64]) {
			f.OnGet = after(func() error {
				_, err := os.Stdout.WriteString("hello\n")
				return err
			})
		}),
		New("drops", func(f *Altered[uint64]) {
			var puts atomic.Int64
			f.OnPut = func(_ uint64, v uint64, ttl *time.Duration) (uint64, *time.Duration, bool) {
				return v, ttl, puts.Add(1)%3 != 0
			}
		}),
		New("admits", func(f *Altered[uint64]) {
			var puts atomic.Int64
			f.Declared.Rejects = true
			f.OnPut = func(_ uint64, v uint64, ttl *time.Duration) (uint64, *time.Duration, bool) {
				return v, ttl, puts.Add(1)%3 != 0
			}
		}),
		New("forgets", func(f *Altered[uint64]) {
			f.OnPut = func(_ uint64, v uint64, ttl *time.Duration) (uint64, *time.Duration, bool) { return v, ttl, false }
		}),
		New("early", shiftTTL(func(d time.Duration) time.Duration { return d / 2 }, 0)),
		New("late", shiftTTL(func(d time.Duration) time.Duration { return d + 100*time.Millisecond }, 0)),
		New("declared", shiftTTL(func(d time.Duration) time.Duration { return d + 100*time.Millisecond }, time.Hour)),
		New("counts", func(f *Altered[uint64]) { f.OnStats = func(s *backend.Stats) { s.Size = max(1, s.Size) } }),
		{Name: "broken", New: func(contest.Options) (backend.Backend[uint64, uint64], error) { return nil, ErrFake }},
		{Name: "endless", New: func(contest.Options) (backend.Backend[uint64, uint64], error) {
			return memory.New[uint64, uint64](memory.Options{})
		}},
	}
	single, double := weighty("single", 1), weighty("double", 2)
	return append(all, single, double)
}

func shiftTTL(shift func(time.Duration) time.Duration, lag time.Duration) func(*Altered[uint64]) {
	return func(f *Altered[uint64]) {
		f.Declared.ExpiryLag = lag
		f.OnPut = func(_ uint64, v uint64, ttl *time.Duration) (uint64, *time.Duration, bool) {
			if ttl != nil {
				ttl = new(shift(*ttl))
			}
			return v, ttl, true
		}
	}
}

// weighty returns a cache that holds as many copies of each value.
func weighty(name string, copies int) contest.Contestant {
	return contest.Contestant{
		Name: name,
		New: func(o contest.Options) (backend.Backend[uint64, uint64], error) {
			return memory.New[uint64, uint64](memory.Options{Capacity: o.Capacity})
		},
		NewBytes: func(o contest.Options) (backend.Backend[uint64, []byte], error) {
			b, err := memory.New[uint64, []byte](memory.Options{Capacity: o.Capacity})
			f := &Altered[[]byte]{Backend: b}
			f.OnPut = func(_ uint64, v []byte, ttl *time.Duration) ([]byte, *time.Duration, bool) {
				return bytes.Repeat(v, copies), ttl, true
			}
			return f, err
		},
	}
}

// Silent is a progress that shows nothing.
type Silent struct{}

// Expect implements [contest.Progress].
func (Silent) Expect(int) {}

// Step implements [contest.Progress].
func (Silent) Step(string) {}

// Config returns a configuration with some of the contestants.
func Config(contestants []contest.Contestant, names, capacities string) (c contest.Config, err error) {
	c = contest.Config{Seed: 1, Progress: Silent{}}
	if c.Contestants, err = contest.Choose(contestants, names); err != nil {
		return c, err
	}
	c.Capacities, err = load.ParseCapacities(capacities)
	return c, err
}

// Finding returns the text of the first finding of a check on a contestant.
func Finding(l contest.Log, name, check string) (string, bool) {
	for _, f := range l.Findings {
		if f.Name == name && f.Check == check {
			return f.Text, true
		}
	}
	return "", false
}

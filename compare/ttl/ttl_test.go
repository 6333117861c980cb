package ttl

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/compare/internal/contest"
	"github.com/cachepact/cachepact/compare/internal/fakes"
	"github.com/cachepact/cachepact/compare/internal/worker"
	"github.com/cachepact/cachepact/compare/report"
)

// TestMain makes the test binary a child when it is started as one.
func TestMain(m *testing.M) {
	fakes.Main(m.Run, func() worker.Handler { return NewHandler(append(contest.Builtin(), fakes.All()...)) })
}

func TestTTL(t *testing.T) {
	common, err := fakes.Config(fakes.All(), "good,early,late,declared,forgets,broken,counts", "500")
	if err != nil {
		t.Fatal(err)
	}
	result, err := Run(worker.WithProcesses(t.Context()), Config{
		Config: common, Lifetimes: []time.Duration{2 * time.Millisecond, 60 * time.Millisecond}, Keys: 20,
		Wait: 300 * time.Millisecond, Patience: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	// What is found is certain, however late the probes are: a good cache has no
	// finding on the slowest machine.
	for name, want := range map[string][]string{
		"good": nil, "declared": nil, "counts": nil, "early": {report.CheckEarly}, "late": {report.CheckStale},
		"forgets": {report.CheckEarly}, "broken": {report.CheckFailed},
	} {
		var got []string
		for _, f := range result.Findings {
			if f.Name == name && !slices.Contains(got, f.Check) {
				got = append(got, f.Check)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("findings about %s: %v; want %v", name, got, want)
		}
	}
	for _, r := range result.TTL.Rows {
		if r.Failed != "" {
			continue
		}
		if r.Name == "late" && r.P50 < 90*time.Millisecond {
			t.Errorf("%s at %v, %s: late by %v; want 100ms or more", r.Name, r.TTL, r.Use, r.P50)
		}
		if r.Name == "early" && r.TTL > 10*time.Millisecond && r.Early != r.Keys {
			t.Errorf("early at %v, %s: %d of %d keys were early", r.TTL, r.Use, r.Early, r.Keys)
		}
		if len(r.Strip) != stripSteps || !slices.IsSortedFunc(r.Strip, func(a, b float64) int { return int(1e6 * (b - a)) }) {
			t.Errorf("strip of %s: %v; want one that falls", r.Name, r.Strip)
		}
		if seen, want := r.SizeLag >= 0, r.Use == useIdle && r.Name != "counts"; seen != want {
			t.Errorf("%s, %s: Size was 0 after %v", r.Name, r.Use, r.SizeLag)
		}
	}
	if got := len(result.TTL.Rows); got != 6*6+1 {
		t.Errorf("%d rows; want three uses at two TTLs of six contestants, and a failure", got)
	}
}

// What the rows say of times that were read off a clock.
func TestProber_row(t *testing.T) {
	const ms = int64(time.Millisecond)
	p := &prober{use: useRead, job: job{Contestant: "x", TTL: 10 * time.Millisecond}, keys: []probedKey{
		{put: 1 * ms, from: 10 * ms, to: 11 * ms, hit: 9 * ms, miss: 12 * ms, missed: 13 * ms},  // in time
		{put: 1 * ms, from: 10 * ms, to: 11 * ms, hit: 14 * ms, miss: 16 * ms, missed: 17 * ms}, // stale by 3
		{put: 1 * ms, from: 10 * ms, to: 11 * ms, hit: 4 * ms, miss: 6 * ms, missed: 7 * ms},    // early by 3
		{put: 1 * ms, from: 10 * ms, to: 11 * ms, hit: 4 * ms, miss: 9 * ms, missed: 10 * ms},   // perhaps early
		{put: 1 * ms, from: 10 * ms, to: 11 * ms, hit: 31 * ms},                                 // never gone
	}}
	r := p.row()
	if r.Early != 1 || r.Earliest != 3*time.Millisecond {
		t.Errorf("%d early, by %v; want 1, by 3ms", r.Early, r.Earliest)
	}
	if r.Stale != 20*time.Millisecond || r.Max != 20*time.Millisecond || r.P50 != time.Millisecond {
		t.Errorf("stale %v, late %v, at most %v; want 20ms, 1ms, 20ms", r.Stale, r.P50, r.Max)
	}
	if r.Resolution < 4*time.Millisecond || r.Resolution > 5*time.Millisecond {
		t.Errorf("resolution %v; want about 5ms", r.Resolution)
	}
	if r.StripFrom != -r.StripTo || r.Strip[0] != 1 || r.Strip[stripSteps-1] != 0 {
		t.Errorf("strip from %v to %v: %v", r.StripFrom, r.StripTo, r.Strip)
	}
}

// A growing cache has what it has in a slice, and drops all of it a TTL after its
// first Put, if it is eager.
type growing struct {
	backend.Backend[uint64, uint64]
	eager bool
	mu    sync.Mutex
	once  sync.Once
	held  [][]uint64
}

func (g *growing) Put(_ context.Context, _, value uint64, ttl *time.Duration) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.held = append(g.held, []uint64{value, value, value, value})
	if ttl != nil && g.eager {
		g.once.Do(func() {
			time.AfterFunc(*ttl, func() {
				g.mu.Lock()
				defer g.mu.Unlock()
				g.held = nil
			})
		})
	}
	return nil
}

// Memory falls with a cache that removes what has expired, and not with one that
// does not.
func TestMemoryLag(t *testing.T) {
	for _, eager := range []bool{true, false} {
		c := contest.Contestant{New: func(contest.Options) (backend.Backend[uint64, uint64], error) { return &growing{eager: eager}, nil }}
		lag, err := memoryLag(t.Context(), c, job{TTL: 300 * time.Millisecond, Wait: 500 * time.Millisecond})
		if err != nil || eager != (lag >= 0) {
			t.Errorf("eager %v: memory fell after %v, %v", eager, lag, err)
		}
	}
}

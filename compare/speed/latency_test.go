package speed

import (
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/compare/internal/contest"
	"github.com/cachepact/cachepact/compare/internal/fakes"
	"github.com/cachepact/cachepact/compare/report"
)

// openRacer returns a racer on a contestant.
func openRacer(t *testing.T, c contest.Contestant, name string, requests stream, goroutines int) runner {
	t.Helper()
	file := t.TempDir() + "/stream"
	if err := requests.save(file); err != nil {
		t.Fatal(err)
	}
	s := NewHandler([]contest.Contestant{c}).(*handler)
	t.Cleanup(s.Close)
	if _, err := s.open(t.Context(), openJob{Contestant: c.Name, Case: name, Capacity: 1000, Procs: 2, Goroutines: goroutines, Stream: file}); err != nil {
		t.Fatal(err)
	}
	return s.run
}

func good() contest.Contestant { return fakes.New("good", func(*fakes.Altered[uint64]) {}) }

func TestClosedLoop(t *testing.T) {
	keys := stream{keys: make([]uint64, 1<<14)}
	for i := range keys.keys {
		keys.keys[i] = uint64(i % 400)
	}
	hit := keys.hitStream(latencyMix, 1)
	for _, tt := range []struct {
		name     string
		requests stream
		classes  []string
	}{
		{CaseHit, hit, []string{"hit", "put"}},
		{CaseMiss, missStream(1 << 14), []string{"miss", "put-evict"}},
	} {
		rows, err := openRacer(t, good(), tt.name, tt.requests, 2).closedLoop(t.Context(), latencyJob{Duration: 50 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		var classes []string
		for _, r := range rows {
			classes = append(classes, r.Class)
			if r.Loop != "closed" || r.Count == 0 || r.P50 > r.P99 || r.P99 > r.P999 || r.P999 > r.Max || r.Clock <= 0 {
				t.Errorf("%s: %+v", tt.name, r)
			}
			if last := r.Steps[len(r.Steps)-1]; last.Share != 1 || last.Time < r.P999 {
				t.Errorf("%s, %s: the last step is %v", tt.name, r.Class, last)
			}
			if !slices.IsSortedFunc(r.Steps, func(a, b report.Step) int { return int(a.Time - b.Time) }) {
				t.Errorf("%s, %s: steps %v", tt.name, r.Class, r.Steps)
			}
		}
		if !slices.Equal(classes, tt.classes) {
			t.Errorf("%s: classes %v; want %v", tt.name, classes, tt.classes)
		}
	}
}

// One operation in 64 is timed, and all are done.
func TestLane_sample(t *testing.T) {
	r := &racer[uint64]{requests: missStream(1 << 16), b: &nothing[uint64]{hit: true}, goroutines: 1}
	lanes, err := r.lanes(t.Context(), func(l *lane[uint64]) error {
		w := &stopwatch{base: time.Now()}
		gap, rng := 0, rand.New(rand.NewPCG(1, 1))
		for range (1 << 16) / batch {
			var err error
			if gap, err = l.sample(r.take(), w, rng, gap); err != nil {
				return err
			}
		}
		if n := w.times[classHit].TotalCount(); n < 900 || n > 1150 {
			t.Errorf("%d of 65536 operations were timed; want about 1024", n)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := lanes[0].Gets; n < 64_000 || n > 1<<16 {
		t.Errorf("%d operations beside the timed ones; want 65536 less about 1024", n)
	}
}

// In an open loop one operation that takes long makes all late that are due
// meanwhile, and each of them counts.
func TestOpenLoop_stall(t *testing.T) {
	const stall = 100 * time.Millisecond
	var gets atomic.Int64
	c := fakes.New("stalls", func(f *fakes.Altered[uint64]) {
		f.OnGet = func(uint64) error {
			if gets.Add(1) == 500 {
				time.Sleep(stall)
			}
			return nil
		}
	})
	r := openRacer(t, c, CaseWorkload, missStream(1<<14), 1).(*racer[uint64])
	got, err := r.paced(t.Context(), 300*time.Millisecond, 10_000, 0)
	if err != nil {
		t.Fatal(err)
	}
	if n := got.times.TotalCount(); n != 3000 {
		t.Errorf("%d operations; want all 3000 that were due", n)
	}
	late := int64(0)
	for _, bar := range got.times.Distribution() {
		if bar.From >= int64(stall/2) {
			late += bar.Count
		}
	}
	// Those due in the first half of the stall waited for more than the other half.
	if late < 490 {
		t.Errorf("%d operations were late by %v; want 500 or more", late, stall/2)
	}
}

func TestOpenLoop(t *testing.T) {
	rows, err := openRacer(t, good(), CaseWorkload, missStream(1<<14), 2).openLoop(t.Context(), latencyJob{Duration: 30 * time.Millisecond, Shares: openShares})
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 2 || rows[0].Share != 0.5 || rows[1].Share != 0.8 || rows[0].Rate <= 0 || rows[0].Class != "all" {
		t.Errorf("rows %+v", rows)
	}
	if got, want := rows[1].Rate/rows[0].Rate, 1.6; got < want-1e-6 || got > want+1e-6 {
		t.Errorf("the rates have the ratio %v; want %v", got, want)
	}
}

// An open loop that the machine cannot keep up with ends, and says so.
func TestOpenLoop_behind(t *testing.T) {
	c := fakes.New("slow", func(f *fakes.Altered[uint64]) {
		f.OnGet = func(uint64) error { time.Sleep(time.Millisecond); return nil }
	})
	r := openRacer(t, c, CaseWorkload, missStream(1<<10), 1).(*racer[uint64])
	got, err := r.paced(t.Context(), 20*time.Millisecond, 1e6, 0)
	if err != nil || !got.behind {
		t.Errorf("behind: %v, %v; want true", got.behind, err)
	}
}

// Without a bound there is no Put that evicts, and a Get that misses is timed alone.
func TestClosedLoop_unbounded(t *testing.T) {
	c := contest.Contestant{Name: "endless", New: func(contest.Options) (backend.Backend[uint64, uint64], error) {
		return &nothing[uint64]{}, nil
	}}
	r := openRacer(t, c, CaseMiss, missStream(1<<12), 1).(*racer[uint64])
	r.fill = false
	rows, err := r.closedLoop(t.Context(), latencyJob{Duration: 10 * time.Millisecond})
	if err != nil || len(rows) != 1 || rows[0].Class != "miss" {
		t.Errorf("rows %+v, %v; want misses alone", rows, err)
	}
}

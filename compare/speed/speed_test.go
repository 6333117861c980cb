package speed

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cachepact/cachepact/compare/internal/contest"
	"github.com/cachepact/cachepact/compare/internal/fakes"
	"github.com/cachepact/cachepact/compare/internal/load"
	"github.com/cachepact/cachepact/compare/internal/worker"
	"github.com/cachepact/cachepact/compare/report"
	"github.com/cachepact/cachepact/compare/trace"
)

// TestMain makes the test binary a child when it is started as one.
func TestMain(m *testing.M) {
	fakes.Main(m.Run, func() worker.Handler { return NewHandler(append(contest.Builtin(), fakes.All()...)) })
}

// quick returns settings for a test with the named contestants, fakes or not.
func quick(t *testing.T, list string, cases ...string) Config {
	t.Helper()
	common, err := fakes.Config(append(contest.Builtin(), fakes.All()...), list, "500")
	if err != nil {
		t.Fatal(err)
	}
	procs := runtime.GOMAXPROCS(0)
	return Config{
		Config: common, Cases: cases, Rounds: 2, Slice: 5 * time.Millisecond, Settings: []Setting{{procs, procs}},
		Mix: report.Mix{Gets: 1},
	}
}

func rowOf(t *testing.T, c report.SpeedCase, name string) report.SpeedRow {
	t.Helper()
	i := slices.IndexFunc(c.Rows, func(r report.SpeedRow) bool { return r.Name == name })
	if i < 0 {
		t.Fatalf("no row of %s", name)
	}
	return c.Rows[i]
}

// What breaks one contestant is in its row, and the others have figures.
func TestSpeed_failures(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for one that hangs")
	}
	c := quick(t, "good,fails,panics,dies,exits,hangs,broken", CaseWorkload)
	c.Patience = 3 * time.Second
	r, err := Run(worker.WithProcesses(t.Context()), c)
	if err != nil {
		t.Fatal(err)
	}
	got := r.Speed.Cases[0]
	for name, want := range map[string]string{
		"fails": "fake: cannot", "panics": "panic: as it must", "dies": "panic: in a goroutine of its own",
		"exits": "exit status 7", "hangs": "did not answer in time", "broken": "fake: cannot",
	} {
		if got := rowOf(t, got, name).Failed; !strings.Contains(got, want) {
			t.Errorf("%s failed with %q; want %q", name, got, want)
		}
		if _, ok := fakes.Finding(r.Log, name, report.CheckFailed); !ok {
			t.Errorf("no finding about %s", name)
		}
	}
	if r := rowOf(t, got, "good"); r.Failed != "" || len(r.Rounds) != c.Rounds || r.Wall.Median <= 0 || r.Ratio.Median != 1 {
		t.Errorf("good: %+v", r)
	}
}

// The same without processes, where a panic must not be the end either.
func TestSpeed_inProcess(t *testing.T) {
	c := quick(t, "good,panics,drops,admits,endless", CaseMiss)
	c.Slice = 20 * time.Millisecond
	r, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	got := r.Speed.Cases[0]
	if got := rowOf(t, got, "panics").Failed; !strings.Contains(got, "as it must") {
		t.Errorf("panics failed with %q", got)
	}
	if got := rowOf(t, got, "endless").Failed; got != errUnbounded.Error() {
		t.Errorf("endless failed with %q; want that it has no bound", got)
	}
	if _, ok := fakes.Finding(r.Log, "endless", report.CheckFailed); ok {
		t.Error("to have no bound is a finding")
	}
	if r := rowOf(t, got, "good"); r.Failed != "" || r.HitRatio != 0 || r.Dropped != 0 {
		t.Errorf("good: %+v", r)
	}
	for name, want := range map[string]bool{"good": false, "drops": true, "admits": false} {
		if text, ok := fakes.Finding(r.Log, name, report.CheckDropped); ok != want {
			t.Errorf("%s drops writes: %q; want %v", name, text, want)
		}
	}
	if r := rowOf(t, got, "drops"); math.Abs(r.Dropped-1.0/3) > 0.2 {
		t.Errorf("drops: %v dropped; want about a third", r.Dropped)
	}
}

func TestSpeed_hits(t *testing.T) {
	c := quick(t, "good,forgets", CaseHit)
	c.Mix = report.Mix{Gets: 0.9, Puts: 0.09, Invalidates: 0.01}
	r, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	got := r.Speed.Cases[0]
	if r := rowOf(t, got, "good"); r.HitRatio != 1 || math.Abs(r.Executed.Puts-0.09) > 0.02 || r.Executed.Invalidates == 0 {
		t.Errorf("good: %+v; want all hits and the mix 90/9/1", r)
	}
	if _, ok := fakes.Finding(r.Log, "good", report.CheckMix); ok {
		t.Error("good does not execute the mix")
	}
	if text, ok := fakes.Finding(r.Log, "forgets", report.CheckMix); !ok {
		t.Error("forgets hits nothing, which is not found")
	} else if !strings.Contains(text, "0.00 % of the Gets hit") {
		t.Errorf("forgets: %s", text)
	}
}

func TestSpeed_cancel(t *testing.T) {
	ctx, cancel := context.WithCancel(worker.WithProcesses(t.Context()))
	cancel()
	if _, err := Run(ctx, quick(t, "good", CaseHit)); err == nil {
		t.Error("measure with a canceled context: no error")
	}
}

// racers returns contenders with the given nanoseconds of an operation by round,
// the control first.
func racers(rounds map[string][]float64) (race, []contender) {
	r := race{openJob: openJob{Case: CaseWorkload, Contestant: "base"}, due: report.Mix{Gets: 1}}
	var all []contender
	for _, name := range []string{control, "base", "same", "slow", "fast"} {
		one := contender{race: r, name: name}
		for _, ns := range rounds[name] {
			one.rounds = append(one.rounds, count{Gets: 1000, Hits: 600, Misses: 400, Wall: time.Duration(1000 * ns), CPU: time.Duration(500 * ns)})
		}
		all = append(all, one)
	}
	return r, all
}

// noisy returns samples about ns, which move together by round, and apart by a share.
func noisy(ns, share float64, shift int) []float64 {
	var all []float64
	for i := range 20 {
		together := 1 + 0.5*float64(i%4)
		all = append(all, ns*together*(1+share*math.Sin(float64(7*i+shift))))
	}
	return all
}

func TestSummarize(t *testing.T) {
	r, all := racers(map[string][]float64{
		control: noisy(100, 0.02, 1), "base": noisy(100, 0.02, 2), "same": noisy(100.5, 0.02, 3), "slow": noisy(150, 0.02, 4), "fast": noisy(50, 0.02, 5),
	})
	c := summarize(r, all)
	if c.Noisy {
		t.Fatalf("noisy: control %v", c.Control)
	}
	var order []string
	for _, row := range c.Rows {
		order = append(order, row.Name)
		if want := row.Name == "base" || row.Name == "same"; row.Tie != want {
			t.Errorf("%s is a tie: %v; want %v (ratio %v, control %v)", row.Name, row.Tie, want, row.Ratio, c.Control)
		}
	}
	if order[0] != "fast" || order[3] != "slow" {
		t.Errorf("order %v", order)
	}
	slow := rowOf(t, c, "slow")
	if math.Abs(slow.Ratio.Median-1.5) > 0.05 || slow.Ratio.High-slow.Ratio.Low > 0.1 {
		t.Errorf("ratio of slow = %v; want 1.5, as what all share is no noise", slow.Ratio)
	}
	if slow.HitRatio != 0.6 || math.Abs(slow.HitsPerSec-0.6*slow.OpsPerSec) > 1 || math.Abs(slow.CPU.Median-slow.Wall.Median/2) > 1 {
		t.Errorf("slow: %+v", slow)
	}

	r, all = racers(map[string][]float64{control: noisy(100, 0.4, 1), "base": noisy(100, 0.4, 2), "slow": noisy(150, 0.02, 4), "fast": noisy(50, 0.02, 5)})
	var s comparison
	c = summarize(r, all)
	s.judge(r, c, all)
	if !c.Noisy || c.Rows[0].Name != "base" || c.Rows[3].Tie {
		t.Errorf("control %v: %+v; want no order and no tie", c.Control, c.Rows)
	}
	if text, ok := fakes.Finding(s.Log, "", report.CheckNoise); !ok {
		t.Error("noise is not found")
	} else if !strings.Contains(text, "too noisy") {
		t.Error(text)
	}
	if c = summarize(race{}, []contender{{name: control}, {name: "base"}}); !c.Noisy || c.Rows[0].Wall.Median != 0 {
		t.Errorf("without a round: %+v", c)
	}
}

func TestJudgeSpeed_mix(t *testing.T) {
	r, all := racers(map[string][]float64{control: {100}, "base": {100}, "same": {100}})
	all[2].rounds[0].Puts = 15 // 1.5 % of the operations
	var s comparison
	s.judge(r, summarize(r, all), all)
	if text, ok := fakes.Finding(s.Log, "same", report.CheckMix); !ok || !strings.Contains(text, "98.52 % Gets, 1.48 % Puts and 0.00 % Invalidates where 100.00 % Gets") {
		t.Errorf("mix: %q", text)
	}
	if _, ok := fakes.Finding(s.Log, "base", report.CheckMix); ok {
		t.Error("base executed the mix that was due")
	}
}

func TestStreams(t *testing.T) {
	l, err := load.FromWorkload("zipf:keys=1000,requests=10000,writes=0.2,deletes=0.05", trace.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	w, err := workloadStream(l)
	if err != nil {
		t.Fatal(err)
	}
	if n := 10000 / batch * batch; len(w.keys) != n || len(w.ops) != n || !slices.Equal(w.keys, l.All.Keys[:n]) {
		t.Errorf("%d requests; want the first %d of the workload", len(w.keys), n)
	}
	if m := w.mix(); math.Abs(m.Puts-0.2) > 0.02 || math.Abs(m.Invalidates-0.05) > 0.02 || math.Abs(m.Gets+m.Puts+m.Invalidates-1) > 1e-9 {
		t.Errorf("mix %+v", m)
	}
	hit := w.hitStream(report.Mix{Gets: 0.5, Puts: 0.25, Invalidates: 0.25}, 1)
	if again := w.hitStream(report.Mix{Gets: 0.5, Puts: 0.25, Invalidates: 0.25}, 1); !slices.Equal(hit.keys, again.keys) || !slices.Equal(hit.ops, again.ops) {
		t.Error("the same seed gives other requests")
	}
	read := map[uint64]bool{}
	for i, key := range hit.keys {
		read[key] = read[key] || hit.ops[i] == trace.Get
	}
	for i, key := range hit.keys {
		if hit.ops[i] == trace.Delete && read[key] {
			t.Fatal("a key that is asked for is deleted")
		}
	}
	miss := missStream(3 * batch)
	if miss.distinct() != 3*batch {
		t.Error("a key of the misses comes twice")
	}
	small := stream{keys: []uint64{1, 2, 3}, ops: make([]trace.Op, 3)}.whole()
	if len(small.keys) != batch || small.distinct() != 3 {
		t.Errorf("three requests become %d", len(small.keys))
	}

	file := filepath.Join(t.TempDir(), "stream")
	if err := w.save(file); err != nil {
		t.Fatal(err)
	}
	got, err := loadStream(file)
	if err != nil || !slices.Equal(got.keys, w.keys) || !slices.Equal(got.ops, w.ops) {
		t.Errorf("load of what was saved: %v", err)
	}
	if err := os.Truncate(file, 1000); err != nil {
		t.Fatal(err)
	}
	if _, err := loadStream(file); err == nil {
		t.Error("a torn stream is no error")
	}
}

// Goroutines together do the requests of the stream in order, each once a pass.
func TestRacer_take(t *testing.T) {
	r := &racer[uint64]{requests: missStream(4 * batch), fresh: true}
	seen := map[uint64]int{}
	for range 8 {
		s := r.take()
		for _, key := range s.keys {
			seen[key^s.salt]++
		}
	}
	if len(seen) != 8*batch {
		t.Errorf("%d keys in two passes; want %d, as no key may come again", len(seen), 8*batch)
	}
	r.fresh = false
	if a, b := r.take(), r.take(); &a.keys[0] != &r.requests.keys[0] || &b.keys[0] != &r.requests.keys[batch] || a.salt != 0 {
		t.Error("not the next two batches")
	}
}

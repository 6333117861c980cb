package hits

import (
	"context"
	"encoding/csv"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cachepact/cachepact/compare/internal/contest"
	"github.com/cachepact/cachepact/compare/internal/fakes"
	"github.com/cachepact/cachepact/compare/internal/load"
	"github.com/cachepact/cachepact/compare/report"
	"github.com/cachepact/cachepact/compare/trace"
)

// gli returns the real trace in the module of ristretto.
func gli(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/dgraph-io/ristretto").Output()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "sim", "gli.lirs.gz")
}

func golangLRU(t *testing.T) []contest.Contestant {
	t.Helper()
	chosen, err := contest.Choose(contest.Builtin(), "golanglru")
	if err != nil {
		t.Fatal(err)
	}
	return chosen
}

// flat returns a comparison of contestants at a capacity, without simulated loads.
func flat(l *load.Load, contestants []contest.Contestant, capacity string) Config {
	capacities, err := load.ParseCapacities(capacity)
	if err != nil {
		panic(err)
	}
	return Config{
		Config: contest.Config{Load: l, Contestants: contestants, Capacities: capacities, Progress: fakes.Silent{}},
		Paces:  []report.Pace{report.Flat, report.Settled}, Miss: time.Millisecond, Clients: 1, Runs: 3,
		TTL: load.TTLMode{Text: "trace", Trace: true},
	}
}

// measureHits compares the contestants at a capacity.
func measureHits(t *testing.T, l *load.Load, contestants []contest.Contestant, entries int) (Result, error) {
	t.Helper()
	return Run(t.Context(), flat(l, contestants, strconv.Itoa(entries)))
}

// hitsOf returns the hits of golanglru and of every reference at a capacity.
func hitsOf(t *testing.T, l *load.Load, entries int) map[string]int64 {
	t.Helper()
	r, err := measureHits(t, l, golangLRU(t), entries)
	if err != nil {
		t.Fatal(err)
	}
	table := r.Hits.Tables[0]
	if len(r.Findings) > 0 {
		t.Errorf("%s at %d: %v; want no findings", l.Name, entries, r.Findings)
	}
	all := map[string]int64{"golanglru": table.Rows[0].Hits}
	for _, r := range table.References {
		all[r.Name] = r.Hits
	}
	return all
}

// TestGolangLRU compares with numbers of two independent implementations.
func TestGolangLRU(t *testing.T) {
	l, err := load.FromTrace(gli(t), trace.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if l.Requests != 6015 || l.Distinct != 2529 {
		t.Errorf("%d requests, %d keys; want 6015, 2529", l.Requests, l.Distinct)
	}
	for _, want := range []struct {
		entries                     int
		lru, fifo, opt, optOrBypass int64
	}{
		{500, 57, 57, 2061, 2065},
		{1000, 674, 670, 3196, 3197},
		{1250, 1278, 670, 3446, 3447},
		{2000, 3453, 2881, 3486, 3486},
	} {
		got := hitsOf(t, l, want.entries)
		for name, n := range map[string]int64{
			"golanglru": want.lru, report.RefLRU: want.lru, report.RefFIFO: want.fifo, report.RefOPT: want.opt, report.RefOPTBypass: want.optOrBypass,
		} {
			if got[name] != n {
				t.Errorf("at %d: %s has %d hits; want %d", want.entries, name, got[name], n)
			}
		}
	}
}

// TestReference compares golanglru, and with TTLs the exact policies, with every
// row of two independent implementations for the shared traces.
func TestReference(t *testing.T) {
	dir := filepath.Join("..", "..", "shared", "traces")
	f, err := os.Open(filepath.Join(dir, "reference.csv"))
	if err != nil {
		t.Skip("SKIPPED: the shared traces are not here:", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	loads := map[string]*load.Load{}
	compared := map[string]int{}
	for _, row := range rows[1:] {
		file, rule := row[0], row[1]
		with, isLRU := strings.CutPrefix(rule, "LRU")
		if !isLRU {
			continue
		}
		l, ok := loads[file]
		if !ok {
			if l, err = load.FromTrace(filepath.Join(dir, file), trace.Options{}); err != nil {
				t.Fatal(err)
			}
			loads[file] = l
		}
		if raceDetector && l.Requests > 100_000 {
			continue
		}
		entries, _ := strconv.Atoi(row[2])
		want, _ := strconv.ParseInt(row[4], 10, 64)
		compared[with]++
		checkLRU(t, l, with, entries, want)
		if file == "ttl60k.twitter.csv.gz" { // the same requests in another format
			meta := "ttl60k.metakv202401.csv.gz"
			if loads[meta] == nil {
				if loads[meta], err = load.FromTrace(filepath.Join(dir, meta), trace.Options{}); err != nil {
					t.Fatal(err)
				}
			}
			checkLRU(t, loads[meta], with, entries, want)
		}
	}
	if len(compared) != 7 {
		t.Errorf("compared %v; want seven kinds", compared)
	}
	t.Log("compared", compared)
}

// checkLRU compares with a row of reference.csv, whose policy is LRU with, such as
// +TTL-eager-fill.
func checkLRU(t *testing.T, l *load.Load, with string, entries int, want int64) {
	t.Helper()
	c := flat(l, golangLRU(t), strconv.Itoa(entries))
	c.Runs = 1
	if strings.Contains(with, "none") {
		c.TTL = load.TTLMode{Text: "none"}
	}
	c.OnlyWrites = strings.HasSuffix(with, "trace")
	s := &comparison{Config: c}
	ready, err := s.prepare()
	if err != nil {
		t.Fatal(err)
	}
	refs := NewReferences(ready)
	refs.Requests.Lazy = strings.Contains(with, "lazy")
	if got := refs.lru(entries); got != want {
		t.Errorf("%s: LRU%s at %d has %d hits; want %d", l.Name, with, entries, got, want)
	}
	if refs.Requests.Lazy {
		return // golanglru is not lazy
	}
	rows, err := s.rows(t.Context(), ready, s.Contestants[0], fit{options: contest.Options{Capacity: entries}})
	if err != nil {
		t.Fatal(err)
	}
	if r := rows[0]; r.Hits != want || r.Wrong+r.Stale+r.Dropped > 0 || r.Peak > int64(entries) || len(rows) != 1 || len(s.Findings) > 0 {
		t.Errorf("%s: golanglru%s at %d: %+v; want %d hits", l.Name, with, entries, rows, want)
	}
}

// TestStreamed replays a load too long to hold.
func TestStreamed(t *testing.T) {
	l, err := load.FromWorkload("zipf:keys=1000,requests=20000", trace.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want := hitsOf(t, l, 100)["golanglru"]
	l.All = load.Segment{} // as if the load were too long to hold
	if !l.Streamed() {
		t.Fatal("the load is held; want it streamed")
	}
	got := hitsOf(t, l, 100)
	if got["golanglru"] != want || len(got) != 1 {
		t.Errorf("streamed: %v; want %d hits and no reference", got, want)
	}
}

// TestWrites counts by hand.
func TestWrites(t *testing.T) {
	var all []trace.Request
	for i, key := range []uint64{9, 7, 7, 8, 7, 7, 8, 8, 9} {
		all = append(all, trace.Request{Key: key, Op: []trace.Op{
			trace.Update, trace.Set, trace.Get, trace.Get, trace.Delete, trace.Get, trace.Update, trace.Get, trace.Get,
		}[i]})
	}
	l := byHand(t, all...)
	for name, got := range hitsOf(t, l, 10) {
		if got != 2 {
			t.Errorf("%s has %d hits; want 2", name, got)
		}
	}
}

// TestSample takes a tenth of the keys and finds about the same hit ratio.
func TestSample(t *testing.T) {
	const spec = "zipf:s=0.6,keys=100000,requests=500000"
	ratioOf := func(limits trace.Limits, capacity int) float64 {
		l, err := load.FromWorkload(spec, limits)
		if err != nil {
			t.Fatal(err)
		}
		r, err := measureHits(t, l, golangLRU(t), 10_000)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Hits.Tables[0].Capacity; got != capacity {
			t.Errorf("%v: capacity %d; want %d", limits, got, capacity)
		}
		return r.Hits.Tables[0].Rows[0].HitRatio
	}
	all, part := ratioOf(trace.Limits{}, 10_000), ratioOf(trace.Limits{Sample: 0.1}, 1000)
	if math.Abs(all-part) > 0.03 {
		t.Errorf("hit ratio %.3f in a sample of 0.1; want about %.3f", part, all)
	}
	l, err := load.FromWorkload(spec, trace.Limits{Sample: 0.001})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := measureHits(t, l, golangLRU(t), 100); err == nil {
		t.Error("a tenth of an entry is no error")
	}
}

func TestCanceled(t *testing.T) {
	l, err := load.FromWorkload("uniform:keys=10,requests=1000", trace.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, flat(l, golangLRU(t), "1")); err == nil {
		t.Error("run with a canceled context: no error")
	}
}

package compare

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

	"github.com/spf13/pflag"

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

func golangLRU(t *testing.T) []Contestant {
	t.Helper()
	chosen, err := choose(Builtin(), "golanglru")
	if err != nil {
		t.Fatal(err)
	}
	return chosen
}

// flatHits returns the part about hits, without simulated loads.
func flatHits(t *testing.T, args ...string) *hits {
	t.Helper()
	h := &hits{}
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	h.flags(f)
	if err := f.Parse(append([]string{"--pace=flat,settled"}, args...)); err != nil {
		t.Fatal(err)
	}
	if err := h.check(); err != nil {
		t.Fatal(err)
	}
	return h
}

// measureHits compares the contestants at the capacities.
func measureHits(t *testing.T, l *load, contestants []Contestant, capacities ...Capacity) (*report.Report, error) {
	t.Helper()
	s := &session{load: l, contestants: contestants, capacities: capacities, progress: quiet{}}
	s.begin(nil)
	err := flatHits(t).measure(t.Context(), s)
	return s.report, err
}

// hitsOf returns the hits of golanglru and of every reference at a capacity.
func hitsOf(t *testing.T, l *load, entries int) map[string]int64 {
	t.Helper()
	r, err := measureHits(t, l, golangLRU(t), Capacity{entries: entries})
	if err != nil {
		t.Fatal(err)
	}
	table := r.Hits.Tables[0]
	if len(r.Findings) > 0 {
		t.Errorf("%s at %d: %v; want no findings", l.name, entries, r.Findings)
	}
	all := map[string]int64{"golanglru": table.Rows[0].Hits}
	for _, r := range table.References {
		all[r.Name] = r.Hits
	}
	return all
}

// TestGolangLRU compares with numbers of two independent implementations.
func TestGolangLRU(t *testing.T) {
	l, err := loadTrace(gli(t), trace.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if l.requests != 6015 || l.distinct != 2529 {
		t.Errorf("%d requests, %d keys; want 6015, 2529", l.requests, l.distinct)
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
	loads := map[string]*load{}
	compared := map[string]int{}
	for _, row := range rows[1:] {
		file, rule := row[0], row[1]
		with, isLRU := strings.CutPrefix(rule, "LRU")
		if !isLRU {
			continue
		}
		l, ok := loads[file]
		if !ok {
			if l, err = loadTrace(filepath.Join(dir, file), trace.Options{}); err != nil {
				t.Fatal(err)
			}
			loads[file] = l
		}
		if raceDetector && l.requests > 100_000 {
			continue
		}
		entries, _ := strconv.Atoi(row[2])
		want, _ := strconv.ParseInt(row[4], 10, 64)
		compared[with]++
		checkLRU(t, l, with, entries, want)
		if file == "ttl60k.twitter.csv.gz" { // the same requests in another format
			meta := "ttl60k.metakv202401.csv.gz"
			if loads[meta] == nil {
				if loads[meta], err = loadTrace(filepath.Join(dir, meta), trace.Options{}); err != nil {
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
func checkLRU(t *testing.T, l *load, with string, entries int, want int64) {
	t.Helper()
	h := flatHits(t, "--runs=1")
	if strings.Contains(with, "none") {
		h = flatHits(t, "--runs=1", "--ttl=none")
	}
	if strings.HasSuffix(with, "trace") {
		h.mode = "trace"
	}
	s := &session{load: l, contestants: golangLRU(t), capacities: []Capacity{{entries: entries}}, progress: quiet{}}
	s.begin(nil)
	ready, err := h.prepare(s)
	if err != nil {
		t.Fatal(err)
	}
	refs := newReferences(ready)
	refs.requests.Lazy = strings.Contains(with, "lazy")
	if got := refs.lru(entries); got != want {
		t.Errorf("%s: LRU%s at %d has %d hits; want %d", l.name, with, entries, got, want)
	}
	if refs.requests.Lazy {
		return // which golanglru need not be
	}
	rows, err := h.rows(t.Context(), s, ready, s.contestants[0], fit{options: Options{Capacity: entries}})
	if err != nil {
		t.Fatal(err)
	}
	if r := rows[0]; r.Hits != want || r.Wrong+r.Stale+r.Dropped > 0 || r.Peak > int64(entries) || len(rows) != 1 || len(s.report.Findings) > 0 {
		t.Errorf("%s: golanglru%s at %d: %+v; want %d hits", l.name, with, entries, rows, want)
	}
}

// TestStreamed replays a load too long to hold.
func TestStreamed(t *testing.T) {
	l, err := loadWorkload("zipf:keys=1000,requests=20000", trace.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want := hitsOf(t, l, 100)["golanglru"]
	if err := l.scan(1000); err != nil {
		t.Fatal(err)
	}
	if !l.streamed() {
		t.Fatal("the load is held; want it streamed")
	}
	got := hitsOf(t, l, 100)
	if got["golanglru"] != want || len(got) != 1 {
		t.Errorf("streamed: %v; want %d hits and no reference", got, want)
	}
}

// TestWrites counts by hand.
func TestWrites(t *testing.T) {
	l := &load{name: "by hand", profile: profile{requests: 9, distinct: 3, ops: [4]int64{5, 1, 1, 2}}, all: segment{
		keys: []uint64{9, 7, 7, 8, 7, 7, 8, 8, 9},
		ids:  []uint32{2, 0, 0, 1, 0, 0, 1, 1, 2},
		ops: []trace.Op{
			trace.Update, trace.Set, trace.Get, trace.Get, trace.Delete, trace.Get, trace.Update, trace.Get, trace.Get,
		},
	}}
	for name, got := range hitsOf(t, l, 10) {
		if got != 2 {
			t.Errorf("%s has %d hits; want 2", name, got)
		}
	}
}

// TestSample takes a tenth of the keys and finds about the same hit ratio.
func TestSample(t *testing.T) {
	const spec = "zipf:s=0.6,keys=100000,requests=500000"
	ratio := func(limits trace.Limits, capacity int) float64 {
		l, err := loadWorkload(spec, limits)
		if err != nil {
			t.Fatal(err)
		}
		r, err := measureHits(t, l, golangLRU(t), Capacity{entries: 10_000})
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Hits.Tables[0].Capacity; got != capacity {
			t.Errorf("%v: capacity %d; want %d", limits, got, capacity)
		}
		return r.Hits.Tables[0].Rows[0].HitRatio
	}
	all, part := ratio(trace.Limits{}, 10_000), ratio(trace.Limits{Sample: 0.1}, 1000)
	if math.Abs(all-part) > 0.03 {
		t.Errorf("hit ratio %.3f in a sample of 0.1; want about %.3f", part, all)
	}
	l, err := loadWorkload(spec, trace.Limits{Sample: 0.001})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := measureHits(t, l, golangLRU(t), Capacity{entries: 100}); err == nil {
		t.Error("a tenth of an entry is no error")
	}
}

func TestCanceled(t *testing.T) {
	l, err := loadWorkload("uniform:keys=10,requests=1000", trace.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := &session{load: l, contestants: golangLRU(t), capacities: []Capacity{{entries: 1}}, progress: quiet{}}
	s.begin(nil)
	if err := flatHits(t).measure(ctx, s); err == nil {
		t.Error("run with a canceled context: no error")
	}
}

func TestCapacities(t *testing.T) {
	got, err := ParseCapacities("10%, 5,0.1%,10,100%,5")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := resolve(got, &load{profile: profile{distinct: 50}})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{1, 5, 10, 50} {
		if len(entries) != 4 || entries[i].entries != want {
			t.Fatalf("entries of 50 keys = %v; want 1, 5, 10, 50", entries)
		}
	}
	for _, list := range []string{"", "0", "-1", "0%", "-1%", "101%", "NaN%", "x", "1,,2", "5%%", "1e3", "99999999999", "64MiBs", "0MiB", "-1kB", "MiB", "1e9TB"} {
		if c, err := ParseCapacities(list); err == nil {
			t.Errorf("ParseCapacities(%q) = %v; want an error", list, c)
		}
	}
}

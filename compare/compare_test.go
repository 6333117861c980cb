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

// measureHits compares the contestants at the capacities.
func measureHits(t *testing.T, l *load, contestants []Contestant, capacities ...Capacity) (*report.Report, error) {
	t.Helper()
	s := &session{load: l, contestants: contestants, capacities: capacities, progress: quiet{}}
	s.begin(nil)
	err := new(hits).measure(t.Context(), s)
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

// TestReference does the same with every shared trace and capacity.
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
	compared := 0
	for _, row := range rows[1:] {
		if row[1] != "LRU" && row[1] != "LRU+TTL-none-fill" {
			continue
		}
		l, ok := loads[row[0]]
		if !ok {
			if l, err = loadTrace(filepath.Join(dir, row[0]), trace.Options{}); err != nil {
				t.Fatal(err)
			}
			loads[row[0]] = l
		}
		if raceDetector && l.requests > 100_000 {
			continue
		}
		entries, _ := strconv.Atoi(row[2])
		want, _ := strconv.ParseInt(row[4], 10, 64)
		rows, err := golangLRU(t)[0].rows(t.Context(), l, entries)
		if err != nil {
			t.Fatal(err)
		}
		if rows[0].Hits != want || rows[0].Wrong > 0 || rows[0].Peak > int64(entries) {
			t.Errorf("%s at %d: %+v; want %d hits", row[0], entries, rows[0], want)
		}
		compared++
	}
	if compared == 0 {
		t.Error("compared no row")
	}
	t.Logf("compared %d traces, %d capacities", len(loads), compared)
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
	l := &load{name: "by hand", requests: 9, distinct: 3, all: segment{
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
	if err := new(hits).measure(ctx, s); err == nil {
		t.Error("run with a canceled context: no error")
	}
}

func TestCapacities(t *testing.T) {
	got, err := ParseCapacities("10%, 5,0.1%,10,100%,5")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := resolve(got, &load{distinct: 50})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{1, 5, 10, 50} {
		if len(entries) != 4 || entries[i] != want {
			t.Fatalf("entries of 50 keys = %v; want 1, 5, 10, 50", entries)
		}
	}
	for _, list := range []string{"", "0", "-1", "0%", "-1%", "101%", "NaN%", "x", "1,,2", "5%%", "1e3", "99999999999", "64MiB"} {
		if c, err := ParseCapacities(list); err == nil {
			t.Errorf("ParseCapacities(%q) = %v; want an error", list, c)
		}
	}
}

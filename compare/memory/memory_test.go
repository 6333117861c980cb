package memory

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/cachepact/cachepact/compare/internal/contest"
	"github.com/cachepact/cachepact/compare/internal/fakes"
	"github.com/cachepact/cachepact/compare/internal/worker"
	"github.com/cachepact/cachepact/compare/report"
)

// TestMain makes the test binary a child when it is started as one.
func TestMain(m *testing.M) {
	fakes.Main(m.Run, func() worker.Handler { return NewHandler(append(contest.Builtin(), fakes.All()...)) })
}

func config(t *testing.T, list string) Config {
	t.Helper()
	common, err := fakes.Config(append(contest.Builtin(), fakes.All()...), list, "500")
	if err != nil {
		t.Fatal(err)
	}
	return Config{Config: common}
}

func TestMemory(t *testing.T) {
	if raceDetector {
		t.Skip("under the race detector an entry takes more memory than it does")
	}
	c := config(t, "single,double,forgets,broken,good")
	c.Value, c.Entries, c.Patience = 128, []int{20_000, 10_000}, time.Minute
	got, err := Run(worker.WithProcesses(t.Context()), c)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]report.MemoryRow{}
	for _, r := range got.Memory.Rows {
		rows[r.Name] = r
	}
	single, double := rows["single"], rows["double"]
	if single.Failed != "" || len(single.Points) != 2 || single.Points[0].Entries != 10_000 || single.Points[0].Present != 10_000 {
		t.Fatalf("single: %+v", single)
	}
	// The same map, but values of 128 and of 256 bytes, which are size classes of Go's.
	if got := double.KeptPerEntry - single.KeptPerEntry; math.Abs(got-128) > 8 {
		t.Errorf("double keeps %.1f bytes an entry more than single; want 128", got)
	}
	if got := single.HeapPerEntry; got < 128+8+24 || got > 2*(128+8+24) {
		t.Errorf("single, which copies a value of 128 bytes: %.1f bytes an entry", got)
	}
	if single.ScanPerEntry <= 0 || single.ScanPerEntry > single.HeapPerEntry || single.Points[1].GC <= 0 {
		t.Errorf("single: %v bytes of an entry are scanned, and a collection takes %v", single.ScanPerEntry, single.Points[1].GC)
	}
	if got := rows["forgets"].Failed; !strings.Contains(got, "holds none of 10,000") {
		t.Errorf("forgets failed with %q", got)
	}
	if _, ok := fakes.Finding(got.Log, "broken", report.CheckFailed); !ok || rows["broken"].Failed != fakes.ErrFake.Error() {
		t.Errorf("broken: %+v", rows["broken"])
	}
	if good := rows["good"]; !good.Numbers || good.HeapPerEntry <= 16 {
		t.Errorf("good: %+v; want that its values are numbers", good)
	}
}

func TestBytesPerEntry(t *testing.T) {
	if raceDetector {
		t.Skip("under the race detector an entry takes more memory than it does")
	}
	all := config(t, "golanglru,single,broken").Contestants
	ctx := worker.WithProcesses(t.Context())
	small, err := BytesPerEntry(ctx, all, all[0], 64)
	if err != nil {
		t.Fatal(err)
	}
	large, err := BytesPerEntry(ctx, all, all[0], 1024)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(large-small-960) > 20 {
		t.Errorf("an entry of golanglru takes %.1f and %.1f bytes; want 960 more, though it refers to its values", small, large)
	}
	if _, err := BytesPerEntry(ctx, all, all[2], 64); err == nil || !strings.Contains(err.Error(), "memory of broken: fake: cannot") {
		t.Errorf("broken: %v", err)
	}
}

func TestFitted(t *testing.T) {
	var results []result
	for _, n := range []int{1000, 2000, 4000} {
		results = append(results, result{MemoryPoint: report.MemoryPoint{
			Entries: 2 * n, Present: n, Heap: int64(100*n + 5000), RSS: int64(120*n + 70_000), Kept: int64(164 * n), Scan: int64(30 * n), GC: 900,
		}, GCEmpty: 400})
	}
	r := fitted(report.MemoryRow{}, results)
	for _, tt := range []struct{ got, want float64 }{
		{r.HeapPerEntry, 100}, {r.HeapFixed, 5000}, {r.RSSPerEntry, 120}, {r.RSSFixed, 70_000}, {r.KeptPerEntry, 164}, {r.KeptFixed, 0}, {r.ScanPerEntry, 30}, {float64(r.GC), 500},
	} {
		if math.Abs(tt.got-tt.want) > 1e-6 {
			t.Errorf("fitted: %v; want %v in %+v", tt.got, tt.want, r)
		}
	}
	if slope, fixed := line([]float64{500, 500}, []float64{1000, 2000}); slope != 3 || fixed != 0 {
		t.Errorf("line through points of one x: %v, %v; want 3, 0", slope, fixed)
	}
	if r := fitted(report.MemoryRow{}, results[:1]); r.HeapPerEntry != 0 || len(r.Points) != 1 {
		t.Errorf("fitted of one point: %+v", r)
	}
}

func TestParseStatm(t *testing.T) {
	if got, err := parseStatm([]byte("1000 250 30 4 0 5 0\n"), 4096); err != nil || got != 250*4096 {
		t.Errorf("parseStatm = %d, %v", got, err)
	}
	if _, err := parseStatm([]byte("x"), 4096); err == nil {
		t.Error("parseStatm of something else: no error")
	}
}

package report_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/cachepact/cachepact/compare/internal/stat"
	"github.com/cachepact/cachepact/compare/report"
)

// textOf returns the report as text, with trimmed lines and single spaces.
func textOf(t *testing.T, r *report.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.WriteText(&b, r, report.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(b.String()) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	return strings.Join(lines, "\n")
}

func wantLines(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(text, line) {
			t.Errorf("the text does not have %q:\n%s", line, text)
		}
	}
}

func around(x float64) stat.Interval { return stat.Interval{Median: x, Low: 0.9 * x, High: 1.1 * x} }

func TestText_speed(t *testing.T) {
	rowOf := func(name string, ns float64) report.SpeedRow {
		return report.SpeedRow{
			Name: name, Wall: around(ns), CPU: around(ns / 2), Ratio: around(ns / 100),
			OpsPerSec: 1e9 / ns, HitRatio: 0.5, HitsPerSec: 5e8 / ns, Executed: report.Mix{Gets: 0.9, Puts: 0.1},
		}
	}
	tie := rowOf("alike", 101)
	tie.Tie = true
	broken := report.SpeedRow{Name: "broken", Failed: "why"}
	c := report.SpeedCase{
		Name: "workload", Capacity: 1000, Procs: 2, Goroutines: 4, Mix: report.Mix{Gets: 0.9, Puts: 0.1},
		Control: stat.Interval{Median: 1, Low: 0.98, High: 1.03},
		Rows:    []report.SpeedRow{rowOf("base", 100), rowOf("fast", 50), rowOf("slow", 200), tie, broken},
		Floors:  []report.SpeedRow{rowOf("(nothing)", 2)},
	}
	r := &report.Report{Speed: &report.Speed{Rounds: 20, Slice: 250 * time.Millisecond, Baseline: "base"}}
	r.Speed.Cases = []report.SpeedCase{c}
	r.Speed.Latency = []report.Latency{
		{
			Name: "fast", Loop: "closed", Class: "put-evict", Count: 1234,
			P50: 101, P99: 1234, P999: 12345, Max: 1234567, Clock: 30,
		},
		{Name: "fast", Loop: "open", Class: "all", Count: 5, Share: 0.8, Rate: 2.5e6, Failed: "behind"},
		{Name: "broken", Loop: "open", Class: "all", Failed: "why"},
	}
	text := textOf(t, r)
	wantLines(t, text,
		"speed, workload: the requests of the workload; capacity 1,000, GOMAXPROCS 2, 4 goroutines; intended mix "+
			"90/10/0",
		"(nothing) 2.00", "fast 50.0 45.0–55.0 25.0 0.50 0.45–0.55 faster 20.0 50.00 % 10.0 90/10/0",
		"2.00 1.80–2.20 slower", "1.01 0.91–1.11 tie",
		"base 100 90.0–110 50.0 1.00 0.90–1.10 10.0", "broken failed", "broken failed: why",
		"base against itself: 0.98–1.03: a difference within this range is a tie; medians of 20 rounds of 250ms",
		"fast, put-evict 1,234 101 ns 1.23 µs 12.3 µs 1.23 ms 30.0 ns", "fast at 80 % (not reached) 2.50",
	)
	c.Noisy = true
	r.Speed.Cases[0] = c
	text = textOf(t, r)
	wantLines(t, text, "too noisy, so nothing is ranked")
	for _, word := range []string{"faster", "slower", "0.91–1.11 tie"} {
		if strings.Contains(text, word) {
			t.Errorf("a noisy machine ranks: %q", word)
		}
	}
}

func TestText_memory(t *testing.T) {
	point := report.MemoryPoint{Entries: 1000, Present: 990, GC: 3 * time.Millisecond}
	r := &report.Report{Memory: &report.Memory{Value: 64, Rows: []report.MemoryRow{
		{
			Name: "a", Points: []report.MemoryPoint{point}, HeapPerEntry: 120, RSSPerEntry: 130, KeptPerEntry: 185,
			ScanPerEntry: 100, KeptFixed: 2048, GC: 2 * time.Millisecond,
		},
		{Name: "b", Numbers: true, Failed: "why"},
	}}}
	wantLines(t, textOf(t, r), "memory, values of 64 B",
		"a 120 130 185 100 2.00 KiB 1,000 99.00 % 3ms 2ms", "b (numbers) failed", "b failed: why")
}

func TestText_ttl(t *testing.T) {
	const ms = time.Millisecond
	one := report.TTLRow{
		Name: "a", TTL: time.Second, Use: "idle", Keys: 10, P50: 5 * time.Microsecond, P99: ms, Max: 2 * ms,
		Resolution: 10 * time.Microsecond, SizeLag: -1, MemoryLag: 3 * time.Second,
	}
	other := report.TTLRow{
		Name: "a", TTL: time.Second, Use: "read", Keys: 10, Early: 2, Earliest: 20 * ms, P99: 4 * ms, Max: 4 * ms,
		Stale: ms, SizeLag: -1, MemoryLag: -1,
	}
	r := &report.Report{TTL: &report.TTL{Rows: []report.TTLRow{one, other, {Name: "b", Failed: "why"}}}}
	wantLines(t, textOf(t, r), "a 1s 20 2 20.0 ms <10.0 µs 4.00 ms 4.00 ms 1.00 ms not seen 3.00 s", "b failed: why")
}

package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cachepact/cachepact/compare/internal/reporttest"
	"github.com/cachepact/cachepact/compare/internal/stat"
	"github.com/cachepact/cachepact/compare/report"
)

func clone(t *testing.T, r *report.Report) *report.Report {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	c := new(report.Report)
	if err := json.Unmarshal(text, c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDiff(t *testing.T) {
	// In the report of seed 1, row 0 of a table of hits is golanglru and row 3 is otter at
	// pace flat. Case 0 of speed is hit, and case 1 is noisy. Row 2 of speed and memory is
	// otter.
	newFinding := report.Finding{Name: "otter", Check: report.CheckOPT, Where: "hits", Text: "too many"}
	tests := []struct {
		name   string
		change func(r *report.Report)
		want   []string
	}{
		{"nothing", func(*report.Report) {}, nil},
		{"an exact cache's hits", func(r *report.Report) {
			row := &r.Hits.Tables[0].Rows[0]
			row.HitRatio -= 0.0001
			row.Low, row.High = row.HitRatio, row.HitRatio
		}, []string{"- hits, 187 entries, golanglru: 5.49 % was 5.50 % (-0.01 points)"}},
		{"hits within the range", func(r *report.Report) {
			row := &r.Hits.Tables[0].Rows[3]
			width := row.High - row.Low
			row.HitRatio, row.Low, row.High = row.HitRatio+width*0.9, row.Low+width*0.9, row.High+width*0.9
		}, nil},
		{
			"hits out of the range",
			func(r *report.Report) {
				row := &r.Hits.Tables[2].Rows[3]
				row.HitRatio, row.Low, row.High = row.HitRatio+0.1, row.Low+0.1, row.High+0.1
			},
			[]string{
				"+ hits, 1,869 entries, flat, otter: 43.14 % (43.0–43.3 %) was 33.14 % (33.0–33.3 %) (+10.00 points)",
			},
		},
		{
			"a failure", func(r *report.Report) { r.Hits.Tables[0].Rows[0].Failed = "broken\nin two lines" },
			[]string{"- hits, 187 entries, golanglru: fails: broken in two lines"},
		},
		{
			"other requests",
			func(r *report.Report) { r.Workload.Requests++; r.Hits.Tables[0].Rows[0].Failed = "broken" },
			[]string{
				"~ hits: not compared: the requests are not the same: arc oltp.gz (914,146 requests, 186,880 " +
					"keys, sample 1) was arc oltp.gz (914,145 requests, 186,880 keys, sample 1)",
			},
		},
		{
			"another mode", func(r *report.Report) { r.Hits.Mode = "trace" },
			[]string{
				"~ hits: not compared: the settings are not the same: mode trace, TTL none, a load of 1 ms for " +
					"8 clients was mode fill, TTL none, a load of 1 ms for 8 clients",
			},
		},
		{
			"slower",
			func(r *report.Report) {
				r.Speed.Cases[0].Rows[2].Ratio = stat.Interval{Median: 1.2, Low: 1.19, High: 1.21}
			},
			[]string{
				"- speed, hit, 1 goroutine on 1 CPU, otter: 1.20 (1.19–1.21) of the baseline's time was 0.84 " +
					"(0.82–0.86)",
			},
		},
		{
			"faster",
			func(r *report.Report) {
				r.Speed.Cases[0].Rows[2].Ratio = stat.Interval{Median: 0.5, Low: 0.49, High: 0.51}
			},
			[]string{
				"+ speed, hit, 1 goroutine on 1 CPU, otter: 0.50 (0.49–0.51) of the baseline's time was 0.84 " +
					"(0.82–0.86)",
			},
		},
		{"slower within the interval", func(r *report.Report) { r.Speed.Cases[0].Rows[2].Ratio.Median += 0.01 }, nil},
		{"slower within the control", func(r *report.Report) {
			x := r.Speed.Cases[0].Rows[2].Ratio.Median * 1.02
			r.Speed.Cases[0].Rows[2].Ratio = stat.Interval{Median: x, Low: x, High: x}
		}, nil},
		{"slower within the other control", func(r *report.Report) {
			x := r.Speed.Cases[0].Rows[2].Ratio.Median * 1.08
			r.Speed.Cases[0].Rows[2].Ratio = stat.Interval{Median: x, Low: x, High: x}
			r.Speed.Cases[0].Control = stat.Interval{Median: 1, Low: 0.91, High: 1}
		}, nil},
		{
			"slower on a noisy machine",
			func(r *report.Report) { r.Speed.Cases[1].Rows[2].Ratio = stat.Interval{Median: 9, Low: 9, High: 9} },
			nil,
		},
		{
			"another machine",
			func(r *report.Report) {
				r.Machine.CPUs = 8
				r.Speed.Cases[0].Rows[2].Ratio = stat.Interval{Median: 9, Low: 9, High: 9}
				r.Memory.Rows[2].GC *= 9
			},
			[]string{
				"~ speed: not compared: the machines are not the same: linux/amd64, 8 CPUs AMD EPYC 7763 " +
					"64-Core Processor was linux/amd64, 4 CPUs AMD EPYC 7763 64-Core Processor",
			},
		},
		{
			"another baseline", func(r *report.Report) { r.Speed.Baseline = "otter" },
			[]string{"~ speed: not compared: the baseline otter was golanglru"},
		},
		{"a little more memory", func(r *report.Report) { r.Memory.Rows[2].HeapPerEntry *= 1.04 }, nil},
		{"two bytes of few", func(r *report.Report) { r.Memory.Rows[5].ScanPerEntry += 2 }, nil},
		{
			"more memory", func(r *report.Report) { r.Memory.Rows[2].HeapPerEntry = 130 },
			[]string{"- memory, heap, otter: 130 B per entry was 118 B"},
		},
		{
			"less memory", func(r *report.Report) { r.Memory.Rows[2].RSSPerEntry = 100 },
			[]string{"+ memory, RSS, otter: 100 B per entry was 148 B"},
		},
		{
			"other values", func(r *report.Report) { r.Memory.Value = 100; r.Memory.Rows[2].HeapPerEntry = 300 },
			[]string{"~ memory: not compared: values of 100 bytes were of 64"},
		},
		{
			"longer collections", func(r *report.Report) { r.Memory.Rows[2].GC *= 2 },
			[]string{"- memory, full collection, otter: 138 ms was 69.1 ms"},
		},
		{
			"later", func(r *report.Report) { r.TTL.Rows[4].P99 = time.Second },
			[]string{"- ttl, 2 s, idle, otter: lag p99 1.00 s was 0 ns"},
		},
		{"later, within the resolution", func(r *report.Report) { r.TTL.Rows[4].P99 = 2 * time.Millisecond }, nil},
		{
			"early", func(r *report.Report) { r.TTL.Rows[4].Early = 3 },
			[]string{"- ttl, 2 s, idle, otter: 3 keys expired early, was 0"},
		},
		{
			"findings",
			func(r *report.Report) {
				r.Findings = append(r.Findings[1:], newFinding)
			},
			[]string{
				"- finding, hits, otter: new: too many",
				"+ finding, hits at 1,869 entries, flat, ristretto: gone: 61 % of 715,113 acknowledged writes " +
					"could not be read",
			},
		},
		{"the figures of a finding", func(r *report.Report) { r.Findings[0].Text = "62 % of 715,113" }, nil},
		{
			"other contestants", func(r *report.Report) { r.Contestants[1].Name = "new" },
			[]string{"~ report, new: was not compared before", "~ report, golanglru-2q: is not compared any more"},
		},
		{
			"another version", func(r *report.Report) { r.Contestants[2].Version = ""; r.Machine.Go = "go1.27" },
			[]string{"~ report, otter: version unknown was v2.4.0", "~ report: go1.27 was go1.26.0"},
		},
		{"fewer parts", func(r *report.Report) { r.Speed, r.Memory, r.TTL, r.Hits = nil, nil, nil, nil }, nil},
	}
	old := reporttest.Full(1)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			now := clone(t, old)
			tt.change(now)
			want := strings.Join(tt.want, "\n") + "\n"
			if tt.want == nil {
				want = "No change beyond the noise.\n"
			}
			var out bytes.Buffer
			if err := report.WriteChanges(&out, report.Diff(old, now)); err != nil {
				t.Fatal(err)
			}
			if got := out.String(); got != want {
				t.Errorf("the changes are\n%swant\n%s", got, want)
			}
			// In the other direction there are as many changes, and better is worse.
			forth, back := report.Diff(old, now), report.Diff(now, old)
			if sum(forth) != -sum(back) || len(forth) != len(back) {
				t.Errorf("the changes are %v; in the other direction %v", forth, back)
			}
		})
	}
}

func sum(changes []report.Change) (n int) {
	for _, c := range changes {
		n += int(c.Verdict)
	}
	return n
}

func TestWriteChanges_OneLineEach(t *testing.T) {
	var out bytes.Buffer
	changes := []report.Change{{Part: "hits", Name: "a\x1b[31m\nb\u009b", Text: "x\ry"}}
	if err := report.WriteChanges(&out, changes); err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprintf("%q", out.String()), `"~ hits, a [31m b : x y\n"`; got != want {
		t.Errorf("a change is written as %s, want %s", got, want)
	}
}

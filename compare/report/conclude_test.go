package report_test

import (
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cachepact/cachepact/compare/internal/reporttest"
	"github.com/cachepact/cachepact/compare/internal/stat"
	"github.com/cachepact/cachepact/compare/report"
)

// A build builds a small report.
type build struct{ report.Report }

func newBuild(names ...string) *build {
	w := &report.Workload{Name: "t", Format: "arc", Requests: 1000, Distinct: 100, Sample: 1}
	b := &build{report.Report{Schema: report.Schema, Workload: w}}
	for _, n := range names {
		b.Contestants = append(b.Contestants, report.Contestant{Name: n})
	}
	return b
}

// at adds a table with LRU and OPT.
func (b *build) at(capacity int, lru, opt float64, rows ...report.Row) *build {
	if b.Hits == nil {
		b.Hits = &report.Hits{Mode: "fill", TTL: "none", Runs: 5}
	}
	t := report.Table{Capacity: capacity, Rows: rows}
	if lru > 0 {
		t.References = append(t.References, report.Reference{Name: report.RefLRU, HitRatio: lru})
	}
	if opt > 0 {
		t.References = append(t.References, report.Reference{Name: report.RefOPTBypass, HitRatio: opt})
	}
	b.Hits.Tables = append(b.Hits.Tables, t)
	return b
}

// hit returns the row of a ranked cache whose hits are the same in every run.
func hit(name string, ratio float64) report.Row {
	row := roughly(name, "", ratio, ratio, ratio)
	row.Bounds, row.Runs, row.Hits = report.BoundsEntries, 1, int64(1000*ratio)
	return row
}

// roughly returns the row of a ranked cache whose hits differ from run to run.
func roughly(name string, pace report.Pace, low, ratio, high float64) report.Row {
	return report.Row{
		Name: name, Pace: pace, Bounds: report.BoundsAbout, HitRatio: ratio, Low: low, High: high,
		Runs: 5, Ranked: true, Writes: 100,
	}
}

func (b *build) find(name, check, text string) *build {
	b.Findings = append(b.Findings, report.Finding{Name: name, Check: check, Where: "hits at 10 entries", Text: text})
	return b
}

// speed adds a case with the nanoseconds per operation of each cache, with intervals of
// ±1 %. The baseline is a.
func (b *build) speed(kind string, control stat.Interval, noisy bool, ns map[string]float64) *build {
	if b.Speed == nil {
		b.Speed = &report.Speed{Rounds: 21, Baseline: "a"}
	}
	c := report.SpeedCase{Name: kind, Procs: 2, Goroutines: 4, Control: control, Noisy: noisy}
	around := func(x float64) stat.Interval { return stat.Interval{Median: x, Low: 0.99 * x, High: 1.01 * x} }
	for _, k := range b.Contestants {
		if x, ok := ns[k.Name]; ok {
			c.Rows = append(c.Rows, report.SpeedRow{Name: k.Name, Wall: around(x), Ratio: around(x / ns["a"])})
		}
	}
	b.Speed.Cases = append(b.Speed.Cases, c)
	return b
}

func (b *build) memory(perEntry map[string]float64) *build {
	b.Memory = &report.Memory{Value: 64}
	for _, k := range b.Contestants {
		if x, ok := perEntry[k.Name]; ok {
			b.Memory.Rows = append(b.Memory.Rows, report.MemoryRow{Name: k.Name, HeapPerEntry: x, RSSPerEntry: x})
		}
	}
	return b
}

func (b *build) load(d time.Duration) *build {
	b.Hits.Load, b.Hits.Clients = d, 8
	return b
}

var quiet = stat.Interval{Median: 1, Low: 0.98, High: 1.02}

// equal returns a report with two caches of equal hits.
func equal() *build { return newBuild("a", "b").at(10, 0.3, 0.6, hit("a", 0.5), hit("b", 0.5)) }

// better returns a report in which b has more hits than a, which equals LRU.
func better() *build { return newBuild("a", "b").at(10, 0.3, 0.6, hit("a", 0.3), hit("b", 0.5)) }

const (
	at10       = "For this trace at 10 entries: "
	takeB      = at10 + "b, 50.0 % hits against LRU's 30.0 %."
	takeEither = at10 + "a or b, 50.0 % hits against LRU's 30.0 %."
)

// times are nanoseconds per operation or bytes per entry, by cache.
type times = map[string]float64

var (
	aIsSlow = times{"a": 200, "b": 100}
	bIsSlow = times{"a": 100, "b": 200}
)

// conclusions are reports and the answers that [report.Report.Conclude] gives for them.
var conclusions = []struct {
	name   string
	report *build
	text   string   // the whole answer
	has    []string // texts that the reasons contain
	hasNot []string // texts that neither the answer nor the reasons contain
}{
	{
		"two leaders and an exact cache",
		newBuild("theine", "otter", "golanglru").
			at(10_000, 0.328, 0.536, roughly("theine", report.Paced, 0.405, 0.408, 0.412),
				roughly("otter", report.Paced, 0.39, 0.395, 0.406), hit("golanglru", 0.328)),
		"For this trace at 10,000 entries: theine or otter, 39.5–40.8 % hits against LRU's 32.8 %; golanglru " +
			"(32.8 %) if the capacity must be exact.",
		[]string{
			"their misses differ by at most 2 %",
			"the paced hit ratio counts",
			"At 10,000 entries: theine 40.80 % (40.5–41.2 %) or otter 39.50 % (39.0–40.6 %); then golanglru " +
				"32.80 %; for comparison, LRU 32.80 % and OPT 53.60 %.",
			"theine closes 38 % of the gap between LRU and OPT",
		},
		[]string{"left out", "not ranked", "perform alike"},
	},
	{
		"one leader", newBuild("a", "b").at(10, 0.3, 0.6, hit("a", 0.3), hit("b", 0.4)),
		at10 + "b, 40.0 % hits against LRU's 30.0 %.",
		[]string{"At 10 entries: b 40.00 %; then a 30.00 %"},
		[]string{" or ", "exact"},
	},
	{
		"no difference", newBuild("a", "b", "c").at(10, 0.5, 0.6, hit("a", 0.5), hit("b", 0.503), hit("c", 0.5)),
		at10 + "all 3 caches perform alike here, 50.0–50.3 % hits against LRU's 50.0 %; take the simplest.",
		[]string{"b, the best cache, equals LRU"},
		nil,
	},
	{
		"all alike, and above LRU", newBuild("a", "b").at(10, 0.3, 0.6, hit("a", 0.5), hit("b", 0.503)),
		at10 + "b or a, 50.0–50.3 % hits against LRU's 30.0 %.", nil,
		[]string{"perform alike"},
	},
	{
		"few misses: a small difference of hits matters",
		newBuild("a", "b").at(10, 0.98, 0.995, hit("a", 0.98), hit("b", 0.985)),
		at10 + "b, 98.5 % hits against LRU's 98.0 %.", nil,
		[]string{" or "},
	},
	{
		"below LRU", newBuild("a", "b").at(10, 0.5, 0.6, hit("a", 0.3), hit("b", 0.2)),
		at10 + "a, 30.0 % hits against LRU's 50.0 %.",
		[]string{"a, the best cache, is below LRU"},
		nil,
	},
	{
		"no references", newBuild("a", "b").at(10, 0, 0, hit("a", 0.3), hit("b", 0.2)),
		at10 + "a, 30.0 % hits.", nil,
		[]string{"LRU", "OPT"},
	},
	{
		"a finding against the best",
		better().find("b", report.CheckCapacity, "held 15 live entries at a capacity of 10."),
		at10 + "a, the only cache that can be ranked, 30.0 % hits against LRU's 30.0 %. b had more hits, but " +
			"has findings against it.",
		[]string{
			"b is left out: held 15 live entries at a capacity of 10 (hits at 10 entries); it had 50.00 % hits " +
				"at 10 entries, 20.0 points more than a.",
		},
		nil,
	},
	{
		"a finding against the worst",
		newBuild("a", "b", "c").at(10, 0.3, 0.6, hit("a", 0.3), hit("b", 0.5), hit("c", 0.1)).
			find("c", report.CheckValue, "x").find("c", report.CheckDropped, "y").find("c", report.CheckStale, "z"),
		takeB,
		[]string{"c is left out: x (hits at 10 entries), and 2 more findings."},
		nil,
	},
	{
		"findings about speed do not count against hits",
		better().find("b", report.CheckMix, "x").find("b", report.CheckNoise, "y"),
		takeB, nil,
		[]string{"left out"},
	},
	{
		"findings against all", newBuild("a").at(10, 0.3, 0.6, hit("a", 0.3)).find("a", report.CheckOPT, "x"),
		"No cache can be recommended for this trace: every ranked cache has a finding against it.",
		[]string{"a is left out: x"},
		nil,
	},
	{
		"a finding about the measurement",
		newBuild("a").at(10, 0.3, 0.6, hit("a", 0.3)).find("", report.CheckLRU, "the self-test failed"),
		at10 + "a, the only cache that can be ranked, 30.0 % hits against LRU's 30.0 %. The measurement itself " +
			"has findings: do not rely on this answer.",
		[]string{"Finding about the measurement: the self-test failed (hits at 10 entries)."},
		nil,
	},
	{
		"none ranked",
		newBuild("a").at(10, 0.3, 0.6, report.Row{Name: "a", HitRatio: 0.9, Bounds: report.BoundsNothing}),
		"No cache can be recommended for this trace: none could be ranked.",
		[]string{"a is not ranked, because the capacity does not limit it."},
		nil,
	},
	{
		"no contestants", newBuild().at(10, 0.3, 0.6), "No cache can be recommended for this trace: none could " +
			"be ranked.", nil, []string{"left out", "not ranked"},
	},
	{
		"other leaders at other capacities",
		newBuild("a", "b").at(20, 0.3, 0.6, hit("a", 0.3), hit("b", 0.5)).
			at(10, 0.2, 0.4, hit("a", 0.3), hit("b", 0.2)).at(30, 0.4, 0.7, hit("a", 0.4), hit("b", 0.6)),
		"For this trace it depends on the capacity. At 10 entries: a, 30.0 % hits against LRU's 20.0 %. From 20 " +
			"to 30 entries: b, 50.0–60.0 % hits against LRU's 30.0–40.0 %.", nil, nil,
	},
	{
		"many changes of leaders",
		newBuild("a", "b").at(1, 0.1, 0.6, hit("a", 0.3), hit("b", 0.2)).at(2, 0.1, 0.6, hit("a", 0.2), hit("b", 0.3)).
			at(3, 0.1, 0.6, hit("a", 0.5), hit("b", 0.2)).at(4, 0.1, 0.6, hit("a", 0.2), hit("b", 0.3)),
		"For this trace it depends on the capacity. The choice matters most at 3 entries: a, 50.0 % hits " +
			"against LRU's 10.0 %. At other capacities other caches lead; the reasons list them.", nil, nil,
	},
	{
		"the pace most like a program's",
		newBuild("a", "b").
			at(10, 0.3, 0.6, hit("a", 0.3), roughly("b", report.Flat, 0.1, 0.1, 0.1),
				roughly("b", report.Settled, 0.4, 0.4, 0.4), roughly("b", report.Paced, 0.5, 0.5, 0.5)),
		at10 + "b, 50.0 % hits against LRU's 30.0 %; a (30.0 %) if the capacity must be exact.",
		[]string{"The hit ratio of b depends on the pace: at 10 entries it is 10.00 % flat and 50.00 % paced"},
		nil,
	},
	{
		"rows with and without a pace",
		newBuild("a").at(10, 0.3, 0.6, hit("a", 0.3), roughly("a", report.Paced, 0.2, 0.2, 0.2)),
		at10 + "a, the only cache that can be ranked, 20.0 % hits against LRU's 30.0 %.",
		[]string{"The hit ratio of a depends on the pace: at 10 entries it is 20.00 % paced and 30.00 % unpaced."},
		nil,
	},
	{
		"paces that hardly differ",
		newBuild("a", "b").
			at(10, 0.3, 0.6, hit("a", 0.3), roughly("b", report.Flat, 0.39, 0.39, 0.39),
				roughly("b", report.Settled, 0.4, 0.4, 0.4)),
		at10 + "b, 40.0 % hits against LRU's 30.0 %; a (30.0 %) if the capacity must be exact.", nil,
		[]string{"depends on the pace"},
	},
	{
		"the faster of two",
		newBuild("a", "b", "c").at(10, 0.3, 0.6, hit("a", 0.5), hit("b", 0.5), hit("c", 0.3)).
			speed("workload", quiet, false, times{"a": 200, "b": 100, "c": 10}),
		takeEither + " b is the fastest of these caches (100 ns per operation; a: 200 ns).",
		[]string{
			"Time per operation (workload, 4 goroutines on 2 CPUs): b 100 ns (99.0–101), a 200 ns (198–202); " +
				"differences below 2.0 % are ties.",
		},
		nil,
	},
	{
		"a tie",
		equal().speed("workload", stat.Interval{Median: 1, Low: 0.9, High: 1.02}, false, times{"a": 107, "b": 100}),
		takeEither,
		[]string{"this is a tie, because a differed from itself by up to 11.1 %"},
		[]string{"fastest"},
	},
	{
		"a noisy machine", equal().speed("workload", stat.Interval{Median: 1, Low: 0.8, High: 1.02}, true, aIsSlow),
		takeEither,
		[]string{"Speed is not ranked: the machine was so noisy that a differed from itself by up to 25 %."},
		[]string{"fastest", "100 ns"},
	},
	{
		"another mix of operations than intended",
		equal().speed("workload", quiet, false, aIsSlow).find("b", report.CheckMix, "x"),
		takeEither, nil,
		[]string{"fastest", "100 ns"},
	},
	{
		"the smaller of two", equal().memory(times{"a": 100, "b": 160}),
		takeEither + " a takes the least memory (100 B per entry; b: 160 B).",
		[]string{"Memory per entry with values of 64 B: a 100 B, b 160 B."},
		nil,
	},
	{
		"little difference in memory", equal().memory(times{"a": 100, "b": 140}),
		takeEither, nil,
		[]string{"memory", "140 B"},
	},
	{
		"expensive misses", better().load(time.Millisecond).speed("hit", quiet, false, bIsSlow),
		takeB,
		[]string{
			"If a miss costs 1 ms, the mean time of a request is 500 µs with b and 700 µs with a; hits take at " +
				"most 0.02 % of it.",
		},
		[]string{"lowest mean time"},
	},
	{
		"cheap misses", better().load(100*time.Nanosecond).speed("hit", quiet, false, bIsSlow),
		takeB + " But if a miss costs 100 ns, a has the lowest mean time per request at 10 entries: 100 ns, " +
			"against 150 ns with b.", nil, nil,
	},
	{
		"the cost of a miss above which more hits pay off", better().speed("hit", quiet, false, bIsSlow),
		takeB,
		[]string{
			"A hit takes 200 ns in b and 100 ns in a; the 20.0 points more hits of b pay off if a miss costs " +
				"more than 350 ns.",
		},
		nil,
	},
	{
		"dropped writes without a finding",
		func() *build {
			r := roughly("b", report.Flat, 0.5, 0.5, 0.5)
			r.Dropped = 61
			return newBuild("a", "b").at(10, 0.3, 0.6, hit("a", 0.3), r)
		}(),
		at10 + "b, 50.0 % hits against LRU's 30.0 %; a (30.0 %) if the capacity must be exact.",
		[]string{"b dropped 61.00 % of its 100 writes at 10 entries, flat."},
		nil,
	},
	{
		"only speed", newBuild("a", "b", "c").speed("workload", quiet, false, times{"a": 200, "b": 100, "c": 101}),
		"Ranked only by speed (workload, 4 goroutines on 2 CPUs): b or c, 100 ns per operation; a is next with " +
			"200 ns. Hit ratios were not measured; they decide if a miss is expensive.", nil, nil,
	},
	{
		"only speed, a tie", newBuild("a", "b").speed("hit", quiet, false, times{"a": 100, "b": 101}),
		"Ranked only by speed (hit, 4 goroutines on 2 CPUs): both caches perform alike here; take the " +
			"simplest.", nil, nil,
	},
	{
		"only speed, noisy", newBuild("a", "b").speed("hit", quiet, true, times{"a": 100, "b": 201}),
		"The machine was too noisy to rank the caches by speed, and nothing else that ranks them was " +
			"measured.", nil, nil,
	},
	{
		"only speed, of one cache", newBuild("a").speed("hit", quiet, false, times{"a": 100}),
		"Ranked only by speed (hit, 4 goroutines on 2 CPUs): a, the only cache that can be ranked, 100 ns per " +
			"operation.", nil, nil,
	},
	{
		"only memory", newBuild("a", "b").memory(times{"a": 100, "b": 300}),
		"Ranked only by memory: a, 100 B per entry; b takes 300 B.", nil, nil,
	},
	{
		"only memory, little difference", newBuild("a", "b").memory(times{"a": 100, "b": 110}),
		"Ranked only by memory: the caches differ little, 100 B to 110 B per entry.", nil, nil,
	},
	{
		"only memory, of one cache", newBuild("a", "b").memory(times{"a": 100}),
		"Ranked only by memory: a, the only cache that can be ranked, takes 100 B per entry.", nil, nil,
	},
	{"nothing", newBuild("a"), "Nothing was measured that can rank the caches.", nil, nil},
	{
		"only expiry",
		func() *build {
			b := newBuild("a", "b")
			row := report.TTLRow{
				Name: "a", TTL: 2 * time.Second, Use: "idle", Stale: 3 * time.Millisecond, Resolution: time.Millisecond,
			}
			late := row
			late.Name, late.Stale = "b", time.Second
			b.TTL = &report.TTL{Rows: []report.TTLRow{row, late}}
			return b
		}(),
		"Ranked only by expiry: a, at most 3.00 ms late; b was up to 1.00 s late.",
		[]string{"b returned values up to 1.00 s after their TTL of 2 s had passed (idle)."},
		[]string{"a returned"},
	},
	{
		"bytes",
		func() *build {
			b := better()
			b.Hits.Tables[0].Bytes = 64 << 20
			b.Workload.Format = ""
			return b
		}(),
		"For this workload at 64 MiB: b, 50.0 % hits against LRU's 30.0 %.", nil, nil,
	},
	{
		"a sample",
		func() *build {
			b := better()
			b.Workload.Sample = 0.01
			return b
		}(),
		"For this trace at 10 entries of the sample (1,000 without sampling): b, 50.0 % hits against LRU's 30.0 " +
			"%.", nil, nil,
	},
}

func TestConclude(t *testing.T) {
	for _, tt := range conclusions {
		t.Run(tt.name, func(t *testing.T) {
			tt.report.Conclude()
			answer := tt.report.Answer
			if answer.Text != tt.text {
				t.Errorf("the answer is\n%s\nwant\n%s", answer.Text, tt.text)
			}
			reasons := strings.Join(answer.Reasons, "\n")
			for _, want := range tt.has {
				if !strings.Contains(reasons, want) {
					t.Errorf("the reasons\n%s\nlack\n%s", reasons, want)
				}
			}
			for _, no := range tt.hasNot {
				if strings.Contains(answer.Text+"\n"+reasons, no) {
					t.Errorf("%q is in\n%s\n%s", no, answer.Text, reasons)
				}
			}
		})
	}
}

// The answer consists of whole sentences, recommends no cache with a finding and is the
// same a second time, even if parts of the report are missing.
func TestConclude_Robust(t *testing.T) {
	odd := regexp.MustCompile(`NaN|Inf|%!|  |\.\.|: ;|, ,|\(\)| ,| \.`)
	for seed := range uint64(400) {
		r := cut(reporttest.Full(seed), rand.New(rand.NewPCG(seed, 1)))
		r.Conclude()
		again := *r
		again.Conclude()
		if again.Answer.Text != r.Answer.Text || !slices.Equal(again.Answer.Reasons, r.Answer.Reasons) {
			t.Fatalf("seed %d: a second answer differs", seed)
		}
		for _, s := range append([]string{r.Answer.Text}, r.Answer.Reasons...) {
			if odd.MatchString(s) || !strings.HasSuffix(s, ".") {
				t.Errorf("seed %d: %q", seed, s)
			}
		}
		advice, _, _ := strings.Cut(r.Answer.Text, "had more hits")
		advice = advice[:max(0, strings.LastIndex(advice, "."))]
		for _, f := range r.Findings {
			if f.Name != "" && (strings.Contains(advice, f.Name+" or ") || strings.Contains(advice, ": "+f.Name+",")) {
				t.Errorf("seed %d: %s has a finding, and the answer is %s", seed, f.Name, r.Answer.Text)
			}
		}
	}
}

// cut removes parts, tables, rows, contestants and references from the report.
func cut(r *report.Report, rng *rand.Rand) *report.Report {
	some := func() bool { return rng.IntN(3) == 0 }
	if some() {
		r.Workload = nil
	}
	switch rng.IntN(6) {
	case 0, 1:
		r.Speed = nil
	case 2:
		r.Speed.Cases = nil
	case 3:
		r.Speed.Latency = nil
	}
	if some() {
		r.Memory = nil
	}
	if some() {
		r.TTL = nil
	}
	if some() {
		r.Findings = nil
	}
	if some() {
		r.Contestants = r.Contestants[:rng.IntN(len(r.Contestants)+1)]
	}
	if some() {
		r.Hits = nil
		return r
	}
	if some() {
		r.Hits.Load = 0
	}
	if some() {
		r.Hits.Curve = nil
	}
	r.Hits.Tables = r.Hits.Tables[:rng.IntN(len(r.Hits.Tables)+1)]
	for i := range r.Hits.Tables {
		tb := &r.Hits.Tables[i]
		if some() {
			tb.References = tb.References[:rng.IntN(len(tb.References)+1)]
		}
		if some() {
			tb.Rows = tb.Rows[:rng.IntN(len(tb.Rows)+1)]
		}
		for j := range tb.Rows {
			row := &tb.Rows[j]
			switch rng.IntN(8) {
			case 0:
				row.Failed = "broken"
			case 1:
				row.Ranked = false
			case 2:
				row.HitRatio, row.Low, row.High = 0, 0, 0
			case 3:
				row.HitRatio, row.Low, row.High = 1, 1, 1
			}
		}
	}
	if r.Memory != nil {
		for i := range r.Memory.Rows {
			if some() {
				r.Memory.Rows[i].HeapPerEntry = math.NaN()
				r.Memory.Rows[i].Failed = "broken"
			}
		}
	}
	return r
}

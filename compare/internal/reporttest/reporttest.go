// Package reporttest builds reports for tests: plausible reports, and reports that may break
// a page.
package reporttest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/cachepact/cachepact/compare/internal/stat"
	"github.com/cachepact/cachepact/compare/report"
)

// A cache describes a contestant of [Full].
type cache struct {
	name, module, version string
	bounds                report.Bounds
	lru                   bool
	gain                  float64 // share of the gap between LRU and OPT that the cache closes
	spread                float64 // range of the hit ratio over runs
	ns                    float64 // per operation
	heap, offHeap, scan   float64 // bytes per entry
	late                  time.Duration
	peak                  float64 // live entries divided by the capacity
	dropped               float64 // share of the writes at pace flat
}

var caches = []cache{
	{
		name: "golanglru", module: "github.com/hashicorp/golang-lru/v2", version: "v2.0.7",
		bounds: report.BoundsEntries, lru: true, ns: 88, heap: 142, scan: 120, peak: 1,
	},
	{
		name: "golanglru-2q", module: "github.com/hashicorp/golang-lru/v2", version: "v2.0.7",
		bounds: report.BoundsEntries, gain: 0.14, ns: 171, heap: 260, scan: 230, peak: 1,
	},
	{
		name: "otter", module: "github.com/maypok86/otter/v2", version: "v2.4.0", bounds: report.BoundsAbout,
		gain: 0.32, spread: 0.002, ns: 74, heap: 118, scan: 96, peak: 1,
	},
	{
		name: "theine", module: "github.com/Yiling-J/theine-go", version: "v0.6.3", bounds: report.BoundsAbout,
		gain: 0.33, spread: 0.003, ns: 102, heap: 175, scan: 150, peak: 1, late: 1100 * time.Millisecond,
	},
	{
		name: "ristretto", module: "github.com/dgraph-io/ristretto", version: "v1.0.1", bounds: report.BoundsAbout,
		gain: -0.2, spread: 0.006, ns: 69, heap: 131, scan: 104, peak: 1.03, dropped: 0.61, late: 5 * time.Second,
	},
	{
		name: "bigcache", module: "github.com/allegro/bigcache/v3", version: "v3.1.0", bounds: report.BoundsBytes,
		gain: -0.05, ns: 195, heap: 96, scan: 0.4, peak: 1.2, late: time.Second,
	},
	{
		name: "freecache", module: "github.com/coocood/freecache", version: "v1.2.7", bounds: report.BoundsBytes,
		gain: -0.02, ns: 160, heap: 81, scan: 0.1, peak: 1.1, late: time.Second,
	},
	{
		name: "fastcache", module: "github.com/VictoriaMetrics/fastcache", version: "v1.13.3",
		bounds: report.BoundsBytes, gain: -0.06, ns: 130, heap: 3, offHeap: 78, peak: 1.3,
	},
	{
		name: "gocache", module: "github.com/patrickmn/go-cache", version: "v2.1.0", bounds: report.BoundsNothing,
		gain: 0.9, ns: 140, heap: 110, scan: 90, peak: 18, late: 0,
	},
	{
		name: "ttlcache", module: "github.com/jellydator/ttlcache/v3", version: "v3.4.0", bounds: report.BoundsEntries,
		lru: true, ns: 290, heap: 330, scan: 300, peak: 1,
	},
}

var capacities = []int{187, 561, 1_869, 5_606, 18_688, 56_064}

// The size of the workload: the number of requests and of distinct keys.
const (
	requests = 914_145
	keys     = 186_880
)

func optRatio(capacity int) float64 {
	return 0.82 * (1 - math.Pow(1+float64(capacity)/900, -0.75))
}

func lruRatio(capacity int) float64 {
	return optRatio(capacity) * (0.5 + 0.4*float64(capacity)/(float64(capacity)+9000))
}

// killed is the failure of ttlcache in [Full].
const killed = "put: the process was killed by the system after 1m0s"

// Full returns a report of ten caches with all parts, findings and failures. Equal seeds
// give equal reports.
func Full(seed uint64) *report.Report {
	rng := rand.New(rand.NewPCG(seed, 7))
	r := &report.Report{
		Schema: report.Schema,
		Command: []string{
			"cachepact", "compare", "all", "--trace", "testdata/arc oltp.gz", "--capacity", "auto", "--curve",
			"--pace", "flat,settled,paced", "--runs", "5", "--html", "report.html",
		},
		Started: time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC), Elapsed: 17*time.Minute + 41*time.Second,
		Machine: report.Machine{
			Go: "go1.26.0", OS: "linux", Arch: "amd64", CPUs: 4, CPU: "AMD EPYC 7763 64-Core Processor",
			Memory: 16 << 30, Module: "v0.5.0",
		},
		Workload: &report.Workload{
			Name: "arc oltp.gz", Format: "arc", Requests: requests, Distinct: keys, Gets: requests, Sample: 1,
		},
		Notes: []report.Note{
			{Name: "gocache", Text: "has no bound: it holds every key"},
			{Name: "fastcache", Text: "allocates its memory outside of Go's heap"},
		},
	}
	for _, c := range caches {
		r.Contestants = append(r.Contestants, report.Contestant{
			Name: c.name, Module: c.module, Version: c.version, Bounds: c.bounds, LRU: c.lru,
		})
	}
	r.Hits = hits(rng)
	r.Speed = speed(rng)
	r.Memory = memory(rng)
	r.TTL = lifetimes()
	find := func(name, check, where, text string) {
		r.Findings = append(r.Findings, report.Finding{Name: name, Check: check, Where: where, Text: text})
	}
	find("ristretto", report.CheckDropped, "hits at 1,869 entries, flat",
		"61 % of 715,113 acknowledged writes could not be read")
	find("ristretto", report.CheckCapacity, "hits at 187 entries", "held 193 live entries at a capacity of 187")
	find("bigcache", report.CheckValue, "hits at 5,606 entries",
		"3 of 299,032 values returned were not the last written")
	find("ttlcache", report.CheckFailed, "speed, workload, 8 goroutines on 4 CPUs", killed)
	r.Conclude()
	return r
}

func hits(rng *rand.Rand) *report.Hits {
	h := &report.Hits{Mode: "fill", TTL: "none", Runs: 5, Load: time.Millisecond, Clients: 8}
	h.Curve = &report.Curve{SHARDS: 1}
	lines := map[string]*report.Line{}
	var order []string
	add := func(name string, pace report.Pace, reference bool, p report.Point) {
		key := name + string(pace)
		if lines[key] == nil {
			lines[key] = &report.Line{Name: name, Pace: pace, Reference: reference}
			order = append(order, key)
		}
		lines[key].Points = append(lines[key].Points, p)
	}
	for _, capacity := range capacities {
		opt, lru := optRatio(capacity), lruRatio(capacity)
		t := report.Table{Capacity: capacity, Share: float64(capacity) / keys}
		for _, ref := range []struct {
			name  string
			ratio float64
		}{{report.RefOPTBypass, opt}, {report.RefOPT, opt * 0.99}, {report.RefLRU, lru}, {report.RefFIFO, lru * 0.88}} {
			hits := int64(requests * ref.ratio)
			t.References = append(t.References, report.Reference{
				Name: ref.name, HitRatio: ref.ratio, Hits: hits, Misses: requests - hits,
			})
			if ref.name != report.RefOPTBypass {
				miss := 1 - ref.ratio
				add(ref.name, "", true, report.Point{Capacity: capacity, MissRatio: miss, Low: miss, High: miss})
			}
		}
		for _, c := range caches {
			for _, row := range rows(rng, c, capacity, opt, lru) {
				t.Rows = append(t.Rows, row)
				if row.Ranked && (row.Pace == "" || row.Pace == report.Settled) {
					add(c.name, row.Pace, false, report.Point{
						Capacity: capacity, MissRatio: 1 - row.HitRatio, Low: 1 - row.High, High: 1 - row.Low,
					})
				}
			}
		}
		h.Tables = append(h.Tables, t)
	}
	for _, key := range order {
		h.Curve.Lines = append(h.Curve.Lines, *lines[key])
	}
	return h
}

func rows(rng *rand.Rand, c cache, capacity int, opt, lru float64) []report.Row {
	ratio := lru + c.gain*(opt-lru)
	if c.lru {
		ratio = lru
	}
	paces := []report.Pace{""}
	if c.spread > 0 {
		paces = []report.Pace{report.Flat, report.Settled, report.Paced}
	}
	if c.name == "golanglru" { // the clients change the order of requests and so the hits
		paces = append(paces, report.Paced)
	}
	var all []report.Row
	for _, pace := range paces {
		if pace == report.Paced && c.spread == 0 {
			rng = rand.New(rand.NewPCG(uint64(capacity), 1))
		}
		x, runs := ratio, 1
		if pace == report.Paced && c.spread == 0 {
			x -= 0.001
		}
		if pace == report.Flat {
			x *= 1 - 0.55*c.dropped
		}
		spread := c.spread * (1 + rng.Float64())
		if spread > 0 {
			runs = 5
			x += (rng.Float64() - 0.5) * spread
		}
		row := report.Row{
			Name: c.name, Pace: pace, Bounds: c.bounds, Entries: capacity, Runs: runs,
			HitRatio: x, Low: x - spread/2, High: x + spread/2,
			Hits: int64(requests * x), Misses: requests - int64(requests*x),
			Peak: int64(c.peak * float64(capacity)), Time: time.Duration(c.ns * requests * (1 + rng.Float64()/4)),
			Ranked: c.bounds == report.BoundsEntries || c.bounds == report.BoundsAbout,
		}
		row.Writes = row.Misses
		if pace == report.Flat {
			row.Dropped = int64(c.dropped * float64(row.Writes))
		}
		if c.name == "bigcache" && capacity == 5_606 {
			row.Wrong = 3
		}
		if c.name == "fastcache" && capacity < 1_000 {
			row = report.Row{Name: c.name, Bounds: c.bounds, Entries: capacity}
			row.Failed = "fastcache: new: 17,952 bytes are less than the 32 MiB that the library takes at least"
		}
		for i := range 40 {
			warm := 1 - math.Exp(-float64(i+1)/2)
			shift := 1.0
			if i > 22 && i < 27 {
				shift = 0.55
			}
			ratio := x*warm*shift*(1+0.05*math.Sin(float64(i)/2.5)) + 0.01*rng.Float64()
			row.Series = append(row.Series, min(1, max(0, ratio)))
		}
		all = append(all, row)
	}
	return all
}

func interval(rng *rand.Rand, x, width float64) stat.Interval {
	low := x * (1 - width*(0.6+0.4*rng.Float64()))
	high := x * (1 + width*(0.6+0.4*rng.Float64()))
	return stat.Interval{Median: x, Low: low, High: high}
}

func speed(rng *rand.Rand) *report.Speed {
	s := &report.Speed{Rounds: 21, Slice: 250 * time.Millisecond, Baseline: "golanglru"}
	for _, of := range []struct {
		name              string
		procs, goroutines int
		mix               report.Mix
		factor            float64
	}{
		{"hit", 1, 1, report.Mix{Gets: 1}, 0.55},
		{"miss", 4, 4, report.Mix{Gets: 0.5, Puts: 0.5}, 2.2},
		{"workload", 1, 1, report.Mix{Gets: 0.58, Puts: 0.42}, 1},
		{"workload", 4, 8, report.Mix{Gets: 0.58, Puts: 0.42}, 1.6},
	} {
		c := report.SpeedCase{
			Name: of.name, Capacity: 5_606, Procs: of.procs, Goroutines: of.goroutines, Mix: of.mix,
			Control: stat.Interval{Median: 1.002, Low: 0.978, High: 1.021},
		}
		if of.name == "miss" {
			c.Control, c.Noisy = stat.Interval{Median: 1.05, Low: 0.83, High: 1.27}, true
		}
		for _, k := range caches {
			if k.name == "ttlcache" && of.goroutines == 8 {
				c.Rows = append(c.Rows, report.SpeedRow{Name: k.name, Failed: killed})
				continue
			}
			contention := 1.0
			if k.lru || k.bounds == report.BoundsNothing {
				contention += 0.25 * float64(of.goroutines-1)
			}
			ns := k.ns * of.factor * contention
			opt, lru := optRatio(5_606), lruRatio(5_606)
			hit := map[string]float64{"hit": 1, "miss": 0, "workload": lru + k.gain*(opt-lru)}[of.name]
			row := report.SpeedRow{
				Name: k.name, Wall: interval(rng, ns, 0.04), CPU: interval(rng, ns*0.97*float64(of.procs), 0.05),
				Ratio:     interval(rng, ns/(88*of.factor*(1+0.25*float64(of.goroutines-1))), 0.03),
				OpsPerSec: 1e9 / ns, HitRatio: hit, HitsPerSec: hit * of.mix.Gets * 1e9 / ns, Executed: of.mix,
				BytesPerOp: 8, AllocsPerOp: 0.12, Dropped: k.dropped * of.mix.Puts,
			}
			if k.name == s.Baseline {
				row.Ratio = stat.Interval{Median: 1, Low: 1, High: 1}
			}
			row.Tie = row.Ratio.Overlaps(c.Control)
			for range s.Rounds {
				row.Rounds = append(row.Rounds, ns*(1+0.05*rng.NormFloat64()))
			}
			c.Rows = append(c.Rows, row)
		}
		s.Cases = append(s.Cases, c)
	}
	for _, of := range []struct {
		loop, class string
		share       float64
	}{{"closed", "hit", 0}, {"closed", "put-evict", 0}, {"open", "all", 0.8}} {
		for _, k := range caches {
			s.Latency = append(s.Latency, latency(rng, k, of.loop, of.class, of.share))
		}
	}
	return s
}

func latency(rng *rand.Rand, k cache, loop, class string, share float64) report.Latency {
	l := report.Latency{Name: k.name, Loop: loop, Class: class, Count: 1_000_000, Clock: 49, Share: share}
	if share > 0 {
		l.Rate = share * 1e9 / k.ns
	}
	if k.name == "gocache" && loop == "open" {
		return report.Latency{
			Name: k.name, Loop: loop, Class: class, Share: share,
			Failed: "the rate could not be kept: 41 % of the operations were not started",
		}
	}
	at := func(tail float64) time.Duration { // tail = 1/(1-share)
		d := k.ns * (0.8 + 0.25*math.Log10(tail))
		if tail > 300 {
			d += k.ns * math.Pow(tail/300, 0.8) * (1 + k.scan/200)
		}
		return time.Duration(d * (1 + 0.02*rng.Float64()))
	}
	last := time.Duration(0)
	for i := 0; i <= 60; i++ {
		tail := math.Pow(10, float64(i)/10)
		last = max(last+1, at(tail))
		l.Steps = append(l.Steps, report.Step{Time: last, Share: min(1, 1-1/tail)})
	}
	l.P50, l.P99, l.P999, l.Max = at(2), at(100), at(1000), last
	return l
}

func memory(rng *rand.Rand) *report.Memory {
	m := &report.Memory{Value: 64}
	for _, k := range caches {
		row := report.MemoryRow{
			Name: k.name, HeapPerEntry: k.heap, RSSPerEntry: k.heap*1.25 + k.offHeap, ScanPerEntry: k.scan,
			HeapFixed: 81_920, RSSFixed: 1.5e6,
		}
		if k.name == "ttlcache" {
			m.Rows = append(m.Rows, report.MemoryRow{Name: k.name, Failed: "the process used more than 8 GiB"})
			continue
		}
		for _, n := range []int{50_000, 200_000, 800_000} {
			present := n
			if k.bounds == report.BoundsAbout {
				present -= n / 400
			}
			gc := time.Duration(float64(n)*k.scan*0.9) + 900*time.Microsecond
			row.Points = append(row.Points, report.MemoryPoint{
				Entries: n, Present: present, Scan: int64(k.scan * float64(present)), GC: gc,
				Heap: int64(row.HeapFixed + k.heap*float64(present)*(1+0.02*rng.Float64())),
				RSS:  int64(row.RSSFixed + row.RSSPerEntry*float64(present)*(1+0.05*rng.Float64())),
			})
			row.GC = gc - 900*time.Microsecond
		}
		m.Rows = append(m.Rows, row)
	}
	return m
}

func lifetimes() *report.TTL {
	t := &report.TTL{}
	for _, k := range caches {
		for _, use := range []string{"idle", "overwrite"} {
			row := report.TTLRow{
				Name: k.name, TTL: 2 * time.Second, Use: use, Keys: 1_000, Resolution: 2 * time.Millisecond,
				P50: k.late / 2, P99: k.late, Max: k.late + 3*time.Millisecond, Stale: k.late,
				SizeLag: k.late + 4*time.Millisecond, MemoryLag: -1, StripFrom: -time.Second, StripTo: 2 * time.Second,
			}
			if k.name == "fastcache" {
				row = report.TTLRow{Name: k.name, TTL: row.TTL, Use: use}
				row.Failed = "fastcache: put: a lifetime: unsupported operation"
			}
			if k.name == "bigcache" && use == "overwrite" {
				row.Early, row.Earliest = 12, 180*time.Millisecond
			}
			if row.Failed == "" {
				for i := range 60 {
					since := row.StripFrom + time.Duration(i)*(row.StripTo-row.StripFrom)/59
					share := 1.0
					if since > 0 {
						share = 0
						if k.late > 0 {
							share = max(0, 1-float64(since)/float64(k.late))
						}
					}
					row.Strip = append(row.Strip, share)
				}
			}
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}

// Hostile is a text that becomes code if a writer does not escape it.
const Hostile = `</script><script>alert(1)</script><img src=x onerror=alert(2)> "quoted' & ünïcödé \u2028 ` +
	"\u2028" + ` 数据 <!-- ]]> {{.}} ${1}`

// Evil returns [Full] with [Hostile] in every text that can come from outside.
func Evil() *report.Report {
	r := Full(3)
	rename := map[string]string{}
	for i := range r.Contestants {
		c := &r.Contestants[i]
		rename[c.Name] = fmt.Sprintf("%d %s", i, Hostile)
		c.Name, c.Module, c.Version, c.Own = rename[c.Name], Hostile, Hostile, true
	}
	r.Command = []string{"cachepact", Hostile, "it's"}
	r.Workload.Name, r.Workload.Format = Hostile, Hostile
	r.Machine.CPU, r.Machine.Module = Hostile, Hostile
	r.Hits.TTL = Hostile
	r.Speed.Baseline = rename[r.Speed.Baseline]
	each(r, func(name *string, failed *string) {
		if to, ok := rename[*name]; ok {
			*name = to
		}
		if failed != nil && *failed != "" {
			*failed = Hostile
		}
	})
	for i := range r.Findings {
		f := &r.Findings[i]
		f.Where, f.Text = Hostile, Hostile
	}
	r.Findings[0].Check = Hostile
	for i := range r.Notes {
		r.Notes[i].Text = Hostile
	}
	r.Conclude()
	return r
}

// each calls f for each name in the report, with the failure of the same row or nil.
func each(r *report.Report, f func(name, failed *string)) {
	for i := range r.Hits.Tables {
		for j := range r.Hits.Tables[i].Rows {
			f(&r.Hits.Tables[i].Rows[j].Name, &r.Hits.Tables[i].Rows[j].Failed)
		}
	}
	for i := range r.Hits.Curve.Lines {
		f(&r.Hits.Curve.Lines[i].Name, nil)
	}
	for i := range r.Speed.Cases {
		for j := range r.Speed.Cases[i].Rows {
			f(&r.Speed.Cases[i].Rows[j].Name, &r.Speed.Cases[i].Rows[j].Failed)
		}
	}
	for i := range r.Speed.Latency {
		f(&r.Speed.Latency[i].Name, &r.Speed.Latency[i].Failed)
	}
	for i := range r.Memory.Rows {
		f(&r.Memory.Rows[i].Name, &r.Memory.Rows[i].Failed)
	}
	for i := range r.TTL.Rows {
		f(&r.TTL.Rows[i].Name, &r.TTL.Rows[i].Failed)
	}
	for i := range r.Findings {
		f(&r.Findings[i].Name, nil)
	}
	for i := range r.Notes {
		f(&r.Notes[i].Name, nil)
	}
}

// Single returns a report of one cache with one table, and nothing else.
func Single() *report.Report {
	r := Full(1)
	r.Contestants = r.Contestants[:1]
	r.Hits.Tables = r.Hits.Tables[2:3]
	r.Hits.Tables[0].Rows = r.Hits.Tables[0].Rows[:1]
	r.Hits.Tables[0].Rows[0].Series = nil
	r.Hits.Curve, r.Speed, r.Memory, r.TTL, r.Findings, r.Notes = nil, nil, nil, nil, []report.Finding{}, nil
	r.Conclude()
	return r
}

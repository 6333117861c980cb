package report

import (
	"encoding/csv"
	"io"
	"math"
	"strconv"
	"time"

	"github.com/cachepact/cachepact/compare/internal/stat"
)

// columns are the titles of the CSV's columns; [WriteCSV] describes them.
var columns = []string{
	"part", "case", "name", "pace", "capacity", "bytes", "procs", "goroutines", "at",
	"metric", "value", "low", "high", "unit",
}

// WriteCSV writes a header and then one line for each figure. It returns the error of w.
//
// The columns are
//
//	part        hits, reference, series, curve, speed, latency, memory, ttl, strip or finding
//	case        speed: hit, miss or workload; latency: the loop and the class;
//	            ttl and strip: the use and the TTL; finding: the part of the report
//	name        the contestant or the reference policy
//	pace        hits, series and curve: the pace; empty if it makes no difference
//	capacity    the capacity in entries
//	bytes       the capacity in bytes, if it was given in bytes
//	procs       speed: GOMAXPROCS
//	goroutines  speed: number of goroutines
//	at          the position of the figure: series and rounds of speed count from 1;
//	            shares of latency have nanoseconds, points of memory have entries
//	            put, strip has nanoseconds since the deadline
//	metric      the name of the figure
//	value       the figure; the median if low and high are set
//	low, high   the range of the runs (hits, curve) or the 95 % interval (speed)
//	unit        ratio (a fraction of one), ns, ns/op, B, B/op, B/entry, /op, /s or count
//
// A column that does not apply is empty. A row of the report that failed has no
// figures. The metric of a finding is its check, and its value is 1. Texts of findings,
// notes, the workload and the machine are only in the JSON.
func WriteCSV(w io.Writer, r *Report) error {
	out := csv.NewWriter(w)
	if err := out.Write(columns); err != nil {
		return err
	}
	for _, l := range r.lines() {
		if err := out.Write(l.cells()); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// A line is a line of the CSV.
type line struct {
	part, of, name    string
	pace              Pace
	capacity          int
	bytes             int64
	procs, goroutines int
	at                string
	metric            string
	value             float64
	low, high         float64 // NaN: none
	unit              string
}

func (l line) cells() []string {
	return []string{
		l.part, l.of, l.name, string(l.pace), positive(int64(l.capacity)), positive(l.bytes), positive(int64(l.procs)),
		positive(int64(l.goroutines)), l.at, l.metric, number(l.value), number(l.low), number(l.high), l.unit,
	}
}

// number writes x exactly, and nothing if x is NaN or infinite.
func number(x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return ""
	}
	return strconv.FormatFloat(x, 'g', -1, 64)
}

func positive(n int64) string {
	if n <= 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// lines collects lines of the CSV. Each new line starts as a copy of like.
type lines struct {
	like line
	all  []line
}

func (ls *lines) add(metric string, value float64, unit string) {
	ls.ranged(metric, stat.Interval{Median: value, Low: math.NaN(), High: math.NaN()}, unit)
}

func (ls *lines) ranged(metric string, x stat.Interval, unit string) {
	if math.IsNaN(x.Median) || math.IsInf(x.Median, 0) {
		return
	}
	l := ls.like
	l.metric, l.value, l.low, l.high, l.unit = metric, x.Median, x.Low, x.High, unit
	ls.all = append(ls.all, l)
}

func (ls *lines) time(metric string, d time.Duration) { ls.add(metric, float64(d), "ns") }

func (ls *lines) count(metric string, n int64) { ls.add(metric, float64(n), "count") }

func (r *Report) lines() []line {
	ls := new(lines)
	if r.Hits != nil {
		ls.hits(r.Hits)
	}
	if r.Speed != nil {
		ls.speed(r.Speed)
	}
	if r.Memory != nil {
		ls.memory(r.Memory)
	}
	if r.TTL != nil {
		ls.ttl(r.TTL)
	}
	for _, f := range r.Findings {
		ls.like = line{part: "finding", of: f.Where, name: f.Name}
		ls.count(f.Check, 1)
	}
	return ls.all
}

func (ls *lines) hits(h *Hits) {
	for _, t := range h.Tables {
		for _, row := range t.Rows {
			if row.Failed == "" {
				ls.like = line{part: "hits", name: row.Name, pace: row.Pace, capacity: row.Entries, bytes: t.Bytes}
				ls.row(row)
			}
		}
		for _, ref := range t.References {
			ls.like = line{part: "reference", name: ref.Name, capacity: t.Capacity, bytes: t.Bytes}
			ls.add("hit_ratio", ref.HitRatio, "ratio")
			ls.count("hits", ref.Hits)
			ls.count("misses", ref.Misses)
		}
	}
	if h.Curve == nil {
		return
	}
	for _, l := range h.Curve.Lines {
		for _, p := range l.Points {
			ls.like = line{part: "curve", name: l.Name, pace: l.Pace, capacity: p.Capacity}
			ls.ranged("miss_ratio", stat.Interval{Median: p.MissRatio, Low: p.Low, High: p.High}, "ratio")
		}
	}
}

func (ls *lines) row(r Row) {
	ls.ranged("hit_ratio", stat.Interval{Median: r.HitRatio, Low: r.Low, High: r.High}, "ratio")
	for _, c := range []struct {
		metric string
		n      int64
	}{
		{"runs", int64(r.Runs)},
		{"hits", r.Hits},
		{"misses", r.Misses},
		{"peak", r.Peak},
		{"wrong", r.Wrong},
		{"stale", r.Stale},
		{"writes", r.Writes},
		{"dropped", r.Dropped},
		{"rejected", r.Rejected},
	} {
		ls.count(c.metric, c.n)
	}
	if r.BytesPerEntry > 0 {
		ls.add("bytes_per_entry", r.BytesPerEntry, "B/entry")
	}
	ls.time("time", r.Time)
	ls.like.part = "series"
	for i, x := range r.Series {
		ls.like.at = strconv.Itoa(i + 1)
		ls.add("hit_ratio", x, "ratio")
	}
}

func (ls *lines) speed(s *Speed) {
	for _, c := range s.Cases {
		of := line{part: "speed", of: c.Name, capacity: c.Capacity, procs: c.Procs, goroutines: c.Goroutines}
		ls.like = of
		ls.like.name = s.Baseline
		ls.ranged("control", c.Control, "ratio")
		for _, row := range c.Rows {
			if row.Failed == "" {
				ls.like = of
				ls.like.name = row.Name
				ls.speedRow(row)
			}
		}
	}
	for _, l := range s.Latency {
		if l.Failed == "" {
			ls.like = line{part: "latency", of: l.Loop + " " + l.label(), name: l.Name}
			ls.latency(l)
		}
	}
}

func (ls *lines) speedRow(r SpeedRow) {
	ls.ranged("wall", r.Wall, "ns/op")
	ls.ranged("cpu", r.CPU, "ns/op")
	ls.ranged("ratio", r.Ratio, "ratio")
	ls.add("ops", r.OpsPerSec, "/s")
	ls.add("hits", r.HitsPerSec, "/s")
	ls.add("hit_ratio", r.HitRatio, "ratio")
	ls.add("gets", r.Executed.Gets, "ratio")
	ls.add("puts", r.Executed.Puts, "ratio")
	ls.add("invalidates", r.Executed.Invalidates, "ratio")
	ls.add("dropped", r.Dropped, "ratio")
	ls.add("bytes", r.BytesPerOp, "B/op")
	ls.add("allocs", r.AllocsPerOp, "/op")
	for i, x := range r.Rounds {
		ls.like.at = strconv.Itoa(i + 1)
		ls.add("round", x, "ns/op")
	}
}

func (ls *lines) latency(l Latency) {
	ls.count("count", l.Count)
	if l.Rate > 0 {
		ls.add("rate", l.Rate, "/s")
	}
	ls.time("p50", l.P50)
	ls.time("p99", l.P99)
	ls.time("p999", l.P999)
	ls.time("max", l.Max)
	for _, s := range l.Steps {
		ls.like.at = strconv.FormatInt(int64(s.Time), 10)
		ls.add("share", s.Share, "ratio")
	}
}

func (ls *lines) memory(m *Memory) {
	for _, row := range m.Rows {
		if row.Failed != "" {
			continue
		}
		ls.like = line{part: "memory", name: row.Name}
		ls.add("heap_per_entry", row.HeapPerEntry, "B/entry")
		ls.add("heap_fixed", row.HeapFixed, "B")
		ls.add("rss_per_entry", row.RSSPerEntry, "B/entry")
		ls.add("rss_fixed", row.RSSFixed, "B")
		if row.KeptPerEntry > 0 {
			ls.add("kept_per_entry", row.KeptPerEntry, "B/entry")
			ls.add("kept_fixed", row.KeptFixed, "B")
		}
		ls.add("scan_per_entry", row.ScanPerEntry, "B/entry")
		ls.time("gc_excess", row.GC)
		for _, p := range row.Points {
			ls.like.at = strconv.Itoa(p.Entries)
			ls.count("present", int64(p.Present))
			ls.add("heap", float64(p.Heap), "B")
			ls.add("rss", float64(p.RSS), "B")
			ls.add("scan", float64(p.Scan), "B")
			ls.time("gc", p.GC)
		}
	}
}

func (ls *lines) ttl(t *TTL) {
	for _, row := range t.Rows {
		if row.Failed != "" {
			continue
		}
		ls.like = line{part: "ttl", of: row.Use + " " + setting(row.TTL), name: row.Name}
		ls.count("keys", int64(row.Keys))
		ls.count("early", int64(row.Early))
		ls.time("earliest", row.Earliest)
		ls.time("p50", row.P50)
		ls.time("p99", row.P99)
		ls.time("max", row.Max)
		ls.time("stale", row.Stale)
		ls.time("resolution", row.Resolution)
		if row.SizeLag >= 0 {
			ls.time("size_lag", row.SizeLag)
		}
		if row.MemoryLag >= 0 {
			ls.time("memory_lag", row.MemoryLag)
		}
		ls.like.part = "strip"
		for i, x := range row.Strip {
			ls.like.at = strconv.FormatInt(int64(row.stripAt(i)), 10)
			ls.add("returned", x, "ratio")
		}
	}
}

// stripAt returns the time since the deadline of the strip's i-th share.
func (r *TTLRow) stripAt(i int) time.Duration {
	if len(r.Strip) < 2 {
		return r.StripFrom
	}
	return r.StripFrom + time.Duration(i)*(r.StripTo-r.StripFrom)/time.Duration(len(r.Strip)-1)
}

package hits

import (
	"context"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cachepact/cachepact/adapters/golanglru"
	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/backend/memory"
	"github.com/cachepact/cachepact/compare/internal/contest"
	"github.com/cachepact/cachepact/compare/internal/load"
	"github.com/cachepact/cachepact/compare/report"
	"github.com/cachepact/cachepact/compare/trace"
)

// byHand returns a load of requests with keys below 10, times in seconds and the
// TTLs of sets.
func byHand(t *testing.T, all ...trace.Request) *load.Load {
	t.Helper()
	l, err := load.From("by hand", trace.Limits{}, func() (trace.Source, func() error, error) {
		return &sliceSource{all}, func() error { return nil }, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

type sliceSource struct{ left []trace.Request }

func (s *sliceSource) Read(batch []trace.Request) (int, error) {
	n := copy(batch, s.left)
	s.left = s.left[n:]
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func exactLRU(t *testing.T, capacity int) *memory.Backend[uint64, uint64] {
	t.Helper()
	b, err := memory.New[uint64, uint64](memory.Options{Capacity: capacity})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func gets(keys ...uint64) []trace.Request {
	var all []trace.Request
	for _, key := range keys {
		all = append(all, trace.Request{Key: key})
	}
	return all
}

// TestPaced counts by hand: a load takes 10, work 1.
func TestPaced(t *testing.T) {
	for _, tt := range []struct {
		name    string
		keys    []uint64
		clients int
		hits    int64
	}{
		// One client waits for its own load.
		{"one client", []uint64{1, 1, 1, 2, 1}, 1, 3},
		// Both miss 1; the first is back at 11, as the second, and finds it.
		{"the same key at once", []uint64{1, 1, 1, 1}, 2, 2},
		// Both are back at 11. The first, which waited longer, asks for 2 before the
		// second has stored it; the second finds 1.
		{"another key meanwhile", []uint64{1, 2, 2, 1}, 2, 1},
		// Three clients miss 1, 2 and 3 at 0; at 11 each stores and asks in turn: the
		// first finds 1, the second finds 2, the third 3.
		{"in turn", []uint64{1, 2, 3, 1, 2, 3}, 3, 3},
		// The first asks for 2 at 11 before the second has stored it.
		{"not yet stored", []uint64{1, 2, 2}, 2, 0},
		// With work of 1 for a hit, the others get on during a load: 9 is missed by
		// the first at 11, and stored at 22. Meanwhile the second is back at 11, and
		// asks for 1 at 11, 12 and so on up to 21: for 9 at 22 it waits its turn.
		{"many hits during a load", []uint64{1, 1, 9, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 9}, 2, 12},
	} {
		l := byHand(t, gets(tt.keys...)...)
		o, err := replay(t.Context(), exactLRU(t, 10), l, pacing{report.Paced, 10, 1, tt.clients})
		if err != nil {
			t.Fatal(err)
		}
		if o.hits != tt.hits || o.hits+o.misses != int64(len(tt.keys)) || o.wrong > 0 {
			t.Errorf("%s: %d hits, %d misses; want %d of %d", tt.name, o.hits, o.misses, tt.hits, len(tt.keys))
		}
	}
}

// TestPaced_Syncs settles a cache that buffers whenever time has passed since a
// Put, and never keeps one waiting that does not.
func TestPaced_Syncs(t *testing.T) {
	l := byHand(t, gets(1, 2, 3, 1, 2, 3, 4, 5)...)
	flushes := 0
	b, err := golanglru.New[uint64, uint64](10)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := replay(t.Context(), buffered{fake{Backend: b}, func() { flushes++ }}, l, pacing{report.Paced, 10, 1, 2}); err != nil {
		t.Fatal(err)
	}
	if flushes < 2 || flushes > 5 {
		t.Errorf("%d flushes for 5 keys and 2 clients; want one for each moment with a Put", flushes)
	}
}

const second = time.Second

// TestTTL counts by hand what TTLs do.
func TestReplay_TTL(t *testing.T) {
	set := func(at int, key uint64, ttl time.Duration) trace.Request {
		return trace.Request{Time: time.Duration(at) * second, Key: key, Op: trace.Set, TTL: ttl}
	}
	get := func(at int, key uint64) trace.Request {
		return trace.Request{Time: time.Duration(at) * second, Key: key}
	}
	group := func(q trace.Request) trace.Request { q.Group = 7; return q }
	for _, tt := range []struct {
		name     string
		all      []trace.Request
		ttl      string
		hits     int64 // fill
		trace    int64 // as recorded; -1: there are no writes
		capacity int
	}{
		{"over at its deadline", []trace.Request{set(1, 1, 5*second), get(5, 1), get(6, 1)}, "trace", 1, 1, 9},
		{"filled anew", []trace.Request{set(1, 1, 5*second), get(7, 1), get(11, 1), get(12, 1)}, "trace", 1, 0, 9},
		{"none", []trace.Request{set(1, 1, 5*second), get(6, 1)}, "none", 1, 1, 9},
		{"everything", []trace.Request{get(1, 1), get(3, 1), get(4, 1)}, "3s", 1, -1, 9},
		{"the latest write", []trace.Request{set(1, 1, 5*second), set(2, 1, 100*second), get(90, 1), get(103, 1)}, "trace", 1, 1, 9},
		{"the first write to come", []trace.Request{get(1, 1), get(5, 1), get(6, 1), set(9, 1, 5*second)}, "trace", 1, 0, 9},
		{"a write without one", []trace.Request{set(1, 1, 5*second), set(2, 1, 0), get(90, 1)}, "trace", 1, 1, 9},
		{"the group", []trace.Request{group(set(1, 1, 5*second)), group(get(1, 2)), group(get(5, 2)), group(get(6, 2))}, "trace", 1, 0, 9},
		{"nothing known", []trace.Request{set(1, 1, 5*second), get(1, 2), get(99, 2)}, "trace", 1, 0, 9},
		{"a delete ends it", []trace.Request{set(1, 1, 5*second), {Time: 2 * second, Key: 1, Op: trace.Delete}, set(2, 1, 50*second), get(8, 1)}, "trace", 1, 1, 9},
		{"an update leaves it", []trace.Request{set(1, 1, 5*second), {Time: 5 * second, Key: 1, Op: trace.Update}, get(6, 1)}, "trace", 0, 0, 9},
		// 2 has expired and makes room, so that 1 stays.
		{"makes room", []trace.Request{set(1, 1, 0), set(2, 2, 2*second), set(5, 3, 0), get(6, 1), get(6, 3)}, "trace", 2, 2, 2},
		{"time does not fall", []trace.Request{set(9, 1, 5*second), get(3, 1), get(14, 1)}, "trace", 1, 1, 9},
	} {
		l := byHand(t, tt.all...)
		for mode, want := range map[string]int64{"fill": tt.hits, "trace": tt.trace} {
			c := flat(l, golangLRU(t), strconv.Itoa(tt.capacity))
			c.OnlyWrites = mode == "trace"
			var err error
			if c.TTL, err = load.ParseTTLMode(tt.ttl); err != nil {
				t.Fatal(err)
			}
			r, err := Run(t.Context(), c)
			if want < 0 {
				if err == nil || !strings.Contains(err.Error(), "no writes") {
					t.Errorf("%s, mode %s: %v; want an error that there are no writes", tt.name, mode, err)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			table := r.Hits.Tables[0]
			got := map[string]int64{"golanglru": table.Rows[0].Hits}
			for _, ref := range table.References {
				got[ref.Name] = ref.Hits
			}
			for _, name := range []string{"golanglru", report.RefLRU} {
				if got[name] != want {
					t.Errorf("%s, mode %s: %s has %d hits; want %d", tt.name, mode, name, got[name], want)
				}
			}
			if got[report.RefOPTBypass] < want {
				t.Errorf("%s, mode %s: OPT has %d hits; want at least %d", tt.name, mode, got[report.RefOPTBypass], want)
			}
			if len(r.Findings) > 0 {
				t.Errorf("%s, mode %s: %v; want no findings", tt.name, mode, r.Findings)
			}
		}
	}
}

// TestTTL_Streamed replays a load with TTLs that is too long to hold.
func TestTTL_Streamed(t *testing.T) {
	l, err := load.FromWorkload("zipf:keys=300,requests=20000,writes=0.2,deletes=0.01,ttl=1s-5s,rate=1000", trace.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	held := hitsOf(t, l, 100)
	if held["golanglru"] != held[report.RefLRU] {
		t.Errorf("held: %v; want golanglru to equal LRU", held)
	}
	l.All = load.Segment{} // as if the load were too long to hold
	if got := hitsOf(t, l, 100); got["golanglru"] != held["golanglru"] || !l.Streamed() {
		t.Errorf("streamed: %v; want %d hits", got, held["golanglru"])
	}
}

func TestTTL_NoTimes(t *testing.T) {
	l := byHand(t, gets(1, 2)...)
	c := flat(l, golangLRU(t), "1")
	c.TTL = load.TTLMode{Text: "3s", Fixed: 3 * time.Second}
	if _, err := Run(t.Context(), c); err == nil || !strings.Contains(err.Error(), "no times") {
		t.Errorf("a TTL without times: %v; want an error", err)
	}
}

// TestBytes gives a cache of entries and one of bytes the same memory.
func TestBytes(t *testing.T) {
	const spec = "zipf:s=0.7,keys=20000,requests=60000,size=200-600"
	l, err := load.FromWorkload(spec, trace.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	chosen, err := contest.Choose(contest.Builtin(), "golanglru,bigcache")
	if err != nil {
		t.Fatal(err)
	}
	r, err := Run(t.Context(), flat(l, chosen, "2MiB"))
	if err != nil {
		t.Fatal(err)
	}
	table := r.Hits.Tables[0]
	if table.Bytes != 2<<20 || len(table.Rows) != 2 {
		t.Fatalf("table %+v; want two rows at 2 MiB", table)
	}
	for _, row := range table.Rows {
		if row.Failed != "" || !row.Ranked || row.Wrong > 0 || row.BytesPerEntry < 400 || row.BytesPerEntry > 900 {
			t.Errorf("%+v; want a ranked row of 400 to 900 bytes an entry", row)
		}
		if row.Name == "golanglru" && (row.Entries != int(2<<20/row.BytesPerEntry) || row.Peak != int64(row.Entries) || table.Capacity != row.Entries) {
			t.Errorf("%+v; want as many entries as fit into 2 MiB", row)
		}
		if row.Name == "bigcache" && (row.Entries != 0 || row.Peak < 2000 || row.Peak > 8000) {
			t.Errorf("%+v; want about 2 MiB of 400 bytes", row)
		}
	}
	bare, err := load.FromWorkload("zipf:keys=100,requests=1000", trace.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), flat(bare, chosen, "2MiB")); err == nil || !strings.Contains(err.Error(), "--value") {
		t.Errorf("bytes without sizes: %v; want an error that names --value", err)
	}
}

// shifty returns values that are a byte too short now and then.
type shifty struct {
	backend.Backend[uint64, []byte]
}

func (s shifty) Get(ctx context.Context, key uint64) ([]byte, bool, error) {
	v, hit, err := s.Backend.Get(ctx, key)
	if hit && key%7 == 0 {
		v = v[:len(v)-1]
	}
	return v, hit, err
}

// TestSized finds values whose size is not that of what was put, and takes what is
// too large for refused.
func TestSized(t *testing.T) {
	l, err := load.FromWorkload("uniform:keys=50,requests=1000,size=8-100", trace.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	values, err := valueSizes(l, 0)
	if err != nil {
		t.Fatal(err)
	}
	inner, err := memory.New[uint64, []byte](memory.Options{Capacity: 100})
	if err != nil {
		t.Fatal(err)
	}
	o, err := replay(t.Context(), newSized(inner, values), l, pacing{Pace: report.Flat})
	if err != nil || o.wrong > 0 || o.misses != int64(l.Distinct) {
		t.Errorf("%+v, %v; want a miss for each key and no wrong value", o, err)
	}
	inner, _ = memory.New[uint64, []byte](memory.Options{Capacity: 100})
	if o, err = replay(t.Context(), newSized(shifty{inner}, values), l, pacing{Pace: report.Flat}); err != nil || o.wrong == 0 {
		t.Errorf("a byte too short: %d wrong, %v; want some", o.wrong, err)
	}
	refuses := fake{Backend: lruOf(t, 100), put: func(key, _ uint64) error {
		if key%3 == 0 {
			return backend.ErrTooLarge
		}
		return nil
	}}
	if o, err = replay(t.Context(), refuses, l, pacing{Pace: report.Flat}); err != nil || o.tooLarge == 0 || o.rejected != o.tooLarge || o.wrong > 0 {
		t.Errorf("too large: %+v, %v; want them counted", o, err)
	}
}

func lruOf(t *testing.T, capacity int) *golanglru.Backend[uint64, uint64] {
	t.Helper()
	b, err := golanglru.New[uint64, uint64](capacity)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestCurve has at each capacity the miss ratio of a table.
func TestCurve(t *testing.T) {
	l, err := load.FromWorkload("zipf:s=0.8,keys=2000,requests=20000,writes=0.1", trace.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	chosen, err := contest.Choose(contest.Builtin(), "otter,gocache,golanglru")
	if err != nil {
		t.Fatal(err)
	}
	curve := func() *report.Curve {
		t.Helper()
		c := flat(l, chosen, "10")
		c.Points = 4
		r, err := Run(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		return r.Hits.Curve
	}
	lines := map[string]report.Line{}
	exact := curve()
	for _, line := range exact.Lines {
		lines[line.Name] = line
	}
	if exact.SHARDS != 1 || len(lines["gocache"].Points) > 0 || len(lines["golanglru"].Points) != 4 || len(lines[report.RefLRU].Points) < 50 {
		t.Fatalf("curve %+v; want 4 points of golanglru, more of LRU, none of gocache", exact)
	}
	all := gocacheless(t, l)
	for _, p := range lines["golanglru"].Points {
		i := slices.IndexFunc(lines[report.RefLRU].Points, func(q report.Point) bool { return q.Capacity == p.Capacity })
		if i < 0 || lines[report.RefLRU].Points[i].MissRatio != p.MissRatio {
			t.Errorf("golanglru misses %v; LRU's curve %v", p, lines[report.RefLRU].Points)
		}
		if want := 1 - report.Ratio(all[p.Capacity], l.Ops[trace.Get]); math.Abs(p.MissRatio-want) > 1e-12 {
			t.Errorf("golanglru at %d misses %v; want %v", p.Capacity, p.MissRatio, want)
		}
	}
	l.All = load.Segment{} // as if the load were too long to hold
	streamed := curve()
	if streamed.Lines[0].Name != report.RefLRU || len(streamed.Lines[0].Points) < 50 || !slices.Equal(streamed.Lines[len(streamed.Lines)-1].Points, exact.Lines[len(exact.Lines)-1].Points) {
		t.Errorf("streamed: %+v; want LRU by SHARDS and the same points of the caches", streamed)
	}
	for _, p := range streamed.Lines[0].Points { // all keys are in the sample
		i := slices.IndexFunc(lines[report.RefLRU].Points, func(q report.Point) bool { return q.Capacity == p.Capacity })
		if i >= 0 && math.Abs(lines[report.RefLRU].Points[i].MissRatio-p.MissRatio) > 1e-9 {
			t.Errorf("SHARDS of all keys: %v; want %v", p, lines[report.RefLRU].Points[i])
		}
	}
}

// gocacheless returns golanglru's hits by capacity, replayed one by one.
func gocacheless(t *testing.T, l *load.Load) map[int]int64 {
	t.Helper()
	all := map[int]int64{}
	for _, capacity := range spaced(l.Distinct, 4) {
		all[capacity] = hitsOf(t, l, capacity)["golanglru"]
	}
	return all
}

// TestSelfTest finds an LRU that is none.
func TestSelfTest(t *testing.T) {
	for want, open := range map[bool]func(int) (backend.Backend[uint64, uint64], error){
		false: func(n int) (backend.Backend[uint64, uint64], error) { return exactLRU(t, n), nil },
		true:  func(n int) (backend.Backend[uint64, uint64], error) { return exactLRU(t, n+1), nil },
	} {
		ses := &comparison{}
		if err := ses.selfTestOf(t.Context(), open); err != nil {
			t.Fatal(err)
		}
		if got := len(ses.Findings) > 0; got != want {
			t.Errorf("findings %v; want some: %v", ses.Findings, want)
		}
	}
}

// TestSeries has a hit ratio for each part of the requests.
func TestSeries(t *testing.T) {
	var all []trace.Request
	for i := range 1000 { // misses, then hits
		all = append(all, gets(uint64(min(i, 500)))...)
	}
	o, err := replay(t.Context(), exactLRU(t, 10), byHand(t, all...), pacing{Pace: report.Flat})
	if err != nil {
		t.Fatal(err)
	}
	if len(o.series) < 90 || len(o.series) > windows || o.series[0] != 0 || o.series[len(o.series)-1] != 1 {
		t.Errorf("series %v; want about %d values from 0 to 1", o.series, windows)
	}
	ups := 0
	for i := range o.series[1:] {
		if o.series[i+1] != o.series[i] {
			ups++
		}
	}
	if ups == 0 || ups > 2 {
		t.Errorf("series %v; want one step", o.series)
	}
}

// TestRuns replays again what differs from run to run.
func TestRuns(t *testing.T) {
	l, err := load.FromWorkload("uniform:keys=100,requests=1000", trace.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	run := 0
	r, err := measureHits(t, l, []contest.Contestant{{Name: "x", New: func(o contest.Options) (backend.Backend[uint64, uint64], error) {
		run++
		return lruOf(t, o.Capacity-run%3), nil
	}}}, 50)
	if err != nil {
		t.Fatal(err)
	}
	row := r.Hits.Tables[0].Rows[0]
	if run != 3 || row.Runs != 3 || !(row.Low < row.HitRatio && row.HitRatio < row.High) || row.HitRatio != report.Ratio(row.Hits, row.Hits+row.Misses) {
		t.Errorf("%d runs, %+v; want the median of three and their range", run, row)
	}
}

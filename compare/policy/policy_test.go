package policy

import (
	"encoding/csv"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/cachepact/cachepact/compare/trace"
)

// The example of Belady's paper's successors: twelve requests for five keys.
var classic = []uint32{0, 1, 2, 3, 0, 1, 4, 0, 1, 2, 3, 4}

func TestSmall(t *testing.T) {
	tests := []struct {
		name                   string
		ids                    []uint32
		distinct, capacity     int
		lru, fifo, opt, bypass int
	}{
		// Counted by hand. FIFO hits more often with 3 entries than with 4:
		// Belady's anomaly.
		{"classic 3", classic, 5, 3, 2, 3, 5, 5},
		{"classic 4", classic, 5, 4, 4, 2, 6, 6},
		{"classic 5", classic, 5, 5, 7, 7, 7, 7},
		// Only bypass keeps 0 while 1 passes through.
		{"bypass", []uint32{0, 1, 0, 1, 0}, 2, 1, 0, 0, 0, 2},
		{"one key", []uint32{0, 0, 0}, 1, 1, 2, 2, 2, 2},
		{"larger than the keys", []uint32{0, 1, 0}, 2, 9, 1, 1, 1, 1},
		{"recency counts", []uint32{0, 1, 0, 2, 0}, 3, 2, 2, 1, 2, 2},
		{"nothing", nil, 0, 1, 0, 0, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := Requests{IDs: tt.ids, Distinct: tt.distinct}
			f := NewFuture(r)
			check(t, "LRU", LRU(r, tt.capacity), tt.lru)
			check(t, "FIFO", FIFO(r, tt.capacity), tt.fifo)
			check(t, "OPT", OPT(f, tt.capacity), tt.opt)
			check(t, "OPT with bypass", OPTBypass(f, tt.capacity), tt.bypass)
		})
	}
}

// TestWrites counts by hand what sets and deletes do.
func TestWrites(t *testing.T) {
	const (
		g = trace.Get
		s = trace.Set
		d = trace.Delete
		u = trace.Update
	)
	tests := []struct {
		name                   string
		ids                    []uint32
		ops                    []trace.Op
		capacity               int
		lru, fifo, opt, bypass int
	}{
		{"a set stores", []uint32{0, 0}, []trace.Op{s, g}, 1, 1, 1, 1, 1},
		{"a set is no hit", []uint32{0, 0}, []trace.Op{g, s}, 1, 0, 0, 0, 0},
		{"a delete forgets", []uint32{0, 0, 0}, []trace.Op{g, d, g}, 1, 0, 0, 0, 0},
		{"a delete stores nothing", []uint32{0, 1, 0}, []trace.Op{g, d, g}, 1, 1, 1, 1, 1},
		{"a delete makes room", []uint32{0, 1, 1, 2, 0, 2}, []trace.Op{g, g, d, g, g, g}, 2, 2, 2, 2, 2},
		{"a set evicts", []uint32{0, 1, 0}, []trace.Op{g, s, g}, 1, 0, 0, 0, 1},
		{"a set is a use", []uint32{0, 1, 0, 2, 0}, []trace.Op{g, g, s, g, g}, 2, 1, 0, 1, 1},
		{"an update stores nothing", []uint32{0, 1, 0, 1}, []trace.Op{g, u, g, g}, 1, 1, 1, 1, 1},
		{"an update is a use", []uint32{0, 1, 0, 2, 0}, []trace.Op{g, g, u, g, g}, 2, 1, 0, 1, 1},
		// What will be set before it is asked for is not worth keeping.
		{"set before get", []uint32{0, 1, 2, 1, 0, 0}, []trace.Op{g, g, g, g, s, g}, 2, 2, 2, 2, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := Requests{IDs: tt.ids, Ops: tt.ops, Distinct: 3}
			f := NewFuture(r)
			check(t, "LRU", LRU(r, tt.capacity), tt.lru)
			check(t, "FIFO", FIFO(r, tt.capacity), tt.fifo)
			check(t, "OPT", OPT(f, tt.capacity), tt.opt)
			check(t, "OPT with bypass", OPTBypass(f, tt.capacity), tt.bypass)
		})
	}
}

// random returns few enough requests to try everything with.
func random(rng *rand.Rand, ops, noFill, timed bool) Requests {
	r := Requests{Distinct: 1 + rng.IntN(6), NoFill: noFill}
	now := time.Duration(0)
	for range 1 + rng.IntN(14) {
		r.IDs = append(r.IDs, rng.Uint32N(uint32(r.Distinct)))
		if ops {
			r.Ops = append(r.Ops, trace.Op(rng.IntN(4)))
		}
		if timed {
			now += time.Duration(rng.IntN(3))
			r.Times = append(r.Times, now)
			deadline := now + 1 + time.Duration(rng.IntN(8))
			if rng.IntN(4) == 0 {
				deadline = Never
			}
			r.Deadlines = append(r.Deadlines, deadline)
		}
	}
	return r
}

// TestOptimal compares with the best of all possible decisions.
func TestOptimal(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	reached := 0
	for n := range 16_000 {
		timed, noFill := n%4 >= 2, n%8 >= 4
		r := random(rng, n%2 == 1, noFill, timed)
		capacity := 1 + rng.IntN(4)
		f := NewFuture(r)
		got, want := OPTBypass(f, capacity), best(r, 0, nil, capacity, true)
		if got == want {
			reached++
		}
		if timed && !noFill { // an upper bound
			if got < want {
				t.Fatalf("OPTBypass(%v, %d) = %d; want at least %d", r, capacity, got, want)
			}
			continue
		}
		if got != want {
			t.Fatalf("OPTBypass(%v, %d) = %d; want %d", r, capacity, got, want)
		}
		if timed || noFill {
			continue
		}
		if got, want := OPT(f, capacity), best(r, 0, nil, capacity, false); got != want {
			t.Fatalf("OPT(%v, %d) = %d; want %d", r, capacity, got, want)
		}
	}
	if reached < 15_000 {
		t.Errorf("the bound is reached in %d of 16,000 cases", reached)
	}
}

// An entry is a key that is in, until its deadline.
type entry struct {
	id       uint32
	deadline time.Duration
}

// best tries every choice of what to evict, from request i on.
func best(r Requests, i int, in []entry, capacity int, bypass bool) (hits int) {
	if i == len(r.IDs) {
		return 0
	}
	e := entry{r.IDs[i], Never}
	if r.Times != nil {
		in = slices.DeleteFunc(slices.Clone(in), func(e entry) bool { return e.deadline <= r.Times[i] })
		e.deadline = r.Deadlines[i]
	}
	at := slices.IndexFunc(in, func(o entry) bool { return o.id == e.id })
	with := slices.Clone(in)
	switch op := r.op(i); {
	case op == trace.Update:
	case op == trace.Delete:
		if at >= 0 {
			with = slices.Delete(with, at, at+1)
		}
	case at >= 0 && op == trace.Get:
		return 1 + best(r, i+1, in, capacity, bypass)
	case at >= 0:
		with[at] = e
	case op == trace.Get && r.NoFill:
	case len(in) < capacity:
		with = append(with, e)
	default:
		if bypass {
			hits = best(r, i+1, in, capacity, bypass)
		}
		for n := range in {
			with := slices.Clone(in)
			with[n] = e
			hits = max(hits, best(r, i+1, with, capacity, bypass))
		}
		return hits
	}
	return best(r, i+1, with, capacity, bypass)
}

// TestExpiry compares with lists that are searched from end to end.
func TestExpiry(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	expired := 0
	for n := range 8000 {
		r := random(rng, n%2 == 1, n%4 >= 2, true)
		capacity := 1 + rng.IntN(4)
		for _, r.Lazy = range []bool{false, true} {
			for name, p := range map[string]struct {
				policy func(Requests, int) int
				lru    bool
			}{"LRU": {LRU, true}, "FIFO": {FIFO, false}} {
				got, want := p.policy(r, capacity), search(r, capacity, p.lru)
				if got != want {
					t.Fatalf("%s(%+v, %d) = %d; want %d", name, r, capacity, got, want)
				}
				forever := r
				forever.Times, forever.Deadlines = nil, nil
				if got != p.policy(forever, capacity) {
					expired++
				}
			}
		}
	}
	if expired < 1000 {
		t.Errorf("only %d cases in which a deadline matters", expired)
	}
}

// search is LRU or FIFO by a list whose first entry goes first.
func search(r Requests, capacity int, lru bool) (hits int) {
	var in []entry
	for i, id := range r.IDs {
		gone := func(e entry) bool { return e.deadline <= r.Times[i] && (!r.Lazy || e.id == id) }
		in = slices.DeleteFunc(in, gone)
		at := slices.IndexFunc(in, func(e entry) bool { return e.id == id })
		op := r.op(i)
		if op == trace.Get && at >= 0 {
			hits++
		}
		switch {
		case op == trace.Delete && at >= 0:
			in = slices.Delete(in, at, at+1)
		case op == trace.Delete || op == trace.Update && at < 0 || op == trace.Get && at < 0 && r.NoFill:
		case at < 0:
			if len(in) == capacity {
				in = in[1:]
			}
			in = append(in, entry{id, r.Deadlines[i]})
		default:
			e := in[at]
			if op == trace.Set {
				e.deadline = r.Deadlines[i]
			}
			in[at] = e
			if lru {
				in = append(slices.Delete(in, at, at+1), e)
			}
		}
	}
	return hits
}

// TestLRUCurve compares every capacity with a replay at it.
func TestLRUCurve(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 3))
	for n := range 3000 {
		r := Requests{Distinct: 1 + rng.IntN(12)}
		for range rng.IntN(60) {
			r.IDs = append(r.IDs, rng.Uint32N(uint32(r.Distinct)))
			if n%2 == 1 {
				r.Ops = append(r.Ops, trace.Op(rng.IntN(3)))
			}
		}
		curve, ok := NewLRUCurve(r)
		if !ok {
			t.Fatalf("no curve of %v", r)
		}
		for capacity := 1; capacity <= r.Distinct+1; capacity++ {
			if got, want := curve.Hits(capacity), LRU(r, capacity); got != want {
				t.Fatalf("the curve of %+v at %d is %d; want %d", r, capacity, got, want)
			}
		}
	}
	// Long enough to number the places anew.
	r := Requests{Distinct: 700}
	for range 20_000 {
		r.IDs = append(r.IDs, rng.Uint32N(700))
		r.Ops = append(r.Ops, trace.Op(rng.IntN(3)))
	}
	curve, _ := NewLRUCurve(r)
	for _, capacity := range []int{1, 10, 100, 350, 699, 700} {
		check(t, "a long curve", curve.Hits(capacity), LRU(r, capacity))
	}
	for name, r := range map[string]Requests{
		"an update": {IDs: []uint32{0}, Ops: []trace.Op{trace.Update}, Distinct: 1},
		"no fill":   {IDs: []uint32{0}, Distinct: 1, NoFill: true},
		"deadlines": {IDs: []uint32{0}, Distinct: 1, Times: []time.Duration{0}, Deadlines: []time.Duration{1}},
	} {
		if _, ok := NewLRUCurve(r); ok {
			t.Errorf("a curve with %s; want none", name)
		}
	}
}

// TestSHARDS is exact while it holds every key, and close with a part of them.
func TestSHARDS(t *testing.T) {
	const keys, requests = 50_000, 400_000
	rng := rand.New(rand.NewPCG(1, 4))
	r := Requests{Distinct: keys}
	for range requests {
		u := rng.Float64()
		r.IDs = append(r.IDs, uint32(u*u*u*keys))
		r.Ops = append(r.Ops, []trace.Op{trace.Get, trace.Get, trace.Get, trace.Get, trace.Get, trace.Get, trace.Set, trace.Delete}[rng.IntN(8)])
	}
	gets := 0
	for _, op := range r.Ops {
		if op == trace.Get {
			gets++
		}
	}
	curve, _ := NewLRUCurve(r)
	for _, tt := range []struct {
		rate      float64
		most      int
		tolerance float64
	}{{1, keys, 1e-9}, {1, 4000, 0.02}, {0.1, keys, 0.02}} {
		s := NewSHARDS(tt.rate, tt.most)
		for i, id := range r.IDs {
			s.Request(uint64(id), r.Ops[i])
		}
		if len(s.ids) > tt.most || tt.most < keys && s.Rate() != 1.0/16 {
			t.Errorf("%d keys at a rate of %v; want at most %d", len(s.ids), s.Rate(), tt.most)
		}
		for _, capacity := range []int{100, 500, 2000, 5000, 10_000, 25_000, 50_000} {
			got, want := s.MissRatio(capacity), 1-float64(curve.Hits(capacity))/float64(gets)
			if math.Abs(got-want) > tt.tolerance {
				t.Errorf("rate %v, at most %d keys: miss ratio at %d is %.4f; want %.4f", tt.rate, tt.most, capacity, got, want)
			}
		}
	}
}

func TestCLOCK(t *testing.T) {
	// By hand: 0 was used, so that 1 goes; then 0 again, and 2 goes.
	r := Requests{IDs: []uint32{0, 1, 0, 2, 0, 3, 0, 2}, Distinct: 4}
	check(t, "CLOCK", CLOCK(r, 2), 3)
	check(t, "FIFO", FIFO(r, 2), 2)
}

func TestBitset(t *testing.T) {
	for _, n := range []int{1, 63, 64, 65, 4096, 4097, 300_000} {
		b := newBitset(n)
		want := map[uint32]bool{}
		rng := rand.New(rand.NewPCG(1, uint64(n)))
		for range 1000 {
			i := rng.Uint32N(uint32(n))
			if rng.IntN(2) == 0 {
				b.add(i)
				want[i] = true
			} else if got := b.remove(i); got != want[i] {
				t.Fatalf("n = %d: remove(%d) = %v; want %v", n, i, got, want[i])
			} else {
				delete(want, i)
			}
			if len(want) > 0 {
				largest := uint32(0)
				for i := range want {
					largest = max(largest, i)
				}
				if got := b.max(); got != largest {
					t.Fatalf("n = %d: max() = %d; want %d", n, got, largest)
				}
			}
		}
	}
}

// TestReference compares with numbers on which two independent implementations
// agree.
func TestReference(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "traces")
	f, err := os.Open(filepath.Join(dir, "reference.csv"))
	if err != nil {
		t.Skip("SKIPPED: the shared traces are not here:", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	traces := map[string]*loaded{}
	compared := 0
	for _, row := range rows[1:] {
		file, policy := row[0], row[1]
		if traces[file] == nil {
			traces[file] = load(t, filepath.Join(dir, file))
		}
		l := traces[file]
		if raceDetector && len(l.IDs) > 100_000 {
			continue
		}
		var got int
		switch capacity := atoi(t, row[2]); policy {
		case "LRU", "LRU+TTL-none-fill":
			got = LRU(l.Requests, capacity)
			if curve, ok := NewLRUCurve(l.Requests); ok && !raceDetector {
				check(t, file+": the curve at "+row[2], curve.Hits(capacity), got)
			}
		case "FIFO":
			got = FIFO(l.Requests, capacity)
		case "CLOCK":
			got = CLOCK(l.Requests, capacity)
		case "OPT":
			got = OPT(l.future, capacity)
		case "OPT-bypass":
			got = OPTBypass(l.future, capacity)
		case "UNBOUNDED":
			got = LRU(l.Requests, l.Distinct)
			check(t, file+": distinct keys", l.Distinct, capacity)
		default:
			continue
		}
		compared++
		check(t, file+": requests", l.gets, atoi(t, row[3]))
		check(t, file+": "+policy+" at "+row[2], got, atoi(t, row[4]))
	}
	t.Logf("compared %d of %d rows", compared, len(rows)-1)
	if compared == 0 {
		t.Error("compared no row")
	}
}

type loaded struct {
	Requests
	future Future
	gets   int
}

func load(t *testing.T, file string) *loaded {
	t.Helper()
	r, err := trace.Open(file, trace.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	all, err := trace.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	index := trace.NewIndex()
	l := &loaded{}
	for _, q := range all {
		if q.Op == trace.Get {
			l.gets++
		}
		l.Ops = append(l.Ops, q.Op)
		id, err := index.ID(q.Key)
		if err != nil {
			t.Fatal(err)
		}
		l.IDs = append(l.IDs, id)
	}
	l.Distinct = index.Len()
	l.future = NewFuture(l.Requests)
	return l
}

func check(t *testing.T, what string, got, want int) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %d; want %d", what, got, want)
	}
}

func atoi(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func BenchmarkOPT(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	ids := make([]uint32, 1_000_000)
	for i := range ids {
		ids[i] = uint32(rng.Float64() * rng.Float64() * 200_000)
	}
	f := NewFuture(Requests{IDs: ids, Distinct: 200_000})
	for b.Loop() {
		OPT(f, 1000)
	}
}

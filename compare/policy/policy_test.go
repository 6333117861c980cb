package policy

import (
	"encoding/csv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

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

// TestOptimal compares with the best of all possible decisions on requests few
// enough to try them all.
func TestOptimal(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for n := range 4000 {
		r := Requests{Distinct: 1 + rng.IntN(6)}
		capacity := 1 + rng.IntN(4)
		for range 1 + rng.IntN(14) {
			r.IDs = append(r.IDs, rng.Uint32N(uint32(r.Distinct)))
			if n%2 == 1 {
				r.Ops = append(r.Ops, trace.Op(rng.IntN(4)))
			}
		}
		f := NewFuture(r)
		if got, want := OPT(f, capacity), best(r, 0, nil, capacity, false); got != want {
			t.Fatalf("OPT(%v, %d) = %d; want %d", r, capacity, got, want)
		}
		if got, want := OPTBypass(f, capacity), best(r, 0, nil, capacity, true); got != want {
			t.Fatalf("OPTBypass(%v, %d) = %d; want %d", r, capacity, got, want)
		}
	}
}

// best tries every choice of what to evict, from request i on.
func best(r Requests, i int, in []uint32, capacity int, bypass bool) (hits int) {
	if i == len(r.IDs) {
		return 0
	}
	id, at := r.IDs[i], slices.Index(in, r.IDs[i])
	switch {
	case r.op(i) == trace.Update:
	case r.op(i) == trace.Delete:
		if at >= 0 {
			in = slices.Delete(slices.Clone(in), at, at+1)
		}
	case at >= 0:
		hits = best(r, i+1, in, capacity, bypass)
		if r.op(i) == trace.Get {
			hits++
		}
		return hits
	case len(in) < capacity:
		in = append(slices.Clone(in), id)
	default:
		if bypass {
			hits = best(r, i+1, in, capacity, bypass)
		}
		for n := range in {
			with := slices.Clone(in)
			with[n] = id
			hits = max(hits, best(r, i+1, with, capacity, bypass))
		}
		return hits
	}
	return best(r, i+1, in, capacity, bypass)
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
		case "FIFO":
			got = FIFO(l.Requests, capacity)
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

package workload

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cachepact/cachepact/compare/policy"
	"github.com/cachepact/cachepact/compare/trace"
)

func generate(t *testing.T, spec string) []trace.Request {
	t.Helper()
	w, err := Parse(spec)
	if err != nil {
		t.Fatal(err)
	}
	all, err := trace.ReadAll(w.Open())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestZipf draws from distributions on both sides of the exponent 1, where
// rand.Zipf ends, and at it, where the formulas do.
func TestZipf(t *testing.T) {
	const draws = 200_000
	for _, s := range []float64{0.01, 0.5, 0.99, 1, 1 + 1e-12, 1.01, 1.5, 3, 20} {
		for _, n := range []uint64{1, 2, 10, 100, 1 << 32} {
			z := newZipf(s, n)
			rng := rand.New(rand.NewPCG(1, 2))
			counts := map[uint64]int{}
			for range draws {
				k := z.draw(rng)
				if k < 1 || k > n {
					t.Fatalf("s = %v, n = %d: drew %d", s, n, k)
				}
				counts[k]++
			}
			if n > 100 {
				continue // too many to sum up
			}
			total := 0.0
			for k := range n {
				total += math.Pow(float64(k+1), -s)
			}
			for k := range n {
				p := math.Pow(float64(k+1), -s) / total
				// Five standard deviations: a wrong weight is far outside.
				got, want, tolerance := float64(counts[k+1]), draws*p, 5*math.Sqrt(draws*p*(1-p))+1
				if math.Abs(got-want) > tolerance {
					t.Errorf("s = %v, n = %d: rank %d drawn %v times; want %.0f ± %.0f", s, n, k+1, got, want, tolerance)
				}
			}
		}
	}
}

// TestZeta compares with the number that YCSB has built in.
func TestZeta(t *testing.T) {
	if got, want := zeta(0.99, 1e10), 26.46902820178302; math.Abs(got-want) > 1e-9 {
		t.Errorf("zeta(0.99, 1e10) = %v; want %v", got, want)
	}
}

// TestHits compares with hit ratios that others measured for LRU with 1,000 of
// 100,000 keys: true Zipf, and what YCSB calls so.
func TestHits(t *testing.T) {
	for _, tt := range []struct {
		spec string
		want float64
	}{
		{"zipf:s=0.99,keys=100000,requests=1000000", 0.489},
		{"ycsb-scrambled:s=0.99,keys=100000,requests=1000000", 0.207},
	} {
		index := trace.NewIndex()
		var r policy.Requests
		for _, q := range generate(t, tt.spec) {
			id, err := index.ID(q.Key)
			if err != nil {
				t.Fatal(err)
			}
			r.IDs = append(r.IDs, id)
		}
		r.Distinct = index.Len()
		ratio := float64(policy.LRU(r, 1000)) / float64(len(r.IDs))
		if math.Abs(ratio-tt.want) > 0.002 {
			t.Errorf("%s: LRU of 1,000 entries has a hit ratio of %.4f; want %.3f", tt.spec, ratio, tt.want)
		}
	}
}

// counts returns how often each key is asked for.
func counts(all []trace.Request) map[uint64]int {
	n := map[uint64]int{}
	for _, q := range all {
		n[q.Key]++
	}
	return n
}

// within reports whether n of total is about a share.
func within(n, total int, share float64) bool {
	return math.Abs(float64(n)-share*float64(total)) <= 5*math.Sqrt(float64(total)*share*(1-share))+1
}

func TestHotspot(t *testing.T) {
	all := generate(t, "hotspot:hot=0.1,ops=0.7,keys=100,requests=100000")
	n := slices.Sorted(maps.Values(counts(all)))
	if len(n) != 100 {
		t.Fatalf("%d keys; want 100", len(n))
	}
	hot := 0
	for _, k := range n[90:] {
		hot += k
	}
	if !within(hot, len(all), 0.7) {
		t.Errorf("the 10 hottest keys have %d of %d requests; want about 0.7", hot, len(all))
	}
}

func TestLoop(t *testing.T) {
	all := generate(t, "loop:keys=10,requests=95")
	if n := len(counts(all)); n != 10 {
		t.Errorf("%d keys; want 10", n)
	}
	for i, q := range all[10:] {
		if q.Key != all[i].Key {
			t.Fatalf("request %d is for another key than 10 before", i+10)
		}
	}
}

func TestScan(t *testing.T) {
	all := generate(t, "scan:hot=0.1,every=50,length=10,keys=100,requests=600")
	scanned := counts(nil)
	for i, q := range all {
		if i%60 >= 50 {
			scanned[q.Key]++
		}
	}
	if len(scanned) != 90 {
		t.Errorf("the scans have %d keys; want the 90 that are not hot", len(scanned))
	}
	for i, q := range all {
		if i%60 < 50 && scanned[q.Key] > 0 {
			t.Fatalf("request %d, outside of a scan, is for a key of the scans", i)
		}
	}
}

func TestShift(t *testing.T) {
	all := generate(t, "shift:s=1.5,phases=4,keys=1000,requests=40000")
	popular := map[uint64]bool{}
	for phase := range slices.Chunk(all, 10_000) {
		n := counts(phase)
		best := phase[0].Key
		for key, k := range n {
			if k > n[best] {
				best = key
			}
		}
		popular[best] = true
	}
	if len(popular) != 4 {
		t.Errorf("%d keys are the most popular one in 4 phases; want 4", len(popular))
	}
}

func TestLatest(t *testing.T) {
	all := generate(t, "latest:new=0.1,keys=100,requests=100000")
	if n := len(counts(all)); !within(n, len(all), 0.1) && n < 10_000 {
		t.Errorf("%d keys; want about 0.1 of %d and the 100 of the start", n, len(all))
	}
	seen, last, again := map[uint64]bool{}, uint64(0), 0
	for _, q := range all {
		if !seen[q.Key] {
			last = q.Key
		} else if q.Key == last {
			again++
		}
		seen[q.Key] = true
	}
	// The most popular of 100 keys by zipf is the newest.
	if share := float64(again) / float64(len(all)); share < 0.1 {
		t.Errorf("%.3f of the requests are for the newest key again; want more than 0.1", share)
	}
}

func TestOneHit(t *testing.T) {
	all := generate(t, "one-hit:once=0.3,keys=100,requests=100000")
	once := 0
	for _, k := range counts(all) {
		if k == 1 {
			once++
		}
	}
	if !within(once, len(all), 0.3) {
		t.Errorf("%d keys are asked for once; want about 0.3 of %d", once, len(all))
	}
}

func TestRequests(t *testing.T) {
	all := generate(t, "zipf:keys=1000,requests=100000,writes=0.3,deletes=0.1,size=10-19,ttl=lognormal:1m:1,rate=100")
	ops := map[trace.Op]int{}
	sizes, ttls := map[int64]int{}, map[uint64]time.Duration{}
	shorter := 0
	for i, q := range all {
		ops[q.Op]++
		sizes[q.Size]++
		if ttl, ok := ttls[q.Key]; ok && ttl != q.TTL {
			t.Fatalf("a key has TTLs of %v and %v", ttl, q.TTL)
		} else if !ok && q.TTL < time.Minute {
			shorter++
		}
		ttls[q.Key] = q.TTL
		if want := time.Duration(i) * 10 * time.Millisecond; q.Time.Round(time.Microsecond) != want {
			t.Fatalf("request %d is at %v; want %v", i, q.Time, want)
		}
	}
	if !within(ops[trace.Set], len(all), 0.3) || !within(ops[trace.Delete], len(all), 0.1) {
		t.Errorf("operations %v of %d; want 0.3 sets and 0.1 deletes", ops, len(all))
	}
	if len(sizes) != 10 || sizes[10] == 0 || sizes[19] == 0 {
		t.Errorf("sizes %v; want all from 10 to 19", sizes)
	}
	if !within(shorter, len(ttls), 0.5) {
		t.Errorf("%d of %d TTLs are below the median", shorter, len(ttls))
	}
}

func TestSameStream(t *testing.T) {
	for _, kind := range Kinds() {
		spec := kind.Name + ":keys=100,requests=1000"
		w, err := Parse(spec)
		if err != nil {
			t.Fatal(err)
		}
		first, _ := trace.ReadAll(w.Open())
		again, _ := trace.ReadAll(w.Open())
		if len(first) != 1000 || !slices.Equal(first, again) {
			t.Errorf("%s: %d requests, and others the second time", spec, len(first))
		}
		// The full description gives the same requests as the short one.
		if named := generate(t, w.String()); !slices.Equal(first, named) {
			t.Errorf("%s: other requests than %s", w, spec)
		}
		if other := generate(t, spec+",seed=2"); slices.Equal(first, other) {
			t.Errorf("%s: the same requests with another seed", spec)
		}
		if n := len(counts(first)); n > 100 && kind.Name != "latest" && kind.Name != "one-hit" {
			t.Errorf("%s: %d keys; want at most 100", spec, n)
		}
		// Writes change no key, and sizes and TTLs are those of a key.
		rich := generate(t, spec+",writes=0.3,deletes=0.1,size=10-20,ttl=1s-2s,rate=10")
		for i, q := range rich {
			if q.Key != first[i].Key {
				t.Fatalf("%s: other keys with writes", spec)
			}
		}
	}
}

func TestParse(t *testing.T) {
	for _, tt := range []struct{ spec, want string }{
		{"zipf", "zipf:s=0.99,keys=100000,requests=1000000,seed=1"},
		{"zipf:0.7", "zipf:s=0.7,keys=100000,requests=1000000,seed=1"},
		{"zipf:1,seed=9", "zipf:s=1,keys=100000,requests=1000000,seed=9"},
		{"uniform:requests=5,keys=3", "uniform:keys=3,requests=5,seed=1"},
		{"hotspot:0.1,size=5,ttl=1m-2m,writes=0.5", "hotspot:hot=0.1,ops=0.8,keys=100000,requests=1000000,seed=1,writes=0.5,size=5,ttl=1m-2m"},
	} {
		w, err := Parse(tt.spec)
		if err != nil {
			t.Error(err)
		} else if w.String() != tt.want {
			t.Errorf("Parse(%q) = %v; want %s", tt.spec, w, tt.want)
		}
	}
	for _, tt := range []struct{ spec, want string }{
		{"", "unknown kind"},
		{"nope", "unknown kind"},
		{"zipf:s=0", "s=0"},
		{"zipf:s=NaN", "s=NaN"},
		{"zipf:s=x", "s=x"},
		{"zipf:keys=0", "keys=0"},
		{"zipf:keys=1.5", "keys=1.5"},
		{"zipf:requests=0", "requests=0"},
		{"zipf:seed=-1", "seed=-1"},
		{"zipf:nope=1", `"nope"`},
		{"zipf:s=1,s=2", "once"},
		{"zipf:1,s=2", "expected it once"},
		{"zipf:s", "s: expected a number"},
		{"zipf:s=1,2", "name=value"},
		{"uniform:1", "unknown parameter"},
		{"zipf:writes=1.1", "writes=1.1: expected a number from 0 to 1"},
		{"zipf:writes=0.6,deletes=0.6", "no more than 1 together"},
		{"zipf:size=x", "size=x: expected a number of bytes"},
		{"zipf:size=20-10", "the smaller one first"},
		{"zipf:size=lognormal:10", "SIGMA"},
		{"zipf:ttl=0s", "ttl=0s: expected a time"},
		{"zipf:ttl=5", "ttl=5: expected a time"},
		{"zipf:rate=-1", "rate=-1"},
		{"hotspot:hot=2", "hot=2: expected a number from 0 to 1"},
		{"shift:phases=0", "phases=0"},
	} {
		if w, err := Parse(tt.spec); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Parse(%q) = %v, %v; want an error with %q", tt.spec, w, err, tt.want)
		}
	}
}

func ExampleParse() {
	w, err := Parse("zipf:s=1.2,keys=10,requests=3")
	if err != nil {
		fmt.Println(err)
		return
	}
	all, err := trace.ReadAll(w.Open())
	fmt.Println(w, len(all), err)
	// Output: zipf:s=1.2,keys=10,requests=3,seed=1 3 <nil>
}

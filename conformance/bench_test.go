package conformance

import (
	"context"
	"flag"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/backend/memory"
)

func newMemory[K comparable, V any](o Options) (backend.Backend[K, V], error) {
	return memory.New[K, V](memory.Options{Capacity: o.Capacity})
}

// short makes benchmarks short, until the test ends.
func short(t *testing.T, benchtime string) {
	t.Helper()
	f := flag.Lookup("test.benchtime")
	before := f.Value.String()
	if err := f.Value.Set(benchtime); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Value.Set(before) })
}

// measured returns the results of the benchmarks by name.
func measured[K comparable, V any](t *testing.T, s Subject[K, V]) map[string]testing.BenchmarkResult {
	t.Helper()
	results := map[string]testing.BenchmarkResult{}
	for _, bm := range benchmarks[K, V]() {
		results[bm.name] = testing.Benchmark(func(b *testing.B) { bm.measure(b, s) })
	}
	return results
}

func TestBench(t *testing.T) {
	if testing.Short() {
		t.Skip("slow")
	}
	short(t, "20000x") // more than one round of keys
	for name, results := range map[string]map[string]testing.BenchmarkResult{
		"string": measured(t, Subject[string, []byte]{New: newMemory[string, []byte]}),
		"bool":   measured(t, Subject[bool, int]{New: newMemory[bool, int]}), // only two keys
	} {
		want := map[string]map[string]float64{
			"GetHit":         {"hit-ratio": 1},
			"GetMiss":        {"hit-ratio": 0},
			"PutNew":         {"dropped/op": 0},
			"PutOverwrite":   {"dropped/op": 0},
			"PutTTL":         {"dropped/op": 0},
			"InvalidateOne":  {},
			"MixedZipf90_10": nil, // below
		}
		for bm, metrics := range want {
			r, ok := results[bm]
			if !ok || r.N != 20000 || r.T <= 0 {
				t.Errorf("%s %s: %d rounds in %v, want 20000", name, bm, r.N, r.T)
			}
			for metric, want := range metrics {
				if got, ok := r.Extra[metric]; !ok || got != want {
					t.Errorf("%s %s: %s = %v, %v; want %v", name, bm, metric, got, ok, want)
				}
			}
		}
		if len(results) != len(want) {
			t.Errorf("%d benchmarks, want %d", len(results), len(want))
		}
	}
	// A tenth of the keys has room, and is asked for far more often than that.
	if got := measured(t, Subject[string, int]{New: newMemory[string, int]})["MixedZipf90_10"].Extra["hit-ratio"]; got < 0.3 || got > 0.95 {
		t.Errorf("MixedZipf90_10: hit-ratio = %v", got)
	}
}

// lazy applies its writes in Sync, which takes its time. It drops every tenth.
type lazy struct {
	backend.Backend[string, int]
	mu   sync.Mutex
	puts int
}

func newLazy(o Options) (backend.Backend[string, int], error) {
	b, err := newMemory[string, int](o)
	return &lazy{Backend: b}, err
}

func (l *lazy) Put(ctx context.Context, key string, value int, ttl *time.Duration) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.puts++; l.puts%10 == 0 {
		return l.Invalidate(ctx, &key)
	}
	return l.Backend.Put(ctx, key, value, ttl)
}

const syncTime = 20 * time.Millisecond

func (l *lazy) Sync(context.Context) error {
	time.Sleep(syncTime)
	return nil
}

func TestBench_settlesAndCountsDrops(t *testing.T) {
	short(t, "1000x")
	results := measured(t, Subject[string, int]{New: newLazy})
	for _, name := range []string{"PutNew", "PutOverwrite", "PutTTL", "InvalidateOne", "MixedZipf90_10"} {
		if got := results[name].T; got < syncTime {
			t.Errorf("%s took %v: Sync, which takes %v, was not measured", name, got, syncTime)
		}
	}
	for _, name := range []string{"PutNew", "PutOverwrite", "PutTTL"} {
		if got := results[name].Extra["dropped/op"]; got < 0.09 || got > 0.11 {
			t.Errorf("%s: dropped/op = %v, want 0.1", name, got)
		}
	}
	if got := results["GetHit"].Extra["hit-ratio"]; got < 0.89 || got > 0.91 {
		t.Errorf("GetHit: hit-ratio = %v, want 0.9", got)
	}
}

// stale keeps the first value of a key for ever.
type stale struct{ backend.Backend[string, int] }

func (s stale) Put(ctx context.Context, key string, value int, ttl *time.Duration) error {
	if _, hit, err := s.Get(ctx, key); hit || err != nil {
		return err
	}
	return s.Backend.Put(ctx, key, value, ttl)
}

func TestBench_refusesTheBroken(t *testing.T) {
	short(t, "1x")
	broken := Subject[string, int]{Name: "stale", New: func(o Options) (backend.Backend[string, int], error) {
		b, err := newMemory[string, int](o)
		return stale{b}, err
	}}
	if err := smoke(broken); err == nil || !strings.Contains(err.Error(), "hit/overwrite/") || !strings.Contains(err.Error(), "not measured") {
		t.Errorf("smoke = %v, want the message of a check", err)
	}
	custom := Subject[string, int]{New: newMemory[string, int], Keys: Keys[string]{At: strconv.Itoa}}
	if r := testing.Benchmark(func(b *testing.B) { Bench(b, custom) }); r.N == 0 {
		t.Error("a subject with keys of its own was not measured")
	}
	if err := smoke(Subject[string, int]{}); err == nil {
		t.Error("smoke of a subject without New = nil")
	}
	if err := smoke(Subject[string, int]{New: newMemory[string, int]}); err != nil {
		t.Errorf("smoke of the reference = %v", err)
	}

	reached := false
	if r := testing.Benchmark(func(b *testing.B) { Bench(b, broken); reached = true }); reached || r.N != 0 {
		t.Errorf("a broken subject was measured: %v", r)
	}
	if r := testing.Benchmark(func(b *testing.B) { Bench(b, Subject[string, int]{New: newMemory[string, int]}); reached = true }); !reached || r.N == 0 {
		t.Errorf("the reference was not measured: %v", r)
	}
}

// The smoke checks exist.
func TestBench_smokeChecks(t *testing.T) {
	found := 0
	for _, c := range checks[string, int]() {
		for _, name := range smokeChecks {
			if c.id() == name {
				found++
			}
		}
	}
	if found != len(smokeChecks) {
		t.Errorf("%d of the checks %v exist", found, smokeChecks)
	}
}

func BenchmarkReference(b *testing.B) {
	Bench(b, Subject[string, []byte]{New: newMemory[string, []byte]})
}

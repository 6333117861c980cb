package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cachepact/cachepact/adapters"
	"github.com/cachepact/cachepact/backend"
)

// TestMain makes the caches of tests small. Benchmarks have the real sizes.
func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.bench").Value.String() == "" {
		capacity, hotKeys, freshRun, mixKeys, mixSteps = 1<<13, 1<<10, 1<<13, 1<<13, 1<<14
	}
	os.Exit(m.Run())
}

func BenchmarkGetHit(b *testing.B)       { benchmark(b, getHit) }
func BenchmarkGetMiss(b *testing.B)      { benchmark(b, getMiss) }
func BenchmarkGetTTL(b *testing.B)       { benchmark(b, getTTL) }
func BenchmarkPutNew(b *testing.B)       { benchmark(b, putNew) }
func BenchmarkPutOverwrite(b *testing.B) { benchmark(b, putOverwrite) }
func BenchmarkPutTTL(b *testing.B)       { benchmark(b, putTTL) }
func BenchmarkInvalidate(b *testing.B)   { benchmark(b, invalidate) }
func BenchmarkMixed(b *testing.B)        { benchmark(b, mixed) }

// benchmark runs the experiments of a scenario. The names of the sub-benchmarks suit benchstat -col /impl.
func benchmark(b *testing.B, name string) {
	for _, e := range experiments() {
		if e.scenario.name != name {
			continue
		}
		parts := fmt.Sprintf("lib=%s/key=%s/value=%s", e.library, e.key, e.value)
		if name == mixed {
			parts += fmt.Sprintf("/writes=%d/goroutines=%d", e.scenario.writes, e.scenario.goroutines)
		}
		for _, i := range []impl{rawImpl, adapterImpl} {
			b.Run(fmt.Sprintf("%s/impl=%s", parts, i), func(b *testing.B) { benchmarkOne(b, e, i) })
		}
	}
}

func benchmarkOne(b *testing.B, e experiment, i impl) {
	j, err := e.open(i)
	if errors.Is(err, errNone) {
		b.SkipNow()
	}
	if err != nil {
		b.Fatal(err)
	}
	defer j.close()
	b.ReportAllocs()
	b.ResetTimer()
	for left := b.N; left > 0; {
		b.StopTimer()
		n, err := j.prepare(left)
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if err := j.run(); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := j.check(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		left -= n
	}
}

// Each experiment passes its own check, with the raw library and with the adapter, after more operations than there are
// hot keys. One pair of types runs every scenario, and the others run two.
func TestExperiments(t *testing.T) {
	for _, e := range experiments() {
		name := e.scenario.name
		if (e.key != "string" || e.value != "bytes") && name != getHit && name != putOverwrite {
			continue
		}
		for _, i := range []impl{rawImpl, adapterImpl} {
			j, err := e.open(i)
			if errors.Is(err, errNone) && i == rawImpl {
				continue
			}
			if err != nil {
				t.Error(err)
				continue
			}
			if _, err := timed(j, hotKeys*5/4); err != nil {
				t.Errorf("%s, %s: %v", e, i, err)
			}
			if err := j.close(); err != nil {
				t.Errorf("%s, %s: %v", e, i, err)
			}
		}
	}
}

func TestPutNewEvicts(t *testing.T) {
	d := newData[string](func(int) []byte { return make([]byte, 128) })
	for _, l := range libraries[string, []byte]() {
		for _, i := range []impl{rawImpl, adapterImpl} {
			j, err := l.job(i, scenario{name: putNew}, d, 128)
			if errors.Is(err, errNone) && i == rawImpl {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			in := j.(*inserting[string, []byte])
			old := keysFrom(make([]string, d.fresh), firstFresh)
			before, _ := in.present(old)
			if _, err := timed(j, 2*freshRun); err != nil {
				t.Errorf("%s, %s: %v", l.Name, i, err)
			}
			after, _ := in.present(old)
			if evicted := before - after; (evicted > 0) == (l.Bound == adapters.Unbounded) {
				t.Errorf("%s, %s: %d new entries evict %d of %d entries", l.Name, i, 2*freshRun, evicted, before)
			}
			j.close()
		}
	}
}

// broken is a backend that does not do some of its work.
type broken struct {
	backend.Backend[uint64, int]
	dropsPuts, keepsKeys, misses bool
}

func (b broken) Get(ctx context.Context, key uint64) (int, bool, error) {
	if b.misses {
		return 0, false, nil
	}
	return b.Backend.Get(ctx, key)
}

func (b broken) Put(ctx context.Context, key uint64, value int, ttl *time.Duration) error {
	if _, ok, _ := b.Backend.Get(ctx, key); b.dropsPuts && (ok || key%2 == 0) {
		return nil
	}
	return b.Backend.Put(ctx, key, value, ttl)
}

func (b broken) Invalidate(ctx context.Context, key *uint64) error {
	if b.keepsKeys {
		return nil
	}
	return b.Backend.Invalidate(ctx, key)
}

func TestChecksFindBrokenBackends(t *testing.T) {
	d := newData[uint64](func(i int) int { return i })
	correct := libraries[uint64, int]()[0]
	try := func(s scenario, b broken) error {
		l := correct
		l.New = func(o adapters.Options) (_ backend.Backend[uint64, int], err error) {
			b.Backend, err = correct.New(o)
			return b, err
		}
		j, err := l.job(adapterImpl, s, d, 8)
		if err != nil {
			return err
		}
		defer j.close()
		_, err = timed(j, 3*hotKeys)
		return err
	}
	for _, tt := range []struct {
		scenario scenario
		backend  broken
	}{
		{scenario{name: getHit}, broken{misses: true}},
		{scenario{name: putNew}, broken{dropsPuts: true}},
		{scenario{name: putOverwrite}, broken{dropsPuts: true}},
		{scenario{name: invalidate}, broken{keepsKeys: true}},
		{scenario{name: mixed, writes: 10, goroutines: 2}, broken{misses: true}},
	} {
		if err := try(tt.scenario, tt.backend); err == nil {
			t.Errorf("%s: %+v was not found", tt.scenario, tt.backend)
		}
		if err := try(tt.scenario, broken{}); err != nil {
			t.Errorf("%s: %v", tt.scenario, err)
		}
	}
}

func TestMixHasItsShareOfWrites(t *testing.T) {
	d := newData[string](func(i int) int { return i })
	for _, want := range []int{0, 10, 50} {
		got := 0
		for _, s := range d.mix(want) {
			if s.kind == put {
				got++
			}
		}
		if share := 100 * float64(got) / float64(mixSteps); share < float64(want)-1 || share > float64(want)+1 {
			t.Errorf("%.2f %% of the steps write, want %d %%", share, want)
		}
	}
	wrong := mixing[uint64, int]{share: 10}
	wrong.done, wrong.writes, wrong.hits = mixSteps, mixSteps/2, 1
	if wrong.check() == nil {
		t.Error("a mix with another share of writes passes")
	}
}

func TestKeysDiffer(t *testing.T) {
	d := newData[string](func(i int) int { return i })
	seen := map[string]bool{}
	for _, keys := range [][]string{d.hot, d.absent, d.newKeys(make([]string, 1000)), d.newKeys(make([]string, 1000))} {
		for _, key := range keys {
			if len(key) != keyLen || seen[key] {
				t.Fatalf("key %q: has another length or occurs twice", key)
			}
			seen[key] = true
		}
	}
}

func TestBounds(t *testing.T) {
	for _, tt := range []struct {
		library, value string
		scenario       scenario
		want           float64
	}{
		{"golanglru", "int", scenario{name: getHit}, 1.1},
		{"ristretto2", "int", scenario{name: putOverwrite}, 0.6},
		{"freecache", "bytes", scenario{name: getHit}, 1.25},
		{"golanglru", "bytes", scenario{name: getHit}, 0},
		{"theine", "int", scenario{name: mixed, writes: 50, goroutines: 2}, 1 / 0.85},
		{"theine", "int", scenario{name: mixed, writes: 10, goroutines: 8}, 0},
	} {
		if got := boundOf(experiment{library: tt.library, value: tt.value, scenario: tt.scenario}); got != tt.want {
			t.Errorf("bound of %s, %s, %s = %v, want %v", tt.library, tt.scenario, tt.value, got, tt.want)
		}
	}
}

func TestMeasure(t *testing.T) {
	for _, e := range experiments() {
		if e.library != "golanglru" || e.key != "uint64" || e.value != "int" || e.scenario.name != getHit {
			continue
		}
		r, err := measure(t.Context(), e, settings{rounds: minRounds, slice: time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		if r.Raw.Nanoseconds <= 0 || r.Ratio.Low <= 0 || r.Ratio.High > 1e6 || r.Control.Median <= 0 ||
			r.Bound != 1.1 || r.Allocs == nil {
			t.Errorf("measure = %+v", r)
		}
		var out strings.Builder
		if printResults(&out, []result{r}); !strings.Contains(out.String(), "GetHit") {
			t.Errorf("printResults printed\n%s", out.String())
		}
		return
	}
	t.Fatal("no such experiment")
}

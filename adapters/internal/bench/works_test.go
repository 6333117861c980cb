package bench

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// Each experiment does what it says, on the raw library and on the adapter: its
// own check looks at what was done, after more operations than there are hot keys.
func TestExperiments(t *testing.T) {
	if testing.Short() {
		t.Skip("opens a cache for each experiment")
	}
	for _, e := range Experiments() {
		if e.Value == "struct" && e.Case.Name == mixed {
			continue // as with the other values
		}
		for _, impl := range []Impl{RawImpl, AdapterImpl} {
			job, err := e.Open(impl)
			if errors.Is(err, ErrNone) && impl == RawImpl && e.Case.TTL && !facts[e.Library].TTL {
				continue
			}
			if err != nil {
				t.Error(err)
				continue
			}
			if _, err := timed(job, hotKeys*5/4); err != nil {
				t.Errorf("%s, %s: %v", e, impl, err)
			}
			if err := job.Close(); err != nil {
				t.Errorf("%s, %s: %v", e, impl, err)
			}
		}
	}
}

// What is put new into a full cache takes the place of others.
func TestPutNewEvicts(t *testing.T) {
	d := newData[uint64](func(i int) int { return i })
	for _, l := range libraries[uint64, int]() {
		for _, impl := range []Impl{RawImpl, AdapterImpl} {
			job, err := l.job(impl, Case{Name: putNew}, d, smallSize)
			if err != nil {
				t.Fatal(err)
			}
			in := job.(*inserting[uint64, int])
			old := keysFrom(make([]uint64, d.fresh), firstFresh)
			before, _ := in.gets(old)
			if _, err := timed(job, 2*freshRun); err != nil {
				t.Errorf("%s, %s: %v", l.name, impl, err)
			}
			after, _ := in.gets(old)
			if evicted := before - after; (evicted > 0) == facts[l.name].Unbounded {
				t.Errorf("%s, %s: %d of %d entries were evicted by %d new ones", l.name, impl, evicted, before, 2*freshRun)
			}
			job.Close()
		}
	}
}

// liar is a backend that does not do what it is asked for.
type liar struct {
	backend.Backend[uint64, int]
	dropsPuts, keepsKeys, misses bool
}

func (l liar) Get(ctx context.Context, key uint64) (int, bool, error) {
	if l.misses {
		return 0, false, nil
	}
	return l.Backend.Get(ctx, key)
}

func (l liar) Put(ctx context.Context, key uint64, value int, ttl *time.Duration) error {
	if _, ok, _ := l.Backend.Get(ctx, key); l.dropsPuts && (ok || key%2 == 0) {
		return nil
	}
	return l.Backend.Put(ctx, key, value, ttl)
}

func (l liar) Invalidate(ctx context.Context, key *uint64) error {
	if l.keepsKeys {
		return nil
	}
	return l.Backend.Invalidate(ctx, key)
}

// Work that was not done is an error.
func TestLiarsAreFound(t *testing.T) {
	d := newData[uint64](func(i int) int { return i })
	honest := libraries[uint64, int]()[0]
	try := func(c Case, how liar) error {
		l := honest
		l.adapter = func(o Options) (backend.Backend[uint64, int], error) {
			var err error
			how.Backend, err = honest.adapter(o)
			return how, err
		}
		job, err := l.job(AdapterImpl, c, d, smallSize)
		if err != nil {
			return err
		}
		defer job.Close()
		_, err = timed(job, 3*hotKeys)
		return err
	}
	mix := Case{Name: mixed, Writes: 10, Goroutines: 2}
	for _, tt := range []struct {
		c   Case
		how liar
	}{
		{Case{Name: getHit}, liar{misses: true}},
		{Case{Name: putNew}, liar{dropsPuts: true}},
		{Case{Name: putOverwrite}, liar{dropsPuts: true}},
		{Case{Name: invalidate}, liar{keepsKeys: true}},
		{mix, liar{misses: true}},
	} {
		if err := try(tt.c, tt.how); err == nil {
			t.Errorf("%s: %+v was not found", tt.c, tt.how)
		}
		if err := try(tt.c, liar{}); err != nil {
			t.Errorf("%s: %v", tt.c, err)
		}
	}
}

// A mix has the writes that it announces, and is checked for it.
func TestMix(t *testing.T) {
	for _, writes := range []int{0, 10, 50} {
		steps, err := mixOf[string](writes)
		if err != nil || len(steps) != mixSteps {
			t.Fatalf("%d steps, %v; want %d", len(steps), err, mixSteps)
		}
		got := 0
		for _, s := range steps {
			if s.write {
				got++
			}
		}
		if share := 100 * float64(got) / mixSteps; share < float64(writes)-0.5 || share > float64(writes)+0.5 {
			t.Errorf("%.2f %% of the steps write, want %d", share, writes)
		}
	}
	wrong := mixing[uint64, int]{kind: Case{Name: mixed, Writes: 10}, done: mixSteps, tally: tally{reads: mixSteps / 2, writes: mixSteps / 2, hits: 1}}
	if wrong.Check() == nil {
		t.Error("a mix of other writes than announced passes")
	}
}

func TestKeysDiffer(t *testing.T) {
	d := newData[string](func(i int) int { return i })
	seen := map[string]bool{}
	for _, keys := range [][]string{d.hot, d.absent, d.newKeys(make([]string, 1000)), d.newKeys(make([]string, 1000))} {
		for _, key := range keys {
			if len(key) != keyLen || seen[key] {
				t.Fatalf("%q is too long, or there twice", key)
			}
			seen[key] = true
		}
	}
}

func TestBounds(t *testing.T) {
	for _, tt := range []struct {
		library, value string
		c              Case
		want           float64
	}{
		{"golanglru", "int", Case{Name: getHit}, 1.1},
		{"ristretto2", "int", Case{Name: putOverwrite}, 0.6},
		{"freecache", "bytes", Case{Name: getHit}, 1.25},
		{"golanglru", "bytes", Case{Name: getHit}, 0},
		{"fastcache", "int", Case{Name: getMiss}, 1.8},
		{"theine", "int", Case{Name: mixed, Writes: 50, Goroutines: 2}, 1 / 0.85},
		{"theine", "int", Case{Name: mixed, Writes: 10, Goroutines: 8}, 0},
	} {
		if got := boundOf(Experiment{Library: tt.library, Value: tt.value, Case: tt.c}); got != tt.want {
			t.Errorf("bound of %s, %s, %s = %v, want %v", tt.library, tt.c, tt.value, got, tt.want)
		}
	}
}

func TestMeasure(t *testing.T) {
	for _, e := range Experiments() {
		if e.Library != "golanglru" || e.Key != "uint64" || e.Value != "int" || e.Case.Name != getHit {
			continue
		}
		r, err := Measure(t.Context(), e, Settings{Rounds: 3, Slice: time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		if r.Raw == nil || r.Adapter == nil || r.Raw.Nanoseconds <= 0 || r.Ratio.Median <= 0 || r.Control.Median <= 0 || r.Bound != 1.1 || r.Allocs == nil {
			t.Errorf("Measure = %+v", r)
		}
		var out strings.Builder
		if err := PrintTable(&out, []Result{r}); err != nil || !strings.Contains(out.String(), "GetHit") {
			t.Errorf("PrintTable = %v:\n%s", err, out.String())
		}
		return
	}
	t.Fatal("no such experiment")
}

// Every library has facts.
func TestFacts(t *testing.T) {
	var names []string
	for name := range facts {
		names = append(names, name)
	}
	have := map[string]bool{}
	for _, name := range Libraries() {
		have[name] = true
	}
	for _, name := range names {
		if !have[name] {
			t.Errorf("there are facts about %s, which is not measured", name)
		}
	}
	if got, want := len(have), len(names); got != want || reflect.DeepEqual(facts["bigcache"], Facts{}) {
		t.Errorf("%d libraries, and facts about %d", got, want)
	}
}

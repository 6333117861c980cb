package bench

import (
	"errors"
	"fmt"
	"testing"
)

func BenchmarkGetHit(b *testing.B)       { benchmark(b, getHit) }
func BenchmarkGetMiss(b *testing.B)      { benchmark(b, getMiss) }
func BenchmarkGetTTL(b *testing.B)       { benchmark(b, getTTL) }
func BenchmarkPutNew(b *testing.B)       { benchmark(b, putNew) }
func BenchmarkPutOverwrite(b *testing.B) { benchmark(b, putOverwrite) }
func BenchmarkPutTTL(b *testing.B)       { benchmark(b, putTTL) }
func BenchmarkInvalidate(b *testing.B)   { benchmark(b, invalidate) }
func BenchmarkMixed(b *testing.B)        { benchmark(b, mixed) }

// benchmark measures the experiments of a case. Its sub-benchmarks are named for
// benchstat, which compares the two with -col /impl.
func benchmark(b *testing.B, name string) {
	for _, e := range Experiments() {
		if e.Case.Name != name {
			continue
		}
		parts := fmt.Sprintf("lib=%s/key=%s/value=%s", e.Library, e.Key, e.Value)
		if name == mixed {
			parts += fmt.Sprintf("/writes=%d/goroutines=%d", e.Case.Writes, e.Case.Goroutines)
		}
		for _, impl := range []Impl{RawImpl, AdapterImpl} {
			b.Run(fmt.Sprintf("%s/impl=%s", parts, impl), func(b *testing.B) { measure(b, e, impl) })
		}
	}
}

func measure(b *testing.B, e Experiment, impl Impl) {
	job, err := e.Open(impl)
	if errors.Is(err, ErrNone) {
		b.SkipNow()
	}
	if err != nil {
		b.Fatal(err)
	}
	defer job.Close()
	b.ReportAllocs()
	b.ResetTimer()
	for left := b.N; left > 0; {
		b.StopTimer()
		n, err := job.Prepare(left)
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if err := job.Run(n); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := job.Check(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		left -= n
	}
}

package record_test

import (
	"context"
	"strconv"
	"testing"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/backend/memory"
	"github.com/cachepact/cachepact/compare/record"
)

// BenchmarkGet is a Get that hits, and what recording it costs on top.
func BenchmarkGet(b *testing.B) {
	const keys = 1 << 12
	plain := func() backend.Backend[string, int] {
		m, err := memory.New[string, int](memory.Options{})
		if err != nil {
			b.Fatal(err)
		}
		return m
	}
	recorded := func() backend.Backend[string, int] {
		r, err := record.New(plain(), record.Options[int]{File: b.TempDir() + "/file", Buffer: 1 << 17})
		if err != nil {
			b.Fatal(err)
		}
		return r
	}
	names := make([]string, keys)
	for i := range names {
		names[i] = "key " + strconv.Itoa(i*7919)
	}
	for _, c := range []struct {
		name string
		open func() backend.Backend[string, int]
	}{{"plain", plain}, {"recorded", recorded}} {
		b.Run(c.name, func(b *testing.B) {
			ctx, m := context.Background(), c.open()
			for i, name := range names {
				if err := m.Put(ctx, name, i, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				_, _, _ = m.Get(ctx, names[i%keys])
				i++
			}
			b.StopTimer()
			if err := backend.Close(m); err != nil {
				b.Fatal(err)
			}
			if r, ok := m.(*record.Backend[string, int]); ok {
				s := r.Recording()
				b.ReportMetric(100*float64(s.Dropped)/float64(s.Dropped+s.Written), "%dropped")
				b.ReportMetric(float64(s.Bytes)/float64(s.Written), "fileB/op")
			}
		})
	}
}

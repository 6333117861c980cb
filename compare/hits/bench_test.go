package hits

import (
	"context"
	"os"
	"testing"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/cachepact/cachepact/compare/internal/contest"
	"github.com/cachepact/cachepact/compare/internal/load"
	"github.com/cachepact/cachepact/compare/report"
	"github.com/cachepact/cachepact/compare/trace"
)

// The two replay the same requests with the same cache: through the contract and
// the driver, which checks every value, and in a bare loop on the raw library.

func BenchmarkReplay(b *testing.B) {
	eachLoad(b, func(b *testing.B, l *load.Load) {
		c := contest.Builtin()[0]
		for b.Loop() {
			cache, err := c.New(contest.Options{Capacity: 1000})
			if err != nil {
				b.Fatal(err)
			}
			if _, err := replay(context.Background(), cache, l, pacing{Pace: report.Flat}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkBare(b *testing.B) {
	eachLoad(b, func(b *testing.B, l *load.Load) {
		for b.Loop() {
			cache, err := lru.New[uint64, uint64](1000)
			if err != nil {
				b.Fatal(err)
			}
			for _, key := range l.All.Keys {
				if _, ok := cache.Get(key); !ok {
					cache.Add(key, key)
				}
			}
		}
	})
}

// BenchmarkOpen reads the packed trace, which takes little longer than to unpack
// it: compare with gzip -dc.
func BenchmarkOpen(b *testing.B) {
	if _, err := os.Stat(oltp); err != nil {
		b.Skip("the shared traces are not beside the project")
	}
	batch := make([]trace.Request, 1<<12)
	for b.Loop() {
		r, err := trace.Open(oltp, trace.Options{})
		if err != nil {
			b.Fatal(err)
		}
		for err == nil {
			_, err = r.Read(batch)
		}
		if err := r.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

const oltp = "../../../shared/traces/arc-oltp.gz"

// eachLoad runs a benchmark on a generated workload and, where there is one, on a
// real trace.
func eachLoad(b *testing.B, f func(*testing.B, *load.Load)) {
	b.Run("zipf", func(b *testing.B) {
		l, err := load.FromWorkload("zipf:s=0.8,keys=200000,requests=1000000", trace.Limits{})
		if err != nil {
			b.Fatal(err)
		}
		f(b, l)
	})
	b.Run("arc-oltp", func(b *testing.B) {
		if _, err := os.Stat(oltp); err != nil {
			b.Skip("the shared traces are not beside the project")
		}
		l, err := load.FromTrace(oltp, trace.Options{})
		if err != nil {
			b.Fatal(err)
		}
		f(b, l)
	})
}

package compare

import (
	"context"
	"testing"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/cachepact/cachepact/compare/report"
	"github.com/cachepact/cachepact/compare/trace"
)

// The two replay the same requests with the same cache: through the contract and
// the driver, which checks every value, and in a bare loop on the raw library.

func BenchmarkReplay(b *testing.B) {
	l := benchLoad(b)
	c := Builtin()[0]
	for b.Loop() {
		cache, err := c.New(Options{Capacity: 1000})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := replay(context.Background(), cache, l, pacing{Pace: report.Flat}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBare(b *testing.B) {
	l := benchLoad(b)
	for b.Loop() {
		cache, err := lru.New[uint64, uint64](1000)
		if err != nil {
			b.Fatal(err)
		}
		for _, key := range l.all.keys {
			if _, ok := cache.Get(key); !ok {
				cache.Add(key, key)
			}
		}
	}
}

func benchLoad(b *testing.B) *load {
	b.Helper()
	l, err := loadWorkload("zipf:s=0.8,keys=200000,requests=1000000", trace.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	return l
}

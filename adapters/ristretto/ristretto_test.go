package ristretto_test

import (
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/cachepact/cachepact/adapters/internal/adaptertest"
	"github.com/cachepact/cachepact/adapters/ristretto"
	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

func open[K comparable, V any](o conformance.Options) (backend.Backend[K, V], error) {
	if o.Capacity > 0 {
		return ristretto.New[K, V](ristretto.NewConfig(o.Capacity))
	}
	config := ristretto.NewConfig(1 << 14)
	config.NumCounters = 1 << 10 // New clears them all, and without eviction they are not used
	return ristretto.New[K, V](config)
}

func TestConformance(t *testing.T) { adaptertest.Run(t, open, open, open, open) }

func TestStress(t *testing.T) { adaptertest.Stress(t, open) }

func TestConfig(t *testing.T) {
	adaptertest.RistrettoConfig(t, "ristretto", ristretto.NewConfig, func(c *ristretto.Config) (io.Closer, error) {
		return ristretto.New[string, int](c)
	})
}

func Example() {
	ctx := context.Background()
	config := ristretto.NewConfig(10_000) // entries
	config.NumCounters = 1_000_000        // and any other field of the library's configuration
	b, err := ristretto.New[string, int](config)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()

	_ = b.Put(ctx, "one", 1, nil) // never expires; visible at once
	_ = b.Put(ctx, "two", 2, new(5*time.Minute))
	fmt.Println(b.Get(ctx, "one"))
	fmt.Println(backend.InvalidateKey(ctx, b, "one"))
	fmt.Println(b.Get(ctx, "one"))
	// Output:
	// 1 true <nil>
	// <nil>
	// 0 false <nil>
}

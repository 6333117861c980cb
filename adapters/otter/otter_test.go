package otter_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/cachepact/cachepact/adapters/internal/adaptertest"
	"github.com/cachepact/cachepact/adapters/otter"
	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

func open[K comparable, V any](o conformance.Options) (backend.Backend[K, V], error) {
	return otter.New(otter.NewOptions[K, V](o.Capacity))
}

func TestConformance(t *testing.T)    { adaptertest.Run(t, open, open, open, open) }
func TestAllocs(t *testing.T)         { adaptertest.Allocs(t, open, 0, 1, 1) }
func TestAllIsCurrent(t *testing.T)   { adaptertest.AllIsCurrent(t, open) }
func TestFreesDeadlines(t *testing.T) { adaptertest.FreesDeadlines(t, open) }
func TestFreesValues(t *testing.T)    { adaptertest.FreesValues(t, open) }

func Example() {
	ctx := context.Background()
	b, err := otter.New(otter.NewOptions[string, int](10_000)) // entries
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()

	_ = b.Put(ctx, "one", 1, nil) // never expires
	_ = b.Put(ctx, "two", 2, new(5*time.Minute))
	fmt.Println(b.Get(ctx, "two"))
	fmt.Println(backend.InvalidateKey(ctx, b, "two"))
	fmt.Println(b.Get(ctx, "two"))
	// Output:
	// 2 true <nil>
	// <nil>
	// 0 false <nil>
}

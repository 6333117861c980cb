package gocache_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/cachepact/cachepact/adapters/gocache"
	"github.com/cachepact/cachepact/adapters/internal/adaptertest"
	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

func open[K comparable, V any](conformance.Options) (backend.Backend[K, V], error) {
	return gocache.New[K, V]()
}

func TestConformance(t *testing.T)    { adaptertest.Run(t, open, open, open, open) }
func TestAllIsCurrent(t *testing.T)   { adaptertest.AllIsCurrent(t, open) }
func TestFreesDeadlines(t *testing.T) { adaptertest.FreesDeadlines(t, open) }
func TestFreesValues(t *testing.T)    { adaptertest.FreesValues(t, open) }

func Example() {
	type user struct {
		tenant, name string
	}
	ctx := context.Background()
	b, err := gocache.New[user, int]() // any comparable key
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()

	_ = b.Put(ctx, user{"ab", "c"}, 1, nil) // never expires
	_ = b.Put(ctx, user{"a", "bc"}, 2, new(5*time.Minute))
	fmt.Println(b.Get(ctx, user{"ab", "c"}))
	fmt.Println(backend.InvalidateKey(ctx, b, user{"ab", "c"}))
	fmt.Println(b.Get(ctx, user{"ab", "c"}))
	// Output:
	// 1 true <nil>
	// <nil>
	// 0 false <nil>
}

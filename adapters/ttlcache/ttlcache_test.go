package ttlcache_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/cachepact/cachepact/adapters/internal/adaptertest"
	"github.com/cachepact/cachepact/adapters/ttlcache"
	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

func open[K comparable, V any](o conformance.Options) (backend.Backend[K, V], error) {
	return ttlcache.New[K, V](o.Capacity)
}

func TestConformance(t *testing.T)     { adaptertest.Run(t, open, open, open, open) }
func TestAllocs(t *testing.T)          { adaptertest.Allocs(t, open, 0, 0, 0) }
func TestAllIsCurrent(t *testing.T)    { adaptertest.AllIsCurrent(t, open) }
func TestLRU(t *testing.T)             { adaptertest.LRU(t, open) }
func TestExpiredMakeRoom(t *testing.T) { adaptertest.ExpiredMakeRoom(t, open) }
func TestFreesDeadlines(t *testing.T)  { adaptertest.FreesDeadlines(t, open) }
func TestFreesValues(t *testing.T)     { adaptertest.FreesValues(t, open) }

func Example() {
	ctx := context.Background()
	b, err := ttlcache.New[string, int](2) // entries
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()

	_ = b.Put(ctx, "one", 1, nil) // never expires
	_ = b.Put(ctx, "two", 2, new(5*time.Minute))
	_, _, _ = b.Get(ctx, "one")
	_ = b.Put(ctx, "three", 3, nil) // evicts "two", the least recently used
	for _, key := range []string{"one", "two", "three"} {
		fmt.Println(b.Get(ctx, key))
	}
	// Output:
	// 1 true <nil>
	// 0 false <nil>
	// 3 true <nil>
}

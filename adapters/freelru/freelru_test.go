package freelru_test

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/cachepact/cachepact/adapters/freelru"
	"github.com/cachepact/cachepact/adapters/internal/adaptertest"
	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

func TestConformance(t *testing.T)     { adaptertest.Run(t, open, open, open, open) }
func TestAllocs(t *testing.T)          { adaptertest.Allocs(t, open, 0, 0, 0) }
func TestAllIsCurrent(t *testing.T)    { adaptertest.AllIsCurrent(t, open) }
func TestLRU(t *testing.T)             { adaptertest.LRU(t, open) }
func TestExpiredMakeRoom(t *testing.T) { adaptertest.ExpiredMakeRoom(t, open) }
func TestFreesDeadlines(t *testing.T)  { adaptertest.FreesDeadlines(t, open) }
func TestFreesValues(t *testing.T)     { adaptertest.FreesValues(t, open) }

func open[K comparable, V any](o conformance.Options) (backend.Backend[K, V], error) {
	return freelru.New[K, V](cmp.Or(o.Capacity, 1<<12))
}

func Example() {
	ctx := context.Background()
	b, err := freelru.New[string, int](2) // entries
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

func TestNewRejectsCapacity(t *testing.T) {
	for _, capacity := range []int{0, -1, math.MaxInt} {
		b, err := freelru.New[string, int](capacity)
		if b != nil || err == nil || !strings.HasPrefix(err.Error(), "freelru: new: ") {
			t.Errorf("New(%d) = %v, %v; want an error of freelru", capacity, b, err)
		}
	}
}

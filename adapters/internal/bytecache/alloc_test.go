//go:build !race

// Under the race detector a pool drops some of what it is given.

package bytecache

import (
	"strings"
	"testing"

	"github.com/cachepact/cachepact/adapters/internal/expiry"
)

// discard is a Store that keeps nothing.
type discard struct{}

func (discard) Set(string, []byte, int64, expiry.Reading) error { return nil }
func (discard) Remove(string) error                             { return nil }

// putAllocs returns how many times a Put and an Invalidate of key allocate.
func putAllocs[K comparable, V any](t *testing.T, key K, value V) float64 {
	c, err := NewCoder[K, V](nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Limits, c.Lead = Limits{Key: 1 << 10, Value: 1 << 10}, make([]byte, 4)
	return testing.AllocsPerRun(1000, func() {
		_ = c.Put(discard{}, key, value, nil)
		_ = c.Invalidate(discard{}, key)
	})
}

// Whatever its key and value, a Put needs no memory of its own.
func TestPutAllocs(t *testing.T) {
	type pair struct{ A, B string }
	long := pair{strings.Repeat("a", 50), strings.Repeat("b", 50)}
	for name, allocs := range map[string]float64{
		"string to int":         putAllocs(t, "key", 7),
		"uint64 to int":         putAllocs(t, uint64(7), 7),
		"uint64 to bytes":       putAllocs(t, uint64(7), make([]byte, 128)),
		"a short pair to int":   putAllocs(t, pair{"a", "b"}, 7),
		"a long pair to int":    putAllocs(t, long, 7),
		"a long pair to string": putAllocs(t, long, "value"),
	} {
		if allocs > 0 {
			t.Errorf("%s: %v allocations, want none", name, allocs)
		}
	}
}

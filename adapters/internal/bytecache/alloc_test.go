//go:build !race

package bytecache

import (
	"strings"
	"testing"

	"github.com/cachepact/cachepact/adapters/internal/expiry"
)

// discard is a Library that stores nothing.
type discard struct{ Library }

func (discard) Get(string, []byte) ([]byte, bool, error)        { return nil, false, nil }
func (discard) Set(string, []byte, int64, expiry.Reading) error { return nil }
func (discard) Remove(string) error                             { return nil }

// allocs returns how often Put and Invalidate of key allocate, and how often Get does.
func allocs[K comparable, V any](t *testing.T, key K, value V) [2]float64 {
	b := open[K, V](t, discard{}, Config{Lead: 4, Limits: Limits{Key: 1 << 10, Value: 1 << 10}}, nil)
	ctx := t.Context()
	return [2]float64{
		testing.AllocsPerRun(1000, func() {
			_ = b.Put(ctx, key, value, nil)
			_ = b.Invalidate(ctx, &key)
		}),
		testing.AllocsPerRun(1000, func() { _, _, _ = b.Get(ctx, key) }),
	}
}

// The race detector's pool drops some of its memory, so this test does not run there.
func TestAllocs(t *testing.T) {
	type pair struct{ A, B string }
	long := pair{strings.Repeat("a", 50), strings.Repeat("b", 50)}
	for name, got := range map[string][2]float64{
		"string to int":          allocs(t, "key", 7),
		"uint64 to int":          allocs(t, uint64(7), 7),
		"uint64 to bytes":        allocs(t, uint64(7), make([]byte, 128)),
		"a short pair to int":    allocs(t, pair{"a", "b"}, 7),
		"a short pair to string": allocs(t, pair{"a", "b"}, "value"),
		"a long pair to int":     allocs(t, long, 7),
		"a long pair to string":  allocs(t, long, "value"),
	} {
		get := 0.0
		if strings.HasPrefix(name, "a long") {
			get = 1 // the key does not fit in Small
		}
		if got[0] > 0 || got[1] > get {
			t.Errorf("%s: Put and Get allocate %v times, want 0 and %v", name, got, get)
		}
	}
}

package adaptertest

import (
	"strings"
	"testing"

	"github.com/cachepact/cachepact/backend"
)

// A ByteCache is an adapter of a cache that holds bytes, opened for each of four
// pairs of types.
type ByteCache struct {
	Ints    backend.Backend[string, int]
	Numbers backend.Backend[uint64, int]
	Blobs   backend.Backend[string, []byte]
	Texts   backend.Backend[uint64, string]
}

// Allocs tests that in the long run a Put allocates nothing, and a hit no more often
// than told for a number and for bytes. Under the race detector it says nothing: a
// pool drops some of what it is given there.
func (b ByteCache) Allocs(t *testing.T, number, bytes float64) {
	t.Helper()
	ctx, key := t.Context(), "key-of-16-bytes!"
	value, text := make([]byte, 128), strings.Repeat("x", 128)
	for kind, op := range map[string]struct {
		want     float64
		put, get func()
	}{
		"int":    {number, func() { _ = b.Ints.Put(ctx, key, 7, nil) }, func() { _, _, _ = b.Ints.Get(ctx, key) }},
		"uint64": {number, func() { _ = b.Numbers.Put(ctx, 7, 7, nil) }, func() { _, _, _ = b.Numbers.Get(ctx, 7) }},
		"bytes":  {bytes, func() { _ = b.Blobs.Put(ctx, key, value, nil) }, func() { _, _, _ = b.Blobs.Get(ctx, key) }},
		"string": {bytes, func() { _ = b.Texts.Put(ctx, 7, text, nil) }, func() { _, _, _ = b.Texts.Get(ctx, 7) }},
	} {
		op.put()
		if got := testing.AllocsPerRun(1000, op.put); got > 0 {
			t.Errorf("%s: Put allocates %v times, want none", kind, got)
		}
		if got := testing.AllocsPerRun(1000, op.get); got > op.want {
			t.Errorf("%s: Get allocates %v times, want the library's %v", kind, got, op.want)
		}
	}
}

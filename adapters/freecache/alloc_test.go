//go:build !race

package freecache_test

import (
	"testing"

	lib "github.com/coocood/freecache"

	"github.com/cachepact/cachepact/adapters/internal/adaptertest"
)

// A hit allocates what the library's does, and a number nothing.
func TestAllocs(t *testing.T) {
	const size = 1 << 20
	raw := lib.NewCache(size)
	key := []byte("key-of-16-bytes!")
	if err := raw.Set(key, make([]byte, 128), 0); err != nil {
		t.Fatal(err)
	}
	copied := testing.AllocsPerRun(100, func() { _, _ = raw.Get(key) })
	adaptertest.ByteCache{
		Ints: open[string, int](t, size), Numbers: open[uint64, int](t, size), Blobs: open[string, []byte](t, size), Texts: open[uint64, string](t, size),
	}.Allocs(t, 0, copied)
}

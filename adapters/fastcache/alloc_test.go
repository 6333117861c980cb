//go:build !race

package fastcache_test

import (
	"testing"

	lib "github.com/VictoriaMetrics/fastcache"

	"github.com/cachepact/cachepact/adapters/fastcache"
	"github.com/cachepact/cachepact/adapters/internal/adaptertest"
)

// A hit allocates what the library's does, and a number nothing.
func TestAllocs(t *testing.T) {
	raw := lib.New(fastcache.MinBytes)
	defer raw.Reset()
	key := []byte("key-of-16-bytes!")
	raw.Set(key, make([]byte, 128))
	copied := testing.AllocsPerRun(100, func() { raw.Get(nil, key) })
	adaptertest.ByteCache{
		Ints: open[string, int](t), Numbers: open[uint64, int](t), Blobs: open[string, []byte](t), Texts: open[uint64, string](t),
	}.Allocs(t, 0, copied)
}

//go:build !race

package fastcache_test

import (
	"testing"

	lib "github.com/VictoriaMetrics/fastcache"

	"github.com/cachepact/cachepact/adapters/fastcache"
)

// A hit allocates what the library's Get allocates, and nothing for a number.
func TestAllocs(t *testing.T) {
	raw := lib.New(fastcache.MinBytes)
	defer raw.Reset()
	key := []byte("key-of-16-bytes!")
	raw.Set(key, make([]byte, 128))
	shared.Allocs(t, 0, testing.AllocsPerRun(100, func() { raw.Get(nil, key) }))
}

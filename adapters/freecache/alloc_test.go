//go:build !race

package freecache_test

import (
	"testing"

	lib "github.com/coocood/freecache"
)

// A hit allocates what the library's Get allocates, and nothing for a number.
func TestAllocs(t *testing.T) {
	raw := lib.NewCache(1 << 20)
	key := []byte("key-of-16-bytes!")
	if err := raw.Set(key, make([]byte, 128), 0); err != nil {
		t.Fatal(err)
	}
	shared.Allocs(t, 0, testing.AllocsPerRun(100, func() { _, _ = raw.Get(key) }))
}

//go:build !race

package bigcache_test

import (
	"testing"
	"time"

	lib "github.com/allegro/bigcache/v3"
)

// A hit allocates what the library's Get allocates.
func TestAllocs(t *testing.T) {
	raw, err := lib.New(t.Context(), lib.Config{Shards: 16, HardMaxCacheSize: 64, LifeWindow: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Set("key-of-16-bytes!", make([]byte, 128)); err != nil {
		t.Fatal(err)
	}
	want := testing.AllocsPerRun(100, func() { _, _ = raw.Get("key-of-16-bytes!") })
	shared.Allocs(t, want, want)
}

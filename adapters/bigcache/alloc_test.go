//go:build !race

package bigcache_test

import (
	"errors"
	"testing"
	"time"

	lib "github.com/allegro/bigcache/v3"

	"github.com/cachepact/cachepact/adapters/bigcache"
	"github.com/cachepact/cachepact/adapters/internal/adaptertest"
)

// A hit allocates what the library's Get does.
func TestAllocs(t *testing.T) {
	ctx := t.Context()
	config := bigcache.NewConfig(64)
	raw, err := lib.New(ctx, lib.Config{Shards: config.Shards, HardMaxCacheSize: 64, LifeWindow: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Set("key-of-16-bytes!", make([]byte, 128)); err != nil {
		t.Fatal(err)
	}
	want := testing.AllocsPerRun(100, func() { _, _ = raw.Get("key-of-16-bytes!") })
	ints, err1 := bigcache.New[string](config, bigcache.Options[int]{})
	numbers, err2 := bigcache.New[uint64](config, bigcache.Options[int]{})
	blobs, err3 := bigcache.New[string](config, bigcache.Options[[]byte]{})
	texts, err4 := bigcache.New[uint64](config, bigcache.Options[string]{})
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	adaptertest.ByteCache{Ints: ints, Numbers: numbers, Blobs: blobs, Texts: texts}.Allocs(t, want, want)
}

//go:build !race

// Under the race detector a pool drops some of what it is given.

package bigcache_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	lib "github.com/allegro/bigcache/v3"

	"github.com/cachepact/cachepact/adapters/bigcache"
)

// A hit allocates what the library's Get does, and a Put hardly anything.
func TestAllocs(t *testing.T) {
	ctx := t.Context()
	config := bigcache.Config(64)
	raw, err := lib.New(ctx, lib.Config{Shards: config.Shards, HardMaxCacheSize: 64, LifeWindow: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Set("key-of-16-bytes!", make([]byte, 128)); err != nil {
		t.Fatal(err)
	}
	want := testing.AllocsPerRun(100, func() { _, _ = raw.Get("key-of-16-bytes!") })
	ints, err1 := bigcache.New[string](config, bigcache.Options[int]{})
	numbers, err4 := bigcache.New[uint64](config, bigcache.Options[int]{})
	blobs, err2 := bigcache.New[string](config, bigcache.Options[[]byte]{})
	texts, err3 := bigcache.New[string](config, bigcache.Options[string]{})
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	value, text := make([]byte, 128), strings.Repeat("x", 128)
	key := "key-of-16-bytes!"
	for name, op := range map[string]struct{ put, get func() }{
		"int":    {func() { _ = ints.Put(ctx, key, 7, nil) }, func() { _, _, _ = ints.Get(ctx, key) }},
		"uint64": {func() { _ = numbers.Put(ctx, 7, 7, nil) }, func() { _, _, _ = numbers.Get(ctx, 7) }},
		"bytes":  {func() { _ = blobs.Put(ctx, key, value, nil) }, func() { _, _, _ = blobs.Get(ctx, key) }},
		"string": {func() { _ = texts.Put(ctx, key, text, nil) }, func() { _, _, _ = texts.Get(ctx, key) }},
	} {
		// Now and then the library's queue grows, and a buffer is made anew.
		if got := testing.AllocsPerRun(1000, op.put); got > 0 {
			t.Errorf("%s: Put allocates %v times, want none", name, got)
		}
		if got := testing.AllocsPerRun(1000, op.get); got > want {
			t.Errorf("%s: Get allocates %v times, want the library's %v", name, got, want)
		}
	}
}

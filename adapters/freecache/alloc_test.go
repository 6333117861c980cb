//go:build !race

// Under the race detector a pool drops some of what it is given.

package freecache_test

import (
	"strings"
	"testing"

	lib "github.com/coocood/freecache"
)

// A hit allocates what the library's does, and a Put nothing in the long run.
func TestAllocs(t *testing.T) {
	ctx := t.Context()
	raw := lib.NewCache(1 << 20)
	key := []byte("key-of-16-bytes!")
	if err := raw.Set(key, make([]byte, 128), 0); err != nil {
		t.Fatal(err)
	}
	copied := testing.AllocsPerRun(100, func() { _, _ = raw.Get(key) })
	ints, numbers := open[string, int](t, 1<<20), open[uint64, int](t, 1<<20)
	blobs, texts := open[string, []byte](t, 1<<20), open[uint64, string](t, 1<<20)
	name, value, text := string(key), make([]byte, 128), strings.Repeat("x", 128)
	for kind, op := range map[string]struct {
		want     float64
		put, get func()
	}{
		"int":    {0, func() { _ = ints.Put(ctx, name, 7, nil) }, func() { _, _, _ = ints.Get(ctx, name) }},
		"uint64": {0, func() { _ = numbers.Put(ctx, 7, 7, nil) }, func() { _, _, _ = numbers.Get(ctx, 7) }},
		"bytes":  {copied, func() { _ = blobs.Put(ctx, name, value, nil) }, func() { _, _, _ = blobs.Get(ctx, name) }},
		"string": {copied, func() { _ = texts.Put(ctx, 7, text, nil) }, func() { _, _, _ = texts.Get(ctx, 7) }},
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

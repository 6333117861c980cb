package adaptertest

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/cachepact/cachepact/backend"
)

// A ByteCache is an adapter of a cache that stores bytes, opened for four pairs of types.
type ByteCache struct {
	Ints    backend.Backend[string, int]
	Numbers backend.Backend[uint64, int]
	Blobs   backend.Backend[string, []byte]
	Texts   backend.Backend[uint64, string]
}

// Allocs tests that Put allocates nothing on average, and that a hit allocates at most so often for a number and for
// bytes. It must not run under the race detector, in which a pool drops some of its elements.
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

// Fickle is a codec that cannot encode "bad" and cannot decode anything.
type Fickle struct{}

var errSecret = errors.New("secret")

// Append implements the adapters' Codec.
func (Fickle) Append(dst []byte, s string) ([]byte, error) {
	if s == "bad" {
		return dst, errSecret
	}
	return append(dst, s...), nil
}

// Decode implements the adapters' Codec.
func (Fickle) Decode([]byte) (string, error) { return "", errSecret }

// CodecFails tests an empty backend whose codec is [Fickle]. Get and Put fail, and their errors do not have the text of
// the codec's error, which may contain a value.
func CodecFails(t *testing.T, b backend.Backend[string, string]) {
	t.Helper()
	ctx := t.Context()
	if err := b.Put(ctx, "k", "v", nil); err != nil {
		t.Fatal(err)
	}
	if _, hit, err := b.Get(ctx, "k"); hit || err == nil || strings.Contains(err.Error(), errSecret.Error()) {
		t.Errorf("Get = %v, %v, want an error without the codec's text", hit, err)
	}
	if seq, err := backend.All(b); err == nil {
		if all := maps.Collect(seq); len(all) > 0 {
			t.Errorf("All yielded %q, which cannot be decoded", all)
		}
	}
	s, err := b.Stats(ctx)
	if err != nil || s.Counters[backend.CounterHits] != 0 || s.Counters[backend.CounterMisses] != 0 {
		t.Errorf("Stats = %+v, %v, want no hit and no miss", s, err)
	}
	if err := b.Put(ctx, "k", "bad", nil); err == nil || strings.Contains(err.Error(), errSecret.Error()) {
		t.Errorf("Put = %v, want an error without the codec's text", err)
	}
	if s, err := b.Stats(ctx); err != nil || s.Size != 0 {
		t.Errorf("Stats after a failed Put = %+v, %v, want size 0", s, err)
	}
}

// TooLarge tests that a key or value that exceeds its declared limit by one byte is an error, and that the error removes
// only the entry of the key.
func TooLarge(t *testing.T, b backend.Backend[string, []byte]) {
	t.Helper()
	ctx, limits := t.Context(), backend.TraitsOf(b)
	if err := errors.Join(b.Put(ctx, "key", []byte("old"), nil), b.Put(ctx, "other", []byte("kept"), nil)); err != nil {
		t.Fatal(err)
	}
	if err := b.Put(ctx, "key", make([]byte, limits.MaxValue+1), nil); !errors.Is(err, backend.ErrTooLarge) {
		t.Errorf("Put of %d bytes = %v, want ErrTooLarge", limits.MaxValue+1, err)
	}
	if got, hit, err := b.Get(ctx, "key"); hit || err != nil {
		t.Errorf("Get after a failed Put = %q, %v", got, err)
	}
	key := strings.Repeat("k", limits.MaxKey+1)
	_, hit, err := b.Get(ctx, key)
	for call, err := range map[string]error{
		"Get": err, "Put": b.Put(ctx, key, nil, nil), "Invalidate": backend.InvalidateKey(ctx, b, key),
	} {
		if hit || !errors.Is(err, backend.ErrTooLarge) {
			t.Errorf("%s of a key of %d bytes = %v, want ErrTooLarge", call, len(key), err)
		}
	}
	if _, hit, err := b.Get(ctx, "other"); !hit || err != nil {
		t.Errorf("a failed Put has removed another key: %v", err)
	}
}

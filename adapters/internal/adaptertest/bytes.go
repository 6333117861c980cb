package adaptertest

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/cachepact/cachepact/backend"
)

// Fickle is a codec that cannot write "bad", and cannot read what it wrote.
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

// CodecFails tests an empty backend whose codec is [Fickle]: errors say that, and not
// what the codec says, which may hold a value.
func CodecFails(t *testing.T, b backend.Backend[string, string]) {
	t.Helper()
	ctx := t.Context()
	if err := b.Put(ctx, "k", "v", nil); err != nil {
		t.Fatal(err)
	}
	if _, hit, err := b.Get(ctx, "k"); hit || err == nil || strings.Contains(err.Error(), errSecret.Error()) {
		t.Errorf("Get = %v, %v, want an error that does not quote the codec's", hit, err)
	}
	if seq, err := backend.All(b); err == nil {
		if all := maps.Collect(seq); len(all) > 0 {
			t.Errorf("All yielded %q, which cannot be decoded", all)
		}
	}
	if s, err := b.Stats(ctx); err != nil || s.Counters[backend.CounterHits] != 0 || s.Counters[backend.CounterMisses] != 0 {
		t.Errorf("Stats = %+v, %v, want neither a hit nor a miss", s, err)
	}
	if err := b.Put(ctx, "k", "bad", nil); err == nil || strings.Contains(err.Error(), errSecret.Error()) {
		t.Errorf("Put = %v, want an error that does not quote the codec's", err)
	}
	if s, err := b.Stats(ctx); err != nil || s.Size != 0 {
		t.Errorf("Stats after a failed Put = %+v, %v, want none", s, err)
	}
}

// TooLarge tests what a backend does with keys and values of one byte more than it
// declares: it says so, and removes nothing but the key's own entry.
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
	for call, err := range map[string]error{"Get": err, "Put": b.Put(ctx, key, nil, nil), "Invalidate": backend.InvalidateKey(ctx, b, key)} {
		if hit || !errors.Is(err, backend.ErrTooLarge) {
			t.Errorf("%s of a key of %d bytes = %v, want ErrTooLarge", call, len(key), err)
		}
	}
	if _, hit, err := b.Get(ctx, "other"); !hit || err != nil {
		t.Errorf("a failed Put has removed another key: %v", err)
	}
}

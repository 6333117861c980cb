package backend_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// plain is a Backend with no optional interface. It keeps the contract as far
// as these tests need, logs its calls and fails for the key "bad".
type plain struct {
	entries map[string]int
	calls   []string
}

var errBad = errors.New("plain: bad key")

func newPlain() *plain { return &plain{entries: map[string]int{}} }

func (p *plain) Get(_ context.Context, key string) (int, bool, error) {
	p.calls = append(p.calls, "get "+key)
	if key == "bad" {
		return 0, false, errBad
	}
	v, ok := p.entries[key]
	return v, ok, nil
}

func (p *plain) Put(_ context.Context, key string, value int, ttl *time.Duration) error {
	call := "put " + key
	if ttl != nil {
		call += " " + ttl.String()
	}
	p.calls = append(p.calls, call)
	if key == "bad" {
		return errBad
	}
	p.entries[key] = value
	return nil
}

func (p *plain) Invalidate(_ context.Context, key *string) error {
	if key == nil {
		p.calls = append(p.calls, "invalidate all")
		clear(p.entries)
		return nil
	}
	p.calls = append(p.calls, "invalidate "+*key)
	if *key == "bad" {
		return errBad
	}
	delete(p.entries, *key)
	*key = "changed" // a callee that scribbles must not reach the caller's key
	return nil
}

func (p *plain) Stats(context.Context) (backend.Stats, error) {
	return backend.Stats{Size: int64(len(p.entries))}, nil
}

func (p *plain) last(t *testing.T) string {
	t.Helper()
	if len(p.calls) == 0 {
		t.Fatal("the backend was not called")
	}
	return p.calls[len(p.calls)-1]
}

func TestInvalidateKey(t *testing.T) {
	for _, key := range []string{"a", ""} {
		p := newPlain()
		p.entries = map[string]int{key: 1, "other": 2}
		given := key
		if err := backend.InvalidateKey(t.Context(), p, given); err != nil {
			t.Fatalf("InvalidateKey(%q) = %v, want nil", key, err)
		}
		if got, want := p.last(t), "invalidate "+key; got != want {
			t.Errorf("InvalidateKey(%q) called %q, want %q", key, got, want)
		}
		if given != key {
			t.Errorf("InvalidateKey(%q) let the backend change the caller's key to %q", key, given)
		}
		if _, ok := p.entries["other"]; !ok || len(p.entries) != 1 {
			t.Errorf("InvalidateKey(%q) left %v, want only other", key, p.entries)
		}
	}
	if err := backend.InvalidateKey(t.Context(), newPlain(), "bad"); !errors.Is(err, errBad) {
		t.Errorf("InvalidateKey of a failing backend = %v, want %v", err, errBad)
	}
}

func TestInvalidateAll(t *testing.T) {
	p := newPlain()
	p.entries = map[string]int{"": 0, "a": 1}
	if err := backend.InvalidateAll(t.Context(), p); err != nil {
		t.Fatalf("InvalidateAll = %v, want nil", err)
	}
	if got, want := p.last(t), "invalidate all"; got != want {
		t.Errorf("InvalidateAll called %q, want %q", got, want)
	}
}

func TestSentinels(t *testing.T) {
	sentinels := []error{backend.ErrClosed, backend.ErrKey, backend.ErrTooLarge}
	for i, err := range sentinels {
		if !strings.HasPrefix(err.Error(), "backend: ") {
			t.Errorf("%q does not start with its package", err)
		}
		for j, other := range sentinels {
			if errors.Is(err, other) != (i == j) {
				t.Errorf("errors.Is(%q, %q) = %v", err, other, i != j)
			}
		}
	}
}

// The counter names are part of the API: dashboards are built on them.
func TestCounterNames(t *testing.T) {
	for got, want := range map[string]string{
		backend.CounterHits:        "hits",
		backend.CounterMisses:      "misses",
		backend.CounterEvictions:   "evictions",
		backend.CounterExpirations: "expirations",
		backend.CounterRejections:  "rejections",
		backend.CounterCollisions:  "collisions",
	} {
		if got != want {
			t.Errorf("counter is named %q, want %q", got, want)
		}
	}
}

package backend_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// full adds every optional interface to plain. What it returns shows that it
// was asked itself.
type full struct {
	*plain
	synced, closed int
}

var errFull = errors.New("full: asked")

func (f *full) Sync(context.Context) error  { f.synced++; return errFull }
func (f *full) Close() error                { f.closed++; return errFull }
func (f *full) Traits() backend.Traits      { return backend.Traits{Rejects: true} }
func (f *full) All() iter.Seq2[string, int] { return maps.All(f.entries) }

func (f *full) GetEntry(_ context.Context, key string) (backend.Entry[int], bool, error) {
	return backend.Entry[int]{Value: f.entries[key], Deadline: time.Unix(1, 0)}, true, nil
}

func (f *full) GetMany(context.Context, []string) (map[string]int, error) {
	return map[string]int{"many": 1}, errFull
}

func (f *full) PutMany(context.Context, []backend.Item[string, int]) error { return errFull }

// wrapper is a decorator that hides nothing.
type wrapper struct{ backend.Backend[string, int] }

func (w wrapper) Unwrap() backend.Backend[string, int] { return w.Backend }

// opaque is a decorator without Unwrap.
type opaque struct{ backend.Backend[string, int] }

func TestAs(t *testing.T) {
	f := &full{plain: newPlain()}
	tests := []struct {
		name string
		b    backend.Backend[string, int]
		want bool
	}{
		{"itself", f, true},
		{"behind a decorator", wrapper{f}, true},
		{"behind two", wrapper{wrapper{f}}, true},
		{"behind one without Unwrap", opaque{f}, false},
		{"beyond one without Unwrap", wrapper{opaque{f}}, false},
		{"missing", newPlain(), false},
		{"missing behind a decorator", wrapper{newPlain()}, false},
		{"nil", nil, false},
		{"decorator of nil", wrapper{nil}, false},
	}
	for _, tt := range tests {
		got, ok := backend.As[backend.Syncer](tt.b)
		if ok != tt.want {
			t.Errorf("%s: As reports %v, want %v", tt.name, ok, tt.want)
		}
		if ok && got != backend.Syncer(f) || !ok && got != nil {
			t.Errorf("%s: As returned %v", tt.name, got)
		}
	}
	if got, ok := backend.As[wrapper](wrapper{wrapper{f}}); !ok || got != (wrapper{wrapper{f}}) {
		t.Error("As of a concrete type did not return the outermost one")
	}
}

func TestOptional_present(t *testing.T) {
	f := &full{plain: newPlain()}
	f.entries["k"] = 1
	for name, b := range map[string]backend.Backend[string, int]{"direct": f, "decorated": wrapper{f}} {
		if err := backend.Sync(t.Context(), b); !errors.Is(err, errFull) {
			t.Errorf("%s: Sync = %v, want the backend's own error", name, err)
		}
		if err := backend.Close(b); !errors.Is(err, errFull) {
			t.Errorf("%s: Close = %v, want the backend's own error", name, err)
		}
		if got := backend.TraitsOf(b); got != f.Traits() {
			t.Errorf("%s: TraitsOf = %+v, want %+v", name, got, f.Traits())
		}
		all, err := backend.All(b)
		if err != nil {
			t.Fatalf("%s: All = %v", name, err)
		}
		if got := maps.Collect(all); !maps.Equal(got, f.entries) {
			t.Errorf("%s: All yields %v, want %v", name, got, f.entries)
		}
		e, hit, err := backend.GetEntry(t.Context(), b, "k")
		if want := (backend.Entry[int]{Value: 1, Deadline: time.Unix(1, 0)}); e != want || !hit || err != nil {
			t.Errorf("%s: GetEntry = %v, %v, %v; want %v, true, nil", name, e, hit, err, want)
		}
		many, err := backend.GetMany(t.Context(), b, nil)
		if many["many"] != 1 || !errors.Is(err, errFull) {
			t.Errorf("%s: GetMany = %v, %v; want the backend's own", name, many, err)
		}
		if err := backend.PutMany(t.Context(), b, nil); !errors.Is(err, errFull) {
			t.Errorf("%s: PutMany = %v, want the backend's own error", name, err)
		}
	}
	if f.synced != 2 || f.closed != 2 {
		t.Errorf("synced %d and closed %d times, want 2 and 2", f.synced, f.closed)
	}
	if len(f.calls) != 0 {
		t.Errorf("the optional interfaces were bypassed: %q", f.calls)
	}
}

func TestOptional_missing(t *testing.T) {
	p := newPlain()
	for name, b := range map[string]backend.Backend[string, int]{"direct": p, "opaque": opaque{&full{plain: p}}} {
		if err := backend.Sync(t.Context(), b); err != nil {
			t.Errorf("%s: Sync = %v, want nil", name, err)
		}
		if err := backend.Close(b); err != nil {
			t.Errorf("%s: Close = %v, want nil", name, err)
		}
		if got := backend.TraitsOf(b); got != (backend.Traits{}) {
			t.Errorf("%s: TraitsOf = %+v, want the zero Traits", name, got)
		}
		if all, err := backend.All(b); all != nil || !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: All = %v, %v; want nil and an error that wraps ErrUnsupported", name, all != nil, err)
		}
		e, hit, err := backend.GetEntry(t.Context(), b, "k")
		if e != (backend.Entry[int]{}) || hit || !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: GetEntry = %v, %v, %v; want zero, false and an error that wraps ErrUnsupported", name, e, hit, err)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "backend: ") {
			t.Errorf("%s: the error %q does not start with its package", name, err)
		}
	}
}

func TestGetMany_fallback(t *testing.T) {
	p := newPlain()
	p.entries = map[string]int{"a": 1, "b": 0}
	got, err := backend.GetMany(t.Context(), p, []string{"a", "b", "absent", "a"})
	if want := map[string]int{"a": 1, "b": 0}; !maps.Equal(got, want) || err != nil {
		t.Errorf("GetMany = %v, %v; want %v, nil", got, err, want)
	}

	got, err = backend.GetMany(t.Context(), p, []string{"bad", "a"})
	if want := map[string]int{"a": 1}; !maps.Equal(got, want) {
		t.Errorf("GetMany with a failing key = %v, want %v", got, want)
	}
	if !errors.Is(err, errBad) || !strings.HasPrefix(err.Error(), "backend: get many: ") {
		t.Errorf("GetMany with a failing key = %v, want backend: get many and the cause", err)
	}

	got, err = backend.GetMany(t.Context(), p, nil)
	if got == nil || len(got) != 0 || err != nil {
		t.Errorf("GetMany of no keys = %v, %v; want an empty map, nil", got, err)
	}
}

func TestPutMany_fallback(t *testing.T) {
	p := newPlain()
	items := []backend.Item[string, int]{
		{Key: "a", Value: 1},
		{Key: "bad", Value: 2},
		{Key: "b", Value: 3, TTL: new(time.Minute)},
		{Key: "a", Value: 4},
	}
	err := backend.PutMany(t.Context(), p, items)
	if !errors.Is(err, errBad) || !strings.HasPrefix(err.Error(), "backend: put many: ") {
		t.Errorf("PutMany = %v, want backend: put many and the cause", err)
	}
	if want := []string{"put a", "put bad", "put b 1m0s", "put a"}; !slices.Equal(p.calls, want) {
		t.Errorf("PutMany called %q, want %q", p.calls, want)
	}
	if want := map[string]int{"a": 4, "b": 3}; !maps.Equal(p.entries, want) {
		t.Errorf("PutMany stored %v, want %v", p.entries, want)
	}
	if err := backend.PutMany(t.Context(), p, items[:1]); err != nil {
		t.Errorf("PutMany without a failure = %v, want nil", err)
	}
}

func TestTraits_strings(t *testing.T) {
	for got, want := range map[string]string{
		backend.ByValue.String():          "ByValue",
		backend.ByReference.String():      "ByReference",
		backend.Ownership(9).String():     "unknown",
		backend.BoundExact.String():       "BoundExact",
		backend.BoundApproximate.String(): "BoundApproximate",
		backend.BoundNone.String():        "BoundNone",
	} {
		if got != want {
			t.Errorf("String() = %q, want %q", got, want)
		}
	}
	if got := backend.Bound(9).String(); got != "unknown" {
		t.Errorf("Bound(9).String() = %q, want unknown", got)
	}
	var zero backend.Traits
	if zero.Values != backend.ByValue || zero.Bound != backend.BoundExact {
		t.Errorf("the zero Traits is %v and %v, want the strictest", zero.Values, zero.Bound)
	}
}

var (
	_ io.Closer                        = (*full)(nil)
	_ backend.Ranger[string, int]      = (*full)(nil)
	_ backend.EntryGetter[string, int] = (*full)(nil)
	_ backend.Batcher[string, int]     = (*full)(nil)
	_ backend.Describer                = (*full)(nil)
)

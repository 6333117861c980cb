package memory_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/backend/memory"
)

var ctx = context.Background() // usable inside and outside a bubble

func open[K comparable, V any](t *testing.T, capacity int) *memory.Backend[K, V] {
	t.Helper()
	b, err := memory.New[K, V](memory.Options{Capacity: capacity})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func put[K comparable, V any](t *testing.T, b *memory.Backend[K, V], key K, value V, ttl *time.Duration) {
	t.Helper()
	if err := b.Put(ctx, key, value, ttl); err != nil {
		t.Fatalf("Put = %v", err)
	}
}

// keys returns the live keys without touching their order of use.
func keys[V any](b *memory.Backend[string, V]) map[string]bool {
	live := map[string]bool{}
	for k := range b.All() {
		live[k] = true
	}
	return live
}

func set(keys ...string) map[string]bool {
	s := map[string]bool{}
	for _, k := range keys {
		s[k] = true
	}
	return s
}

func TestNew_capacity(t *testing.T) {
	if _, err := memory.New[string, int](memory.Options{Capacity: -1}); err == nil || !strings.HasPrefix(err.Error(), "memory: new: ") {
		t.Errorf("New with capacity -1 = %v, want an error that says so", err)
	}
	for capacity, want := range map[int]backend.Bound{0: backend.BoundNone, 1: backend.BoundExact} {
		if got := open[string, int](t, capacity).Traits(); got.Bound != want || got.Values != backend.ByReference {
			t.Errorf("capacity %d: Traits = %+v, want bound %v by reference", capacity, got, want)
		}
	}
}

func TestBackend_evictsLeastRecentlyUsed(t *testing.T) {
	tests := []struct {
		name string
		do   func(b *memory.Backend[string, int])
		want map[string]bool
	}{
		{"oldest put", func(*memory.Backend[string, int]) {}, set("b", "c", "d")},
		{"Get refreshes", func(b *memory.Backend[string, int]) { _, _, _ = b.Get(ctx, "a") }, set("a", "c", "d")},
		{"GetEntry refreshes", func(b *memory.Backend[string, int]) { _, _, _ = b.GetEntry(ctx, "a") }, set("a", "c", "d")},
		{"GetMany refreshes", func(b *memory.Backend[string, int]) { _, _ = b.GetMany(ctx, []string{"a", "b"}) }, set("a", "b", "d")},
		{"overwrite refreshes", func(b *memory.Backend[string, int]) { _ = b.Put(ctx, "a", 9, nil) }, set("a", "c", "d")},
		{"a miss refreshes nothing", func(b *memory.Backend[string, int]) { _, _, _ = b.Get(ctx, "x") }, set("b", "c", "d")},
		{"Stats and All refresh nothing", func(b *memory.Backend[string, int]) { _, _ = b.Stats(ctx); keys(b) }, set("b", "c", "d")},
		{"Invalidate makes room", func(b *memory.Backend[string, int]) { _ = backend.InvalidateKey(ctx, b, "b") }, set("a", "c", "d")},
		{"a dead Put makes room", func(b *memory.Backend[string, int]) { _ = b.Put(ctx, "c", 9, new(time.Duration)) }, set("a", "b", "d")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := open[string, int](t, 3)
			for i, k := range []string{"a", "b", "c"} {
				put(t, b, k, i, nil)
			}
			tt.do(b)
			put(t, b, "d", 3, nil)
			if got := keys(b); !maps.Equal(got, tt.want) {
				t.Errorf("live keys = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestBackend_evictsTheDeadFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open[string, int](t, 3)
		put(t, b, "old", 1, nil)
		put(t, b, "brief", 2, new(time.Second))
		put(t, b, "longer", 3, new(time.Minute))
		time.Sleep(time.Second + 1)
		put(t, b, "new", 4, nil)
		if got, want := keys(b), set("old", "longer", "new"); !maps.Equal(got, want) {
			t.Errorf("live keys = %v, want %v", got, want)
		}
		wantStats(t, b, 3, map[string]uint64{backend.CounterExpirations: 1})
		time.Sleep(time.Minute)
		put(t, b, "newer", 5, nil) // room again only if the sweep knows when the next entry is due
		if got, want := keys(b), set("old", "new", "newer"); !maps.Equal(got, want) {
			t.Errorf("live keys a minute later = %v, want %v", got, want)
		}
		wantStats(t, b, 3, map[string]uint64{backend.CounterExpirations: 2})
	})
}

// wantStats compares the counters with want, in which a missing name is zero.
func wantStats[K comparable, V any](t *testing.T, b *memory.Backend[K, V], size int64, want map[string]uint64) {
	t.Helper()
	st, err := b.Stats(ctx)
	if err != nil || st.Size != size {
		t.Errorf("Stats = size %d, %v; want %d, nil", st.Size, err, size)
	}
	names := []string{backend.CounterHits, backend.CounterMisses, backend.CounterEvictions, backend.CounterExpirations}
	for _, name := range names {
		if got, ok := st.Counters[name]; !ok || got != want[name] {
			t.Errorf("counter %s = %d, %v; want %d", name, got, ok, want[name])
		}
	}
	if len(st.Counters) != len(names) {
		t.Errorf("counters = %v, want only %v", st.Counters, names)
	}
}

func TestBackend_counters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open[string, int](t, 2)
		wantStats(t, b, 0, nil)

		put(t, b, "a", 1, nil)
		put(t, b, "a", 2, nil) // an overwrite is no eviction
		_, _, _ = b.Get(ctx, "a")
		_, _, _ = b.Get(ctx, "absent")
		put(t, b, "b", 3, new(time.Second))
		put(t, b, "c", 4, nil) // evicts a
		wantStats(t, b, 2, map[string]uint64{backend.CounterHits: 1, backend.CounterMisses: 1, backend.CounterEvictions: 1})

		time.Sleep(2 * time.Second)
		_, _, _ = b.Get(ctx, "b") // finds it expired
		want := map[string]uint64{backend.CounterHits: 1, backend.CounterMisses: 2, backend.CounterEvictions: 1, backend.CounterExpirations: 1}
		wantStats(t, b, 1, want)

		put(t, b, "d", 5, new(time.Second))
		time.Sleep(2 * time.Second)
		want[backend.CounterExpirations] = 2
		wantStats(t, b, 1, want) // Stats alone finds d expired

		_ = backend.InvalidateKey(ctx, b, "c")
		_ = backend.InvalidateAll(ctx, b)
		wantStats(t, b, 0, want) // a removal is none of the four

		st, _ := b.Stats(ctx)
		clear(st.Counters)
		wantStats(t, b, 0, want) // the map belongs to the caller
	})
}

func TestBackend_GetEntry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open[string, int](t, 0)
		put(t, b, "brief", 1, new(time.Hour))
		put(t, b, "ever", 2, nil)
		due := time.Now().Add(time.Hour)
		time.Sleep(time.Minute)
		for key, want := range map[string]backend.Entry[int]{"brief": {Value: 1, Deadline: due}, "ever": {Value: 2}} {
			got, hit, err := b.GetEntry(ctx, key)
			if got.Value != want.Value || !got.Deadline.Equal(want.Deadline) || !hit || err != nil {
				t.Errorf("GetEntry(%q) = %v, %v, %v; want %v, true, nil", key, got, hit, err, want)
			}
		}
		time.Sleep(time.Hour)
		if got, hit, err := b.GetEntry(ctx, "brief"); got != (backend.Entry[int]{}) || hit || err != nil {
			t.Errorf("GetEntry of an expired key = %v, %v, %v; want a miss", got, hit, err)
		}
	})
}

func TestBackend_All(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open[string, int](t, 0)
		for i, k := range []string{"a", "b", "c"} {
			put(t, b, k, i, new(time.Minute))
		}
		put(t, b, "ever", 9, nil)

		n := 0
		for range b.All() {
			if n++; n == 2 {
				break
			}
		}
		if n != 2 {
			t.Errorf("a loop that breaks saw %d entries, want 2", n)
		}

		n = 0
		for k := range b.All() { // the body may call any method, and time may pass
			if err := backend.InvalidateKey(ctx, b, k); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
			n++
		}
		if n > 2 {
			t.Errorf("All yielded %d entries, of which only ever may come after the first", n)
		}
	})
}

func TestBackend_many(t *testing.T) {
	b := open[any, int](t, 0)
	bad := []int{1}
	err := b.PutMany(ctx, []backend.Item[any, int]{{Key: "a", Value: 1}, {Key: bad, Value: 2}, {Key: "b", Value: 3}, {Key: "a", Value: 4}})
	if !errors.Is(err, backend.ErrKey) {
		t.Errorf("PutMany with an uncomparable key = %v, want an error that wraps ErrKey", err)
	}
	got, err := b.GetMany(ctx, []any{"a", "b", "absent", bad})
	if want := map[any]int{"a": 4, "b": 3}; !maps.Equal(got, want) || !errors.Is(err, backend.ErrKey) {
		t.Errorf("GetMany = %v, %v; want %v and an error that wraps ErrKey", got, err, want)
	}
	if got, err := b.GetMany(ctx, []any{"a"}); len(got) != 1 || err != nil {
		t.Errorf("GetMany = %v, %v; want one hit, nil", got, err)
	}
}

func TestBackend_Close(t *testing.T) {
	b := open[string, int](t, 0)
	put(t, b, "a", 1, nil)
	for range 2 {
		if err := b.Close(); err != nil {
			t.Errorf("Close = %v, want nil", err)
		}
	}
	_, hit, getErr := b.Get(ctx, "a")
	_, _, entryErr := b.GetEntry(ctx, "a")
	_, statsErr := b.Stats(ctx)
	_, manyErr := b.GetMany(ctx, []string{"a"})
	for name, err := range map[string]error{
		"Get": getErr, "GetEntry": entryErr, "Stats": statsErr, "GetMany": manyErr,
		"Put":           b.Put(ctx, "a", 1, nil),
		"PutMany":       b.PutMany(ctx, []backend.Item[string, int]{{Key: "a"}}),
		"InvalidateKey": backend.InvalidateKey(ctx, b, "a"),
		"InvalidateAll": backend.InvalidateAll(ctx, b),
		"Sync":          b.Sync(ctx),
	} {
		if !errors.Is(err, backend.ErrClosed) || !strings.HasPrefix(err.Error(), "memory: ") {
			t.Errorf("%s after Close = %v, want memory: … and ErrClosed", name, err)
		}
	}
	if hit || len(keys(b)) != 0 {
		t.Errorf("a closed backend still shows %v (hit %v)", keys(b), hit)
	}
}

func TestBackend_Sync(t *testing.T) {
	b := open[string, int](t, 0)
	for range 2 { // the second would hang if the first kept the lock
		if err := b.Sync(ctx); err != nil {
			t.Errorf("Sync = %v, want nil", err)
		}
	}
}

package otter

import (
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/maypok86/otter/v2/stats"

	"github.com/cachepact/cachepact/adapters/internal/adaptertest"
	"github.com/cachepact/cachepact/backend"
)

func TestNewRejectsOptions(t *testing.T) {
	listener := func(otter.DeletionEvent[int, int]) {}
	for name, o := range map[string]*Options[int, int]{
		"nil":               nil,
		"MaximumSize":       {MaximumSize: -1},
		"InitialCapacity":   {InitialCapacity: -1},
		"MaximumWeight":     {MaximumWeight: 1},
		"Weigher":           {Weigher: func(int, int) uint32 { return 1 }},
		"ExpiryCalculator":  {ExpiryCalculator: otter.ExpiryWriting[int, int](time.Hour)},
		"RefreshCalculator": {RefreshCalculator: otter.RefreshWriting[int, int](time.Hour)},
		"Clock":             {Clock: clockStub{}},
		"OnDeletion":        {OnDeletion: listener},
		"OnAtomicDeletion":  {OnAtomicDeletion: listener},
		"StatsRecorder":     {StatsRecorder: stats.NewCounter()},
		"Executor":          {Executor: func(f func()) { f() }},
	} {
		b, err := New(o)
		if b != nil || err == nil || !strings.HasPrefix(err.Error(), "otter: new: ") || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: New = %v, %v; want an error of otter that names it", name, b, err)
		}
	}
}

type clockStub struct{ otter.Clock }

// TestEveryOptionIsKnown fails if the library gets an option that the adapter would ignore.
func TestEveryOptionIsKnown(t *testing.T) {
	const known = "MaximumSize MaximumWeight StatsRecorder InitialCapacity Weigher ExpiryCalculator OnDeletion " +
		"OnAtomicDeletion RefreshCalculator Executor Clock Logger"
	for f := range reflect.TypeFor[otter.Options[int, int]]().Fields() {
		if !slices.Contains(strings.Fields(known), f.Name) {
			t.Errorf("the library's option %s is neither used nor rejected", f.Name)
		}
	}
}

func TestTraits(t *testing.T) {
	for capacity, want := range map[int]backend.Traits{
		0:  {Values: backend.ByReference, Bound: backend.BoundNone},
		10: {Values: backend.ByReference, Rejects: true},
	} {
		if got := newBackend[int](t, capacity).Traits(); got != want {
			t.Errorf("capacity %d: Traits = %+v, want %+v", capacity, got, want)
		}
	}
}

func TestHasPointers(t *testing.T) {
	for _, v := range []any{0, uintptr(1), 1.5, 1i, true, [3]int8{}, struct{ A, B int }{}, struct{}{}} {
		if hasPointers(reflect.TypeOf(v)) {
			t.Errorf("hasPointers(%T) = true", v)
		}
	}
	for _, v := range []any{"", []int{}, new(int), map[int]int{}, struct {
		A int
		B [2]string
	}{}, func() {}, make(chan int)} {
		if !hasPointers(reflect.TypeOf(v)) {
			t.Errorf("hasPointers(%T) = false", v)
		}
	}
}

// TestNoMissWhileOverwritten reads keys while their first overwrite replaces the entry.
func TestNoMissWhileOverwritten(t *testing.T) {
	b := newBackend[*int](t, 0)
	var key atomic.Int64
	var done atomic.Bool
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for !done.Load() {
				k := int(key.Load())
				if v, hit, err := b.Get(t.Context(), k); k > 0 && (!hit || v == nil || err != nil) {
					t.Errorf("Get(%d) = %v, %v, %v; want a hit", k, v, hit, err)
					return
				}
			}
		})
	}
	for i := 1; i < 30_000; i++ {
		adaptertest.Put(t, b, i, new(int), nil)
		key.Store(int64(i))
		adaptertest.Put(t, b, i, new(int), nil)
	}
	done.Store(true)
	wg.Wait()
}

// TestSizeUnderLoad reads the size while other goroutines put and remove two keys, and while these expire.
func TestSizeUnderLoad(t *testing.T) {
	for _, capacity := range []int{0, 1, 100} {
		b := newBackend[string](t, capacity)
		var wg sync.WaitGroup
		for g := range 6 {
			wg.Go(func() {
				for i := range 5000 {
					key := (i + g) % 2
					switch (i + g) % 7 {
					case 0, 1:
						adaptertest.Put(t, b, key, "", nil)
					case 2:
						adaptertest.Put(t, b, key, "", new(time.Nanosecond))
					case 3:
						adaptertest.Put(t, b, key, "", new(time.Hour))
					case 4:
						b.Invalidate(t.Context(), &key)
					default:
						if got := adaptertest.Stats(t, b).Size; got < 0 || got > 2 {
							t.Errorf("capacity %d: size %d of two keys", capacity, got)
							return
						}
					}
				}
			})
		}
		wg.Wait()
		if err := b.Sync(t.Context()); err != nil { // until then All lists entries that will be evicted
			t.Fatal(err)
		}
		want := int64(0)
		for range b.All() {
			want++
		}
		if got := adaptertest.Stats(t, b).Size; got != want {
			t.Errorf("capacity %d: size %d, and %d entries are listed", capacity, got, want)
		}
		if s := b.store.Load(); s.queue.Len() > int(want) {
			t.Errorf("capacity %d: %d timers for %d entries", capacity, s.queue.Len(), want)
		}
	}
}

// TestPutIntoReplacedStore lets a Put finish after Invalidate has replaced the store that it writes to.
func TestPutIntoReplacedStore(t *testing.T) {
	b := newBackend[int](t, 10)
	old := b.store.Load()
	if err := b.Invalidate(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	old.put(1, 1, 1)
	old.put(2, 2, 0)
	for key := range 3 {
		if v, hit, err := b.Get(t.Context(), key); hit || err != nil {
			t.Errorf("Get(%d) = %v, %v, %v; want a miss", key, v, hit, err)
		}
	}
	if got := adaptertest.Stats(t, b).Size; got != 0 {
		t.Errorf("size %d, want 0", got)
	}
}

// TestCloseWaits closes a backend while one of its goroutines runs. Close must wait for the goroutine, and no other may
// start afterwards.
func TestCloseWaits(t *testing.T) {
	b := newBackend[int](t, 10)
	if !b.tasks.start() {
		t.Fatal("no goroutine may start before Close")
	}
	var ended atomic.Bool
	go func() {
		defer b.tasks.running.Done()
		time.Sleep(20 * time.Millisecond)
		ended.Store(true)
	}()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if !ended.Load() {
		t.Error("Close returned while a goroutine was running")
	}
	if b.tasks.start() {
		t.Error("a goroutine may start after Close")
	}
}

func newBackend[V any](t *testing.T, capacity int) *Backend[int, V] {
	t.Helper()
	b, err := New(NewOptions[int, V](capacity))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

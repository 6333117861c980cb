package bytecache

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/cachepact/cachepact/adapters/internal/codec"
	"github.com/cachepact/cachepact/adapters/internal/expiry"
	"github.com/cachepact/cachepact/backend"
)

// copies is a Library that stores copies, or fails with err.
type copies struct {
	Library
	entries map[string][]byte
	err     error
}

func (l *copies) Get(name string, buf []byte) ([]byte, bool, error) {
	entry, hit := l.entries[name]
	return append(buf, entry...), hit, l.err
}

func (l *copies) Set(name string, entry []byte, _ int64, _ expiry.Reading) error {
	if l.err == nil {
		l.entries[strings.Clone(name)] = slices.Clone(entry)
	}
	return l.err
}

func (l *copies) Remove(name string) error {
	delete(l.entries, name)
	return nil
}

// open returns a backend over lib. Keys have up to 64 bytes.
func open[K comparable, V any](t *testing.T, lib Library, config Config, values codec.Codec[V]) *Backend[K, V] {
	t.Helper()
	config.Name, config.Clock = "test", expiry.NewClock()
	if config.Limits == (Limits{}) {
		config.Limits = Limits{Key: 64, Value: 10}
	}
	b, err := New[K](config, values, func(bool) (Library, error) { return lib, nil })
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func newCopies() *copies { return &copies{entries: map[string][]byte{}} }

// An entry consists of the library's lead, the deadline in at most Header bytes, and the value.
func TestEntry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, lib := context.Background(), newCopies()
		b := open[uint64, []byte](t, lib, Config{Lead: 4, Limits: Limits{Key: 8, Value: 1 << 20}}, nil)
		for _, ttl := range []*time.Duration{
			nil, new(time.Duration(1)), new(time.Duration(255)), new(time.Duration(1 << 55)), new(time.Duration(math.MaxInt64)),
		} {
			for _, value := range [][]byte{nil, {}, {0}, {0x80}, make([]byte, maxKept)} {
				if err := b.Put(ctx, 7, value, ttl); err != nil || len(lib.entries) != 1 {
					t.Fatalf("Put = %v, %d entries", err, len(lib.entries))
				}
				for name, entry := range lib.entries {
					if key, err := b.keys.Decode([]byte(name)); key != 7 || err != nil {
						t.Errorf("the name is that of %d, %v, want 7", key, err)
					}
					deadline, data := Split(entry[4:])
					if head := len(entry) - 4 - len(data); head > Header || head < 1 {
						t.Errorf("the entry has %d bytes before its value, want 1 to %d", head, Header)
					}
					if want := deadlineOf(ttl); deadline != want {
						t.Errorf("Split = %d, want %d", deadline, want)
					}
				}
				got, hit, err := b.Get(ctx, 7)
				if !hit || err != nil || string(got) != string(value) || (got == nil) != (value == nil) {
					t.Errorf("Get = %q, %v, %v, want %q", got, hit, err, value)
				}
			}
		}
	})
	for _, entry := range [][]byte{nil, {0x80}, {0x80, 1, 2, 3, 4, 5, 6}} {
		if deadline, data := Split(entry); deadline != expiry.Never || data != nil {
			t.Errorf("Split(%x) = %d, %x", entry, deadline, data)
		}
	}
}

// deadlineOf returns the deadline of an entry that is put when the clock starts.
func deadlineOf(ttl *time.Duration) int64 {
	if ttl == nil {
		return expiry.Never
	}
	return int64(*ttl)
}

// The memory that Get reads an entry into fits the codec. The entry of a number with a lead has at most Small bytes.
func TestMemory(t *testing.T) {
	ctx, lib := t.Context(), newCopies()
	numbers := open[any, int64](t, lib, Config{Lead: maxLead}, nil)
	for i, got := range []memory{
		numbers.read,
		open[int, int64](t, lib, Config{NewMemory: true}, nil).read,
		open[int, string](t, lib, Config{}, nil).read,
		open[int, []byte](t, lib, Config{}, nil).read,
		open[int, struct{ A, B int }](t, lib, Config{}, nil).read,
		open[int](t, lib, Config{}, codec.JSON[int]()).read,
	} {
		if want := []memory{onStack, newMemory, newMemory, newMemory, pooled, pooled}[i]; got != want {
			t.Errorf("backend %d: memory %d, want %d", i, got, want)
		}
	}
	for _, key := range []any{nil, 1, int64(1), "1", math.Pi} {
		for _, value := range []int64{0, 1, math.MinInt64, math.MaxInt64} {
			if err := numbers.Put(ctx, key, value, new(time.Hour)); err != nil {
				t.Fatal(err)
			}
			if got, hit, err := numbers.Get(ctx, key); got != value || !hit || err != nil {
				t.Errorf("Get(%v) = %d, %v, %v, want %d", key, got, hit, err, value)
			}
		}
	}
	for _, entry := range lib.entries {
		if len(entry) > Small || len(entry) != maxLead+Header+8 {
			t.Errorf("an entry of a number has %d bytes", len(entry))
		}
	}
	if len(lib.entries) != 5 {
		t.Errorf("5 keys have %d names", len(lib.entries))
	}
}

// A Put that fails or has a TTL of zero or less, and Invalidate, remove the earlier entry of the key and no other.
func TestRemoves(t *testing.T) {
	ctx, lib, full := t.Context(), newCopies(), errors.New("full")
	b := open[any, string](t, lib, Config{}, nil)
	for name, remove := range map[string]func() error{
		"zero TTL":         func() error { return b.Put(ctx, 1, "b", new(time.Duration)) },
		"negative TTL":     func() error { return b.Put(ctx, 1, "b", new(time.Duration(-1))) },
		"too large":        func() error { return b.Put(ctx, 1, "12345678901", nil) },
		"library rejected": func() error { lib.err = full; return b.Put(ctx, 1, "b", nil) },
		"Invalidate":       func() error { return b.Invalidate(ctx, new(any(1))) },
	} {
		lib.err = nil
		err := errors.Join(b.Put(ctx, 1, "1234567890", nil), b.Put(ctx, "1", "c", nil))
		if err != nil || len(lib.entries) != 2 {
			t.Fatalf("Put = %v, %d entries", err, len(lib.entries))
		}
		if err := remove(); err != nil && !errors.Is(err, backend.ErrTooLarge) && !errors.Is(err, full) {
			t.Errorf("%s: %v", name, err)
		}
		if len(lib.entries) != 1 {
			t.Errorf("%s: %d entries are left of 2, want 1", name, len(lib.entries))
		}
	}
	lib.err = nil
	for key, want := range map[any]error{strings.Repeat("k", 65): backend.ErrTooLarge, math.NaN(): backend.ErrKey} {
		_, _, err := b.Get(ctx, key)
		for _, err := range []error{err, b.Put(ctx, key, "a", nil), b.Invalidate(ctx, &key)} {
			if !errors.Is(err, want) || strings.Contains(err.Error(), "kkk") {
				t.Errorf("an invalid key: %v, want %v without the key", err, want)
			}
		}
	}
}

// keeper is a Library that keeps the names.
type keeper struct {
	Library
	names []string
}

func (k *keeper) Set(name string, _ []byte, _ int64, _ expiry.Reading) error {
	k.names = append(k.names, name)
	return nil
}

// With KeepsNames the memory of a name is not used again.
func TestKeepsNames(t *testing.T) {
	var k keeper
	b := open[uint64, int](t, &k, Config{KeepsNames: true}, nil)
	for i := range uint64(100) {
		if err := b.Put(t.Context(), i, 0, nil); err != nil {
			t.Fatal(err)
		}
	}
	for i, name := range k.names {
		if key, err := b.keys.Decode([]byte(name)); key != uint64(i) || err != nil {
			t.Errorf("name %d is that of %d, %v", i, key, err)
		}
	}
}

type failing struct{}

func (failing) Append(_ []byte, value string) ([]byte, error) {
	return nil, fmt.Errorf("bad %s", value)
}
func (failing) Decode(data []byte) (string, error) { return "", fmt.Errorf("bad %s", data) }

// Errors hide the texts of the user's codec, which may contain the value.
func TestErrors(t *testing.T) {
	ctx, lib := t.Context(), newCopies()
	writes := open[int, string](t, lib, Config{}, nil)
	fails := open[int](t, lib, Config{}, codec.Codec[string](failing{}))
	if err := writes.Put(ctx, 1, "secret", nil); err != nil {
		t.Fatal(err)
	}
	_, _, err1 := fails.Get(ctx, 1)
	err2 := fails.Put(ctx, 1, "secret", nil)
	for _, err := range []error{err1, err2} {
		var e *codec.Error
		if !errors.As(err, &e) || e.Cause == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("error %v, want one that hides its cause", err)
		}
	}
	failed := func(bool) (Library, error) { return nil, errors.New("failed") }
	for _, err := range []error{
		second(New[*int, int](Config{}, nil, failed)),
		second(New[int, func()](Config{}, nil, failed)),
	} {
		if !errors.Is(err, backend.ErrKey) && !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("New = %v, want ErrKey or ErrUnsupported before it makes a library", err)
		}
	}
	if err := second(New[int, int](Config{}, nil, failed)); err == nil {
		t.Error("New hides the error of the library")
	}
}

func second[T any](_ T, err error) error { return err }

func TestSweeper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := Sweeper{Clock: expiry.NewClock()}
		sweeps := func(want bool, entries ...string) (expired []string) {
			t.Helper()
			got := false
			s.Sweep(func(isExpired func([]byte) bool) {
				got = true
				for _, e := range entries {
					if isExpired([]byte(e)) {
						expired = append(expired, e)
					}
				}
			})
			if got != want {
				t.Errorf("after %v Sweep looks at the entries: %v, want %v", time.Duration(s.Clock.Now()), got, want)
			}
			return expired
		}
		entry := func(deadline int64) string { return string(appendDeadline(nil, deadline)) }
		sweeps(false)
		for _, deadline := range []int64{expiry.Never, 10, 5, 7} {
			s.Add(deadline)
		}
		time.Sleep(4 * time.Nanosecond)
		sweeps(false)
		time.Sleep(time.Nanosecond)
		if got := sweeps(true, entry(5), entry(10), entry(7), entry(expiry.Never)); !slices.Equal(got, []string{entry(5)}) {
			t.Errorf("%q have expired, want the entry with deadline 5", got)
		}
		sweeps(false)
		time.Sleep(2 * time.Nanosecond)
		sweeps(true, entry(10))
	})
}

// near is a Library that reports whether what it gets is on its stack.
type near struct {
	Library
	name, entry bool
}

func (n *near) Set(name string, entry []byte, _ int64, _ expiry.Reading) error {
	var here byte
	low := uintptr(unsafe.Pointer(&here))
	above := func(p *byte) bool { return uintptr(unsafe.Pointer(p))-low < 2<<10 }
	n.name, n.entry = above(unsafe.StringData(name)), above(unsafe.SliceData(entry))
	return nil
}

func (n *near) Get(name string, buf []byte) ([]byte, bool, error) {
	return nil, false, n.Set(name, buf[:1], 0, expiry.Reading{})
}

// Names and entries on the stack move with the stack. Each goroutine starts with a small stack, which grows at
// different places of Put and Get.
func TestStackMoves(t *testing.T) {
	for i := range 4000 {
		var put, get near
		p, g := open[uint64, int](t, &put, Config{}, nil), open[uint64, int](t, &get, Config{}, nil)
		done := make(chan error)
		go func() {
			var err1, err2 error
			deepen(i%400, func() {
				err1 = p.Put(context.Background(), uint64(i), i, nil)
			})
			deepen(i%400, func() { _, _, err2 = g.Get(context.Background(), uint64(i)) })
			done <- errors.Join(err1, err2)
		}()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if !put.name || !put.entry || !get.name || !get.entry {
			t.Errorf("%d frames deep a name or an entry is not on the stack: %+v, %+v", i%400, put, get)
		}
	}
}

// deepen calls f on top of n small frames.
//
//go:noinline
func deepen(n int, f func()) {
	if n > 0 {
		deepen(n-1, f)
		return
	}
	f()
}

package bytecache

import (
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

// shelf is a Store that keeps copies, and fails if told to.
type shelf struct {
	entries map[string][]byte
	err     error
}

func (s *shelf) Set(name string, entry []byte, _ int64, _ expiry.Reading) error {
	if s.err != nil {
		return s.err
	}
	s.entries[strings.Clone(name)] = slices.Clone(entry)
	return nil
}

func (s *shelf) Remove(name string) error {
	delete(s.entries, name)
	return nil
}

func TestPut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := NewCoder[uint64, []byte](nil)
		if err != nil {
			t.Fatal(err)
		}
		c.Limits, c.Lead = Limits{Key: 8, Value: 1 << 20}, []byte("lead")
		for _, ttl := range []*time.Duration{nil, new(time.Duration(1)), new(time.Duration(255)), new(time.Duration(1 << 55)), new(time.Duration(math.MaxInt64))} {
			for _, value := range [][]byte{nil, {}, {0}, {0x80}, make([]byte, maxKept)} {
				s := &shelf{entries: map[string][]byte{}}
				if err := c.Put(s, 7, value, ttl); err != nil || len(s.entries) != 1 {
					t.Fatalf("Put = %v, %d entries", err, len(s.entries))
				}
				for name, entry := range s.entries {
					if key, err := c.DecodeKey(name); key != 7 || err != nil {
						t.Errorf("DecodeKey = %d, %v, want 7", key, err)
					}
					lead, rest := entry[:4], entry[4:]
					deadline, data := Split(rest)
					if head := len(rest) - len(data); string(lead) != "lead" || head > Header || head < 1 {
						t.Errorf("the entry has %q and %d bytes before its value, want 1 to %d", lead, head, Header)
					}
					if want := deadlineOf(ttl); deadline != want {
						t.Errorf("Split = %d, want %d", deadline, want)
					}
					copied, err := c.Value(data)
					owned, err2 := c.ValueOwned(append([]byte(nil), data...))
					if err != nil || err2 != nil || string(copied) != string(value) || string(owned) != string(value) || (copied == nil) != (value == nil) {
						t.Errorf("Value = %q, %v and ValueOwned = %q, %v, want %q", copied, err, owned, err2, value)
					}
				}
			}
		}
	})
}

// deadlineOf returns that of an entry put when the clock was started.
func deadlineOf(ttl *time.Duration) int64 {
	if ttl == nil {
		return expiry.Never
	}
	return int64(*ttl)
}

// A number needs no memory but the stack, and is what it was.
func TestPutSmall(t *testing.T) {
	c, err := NewCoder[string, float64](nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Limits, c.Lead = Limits{Key: 8, Value: 8}, make([]byte, 4)
	s := &shelf{entries: map[string][]byte{}}
	if err := c.Put(s, "k", math.Pi, new(time.Hour)); err != nil || c.Read() != ReadSmall {
		t.Fatal(err, c.Read())
	}
	deadline, data := Split(s.entries["k"][4:])
	if v, err := c.Value(data); v != math.Pi || err != nil || deadline == expiry.Never {
		t.Errorf("Value = %v, %v", v, err)
	}
}

// A Put that fails, or whose TTL is over, and Invalidate leave no earlier entry of
// the key, and that of no other.
func TestPutRemoves(t *testing.T) {
	c, err := NewCoder[any, string](nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Limits = Limits{Key: 64, Value: 10}
	full := errors.New("full")
	s := &shelf{entries: map[string][]byte{}}
	for what, remove := range map[string]func() error{
		"a TTL of zero":   func() error { return c.Put(s, 1, "b", new(time.Duration)) },
		"a TTL below":     func() error { return c.Put(s, 1, "b", new(time.Duration(-1))) },
		"too large":       func() error { return c.Put(s, 1, "12345678901", nil) },
		"refused by both": func() error { s.err = full; return c.Put(s, 1, "b", nil) },
		"Invalidate":      func() error { return c.Invalidate(s, 1) },
	} {
		s.err = nil
		if err := errors.Join(c.Put(s, 1, "a", nil), c.Put(s, "1", "c", nil)); err != nil || len(s.entries) != 2 {
			t.Fatalf("Put = %v, %d entries", err, len(s.entries))
		}
		if err := remove(); err != nil && !errors.Is(err, backend.ErrTooLarge) && err != full { //nolint:errorlint // it is returned as it is
			t.Errorf("%s: %v", what, err)
		}
		if len(s.entries) != 1 {
			t.Errorf("%s: %d entries are left of 2, want 1", what, len(s.entries))
		}
	}
	s.err = nil
	long := strings.Repeat("k", 65)
	for _, err := range []error{c.Put(s, long, "a", nil), c.Invalidate(s, long)} {
		if !errors.Is(err, backend.ErrTooLarge) {
			t.Errorf("a key of 65 bytes: %v, want ErrTooLarge", err)
		}
	}
	for _, err := range []error{c.Put(s, math.NaN(), "a", nil), c.Invalidate(s, math.NaN())} {
		if !errors.Is(err, backend.ErrKey) {
			t.Errorf("NaN: %v, want ErrKey", err)
		}
	}
}

// Whoever keeps a name has it for good.
func TestNamesKept(t *testing.T) {
	c, err := NewCoder[uint64, int](nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Limits, c.NamesKept = Limits{Key: 8, Value: 8}, true
	var k keeper
	for i := range uint64(100) {
		if err := c.Put(&k, i, 0, nil); err != nil {
			t.Fatal(err)
		}
	}
	for i, name := range k {
		if key, err := c.DecodeKey(name); key != uint64(i) || err != nil {
			t.Errorf("name %d is that of %d, %v", i, key, err)
		}
	}
}

// keeper is a Store that keeps the names.
type keeper []string

func (k *keeper) Set(name string, _ []byte, _ int64, _ expiry.Reading) error {
	*k = append(*k, name)
	return nil
}

func (*keeper) Remove(string) error { return nil }

func TestSplit(t *testing.T) {
	for _, entry := range [][]byte{nil, {0x80}, {0x80, 1, 2, 3, 4, 5, 6}} {
		if deadline, data := Split(entry); deadline != expiry.Never || data != nil {
			t.Errorf("Split(%x) = %d, %x", entry, deadline, data)
		}
	}
}

func TestKey(t *testing.T) {
	s, err := NewCoder[string, int](nil)
	if err != nil {
		t.Fatal(err)
	}
	if name, ok := s.RawKey("a\x00b"); !ok || name != "a\x00b" {
		t.Errorf("RawKey = %q, %v", name, ok)
	}
	n, err := NewCoder[any, int](nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []any{nil, 1, int64(1), "1"} {
		name, err := n.AppendKey(nil, key)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := n.DecodeKey(n.Shown(name)); err != nil || got != key {
			t.Errorf("DecodeKey = %v, %v, want %v", got, err, key)
		}
	}
	if _, err := n.AppendKey(nil, math.NaN()); !errors.Is(err, backend.ErrKey) {
		t.Errorf("AppendKey(NaN) = %v, want ErrKey", err)
	}
}

func TestNewCoder_Refuses(t *testing.T) {
	if _, err := NewCoder[*int, int](nil); !errors.Is(err, backend.ErrKey) {
		t.Errorf("NewCoder with pointers for keys = %v, want ErrKey", err)
	}
	if _, err := NewCoder[int, func()](nil); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("NewCoder with functions for values = %v, want ErrUnsupported", err)
	}
	if _, err := NewCoder[int](codec.JSON[func()]()); err != nil {
		t.Errorf("NewCoder with a codec of the user's = %v", err)
	}
}

type failing struct{}

func (failing) Append(_ []byte, value string) ([]byte, error) {
	return nil, fmt.Errorf("bad %s", value)
}

func (failing) Decode(data []byte) (string, error) {
	return "", fmt.Errorf("bad %s", data)
}

// An error of the user's codec may contain the value; ours does not.
func TestErrors(t *testing.T) {
	c, err := NewCoder[int, string](failing{})
	if err != nil {
		t.Fatal(err)
	}
	c.Limits = Limits{Key: 8, Value: 8}
	err1 := c.Put(&shelf{}, 1, "secret", nil)
	_, err2 := c.Value([]byte("secret"))
	_, err3 := c.ValueOwned([]byte("secret"))
	for _, err := range []error{err1, err2, err3} {
		var e *codec.Error
		if !errors.As(err, &e) || e.Cause == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("error %v, want one that hides its cause", err)
		}
	}
}

func TestSoonest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s Soonest
		c := expiry.NewClock()
		due := func(want bool) {
			t.Helper()
			if got := s.Due(c); got != want {
				t.Errorf("after %v Due = %v, want %v", time.Duration(c.Now()), got, want)
			}
		}
		due(false)
		s.Add(expiry.Never)
		s.Add(10)
		s.Add(5)
		s.Add(7)
		time.Sleep(4 * time.Nanosecond)
		due(false)
		time.Sleep(time.Nanosecond)
		due(true)
		s.Reset()
		due(false)
	})
}

func TestLimits(t *testing.T) {
	l := Limits{Key: 3, Value: 5}
	for _, err := range []error{l.CheckKey("abc"), l.CheckValue(5)} {
		if err != nil {
			t.Errorf("at the limit: %v", err)
		}
	}
	for _, err := range []error{l.CheckKey("abcd"), l.CheckValue(6)} {
		if !errors.Is(err, backend.ErrTooLarge) || strings.Contains(err.Error(), "abcd") {
			t.Errorf("above the limit: %v, want ErrTooLarge without the key", err)
		}
	}
}

// How an entry is to be read fits the codec: small ones have room in Small, with
// a deadline and whatever an adapter has before it.
func TestRead(t *testing.T) {
	number, err1 := NewCoder[int, int64](nil)
	text, err2 := NewCoder[int, string](nil)
	blob, err3 := NewCoder[int, []byte](nil)
	pair, err4 := NewCoder[int, struct{ A, B int }](nil)
	given, err5 := NewCoder[int](codec.JSON[int]())
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		t.Fatal(err)
	}
	for i, got := range []Read{number.Read(), text.Read(), blob.Read(), pair.Read(), given.Read()} {
		if want := []Read{ReadSmall, ReadOwned, ReadOwned, ReadSpare, ReadSpare}[i]; got != want {
			t.Errorf("codec %d: Read = %d, want %d", i, got, want)
		}
	}
	number.Lead, number.Limits = []byte("mark"), Limits{Key: Small, Value: 8}
	for _, v := range []int64{0, 1, math.MinInt64, math.MaxInt64} {
		s := &shelf{entries: map[string][]byte{}}
		if err := number.Put(s, 1, v, new(time.Hour)); err != nil {
			t.Fatal(err)
		}
		for _, entry := range s.entries {
			_, data := Split(entry[4:])
			if got, err := number.Value(data); len(entry) > Small || len(entry) != 4+Header+len(data) || got != v || err != nil {
				t.Errorf("the entry of %d is %q: %d, %v", v, entry, got, err)
			}
		}
	}
}

// near is a Store that looks whether what it is shown is on its stack.
type near struct{ name, entry bool }

func (n *near) Set(name string, entry []byte, _ int64, _ expiry.Reading) error {
	var here byte
	low := uintptr(unsafe.Pointer(&here))
	above := func(p *byte) bool { return uintptr(unsafe.Pointer(p))-low < 2<<10 }
	n.name, n.entry = above(unsafe.StringData(name)), above(unsafe.SliceData(entry))
	return nil
}

func (*near) Remove(string) error { return nil }

// What is on the stack stays there when that moves: each goroutine begins with a
// small one, and gets to its end at another place of the Put.
func TestStackMoves(t *testing.T) {
	c, err := NewCoder[uint64, int](nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Limits = Limits{Key: 8, Value: 8}
	for i := range 4000 {
		var n near
		done := make(chan error)
		go func() {
			var err error
			deepen(i%400, func() { err = c.Put(&n, uint64(i), i, nil) })
			done <- err
		}()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if !n.name || !n.entry {
			t.Errorf("%d frames deep the name (%v) or the entry (%v) is not on the stack", i%400, n.name, n.entry)
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

package bytecache

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/internal/clock"
	"github.com/cachepact/cachepact/internal/codec"
)

func TestEntry(t *testing.T) {
	c, err := NewCoder[uint64, []byte](nil)
	if err != nil {
		t.Fatal(err)
	}
	buf := GetBuffer()
	defer buf.Release()
	for _, deadline := range []int64{clock.Never, 1, 255, 256, 1 << 55, math.MaxInt64} {
		for _, value := range [][]byte{nil, {}, {0}, {0x80}, make([]byte, maxKept)} {
			entry, size, err := c.Entry(buf, value, deadline)
			if err != nil {
				t.Fatal(err)
			}
			if head := len(entry) - size; head > Header || head < 1 {
				t.Errorf("Entry has %d bytes before its value, want 1 to %d", head, Header)
			}
			got, data := Split(entry)
			if got != deadline || len(data) != size {
				t.Errorf("Split = %d, %d bytes, want %d, %d bytes", got, len(data), deadline, size)
			}
			copied, err := c.Value(data)
			owned, err2 := c.ValueOwned(append([]byte(nil), data...))
			if err != nil || err2 != nil || string(copied) != string(value) || string(owned) != string(value) || (copied == nil) != (value == nil) {
				t.Errorf("Value = %q, %v and ValueOwned = %q, %v, want %q", copied, err, owned, err2, value)
			}
		}
	}
	for _, entry := range [][]byte{nil, {0x80}, {0x80, 1, 2, 3, 4, 5, 6}} {
		if deadline, data := Split(entry); deadline != clock.Never || data != nil {
			t.Errorf("Split(%x) = %d, %x", entry, deadline, data)
		}
	}
}

func TestKey(t *testing.T) {
	s, err := NewCoder[string, int](nil)
	if err != nil {
		t.Fatal(err)
	}
	if name, err := s.Key(nil, "a\x00b"); err != nil || name != "a\x00b" {
		t.Errorf("Key = %q, %v", name, err)
	}
	n, err := NewCoder[any, int](nil)
	if err != nil {
		t.Fatal(err)
	}
	buf := GetBuffer()
	defer buf.Release()
	for _, key := range []any{nil, 1, int64(1), "1"} {
		name, err := n.Key(buf, key)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := n.DecodeKey(name); err != nil || got != key {
			t.Errorf("DecodeKey = %v, %v, want %v", got, err, key)
		}
	}
	if _, err := n.Key(buf, math.NaN()); !errors.Is(err, backend.ErrKey) {
		t.Errorf("Key(NaN) = %v, want ErrKey", err)
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
	_, _, err1 := c.Entry(new(Buffer), "secret", 0)
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
		c := clock.New()
		due := func(want bool) {
			t.Helper()
			if got := s.Due(c); got != want {
				t.Errorf("after %v Due = %v, want %v", time.Duration(c.Now()), got, want)
			}
		}
		due(false)
		s.Add(clock.Never)
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

func TestCounter(t *testing.T) {
	var c Counter
	for _, step := range []struct {
		n    int64
		want uint64
	}{{3, 3}, {2, 3}, {-1, 3}, {7, 7}, {0, 7}} {
		if got := c.Raise(step.n); got != step.want {
			t.Errorf("Raise(%d) = %d, want %d", step.n, got, step.want)
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
	entry, size, err := number.EntryAfter(new(Buffer), []byte("mark"), math.MaxInt64, 1)
	if err != nil || len(entry) != 4+Header+size || string(entry[:4]) != "mark" || len(entry) > Small {
		t.Errorf("EntryAfter = %q, %d, %v", entry, size, err)
	}
}

package keycode

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/cachepact/cachepact/backend"
)

type (
	text   string
	pair   struct{ a, b string }
	pair2  struct{ a, b string }
	number struct {
		A int8
		_ [3]byte
		b int64
	}
	blank struct {
		_ *int
		_ string
	}
	nested struct {
		P pair
		x any
		F [2]float64
		U [16]byte
		s fmt.Stringer
		c complex64
	}
	name string
)

func (n name) String() string { return string(n) }

// unequal returns different keys, many of which look alike.
func unequal() []any {
	type pair struct{ a, b string } // not the pair above, under the same name
	negative := math.Copysign(0, -1)
	return []any{
		nil, "", "\x00", "a", "ab", "1", text("1"), text(""), name("1"),
		1, int8(1), int16(1), int32(1), int64(1), uint(1), uint8(1), uint16(1), uint32(1), uint64(1), uintptr(1),
		0, -1, math.MinInt64, math.MaxInt64, uint64(math.MaxUint64), true, false,
		float32(1), 1.0, negative, math.Inf(1), math.SmallestNonzeroFloat64, float32(0), complex(1, 0), complex(0, 1), complex64(1),
		pair2{"a", "bc"},
		pair2{"ab", "c"},
		pair2{"abc", ""},
		pair2{"", "abc"},
		pair{"a", "bc"},
		outer("a", "bc"),
		[1]string{"abc"},
		[2]string{"ab", "c"},
		[2]string{"a", "bc"},
		[3]string{"a", "b", "c"},
		[0]string{},
		[0]int{},
		struct{}{},
		[2]byte{0, 1},
		[2]byte{1, 0},
		[2]int8{0, 1},
		[1]byte{1},
		[2]bool{true, false},
		[2]bool{false, true},
		number{A: 1},
		number{b: 1},
		number{A: 1, b: 1},
		blank{},
		[1]any{nil},
		[1]any{1},
		[1]any{int64(1)},
		[1]any{[1]any{1}},
		[2]any{1, nil},
		[2]any{nil, 1},
		nested{},
		nested{x: ""},
		nested{x: 0},
		nested{P: pair2to("a", "b")},
		nested{s: name("")},
		nested{s: name("x")},
		nested{c: 1i},
		nested{F: [2]float64{1, 0}},
		nested{F: [2]float64{0, 1}},
		nested{U: [16]byte{15: 1}},
		strings.Repeat("k", 1<<20), strings.Repeat("k", 1<<20) + "k",
	}
}

func outer(a, b string) pair   { return pair{a, b} }
func pair2to(a, b string) pair { return pair(pair2{a, b}) }

func TestUnequalKeys(t *testing.T) {
	e := encoder[any](t)
	keys := unequal()
	seen := map[string]int{}
	for i, k := range keys {
		b, err := e.Append(nil, k)
		if err != nil {
			t.Fatalf("Append(%T) error = %v", k, err)
		}
		if j, ok := seen[string(b)]; ok {
			t.Errorf("keys %d (%T) and %d (%T) both have bytes %.40x", j, keys[j], i, k, b)
		}
		seen[string(b)] = i
		if got, err := e.Decode(b); err != nil || got != k {
			t.Errorf("Decode(Append(%T %.40v)) = %T %.40v, %v", k, k, got, got, err)
		}
	}
}

func TestEqualKeys(t *testing.T) {
	negative := math.Copysign(0, -1)
	filled := number{A: 1}
	(*[16]byte)(unsafe.Pointer(&filled))[2] = 7 // a blank field
	for _, pair := range [][2]any{
		{0.0, negative},
		{float32(0), float32(negative)},
		{complex(0, negative), complex(negative, 0)},
		{[2]float64{negative, 1}, [2]float64{0, 1}},
		{filled, number{A: 1}},
		{blank{new(1), "x"}, blank{}},
		{struct{ X any }{negative}, struct{ X any }{0.0}},
	} {
		if pair[0] != pair[1] {
			t.Fatalf("%v and %v are not equal", pair[0], pair[1])
		}
		e := encoder[any](t)
		x, y := encode(t, e, pair[0]), encode(t, e, pair[1])
		if !bytes.Equal(x, y) {
			t.Errorf("equal keys of %T have bytes %x and %x", pair[0], x, y)
		}
	}
}

func TestStaticTypes(t *testing.T) {
	roundTrip(t, "", "a", "\x00\xff", strings.Repeat("x", 1<<16))
	roundTrip(t, text(""), "a")
	roundTrip(t, 0, 1, -1, math.MinInt64)
	roundTrip[int8](t, math.MinInt8, -1, 0)
	roundTrip[uint16](t, math.MaxUint16, 1)
	roundTrip[uint32](t, math.MaxUint32, 1)
	roundTrip(t, true, false)
	roundTrip[float32](t, 0, 1.5)
	roundTrip(t, pair{"ab", "c"}, pair{"a", "bc"}, pair{"abc", ""})
	roundTrip(t, nested{P: pair{"a", "b"}, x: pair2{"c", ""}, F: [2]float64{1, math.Inf(-1)}, U: [16]byte{1, 2}, s: name("n"), c: 2i})
	roundTrip(t, [2]bool{true}, [2]bool{})
	roundTrip(t, [0]string{})
	roundTrip(t, blank{})
	roundTrip[fmt.Stringer](t, nil, name("x"), name(""))
	roundTrip[any](t, nil, 1, int64(1), "1")
}

func roundTrip[K comparable](t *testing.T, keys ...K) {
	t.Helper()
	e := encoder[K](t)
	prefix := []byte("prefix")
	for i, k := range keys {
		b := encode(t, e, k)
		if got, err := e.Decode(b); err != nil || got != k {
			t.Errorf("%T: Decode(Append(key %d)) = %.40v, %v", k, i, got, err)
		}
		if got, err := e.Append(prefix, k); err != nil || string(got) != "prefix"+string(b) {
			t.Errorf("%T: Append(prefix, key %d) = %.40q, %v; want prefix and the bytes", k, i, got, err)
		}
		for j, other := range keys[:i] {
			if bytes.Equal(encode(t, e, other), b) {
				t.Errorf("%T: keys %d and %d have the same bytes", k, i, j)
			}
		}
	}
}

func TestStringIsItsBytes(t *testing.T) {
	if got := encode(t, encoder[text](t), "a\x00b"); string(got) != "a\x00b" {
		t.Errorf("Append = %q, want the string itself", got)
	}
	if got, ok := encoder[text](t).Raw("key"); got != "key" || !ok {
		t.Errorf("Raw = %q, %v; want the string itself", got, ok)
	}
	if got, ok := encoder[int](t).Raw(1); got != "" || ok {
		t.Errorf("Raw of an int = %q, %v; want false", got, ok)
	}
}

func TestRefusedTypes(t *testing.T) {
	refused[*int](t, "*int")
	refused[chan int](t, "chan int")
	refused[unsafe.Pointer](t, "unsafe.Pointer")
	refused[struct{ A struct{ b [2]*int } }](t, ".A.b[]")
	refused[struct {
		A pair
		io.Reader
		C chan int
	}](t, ".C")
}

func refused[K comparable](t *testing.T, path string) {
	t.Helper()
	e, err := New[K]()
	if e != nil || !errors.Is(err, backend.ErrKey) || !strings.Contains(fmt.Sprint(err), path) {
		t.Errorf("New = %v, %v; want an error that wraps ErrKey and names %s", e, err, path)
	}
}

func TestRefusedKeys(t *testing.T) {
	e := encoder[any](t)
	nan := math.NaN()
	for _, k := range []any{
		nan, float32(nan), complex(0, nan), complex64(complex(nan, 0)),
		[2]float64{0, nan},
		struct{ x any }{nan},
		[]int{1},
		map[int]int{},
		func() {},
		struct{ x []int }{},
		struct{ _ []int }{},
		[1]any{[]string{}},
		new(1), make(chan int), unsafe.Pointer(new(1)), &pair{},
		struct{ p *int }{},
		[1]any{new(1)},
		bytes.NewReader(nil),
	} {
		if _, err := e.Append(nil, k); !errors.Is(err, backend.ErrKey) {
			t.Errorf("Append(%T) error = %v, want one that wraps ErrKey", k, err)
		}
	}
	if _, err := encoder[float64](t).Append(nil, nan); !errors.Is(err, backend.ErrKey) {
		t.Errorf("Append(NaN) error = %v, want one that wraps ErrKey", err)
	}
}

func TestNoAllocation(t *testing.T) {
	noAllocation(t, strings.Repeat("k", 64))
	noAllocation[uint64](t, 1<<40)
	noAllocation(t, pair{"some", "strings"})
	noAllocation(t, nested{x: "text", s: name("n")})
	noAllocation[any](t, pair{"some", "strings"})
	noAllocation[fmt.Stringer](t, name("n"))
}

func noAllocation[K comparable](t *testing.T, key K) {
	t.Helper()
	e := encoder[K](t)
	if n := testing.AllocsPerRun(100, func() {
		var scratch [128]byte
		if b, err := e.Append(scratch[:0], key); err != nil || len(b) == 0 {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("Append of a %T allocates %v times", key, n)
	}
}

func TestConcurrentTypes(t *testing.T) {
	e := encoder[any](t)
	keys := unequal()
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range keys {
				k := keys[(i+g*17)%len(keys)]
				b, err := e.Append(nil, k)
				if err != nil {
					t.Error(err)
					return
				}
				if got, err := e.Decode(b); err != nil || got != k {
					t.Errorf("Decode = %T, %v; want %T", got, err, k)
				}
			}
		})
	}
	wg.Wait()
}

// FuzzKeycode checks for pairs of keys that their bytes are equal exactly when the keys are, and that Decode returns
// the key.
func FuzzKeycode(f *testing.F) {
	f.Add("ab", "c", int64(1), 1.0, uint8(0), "a", "bc", int64(1), 1.0, uint8(1))
	f.Add("", "\x00", int64(-1), math.Copysign(0, -1), uint8(3), "\x00", "", int64(-1), 0.0, uint8(3))
	f.Add("", "", int64(0), 0.0, uint8(7), "", "", int64(0), 0.0, uint8(8))
	e, err := New[nested]()
	if err != nil {
		f.Fatal(err)
	}
	key := func(s, u string, n int64, x float64, pick uint8) nested {
		k := nested{P: pair{a: s}, F: [2]float64{x, float64(n)}, s: name(u)}
		k.x = []any{nil, s, text(s), u, n, int(n), x, pair{s, u}, pair2{s, u}, [2]any{s, u}, [1]string{s + u}, [2]string{s, u}}[pick%12]
		if pick&16 != 0 {
			k.P, k.s = pair{b: s}, nil
		}
		return k
	}
	f.Fuzz(func(t *testing.T, s1, u1 string, n1 int64, x1 float64, p1 uint8, s2, u2 string, n2 int64, x2 float64, p2 uint8) {
		if x1 != x1 || x2 != x2 {
			t.Skip("NaN")
		}
		k1, k2 := key(s1, u1, n1, x1, p1), key(s2, u2, n2, x2, p2)
		b1, b2 := encode(t, e, k1), encode(t, e, k2)
		if (k1 == k2) != bytes.Equal(b1, b2) {
			t.Errorf("%#v and %#v: equal = %v, bytes %x and %x", k1, k2, k1 == k2, b1, b2)
		}
		if got, err := e.Decode(b1); err != nil || got != k1 {
			t.Errorf("Decode(%x) = %#v, %v; want %#v", b1, got, err, k1)
		}
	})
}

// FuzzKeycodeDecode checks that Decode does not panic, whatever the bytes.
func FuzzKeycodeDecode(f *testing.F) {
	e, err := New[nested]()
	if err != nil {
		f.Fatal(err)
	}
	for _, x := range []any{nil, 1, "a", true, pair{"a", "b"}, [1]any{1i}} {
		b, err := e.Append(nil, nested{x: x})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := e.Decode(b); err != nil && !errors.Is(err, backend.ErrKey) {
			t.Errorf("Decode(%x) error = %v, want one that wraps ErrKey", b, err)
		}
	})
}

func encoder[K comparable](t testing.TB) *Encoder[K] {
	t.Helper()
	e, err := New[K]()
	if err != nil {
		t.Fatalf("New = %v", err)
	}
	return e
}

func encode[K comparable](t testing.TB, e *Encoder[K], key K) []byte {
	t.Helper()
	b, err := e.Append(nil, key)
	if err != nil {
		t.Fatalf("Append(%T) = %v", key, err)
	}
	return b
}

package codec

import (
	"bytes"
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
)

type (
	name   string
	blob   []byte
	letter byte
	small  int8
	flag   bool

	inner struct {
		A int
		B *string
	}
	Outer struct {
		C []inner
		D map[string]*inner
	}
	record struct {
		inner
		Outer
		Bool    bool
		I8      int8
		U64     uint64
		F32     float32
		F64     float64
		Str     string
		Name    name
		Bytes   []byte
		Blob    blob
		Letters []letter
		Array   [3]uint16
		Digest  [4]byte
		Nested  [][]string
		ByInt   map[int16][]byte
		ByKey   map[[2]byte]float32
		ByAll   map[struct {
			X int
			Y string
		}]bool
		Ptr     *int
		None    struct{}
		NoneP   *struct{}
		Addr    netip.Addr
		Tagged  string `cbor:"s,omitempty"`
		Zero    []int  `json:",omitzero"`
		Counted int    `cbor:"-7,keyasint"`
		_       int
	}
	packed struct {
		_    struct{} `cbor:",toarray"`
		A, B []int
	}
)

// carry encodes and decodes v. It fails the test if the value changes.
func carry[V any](t *testing.T, c Codec[V], v V) {
	t.Helper()
	prefix := []byte("prefix")
	data, err := c.Append(prefix, v)
	if err != nil {
		t.Fatalf("Append(%#v) = %v", v, err)
	}
	rest, ok := bytes.CutPrefix(data, prefix)
	if !ok {
		t.Fatalf("Append(%#v) changed what it appends to", v)
	}
	got, err := c.Decode(rest)
	if err != nil {
		t.Fatalf("Decode of %#v = %v", v, err)
	}
	owned, err := Owned(c)(bytes.Clone(rest))
	if err != nil {
		t.Fatalf("Owned of %#v = %v", v, err)
	}
	for i := range rest {
		rest[i] ^= 0xff
	}
	if !same(reflect.ValueOf(&got), reflect.ValueOf(&v)) {
		t.Fatalf("Decode gave %#v, want %#v", got, v)
	}
	if !same(reflect.ValueOf(&owned), reflect.ValueOf(&v)) {
		t.Fatalf("Owned gave %#v, want %#v", owned, v)
	}
}

// same is reflect.DeepEqual, but it compares the bits of floats and ignores blank fields.
func same(a, b reflect.Value) bool {
	switch a.Kind() {
	case reflect.Float32, reflect.Float64:
		return math.Float64bits(a.Float()) == math.Float64bits(b.Float())
	case reflect.Pointer:
		return a.IsNil() == b.IsNil() && (a.IsNil() || same(a.Elem(), b.Elem()))
	case reflect.Slice, reflect.Map:
		if a.IsNil() != b.IsNil() || a.Len() != b.Len() {
			return false
		}
	case reflect.Struct:
		if a.Type() == timeType {
			x, y := a.Interface().(time.Time), b.Interface().(time.Time)
			return x.Equal(y) && x.Format(time.RFC3339Nano) == y.Format(time.RFC3339Nano)
		}
		for i := range a.NumField() {
			if a.Type().Field(i).Name != "_" && !same(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	}
	switch a.Kind() {
	case reflect.Slice, reflect.Array:
		for i := range a.Len() {
			if !same(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Map:
		for it := a.MapRange(); it.Next(); {
			if v := b.MapIndex(it.Key()); !v.IsValid() || !same(it.Value(), v) {
				return false
			}
		}
		return true
	case reflect.Interface:
		return reflect.DeepEqual(a.Interface(), b.Interface())
	}
	return a.Equal(b)
}

// random sets v to a value that a codec may confuse with another.
func random(r *rand.Rand, v reflect.Value) {
	if v.Type() == reflect.TypeFor[netip.Addr]() {
		v.Set(reflect.ValueOf([]netip.Addr{{}, netip.MustParseAddr("1.2.3.4"), netip.MustParseAddr("fe80::1%eth0")}[r.IntN(3)]))
		return
	}
	bits := []uint64{0, 1, 23, 24, 1 << 15, 1<<53 + 1, 1 << 63, math.MaxUint64, r.Uint64()}[r.IntN(9)]
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(bits&1 == 1)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(bits) >> (64 - v.Type().Bits()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(bits >> (64 - v.Type().Bits()))
	case reflect.Float32, reflect.Float64:
		v.SetFloat([]float64{0, math.Copysign(0, -1), 0.5, 0.1, math.Inf(-1), float64(math.Float32frombits(0x7fc00123)), float64(float32(r.NormFloat64()))}[r.IntN(7)])
	case reflect.String:
		v.SetString([]string{"", "a", "\xff\xfe", "null", "\x00", strings.Repeat("x", 300), "é"}[r.IntN(7)])
	case reflect.Slice:
		if n := r.IntN(4); n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n-1, n-1))
		}
		for i := range v.Len() {
			random(r, v.Index(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			random(r, v.Index(i))
		}
	case reflect.Map:
		n := r.IntN(4)
		if n > 0 {
			v.Set(reflect.MakeMap(v.Type()))
		}
		for range n - 1 {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			random(r, key)
			random(r, value)
			v.SetMapIndex(key, value)
		}
	case reflect.Pointer:
		if r.IntN(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			random(r, v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() || v.Type().Field(i).Anonymous {
				random(r, f)
			}
		}
	}
}

func carryMany[V any](t *testing.T) {
	t.Helper()
	c := must(Default[V]())
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		var v V
		random(r, reflect.ValueOf(&v).Elem())
		carry(t, c, v)
	}
}

func TestDefault(t *testing.T) {
	carryMany[string](t)
	carryMany[name](t)
	carryMany[[]byte](t)
	carryMany[blob](t)
	carryMany[[]letter](t)
	carryMany[bool](t)
	carryMany[flag](t)
	carryMany[small](t)
	carryMany[uint16](t)
	carryMany[int32](t)
	carryMany[float32](t)
	carryMany[float64](t)
	carryMany[int](t)
	carryMany[uint64](t)
	carryMany[time.Duration](t)
	carryMany[record](t)
	carryMany[*record](t)
	carryMany[[]record](t)
	carryMany[map[string]record](t)
	carryMany[map[uint32]float64](t)
	carryMany[packed](t)
	carryMany[[16]byte](t)
	carryMany[[0]int](t)
	carryMany[[]*int](t)
	carryMany[netip.Addr](t)
}

func TestDefault_Odd(t *testing.T) {
	for _, v := range [][]byte{nil, {}, {0}, {mark}, {mark, mark}, {mark, 0}, make([]byte, 2<<20)} {
		carry(t, must(Default[[]byte]()), v)
	}
	ints := must(Default[*big.Int]())
	for _, v := range []*big.Int{nil, {}, big.NewInt(-1), new(big.Int).Lsh(big.NewInt(-3), 64), new(big.Int).Lsh(big.NewInt(3), 200)} {
		data, _ := ints.Append(nil, v)
		got, err := ints.Decode(data)
		if err != nil || (got == nil) != (v == nil) || v != nil && got.Cmp(v) != 0 {
			t.Errorf("Decode gave %v, %v, want %v", got, err, v)
		}
	}
	carry(t, must(Default[[]int16]()), make([]int16, 200_000)) // more than the library's default limit
}

type event struct {
	At    time.Time
	Until *time.Time
	Log   []time.Time
	By    map[string]struct{ T [1]time.Time }
}

func TestTimes(t *testing.T) {
	c := must(Default[event]())
	zone := time.FixedZone("", -5400)
	at := time.Date(2024, 2, 29, 23, 59, 59, 123456789, zone)
	carry(t, c, event{})
	carry(t, c, event{At: at, Until: &at, Log: []time.Time{at, {}}, By: map[string]struct{ T [1]time.Time }{"x": {[1]time.Time{at}}}})
	carry(t, c, event{At: time.Now(), Log: []time.Time{time.Unix(0, 0), time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC)}})

	carry(t, must(Default[time.Time]()), at)

	mean := time.Date(1, 2, 3, 4, 5, 6, 0, time.FixedZone("LMT", 3208))
	for _, bad := range []event{
		{At: mean},
		{Until: &mean},
		{Until: new(time.Time)},
		{Log: []time.Time{mean}},
		{By: map[string]struct{ T [1]time.Time }{"x": {[1]time.Time{mean}}}},
		{At: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		if data, err := c.Append(nil, bad); err == nil {
			got, _ := c.Decode(data)
			t.Errorf("Append(%v) succeeded, and Decode gives %v", bad, got)
		}
	}
	if v, err := c.Append(nil, event{At: mean}); len(v) > 0 || !strings.Contains(err.Error(), "event.At") {
		t.Errorf("Append(local mean time) = %x, %v, want an error that names event.At", v, err)
	}
}

type (
	half    struct{ X int }
	whole   struct{ x int }
	list    struct{ Next *list }
	session struct {
		User  string
		token string
	}
	stamped struct {
		time.Time
		Note string
	}
	stampedPointer struct{ *whole }
	shadowed       struct {
		inner
		A string
	}
)

func (half) MarshalBinary() ([]byte, error)      { return nil, nil }
func (w whole) MarshalCBOR() ([]byte, error)     { return cbor.Marshal(w.x) }
func (w *whole) UnmarshalCBOR(data []byte) error { return cbor.Unmarshal(data, &w.x) }

func refused[V any](t *testing.T, path string) {
	t.Helper()
	c, err := Default[V]()
	if err == nil || !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Default[%s] = %v, %v, want an error that wraps ErrUnsupported", reflect.TypeFor[V](), c, err)
	} else if !strings.HasPrefix(err.Error(), "codec: "+path+": ") {
		t.Errorf("Default[%s] = %v, want it to name %q", reflect.TypeFor[V](), err, path)
	}
}

func TestDefault_Refuses(t *testing.T) {
	refused[session](t, "field session.token")
	refused[struct{ S []map[string]session }](t, "field struct { S []map[string]codec.session }.S[][].token")
	refused[any](t, "type interface {}")
	refused[error](t, "type error")
	refused[chan int](t, "type chan int")
	refused[func()](t, "type func()")
	refused[complex128](t, "type complex128")
	refused[map[string]any](t, "type map[string]interface {}[]")
	refused[map[*int]int](t, "type map[*int]int[key]")
	refused[map[time.Time]int](t, "type map[time.Time]int[key]")
	refused[**int](t, "type **int")
	refused[*[]int](t, "type *[]int")
	refused[list](t, "field list.Next")
	refused[half](t, "type half")
	refused[stamped](t, "field stamped.Time")
	refused[stampedPointer](t, "field stampedPointer.whole")
	refused[shadowed](t, "field shadowed.A")
	refused[cbor.Tag](t, "field Tag.Content")
	refused[[]cbor.RawMessage](t, "type []cbor.RawMessage[]")
	type tagged struct {
		Skip int `cbor:"-"`
	}
	refused[tagged](t, "field tagged.Skip")
	type json struct {
		Skip int `json:"-"`
	}
	refused[json](t, "field json.Skip")
	type empty struct {
		List []int `json:"list,omitempty"`
	}
	refused[empty](t, "field empty.List")
	type float struct {
		F float64 `json:",omitempty"`
	}
	refused[float](t, "field float.F")
	type twice struct {
		A int `cbor:"b"`
		B int `cbor:"b"`
	}
	refused[twice](t, "field twice.B")
	type same struct {
		A int `cbor:"1,keyasint"`
		B int `cbor:"01,keyasint"`
	}
	refused[same](t, "field same.B")
	type pointer struct{ *inner }
	refused[pointer](t, "field pointer.inner")
	type zero struct {
		Addr net `cbor:",omitzero"`
	}
	refused[zero](t, "field zero.Addr")
	type bad struct {
		A int `cbor:"x,keyasint"`
	}
	if _, err := Default[bad](); err == nil {
		t.Error("Default of a struct that the library refuses succeeded")
	}
}

type net struct{ A int }

func (net) IsZero() bool { return true }

func TestTrusted(t *testing.T) {
	carry(t, must(Default[[]whole]()), []whole{{1}, {2}})
	type stamp struct{ time.Time }
	carry(t, must(Default[stamp]()), stamp{time.Date(10000, 1, 1, 0, 0, 0, 1, time.UTC)})
}

func TestDecode_Malformed(t *testing.T) {
	for _, data := range []string{"", "\x02", "123", "\xff\xff", "\x1b\x00\x00", "123456789"} {
		if v, err := must(Default[bool]()).Decode([]byte(data)); err == nil {
			t.Errorf("bool: Decode(%q) = %v", data, v)
		}
		if v, err := must(Default[int64]()).Decode([]byte(data)); err == nil {
			t.Errorf("int64: Decode(%q) = %v", data, v)
		}
		if v, err := must(Default[int32]()).Decode([]byte(data)); err == nil {
			t.Errorf("int32: Decode(%q) = %v", data, v)
		}
		if v, err := must(Default[record]()).Decode([]byte(data)); err == nil {
			t.Errorf("record: Decode(%q) = %v", data, v)
		}
	}
}

func must[V any](c Codec[V], err error) Codec[V] {
	if err != nil {
		panic(err)
	}
	return c
}

func TestFormats(t *testing.T) {
	v := inner{A: 7, B: new("x")}
	carry(t, CBOR[inner](), v)
	carry(t, JSON[inner](), v)
	carry(t, Gob[inner](), v)
	carry(t, JSON[any](), any("x"))
	carry(t, CBOR[any](), any(uint64(1)))
	carry(t, CBOR[session](), session{User: "Ada"}) // without its token
	if data, err := CBOR[session]().Append(nil, session{"Ada", "token"}); err != nil || bytes.Contains(data, []byte("token")) {
		t.Errorf("CBOR of an unexported field = %q, %v, want it left out", data, err)
	}
}

// Errors say what failed and nothing about the value.
func TestErrors(t *testing.T) {
	secret := "secret"
	for name, c := range map[string]Codec[map[string]any]{"CBOR": CBOR[map[string]any](), "JSON": JSON[map[string]any](), "Gob": Gob[map[string]any]()} {
		_, err := c.Append([]byte("x"), map[string]any{secret: func() {}})
		var e *Error
		if !errors.As(err, &e) || e.Cause == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: Append of a function = %v", name, err)
		}
		_, err = c.Decode([]byte(`{"` + secret))
		if !errors.As(err, &e) || e.Cause == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: Decode of garbage = %v", name, err)
		}
	}
	if _, err := Gob[*int]().Append(nil, nil); err == nil {
		t.Error("Gob: Append of a nil pointer succeeded")
	}
	if _, err := Gob[*inner]().Append(nil, nil); err == nil {
		t.Error("Gob: Append of a nil pointer to a struct succeeded")
	}
}

func TestAllocs(t *testing.T) {
	dst := make([]byte, 0, 1000)
	for name, f := range map[string]func(){
		"int": cycle(t, dst, 7), "float32": cycle(t, dst, float32(7)), "bool": cycle(t, dst, true),
	} {
		if got := testing.AllocsPerRun(100, f); got > 0 {
			t.Errorf("%s: Append and Decode allocate %v times", name, got)
		}
	}
}

func cycle[V any](t *testing.T, dst []byte, v V) func() {
	c := must(Default[V]())
	return func() {
		data, err := c.Append(dst[:0], v)
		if _, err2 := c.Decode(data); err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
	}
}

func FuzzBytes(f *testing.F) {
	f.Add([]byte{mark}, "\xff")
	b, s := must(Default[[]byte]()), must(Default[string]())
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		carry(t, b, data)
		carry(t, s, text)
		if v, err := b.Decode(data); err == nil { // any bytes are some value
			carry(t, b, v)
		}
	})
}

func FuzzRecord(f *testing.F) {
	f.Add(uint64(1), []byte("\xa0"))
	c := must(Default[record]())
	f.Fuzz(func(t *testing.T, seed uint64, data []byte) {
		var v record
		random(rand.New(rand.NewPCG(seed, seed)), reflect.ValueOf(&v).Elem())
		carry(t, c, v)
		if v, err := c.Decode(data); err == nil {
			carry(t, c, v)
		}
	})
}

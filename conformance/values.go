package conformance

import (
	"bytes"
	"fmt"
	"math"
	"math/cmplx"
	"reflect"
	"strings"
	"sync"
	"time"
)

// valuesOf fills the missing fields of v by reflection.
func valuesOf[V any](v Values[V]) (Values[V], error) {
	t := reflect.TypeFor[V]()
	if v.Equal == nil {
		v.Equal = equal[V]
		if plain(t) {
			v.Equal = func(a, b V) bool { return any(a) == any(b) }
		}
	}
	if v.At == nil {
		v.At = func(i int) V {
			x := reflect.New(t).Elem()
			fill(x, i, "value-")
			out, _ := reflect.TypeAssert[V](x)
			return out
		}
		if v.Equal(v.At(1), v.At(2)) {
			return v, fmt.Errorf("conformance: cannot make different values of type %s: give Subject.Values.At", t)
		}
	} else if v.Equal(v.At(1), v.At(2)) {
		return v, fmt.Errorf("conformance: Subject.Values.At(1) and At(2) are equal")
	}
	if !v.Equal(v.At(1), v.At(1)) {
		return v, fmt.Errorf("conformance: Subject.Values.At(1) does not equal itself: give Subject.Values.Equal")
	}
	if v.Mutate == nil {
		v.Mutate = func(x *V) bool { return mutate(reflect.ValueOf(x).Elem(), true) }
	}
	if v.Odd == nil {
		v.Odd = func() []V {
			var out []V
			for _, x := range oddValues(t, 2) {
				y, _ := reflect.TypeAssert[V](x)
				out = append(out, y)
			}
			return out
		}
	}
	return v, nil
}

// plain reports whether == on t equals a deep comparison.
func plain(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Bool, reflect.String:
		return true
	case reflect.Array:
		return plain(t.Elem())
	case reflect.Struct:
		for f := range t.Fields() {
			if !plain(f.Type) || f.Name == "_" {
				return false
			}
		}
		return true
	}
	return t.Kind() >= reflect.Int && t.Kind() <= reflect.Uintptr
}

// equal reports whether a and b are deeply equal. Nil differs from empty, and NaN equals itself.
func equal[V any](a, b V) bool {
	switch x := any(a).(type) {
	case string:
		return x == any(b).(string)
	case int:
		return x == any(b).(int)
	case []byte:
		y := any(b).([]byte)
		return (x == nil) == (y == nil) && bytes.Equal(x, y)
	}
	return same(reflect.ValueOf(&a).Elem(), reflect.ValueOf(&b).Elem(), 0)
}

func same(a, b reflect.Value, depth int) bool {
	if a.IsValid() != b.IsValid() || !a.IsValid() {
		return a.IsValid() == b.IsValid()
	}
	if a.Type() != b.Type() {
		return false
	}
	if depth > 100 { // a cycle
		return true
	}
	switch a.Kind() {
	case reflect.Float32, reflect.Float64:
		x, y := a.Float(), b.Float()
		return x == y && math.Signbit(x) == math.Signbit(y) || math.IsNaN(x) && math.IsNaN(y)
	case reflect.Complex64, reflect.Complex128:
		x, y := a.Complex(), b.Complex()
		return x == y || cmplx.IsNaN(x) && cmplx.IsNaN(y)
	case reflect.Slice:
		if a.IsNil() != b.IsNil() || a.Len() != b.Len() {
			return false
		}
		fallthrough
	case reflect.Array:
		for i := range a.Len() {
			if !same(a.Index(i), b.Index(i), depth+1) {
				return false
			}
		}
		return true
	case reflect.Struct:
		if a.CanInterface() && b.CanInterface() {
			if x, ok := reflect.TypeAssert[time.Time](a); ok {
				y, _ := reflect.TypeAssert[time.Time](b)
				return sameTime(x, y)
			}
		}
		for i := range a.NumField() {
			if !same(a.Field(i), b.Field(i), depth+1) {
				return false
			}
		}
		return true
	case reflect.Map:
		if a.IsNil() != b.IsNil() || a.Len() != b.Len() {
			return false
		}
		for it := a.MapRange(); it.Next(); {
			if other := b.MapIndex(it.Key()); !other.IsValid() || !same(it.Value(), other, depth+1) {
				return false
			}
		}
		return true
	case reflect.Pointer:
		return a.Pointer() == b.Pointer() || !a.IsNil() && !b.IsNil() && same(a.Elem(), b.Elem(), depth+1)
	case reflect.Interface:
		return same(a.Elem(), b.Elem(), depth+1)
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
		return a.Pointer() == b.Pointer()
	}
	return a.Equal(b)
}

// sameTime reports whether two times are the same instant in zones of the same offset. Encodings do not keep the name
// of the zone and the reading of the monotonic clock, which have no meaning in another process.
func sameTime(a, b time.Time) bool {
	_, x := a.Zone()
	_, y := b.Zone()
	return a.Equal(b) && x == y
}

// mutate changes memory that v refers to. It does not change v itself if own is true, because v is then a copy.
func mutate(v reflect.Value, own bool) bool {
	switch v.Kind() {
	case reflect.Slice:
		return v.Len() > 0 && mutate(v.Index(0), false)
	case reflect.Pointer:
		return !v.IsNil() && mutate(v.Elem(), false)
	case reflect.Map:
		if v.Len() == 0 {
			return false
		}
		keys := v.MapKeys()
		v.SetMapIndex(keys[0], reflect.Value{})
		return true
	case reflect.Array:
		for i := range v.Len() {
			if mutate(v.Index(i), own) {
				return true
			}
		}
		return false
	case reflect.Struct:
		for _, field := range v.Fields() {
			if field.CanSet() && mutate(field, own) {
				return true
			}
		}
		return false
	case reflect.Interface:
		return !v.IsNil() && mutate(v.Elem(), true)
	}
	if own || !v.CanSet() {
		return false
	}
	before := reflect.New(v.Type()).Elem()
	before.Set(v)
	for i := range 2 {
		fill(v, i+7, "mutated-")
		if !same(before, v, 0) {
			return true
		}
	}
	return false
}

// oddValues returns values of t that caches often change: zero, empty and extreme values.
func oddValues(t reflect.Type, depth int) []reflect.Value {
	out := []reflect.Value{reflect.Zero(t)}
	add := func(vs ...any) {
		for _, v := range vs {
			out = append(out, reflect.ValueOf(v).Convert(t))
		}
	}
	switch t.Kind() {
	case reflect.String:
		for _, b := range oddBytes() {
			add(string(b))
		}
	case reflect.Bool:
		add(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		lo, hi := int64(math.MinInt64)>>(64-t.Bits()), int64(math.MaxInt64)>>(64-t.Bits())
		add(int64(-1), int64(1), lo, lo+1, hi, hi-1)
		if t.Bits() == 64 {
			add(int64(1)<<53+1, -(int64(1)<<53 + 1), int64(math.MaxInt32)+1)
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		hi := uint64(math.MaxUint64) >> (64 - t.Bits())
		add(uint64(1), hi, hi-1, hi>>1+1)
		if t.Bits() == 64 {
			add(uint64(1)<<53 + 1)
		}
	case reflect.Float32, reflect.Float64:
		add(math.Copysign(0, -1), 0.1, -1.5, math.Inf(1), math.Inf(-1), math.NaN())
		if t.Bits() == 64 {
			add(math.MaxFloat64, math.SmallestNonzeroFloat64, 1e16+2)
		}
	case reflect.Slice:
		out = append(out, reflect.MakeSlice(t, 0, 0), reflect.MakeSlice(t, 0, 8))
		if t.Elem().Kind() == reflect.Uint8 {
			for _, b := range oddBytes() {
				add(b)
			}
			return out
		}
		for _, e := range oddInner(t.Elem(), depth) {
			out = append(out, reflect.Append(reflect.MakeSlice(t, 0, 1), e))
		}
	case reflect.Array:
		for _, e := range oddInner(t.Elem(), depth) {
			if t.Len() > 0 {
				v := reflect.New(t).Elem()
				v.Index(t.Len() - 1).Set(e)
				out = append(out, v)
			}
		}
	case reflect.Map:
		out = append(out, reflect.MakeMap(t))
		for _, e := range oddInner(t.Elem(), depth) {
			v := reflect.MakeMap(t)
			v.SetMapIndex(reflect.Zero(t.Key()), e)
			out = append(out, v)
		}
	case reflect.Pointer:
		for _, e := range oddInner(t.Elem(), depth) {
			v := reflect.New(t.Elem())
			v.Elem().Set(e)
			out = append(out, v)
		}
	case reflect.Struct:
		if t == reflect.TypeFor[time.Time]() {
			add(time.Unix(0, 0).UTC(), time.Unix(0, 0).In(elsewhere), time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC))
			return out
		}
		for i := range t.NumField() {
			for _, e := range oddInner(t.Field(i).Type, depth) {
				if v := reflect.New(t).Elem(); v.Field(i).CanSet() {
					v.Field(i).Set(e)
					out = append(out, v)
				}
			}
		}
	case reflect.Interface:
		if t.NumMethod() > 0 {
			return out
		}
		var nilMap map[string]int
		for _, v := range []any{0, "", false, 1, int64(1), uint8(1), 1.0, "1", []byte(nil), []byte{}, nilMap, (*int)(nil), struct{}{}, [2]int{1, 2}, int64(1)<<53 + 1} {
			out = append(out, reflect.ValueOf(&v).Elem())
		}
	}
	return out
}

func oddInner(t reflect.Type, depth int) []reflect.Value {
	if depth == 0 {
		return nil
	}
	var out []reflect.Value
	for _, v := range oddValues(t, depth-1) {
		if (v.Kind() != reflect.String && v.Kind() != reflect.Slice) || v.Len() < 10_000 {
			out = append(out, v)
		}
	}
	return out
}

// oddBytes are contents that stores of text or with length limits often change.
func oddBytes() [][]byte {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	out := [][]byte{
		{},
		{0},
		{0, 0},
		[]byte("a\x00"), []byte("\x00a"), []byte(" "), []byte("a "), []byte("\r\n"), []byte("END\r\n"), []byte("null"), []byte("nil"), []byte("\"\""),
		{0xff},
		{0xc3, 0x28},
		[]byte("\uFEFF"), []byte("\uFFFD"), []byte("1"), []byte("0"), []byte("{}"),
		{0xf6},
		{0xf7},
		{0x40},
		{0x60},
		all,
	}
	for _, n := range []int{255, 256, 4095, 4096, 65535, 65536, 65537} {
		out = append(out, bytes.Repeat([]byte{'v'}, n))
	}
	return append(out, []byte(large()))
}

// large is a value that is made once.
var large = sync.OnceValue(func() string { return strings.Repeat("0123456789abcdef", 2<<20/16) })

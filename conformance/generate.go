package conformance

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// keysOf fills the missing fields of k by reflection.
func keysOf[K comparable](k Keys[K]) (Keys[K], error) {
	t := reflect.TypeFor[K]()
	if k.At == nil {
		if n := domain(t); n < 2 {
			return k, fmt.Errorf("conformance: cannot make keys of type %s: give Subject.Keys.At", t)
		} else if k.N == 0 {
			k.N = n
		}
		k.At = func(i int) K {
			v := reflect.New(t).Elem()
			fill(v, i, "key-")
			return v.Interface().(K)
		}
		if t.Kind() == reflect.Interface {
			k.At = func(i int) K { return asKey[K](anyAt(i)) }
		}
		if t.Kind() == reflect.Pointer {
			made := map[int]K{}
			inner := k.At
			k.At = func(i int) K {
				if _, ok := made[i]; !ok {
					made[i] = inner(i)
				}
				return made[i]
			}
		}
	}
	if k.N == 0 {
		k.N = 1 << 20
	}
	if k.N < 2 {
		return k, fmt.Errorf("conformance: Subject.Keys.N is %d: the suite needs at least 2 keys", k.N)
	}
	if k.Odd == nil {
		for _, v := range oddKeys(t) {
			k.Odd = append(k.Odd, asKey[K](v.Interface()))
		}
	}
	if k.Bad == nil {
		for _, v := range badKeys(t) {
			k.Bad = append(k.Bad, asKey[K](v.Interface()))
		}
	}
	seen := map[K]int{}
	for i := range min(k.N, 1000) {
		if j, ok := seen[k.At(i)]; ok {
			return k, fmt.Errorf("conformance: Subject.Keys.At(%d) and At(%d) are the same key", j, i)
		}
		seen[k.At(i)] = i
	}
	return k, nil
}

func asKey[K comparable](v any) K {
	k, _ := v.(K)
	return k
}

// anyAt returns keys of an interface type with several dynamic types.
func anyAt(i int) any {
	switch i % 4 {
	case 0:
		return "key-" + strconv.Itoa(i)
	case 1:
		return i
	case 2:
		return int64(i)
	default:
		return [2]string{"key", strconv.Itoa(i)}
	}
}

// domain returns the number of different values that fill makes for t, at most 1<<20.
func domain(t reflect.Type) int {
	const many = 1 << 20
	switch t.Kind() {
	case reflect.Bool:
		return 2
	case reflect.Int8, reflect.Uint8:
		return 1 << 8
	case reflect.Int16, reflect.Uint16:
		return 1 << 16
	case reflect.Float32:
		return 1 << 20
	case reflect.Array:
		if t.Len() == 0 {
			return 1
		}
		return domain(t.Elem())
	case reflect.Struct:
		if t == reflect.TypeFor[time.Time]() {
			return many
		}
		n := 1
		for f := range t.Fields() {
			if f.IsExported() {
				n = max(n, domain(f.Type))
			}
		}
		return n
	case reflect.Pointer:
		return many
	case reflect.Chan, reflect.Func, reflect.UnsafePointer:
		return 1
	case reflect.Interface:
		if t.NumMethod() > 0 {
			return 1
		}
	}
	return many
}

// fill sets v to the i'th value of its type. The same i gives the same value, in
// new memory.
func fill(v reflect.Value, i int, prefix string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(prefix + strconv.Itoa(i))
	case reflect.Bool:
		v.SetBool(i%2 == 1)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(i))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		v.SetUint(uint64(i))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(i) + 0.5)
	case reflect.Complex64, reflect.Complex128:
		v.SetComplex(complex(float64(i), 1))
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte(prefix + strconv.Itoa(i)))
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), i, prefix)
		fill(v.Index(1), i+1, prefix)
	case reflect.Array:
		for j := range v.Len() {
			fill(v.Index(j), i, prefix)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, elem := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, i, prefix)
		fill(elem, i, prefix)
		v.SetMapIndex(key, elem)
	case reflect.Pointer:
		if i > math.MaxInt32 {
			return // too deep: a recursive type
		}
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), i+1<<28, prefix)
	case reflect.Interface:
		if v.NumMethod() == 0 {
			v.Set(reflect.ValueOf(prefix + strconv.Itoa(i)))
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(int64(i), int64(i)).UTC()))
			return
		}
		for _, field := range v.Fields() {
			if field.CanSet() {
				fill(field, i, prefix)
			}
		}
	}
}

// oddKeys returns keys of t that are easily confused, all different.
func oddKeys(t reflect.Type) []reflect.Value {
	var out []reflect.Value
	add := func(vs ...any) {
		for _, v := range vs {
			out = append(out, reflect.ValueOf(v).Convert(t))
		}
	}
	switch t.Kind() {
	case reflect.String:
		for _, s := range oddStrings() {
			add(s)
		}
	case reflect.Bool:
		add(false, true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		bits := t.Bits()
		lo, hi := int64(math.MinInt64)>>(64-bits), int64(math.MaxInt64)>>(64-bits)
		add(int64(0), int64(1), int64(-1), lo, lo+1, hi, hi-1)
		for b := 8; b < bits; b *= 2 { // these are equal when cut to b bits or folded
			add(int64(1)<<b, int64(1)<<b+1, -(int64(1) << b), int64(1)<<(b-1))
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		bits := t.Bits()
		hi := uint64(math.MaxUint64) >> (64 - bits)
		add(uint64(0), uint64(1), hi, hi-1, hi>>1, hi>>1+1)
		for b := 8; b < bits; b *= 2 {
			add(uint64(1)<<b, uint64(1)<<b+1, uint64(1)<<b-2)
		}
	case reflect.Float32, reflect.Float64:
		add(0.0, 1.0, -1.0, 0.5, math.Inf(1), math.Inf(-1), 1e30, 1e-30)
		if t.Bits() == 64 {
			add(math.MaxFloat64, math.SmallestNonzeroFloat64, math.Nextafter(1, 2))
		}
	case reflect.Complex64, reflect.Complex128:
		add(complex(0, 0), complex(0, 1), complex(1, 0), complex(1, 1))
	case reflect.Interface:
		if t.NumMethod() > 0 {
			return nil
		}
		type named string
		type pair struct{ A, B string }
		out = append(out, reflect.Zero(t))
		for _, v := range []any{
			1, int8(1), int16(1), int32(1), int64(1), uint(1), uint8(1), uint16(1), uint32(1), uint64(1), uintptr(1),
			float32(1), 1.0, complex64(1), complex(1, 0), true, false, 0, "", "0", "1", "true", "nil", "<nil>", named("1"), named(""),
			[1]string{"1"},
			[2]string{"ab", "c"},
			[2]string{"a", "bc"},
			pair{"ab", "c"},
			pair{"a", "bc"},
			struct{}{},
			[0]int{},
			struct{ A, B string }{"ab", "c"},
			"int", "string", "1 ", "\x00", "\x00\x00",
			[1]any{1},
			[1]any{int64(1)},
			[1]any{nil},
			[1]any{"1"},
			time.Unix(0, 0).UTC(), time.Unix(0, 0).In(elsewhere), time.Duration(1),
		} {
			out = append(out, reflect.ValueOf(&v).Elem())
		}
	case reflect.Array:
		if t.Len() > 0 {
			out = oddParts(t, t.Len(), func(v reflect.Value, i int) reflect.Value { return v.Index(i) })
		}
	case reflect.Struct:
		if t == reflect.TypeFor[time.Time]() {
			add(time.Time{}, time.Unix(0, 0).UTC(), time.Unix(0, 0).In(elsewhere), time.Unix(0, 1).UTC())
			break
		}
		out = oddParts(t, t.NumField(), func(v reflect.Value, i int) reflect.Value { return v.Field(i) })
	}
	return distinct(out)
}

// oddParts varies each part of a composite key. It also splits strings over neighbouring parts so that their joined
// text is equal.
func oddParts(t reflect.Type, n int, part func(v reflect.Value, i int) reflect.Value) []reflect.Value {
	out := []reflect.Value{reflect.Zero(t)}
	make1 := func(set map[int]reflect.Value) {
		v := reflect.New(t).Elem()
		for i, x := range set {
			if !part(v, i).CanSet() {
				return
			}
			part(v, i).Set(x)
		}
		out = append(out, v)
	}
	zero := reflect.New(t).Elem()
	strs := []int{}
	for i := range n {
		pt := part(zero, i).Type()
		for j, odd := range oddKeys(pt) {
			if odd.Kind() == reflect.String && odd.Len() > 1000 || j >= 40 {
				continue
			}
			make1(map[int]reflect.Value{i: odd})
		}
		if pt.Kind() == reflect.String {
			strs = append(strs, i)
		}
	}
	for x := 1; x < len(strs); x++ {
		a, b := strs[x-1], strs[x]
		for _, s := range [][2]string{
			{"ab", "c"},
			{"a", "bc"},
			{"abc", ""},
			{"", "abc"},
			{"a ", "b"},
			{"a", " b"},
			{"a,b", "c"},
			{"a", "b,c"},
			{"a|b", "c"},
			{"a", "b|c"},
			{"a\x00", "b"},
			{"a", "\x00b"},
			{"a:b", "c"},
			{"a", "b:c"},
			{"1", "1a"},
			{"11", "a"},
			{"\x01a", ""},
			{"\"a", "b"},
			{"a", "\"b"},
			{"a} {", "b"},
			{"a", "} {b"},
		} {
			str := func(i int, s string) reflect.Value { return reflect.ValueOf(s).Convert(part(zero, i).Type()) }
			make1(map[int]reflect.Value{a: str(a, s[0]), b: str(b, s[1])})
		}
	}
	return out
}

// distinct removes values that equal an earlier value.
func distinct(vs []reflect.Value) []reflect.Value {
	seen := map[any]bool{}
	var out []reflect.Value
	for _, v := range vs {
		if v.Kind() == reflect.Interface && v.IsNil() {
			if !seen[nil] {
				seen[nil] = true
				out = append(out, v)
			}
			continue
		}
		if x := v.Interface(); !seen[x] {
			seen[x] = true
			out = append(out, v)
		}
	}
	return out
}

// oddStrings are strings that some cache has confused: collisions of common hashes, lookalikes, escapes, and lengths
// near the limits of caches and length fields.
func oddStrings() []string {
	odd := []string{
		"", " ", "  ", " a", "a ", "a", "A", "ab", "abc", "abd", "\x00", "\x00\x00", "a\x00", "a\x00b", "\x00a", "\t", "\n", "a\r\nb", "a\nb",
		"\xff", "\xfe", "\xff\xfe", "\xc3\x28", "\uFFFD", "\uFEFF", "\uFEFFa", "\u00e9", "e\u0301", "\U0001F600", "\u0130", "\u0131", "i", "I", "ß", "ss", "SS",
		"1", "01", "1.0", "+1", "-1", "1e0", "0x1", "0", "-0", "00", "true", "nil", "<nil>", "null", "NaN",
		"a/b", "a%2Fb", "a%252Fb", "a\\b", "a//b", "a/./b", "a/../b", "..", ".", "../a", "/a", "a/", "*", "a*", "?", "[a]", "{a}", "~", "$a", "%s", "%", "%00", "&amp;", "&",
		"'", "\"", "\\\"", "`", "';--", "a,b", "a:b", "a|b", "a=b", "a b", "a+b", "a%20b", "key", "Key", "KEY", "key ", "keys", "ke", "http://a/?b=c#d", "http://a/?b=c",
		// FNV-1a, 64 and 32 bits; CRC-32; Java's String.hashCode; DJB2.
		"8yn0iYCKYHlIj4-BwPqk", "GReLUrM4wMqfg9yzV3KQ", "costarring", "liquid", "declinate", "macallums", "altarage", "zinke", "plumless", "buckeroo",
		"Aa", "BB", "AaAa", "BBBB", "AaBB", "BBAa", "hetairas", "mentioner", "heliotropes", "neurospora", "\xd5\x6b\xb9\x53\x42\x87\x08\x36",
		// The halves and the fold of FNV-1a's 64 bits, FNV-1, CRC-32C and CRC-32K, Adler-32, Murmur3, xxHash32, DJB2,
		// DJB2a, sdbm, and Jenkins' one-at-a-time: pairs found by search.
		"ElxquFda", "ncblukDm", "uCrDapej", "waBzqwsD", "uEeldyoj", "ptgfwkim", "urgcfufg", "uedDnnvi", "ClhddkCm", "ecwjjsFF", "etnnfuiw", "hxpelFEp",
		"vlvrsrkl", "wvazwqgo", "swwkjtnE", "qaukjrjB", "moyBjvvh", "CEtozomC", "kuqmBCAc", "aDmigjri", "wFokAuor", "yornFkAz", "zfwemibc", "bxybazed",
		"otjvhrec", "DDFqtcve",
		// Sums and exclusive ors of bytes.
		"ba", "acb", "cab", "aab", "b",
		// Blanks run together, marks that names may not have, what stands for the empty name, and what a compatible or
		// a printed form drops.
		"a  b", "a\tb", "a\u00a0b", "a.b", "a-b", "a_b", "a;b", "default", "_", "empty", "root", "\ufb01", "fi", "\uff21", "\u2460", "a\u200b", "\u00ada",
	}
	odd = append(odd, md5Pair()...)
	for _, n := range []int{127, 128, 249, 250, 251, 255, 256, 1023, 1024, 4096, 65517, 65518, 65519, 65534, 65535, 65536, 65537, 65543, 131072, 1 << 20} {
		long := strings.Repeat("k", n-1)
		odd = append(odd, long+"a", long+"b") // differ in the last byte
		if n <= 65536 {
			odd = append(odd, "a"+long) // and in the first
		}
		if n == 1024 || n == 65537 {
			odd = append(odd, long[:n/2]+"a"+long[n/2:], long[:n/2]+"b"+long[n/2:], long[:n/3]+"a"+long[n/3:]) // and in the middle
		}
	}
	return odd
}

// md5Pair returns two strings with equal MD5 (Wang, Feng, Lai, Yu: Collisions for Hash Functions MD4, MD5, HAVAL-128
// and RIPEMD, 2004). Some caches shorten long keys by MD5.
func md5Pair() []string {
	const hexed = "d131dd02c5e6eec4693d9a0698aff95c2fcab58712467eab4004583eb8fb7f8955ad340609f4b30283e488832571415a085125e8f7cdc99fd91dbdf280373c5b" +
		"d8823e3156348f5bae6dacd436c919c6dd53e2b487da03fd02396306d248cda0e99f33420f577ee8ce54b67080a80d1ec69821bcb6a8839396f9652b6ff72a70"
	a, err := hex.DecodeString(hexed)
	if err != nil {
		return nil
	}
	b := bytes.Clone(a)
	for _, i := range []int{19, 45, 59, 83, 109, 123} {
		b[i] ^= 0x80
	}
	return []string{string(a), string(b)}
}

// elsewhere is a zone other than UTC: the same instant is a different time.Time there.
var elsewhere = time.FixedZone("", 3600)

// badKeys returns values of t that cannot be keys.
func badKeys(t reflect.Type) []reflect.Value {
	var out []reflect.Value
	switch t.Kind() {
	case reflect.Float32, reflect.Float64:
		out = append(out, reflect.ValueOf(math.NaN()).Convert(t))
	case reflect.Complex64, reflect.Complex128:
		out = append(out, reflect.ValueOf(complex(math.NaN(), 0)).Convert(t), reflect.ValueOf(complex(0, math.NaN())).Convert(t))
	case reflect.Interface:
		if t.NumMethod() > 0 {
			return nil
		}
		for _, v := range []any{
			[]int{1},
			[]byte("a"),
			map[string]int{},
			func() {}, math.NaN(), float32(math.NaN()),
			[1]any{[]int{1}},
			struct{ X any }{map[int]int{}},
			[1]float64{math.NaN()},
			struct{ F func() }{},
		} {
			out = append(out, reflect.ValueOf(&v).Elem())
		}
	case reflect.Array:
		if t.Len() > 0 {
			for _, bad := range badKeys(t.Elem()) {
				v := reflect.New(t).Elem()
				v.Index(t.Len() - 1).Set(bad)
				out = append(out, v)
			}
		}
	case reflect.Struct:
		for i := range t.NumField() {
			for _, bad := range badKeys(t.Field(i).Type) {
				if v := reflect.New(t).Elem(); v.Field(i).CanSet() {
					v.Field(i).Set(bad)
					out = append(out, v)
				}
			}
		}
	}
	return out
}

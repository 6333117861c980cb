package ristcore

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"unsafe"

	"github.com/cachepact/cachepact/adapters/internal/spread"
)

type (
	named string
	small int8
)

// blank has a field that == ignores.
type blank struct {
	a any
	_ int
	f float64
}

// Multiples of any power of two are spread over the stripes and over the bits of a word.
func TestSpread(t *testing.T) {
	const n = 1 << 12
	for shift := range 64 - 12 {
		var stripes [1 << stripeBits]int
		bits := map[uint64]bool{}
		for i := range uint64(n) {
			stripes[spread.Of(i<<shift)>>(64-stripeBits)]++
			_, bit := new(marks).of(i << shift)
			bits[bit] = true
		}
		if most := slices.Max(stripes[:]); most > 2*n/len(stripes) {
			t.Errorf("of %d multiples of 1<<%d one stripe gets %d", n, shift, most)
		}
		if shift+markBits+6 <= 64 && len(bits) != 64 { // otherwise they select words
			t.Errorf("%d multiples of 1<<%d have %d of 64 bits", n, shift, len(bits))
		}
	}
}

// The structs fill whole cache lines, as their comments say.
func TestLines(t *testing.T) {
	if math.MaxInt == math.MaxInt32 {
		t.Skip("the structs are laid out for 64 bits")
	}
	var g generation[string, int]
	for name, at := range map[string]uintptr{
		"offset of marks":  unsafe.Offsetof(g.marks),
		"offset of stripe": unsafe.Offsetof(g.stripe),
		"size of a stripe": unsafe.Sizeof(g.stripe[0]),
	} {
		if at%64 != 0 {
			t.Errorf("%s is %d, want a multiple of 64", name, at)
		}
	}
}

// Different integers have different hashes, negative ones too.
func TestIntegerHash(t *testing.T) {
	seen := map[uint64]bool{}
	hash := hasher[small]()
	for i := math.MinInt8; i <= math.MaxInt8; i++ {
		seen[hash(small(i))] = true
	}
	if len(seen) != 256 {
		t.Errorf("256 keys have %d hashes", len(seen))
	}
	if a, b, c := hasher[uint32]()(7), hasher[int]()(7), hasher[uint16]()(7); a != 7 || b != 7 || c != 7 {
		t.Errorf("the hashes of 7 are %d, %d and %d", a, b, c)
	}
}

// Equal keys have the same hash. Keys of different types or contents have different hashes.
func TestHasher(t *testing.T) {
	hash := hasher[any]()
	x, y := 1, 1
	keys := []any{
		nil, false, true, 0, 1, int8(1), int16(1), int32(1), int64(1),
		uint(1), uint8(1), uint16(1), uint32(1), uint64(1), uintptr(1),
		"", "1", "\x00", "\x01\x00\x00\x00\x00\x00\x00\x00", named("1"), named(""),
		1.0, float32(1), 0.0, complex64(1), complex(1, 0), complex(0, 1), &x, &y, make(chan int),
		[1]any{1},
		[1]any{"1"},
		[1]any{int64(1)},
		[1]any{nil},
		[2]string{"a", "bc"},
		[2]string{"ab", "c"},
		blank{a: 1},
		blank{a: uint(1)},
		struct{}{},
	}
	seen := map[uint64]any{}
	for _, k := range keys {
		if other, ok := seen[hash(k)]; ok {
			t.Errorf("%T(%v) and %T(%v) have the same hash", k, k, other, other)
		}
		seen[hash(k)] = k
	}
	for _, pair := range [][2]any{
		{math.Copysign(0, -1), 0.0},
		{blank{a: 1, f: math.Copysign(0, -1)}, blank{a: 1}},
		{complex(math.Copysign(0, -1), 0), complex(0, 0)},
		{fmt.Sprint(12), "12"},
		{[1]any{fmt.Sprint(12)}, [1]any{"12"}},
		{named(fmt.Sprint(12)), named("12")},
	} {
		if pair[0] != pair[1] || hash(pair[0]) != hash(pair[1]) {
			t.Errorf("%T(%v) and %v are equal but have different hashes", pair[0], pair[0], pair[1])
		}
	}
}

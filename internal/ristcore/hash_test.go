package ristcore

import (
	"fmt"
	"math"
	"testing"
)

type named string

// blank has a field that == does not look at.
type blank struct {
	a any
	_ int
	f float64
}

// Equal keys have one hash, and keys of different types or contents do not.
func TestHasher(t *testing.T) {
	hash := hasher[any]()
	x, y := 1, 1
	keys := []any{
		nil, false, true, 0, 1, int8(1), int16(1), int32(1), int64(1), uint(1), uint8(1), uint16(1), uint32(1), uint64(1), uintptr(1),
		"", "1", "\x00", "\x01\x00\x00\x00\x00\x00\x00\x00", named("1"), named(""), 1.0, float32(1), 0.0, complex64(1), complex(1, 0), complex(0, 1), &x, &y, make(chan int),
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
			t.Errorf("%T(%v) and %T(%v) have one hash", k, k, other, other)
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
			t.Errorf("%T(%v) and %v are equal, and have two hashes", pair[0], pair[0], pair[1])
		}
	}
}

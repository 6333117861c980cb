package backend_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/cachepact/cachepact/backend"
)

type point struct {
	X, Y float64
	Name string
}

type boxed struct {
	ID  int
	Any any
}

// A keyCase is a key of any type with the answers of the checker that looked at
// the type and of the zero one.
type keyCase struct {
	name       string
	made, zero error
	ok         bool
}

func named[K comparable](name string, key K, ok bool) keyCase {
	return keyCase{name, backend.NewKeyChecker[K]().Check(key), backend.KeyChecker[K]{}.Check(key), ok}
}

func TestKeyChecker(t *testing.T) {
	nan := math.NaN()
	tests := []keyCase{
		named("empty string", "", true),
		named("int", 0, true),
		named("nil pointer", (*int)(nil), true),
		named("channel", make(chan int), true),
		named("array", [2]string{"a", "b"}, true),
		named("struct of plain fields", struct {
			A int
			B [2]string
		}{1, [2]string{"a", "b"}}, true),
		named("float", 1.5, true),
		named("negative zero", math.Copysign(0, -1), true),
		named("infinity", math.Inf(1), true),
		named("NaN", nan, false),
		named("float32 NaN", float32(nan), false),
		named("complex with NaN", complex(0, nan), false),
		named("complex64 with NaN", complex64(complex(nan, 0)), false),
		named("struct without NaN", point{1, 2, "p"}, true),
		named("struct with NaN", point{1, nan, "p"}, false),
		named("array with NaN", [2]float64{0, nan}, false),
		named("nested NaN", [1]struct{ P point }{{point{X: nan}}}, false),
		named[any]("nil interface", nil, true),
		named[any]("interface holding int", 1, true),
		named[any]("interface holding NaN", nan, false),
		named[any]("interface holding slice", []int{1}, false),
		named[any]("interface holding map", map[string]int{}, false),
		named[any]("interface holding func", func() {}, false),
		named[any]("interface holding nil slice", []int(nil), false),
		named[any]("interface holding struct holding slice", boxed{Any: []int{1}}, false),
		named("field holding string", boxed{1, "x"}, true),
		named("field holding slice", boxed{1, []int{1}}, false),
		named[error]("non-empty interface", errBad, true),
	}
	for _, tt := range tests {
		for which, err := range map[string]error{"NewKeyChecker": tt.made, "zero KeyChecker": tt.zero} {
			switch {
			case tt.ok && err != nil:
				t.Errorf("%s: %s.Check = %v, want nil", tt.name, which, err)
			case !tt.ok && !errors.Is(err, backend.ErrKey):
				t.Errorf("%s: %s.Check = %v, want an error that wraps ErrKey", tt.name, which, err)
			}
		}
	}
}

func TestKeyCheckerHidesTheKey(t *testing.T) {
	c := named[any]("", boxed{4711, []string{"secret"}}, false)
	for _, err := range []error{c.made, c.zero} {
		if err == nil {
			t.Fatal("Check of an uncomparable key = nil")
		}
		for _, leak := range []string{"secret", "4711"} {
			if strings.Contains(err.Error(), leak) {
				t.Errorf("the error %q contains the key", err)
			}
		}
	}
}

func TestKeyCheckerAllocates(t *testing.T) {
	ints, floats := backend.NewKeyChecker[int](), backend.NewKeyChecker[float64]()
	if n := testing.AllocsPerRun(100, func() { _ = ints.Check(1); _ = floats.Check(1) }); n != 0 {
		t.Errorf("Check of a good key allocates %v times, want 0", n)
	}
}

package conformance_test

import (
	"cmp"
	"testing"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/backend/memory"
	"github.com/cachepact/cachepact/conformance"
)

type point struct {
	Name string
	X, Y int
}

func newMemory[K comparable, V any](o conformance.Options) (backend.Backend[K, V], error) {
	return memory.New[K, V](memory.Options{Capacity: o.Capacity})
}

func TestReference(t *testing.T) {
	t.Run("string-string", func(t *testing.T) {
		conformance.Run(t, conformance.Subject[string, string]{New: newMemory[string, string]})
	})
	t.Run("string-bytes", func(t *testing.T) {
		conformance.Run(t, conformance.Subject[string, []byte]{New: newMemory[string, []byte]})
	})
	t.Run("uint64-struct", func(t *testing.T) {
		conformance.Run(t, conformance.Subject[uint64, point]{New: newMemory[uint64, point]})
	})
	t.Run("struct-any", func(t *testing.T) {
		conformance.Run(t, conformance.Subject[point, any]{New: newMemory[point, any]})
	})
	t.Run("any-bool", func(t *testing.T) {
		conformance.Run(t, conformance.Subject[any, bool]{New: newMemory[any, bool]})
	})
	t.Run("float-pointer", func(t *testing.T) {
		conformance.Run(t, conformance.Subject[float64, *point]{New: newMemory[float64, *point]})
	})
	t.Run("bool-map", func(t *testing.T) {
		conformance.Run(t, conformance.Subject[bool, map[string]int]{New: newMemory[bool, map[string]int]})
	})
	t.Run("no-optional-interface", func(t *testing.T) {
		conformance.Run(t, conformance.Subject[string, string]{
			Traits: backend.Traits{Values: backend.ByReference},
			New: func(o conformance.Options) (backend.Backend[string, string], error) {
				b, err := memory.New[string, string](memory.Options{Capacity: cmp.Or(o.Capacity, 1e6)})
				return struct {
					backend.Backend[string, string]
				}{b}, err
			},
		})
	})
	t.Run("pointer-int8", func(t *testing.T) {
		conformance.Run(t, conformance.Subject[*int, int8]{New: newMemory[*int, int8]})
	})
}

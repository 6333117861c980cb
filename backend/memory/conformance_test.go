package memory_test

import (
	"testing"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/backend/memory"
	"github.com/cachepact/cachepact/conformance"
)

func TestConformance(t *testing.T) {
	t.Run("string", func(t *testing.T) { conformance.Run(t, subject[string, []byte]()) })
	t.Run("uint64", func(t *testing.T) { conformance.Run(t, subject[uint64, string]()) })
	t.Run("any", func(t *testing.T) { conformance.Run(t, subject[any, any]()) })
}

func subject[K comparable, V any]() conformance.Subject[K, V] {
	return conformance.Subject[K, V]{New: func(o conformance.Options) (backend.Backend[K, V], error) {
		return memory.New[K, V](memory.Options{Capacity: o.Capacity})
	}}
}

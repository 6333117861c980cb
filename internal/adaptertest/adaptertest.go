// Package adaptertest runs the conformance suite over the key and value types
// that every adapter is tested with.
package adaptertest

import (
	"testing"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

// A Key is a struct key whose fields run into each other in a careless encoding.
type Key struct {
	Tenant, Name string
	ID           int32
}

// A Value is a struct value.
type Value struct {
	Name  string
	Count int64
	Tags  []string
}

// Open makes a backend for one check.
type Open[K comparable, V any] = func(conformance.Options) (backend.Backend[K, V], error)

// Run tests an adapter with keys of type K and each of the value types. An
// adapter calls it for K = string, uint64, [Key] and any.
func Run[K comparable](t *testing.T, text Open[K, string], bytes Open[K, []byte], value Open[K, Value]) {
	t.Helper()
	t.Run("string", func(t *testing.T) { conformance.Run(t, conformance.Subject[K, string]{New: text}) })
	t.Run("bytes", func(t *testing.T) { conformance.Run(t, conformance.Subject[K, []byte]{New: bytes}) })
	t.Run("struct", func(t *testing.T) { conformance.Run(t, conformance.Subject[K, Value]{New: value}) })
}

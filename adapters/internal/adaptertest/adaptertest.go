// Package adaptertest runs the conformance suite over the key and value types
// that every adapter is tested with.
package adaptertest

import (
	"go/build"
	"os"
	"slices"
	"strings"
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

// The suite for one pair of types is as much code as the suite, so that it is
// compiled here, for all adapters, and not in the tests of each: the functions
// below are neither generic nor inlined.

// Strings tests an adapter with keys of type string and each of the value types.
//
//go:noinline
func Strings(t *testing.T, text Open[string, string], bytes Open[string, []byte], value Open[string, Value]) {
	suite(t, text, bytes, value)
}

// Uint64s tests an adapter with keys of type uint64 and each of the value types.
//
//go:noinline
func Uint64s(t *testing.T, text Open[uint64, string], bytes Open[uint64, []byte], value Open[uint64, Value]) {
	suite(t, text, bytes, value)
}

// Structs tests an adapter with keys of type [Key] and each of the value types.
//
//go:noinline
func Structs(t *testing.T, text Open[Key, string], bytes Open[Key, []byte], value Open[Key, Value]) {
	suite(t, text, bytes, value)
}

// Anys tests an adapter with keys of type any and each of the value types.
//
//go:noinline
func Anys(t *testing.T, text Open[any, string], bytes Open[any, []byte], value Open[any, Value]) {
	suite(t, text, bytes, value)
}

// Numbers tests an adapter with values that hold no pointer.
//
//go:noinline
func Numbers(t *testing.T, open Open[string, int]) {
	conformance.Run(t, conformance.Subject[string, int]{New: open, Module: library(t)})
}

// Deviating tests a variant of an adapter, one that does not keep a rule.
//
//go:noinline
func Deviating(t *testing.T, variant string, open Open[string, int], known ...conformance.Deviation) {
	conformance.Run(t, conformance.Subject[string, int]{New: open, Variant: variant, Module: library(t), Known: known})
}

func suite[K comparable](t *testing.T, text Open[K, string], bytes Open[K, []byte], value Open[K, Value]) {
	module := library(t)
	t.Run("string", func(t *testing.T) { conformance.Run(t, conformance.Subject[K, string]{New: text, Module: module}) })
	t.Run("bytes", func(t *testing.T) { conformance.Run(t, conformance.Subject[K, []byte]{New: bytes, Module: module}) })
	t.Run("struct", func(t *testing.T) { conformance.Run(t, conformance.Subject[K, Value]{New: value, Module: module}) })
}

// library returns the cache library that the package under test is an adapter of,
// as path@version: the module it imports whose path has the package's name in it,
// as golanglru is in golang-lru and ristretto2 in ristretto. Tests run in the
// directory of their package.
func library(t *testing.T) string {
	t.Helper()
	pkg, err := build.ImportDir(".", 0)
	if err != nil {
		t.Fatalf("adaptertest: %v", err)
	}
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatalf("adaptertest: %v", err)
	}
	name := strings.TrimRight(pkg.Name, "0123456789")
	var path, version string // of the longest path: one may be within another
	for line := range strings.Lines(string(mod)) {
		f := strings.Fields(line)
		if len(f) < 2 || !strings.HasPrefix(f[1], "v") || len(f[0]) <= len(path) || !strings.Contains(strings.ReplaceAll(f[0], "-", ""), name) {
			continue
		}
		if slices.ContainsFunc(pkg.Imports, func(imported string) bool { return imported == f[0] || strings.HasPrefix(imported, f[0]+"/") }) {
			path, version = f[0], f[1]
		}
	}
	if path == "" {
		t.Fatalf("adaptertest: the package imports no module called like %s that go.mod requires", name)
	}
	return path + "@" + version
}

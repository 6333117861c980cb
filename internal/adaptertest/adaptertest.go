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

// Run tests an adapter with keys of type K and each of the value types. An
// adapter calls it for K = string, uint64, [Key] and any.
func Run[K comparable](t *testing.T, text Open[K, string], bytes Open[K, []byte], value Open[K, Value]) {
	t.Helper()
	module := library(t)
	t.Run("string", func(t *testing.T) { conformance.Run(t, conformance.Subject[K, string]{New: text, Module: module}) })
	t.Run("bytes", func(t *testing.T) { conformance.Run(t, conformance.Subject[K, []byte]{New: bytes, Module: module}) })
	t.Run("struct", func(t *testing.T) { conformance.Run(t, conformance.Subject[K, Value]{New: value, Module: module}) })
}

// library returns the cache library that the package under test is an adapter
// of, as path@version: the module it imports from elsewhere. Tests run in the
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
	var path, version string // of the longest path: one may be within another
	for line := range strings.Lines(string(mod)) {
		f := strings.Fields(line)
		if len(f) < 2 || !strings.HasPrefix(f[1], "v") || len(f[0]) <= len(path) {
			continue
		}
		if slices.ContainsFunc(pkg.Imports, func(imported string) bool { return imported == f[0] || strings.HasPrefix(imported, f[0]+"/") }) {
			path, version = f[0], f[1]
		}
	}
	if path != "" {
		return path + "@" + version
	}
	t.Fatal("adaptertest: the package imports no module that go.mod requires")
	return ""
}

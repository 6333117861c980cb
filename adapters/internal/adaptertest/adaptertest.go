// Package adaptertest has the tests that every adapter passes: the conformance suite with four pairs of key and value
// types, and a load test.
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

// A Key is a struct key. An encoding that only joins the fields would confuse different keys.
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

// Run runs the conformance suite with four pairs of types, and then the load test. An adapter passes its generic
// constructor once for each parameter, and Go infers the types:
//
//	adaptertest.Run(t, open, open, open, open)
//
// Adapters choose code by the type of the key and by the type of the value, but never by both. The four pairs have
// each kind of key and each kind of value once, so the twelve other pairs run no other code:
//
//   - string keys, whose bytes are used directly; []byte values, which are copied and can be nil or empty
//   - uint64 keys, which are encoded in eight bytes or hashed directly; int values, which hold no pointer
//   - struct keys, which are encoded field by field or hashed by reflection; struct values, which need a codec
//   - interface keys, which can be invalid or nil; string values, which are copied without a codec
//
// With -short only the first two pairs run.
//
// The suite is compiled once for each pair of types. Run is neither generic nor inlined, so that this happens in this
// package and not again in the tests of each adapter.
//
//go:noinline
func Run(
	t *testing.T, bytes Open[string, []byte], numbers Open[uint64, int], structs Open[Key, Value], anys Open[any, string],
) {
	module := library(t)
	t.Run("string-bytes", func(t *testing.T) { suite(t, module, bytes) })
	t.Run("uint64-int", func(t *testing.T) { suite(t, module, numbers) })
	t.Run("load", func(t *testing.T) { underLoad(t, numbers) })
	if testing.Short() {
		return
	}
	t.Run("struct-struct", func(t *testing.T) { suite(t, module, structs) })
	t.Run("any-string", func(t *testing.T) { suite(t, module, anys) })
}

func suite[K comparable, V any](t *testing.T, module string, open Open[K, V]) {
	conformance.Run(t, conformance.Subject[K, V]{New: open, Module: module})
}

// Deviating tests a variant of an adapter that is known to break a rule.
//
//go:noinline
func Deviating(t *testing.T, variant string, open Open[uint64, int], known ...conformance.Deviation) {
	conformance.Run(t, conformance.Subject[uint64, int]{New: open, Variant: variant, Module: library(t), Known: known})
}

// library returns the module of the cache library of the package under test, as path@version. If the package imports
// several modules, the library is the one whose path contains the package's name: freecache also imports xxhash. Tests
// run in the directory of their package.
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
	var path, version string
	var named bool // path contains name
	for line := range strings.Lines(string(mod)) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		inModule := func(pkg string) bool { return pkg == f[0] || strings.HasPrefix(pkg, f[0]+"/") }
		if !slices.ContainsFunc(pkg.Imports, inModule) {
			continue
		}
		n := strings.Contains(strings.ReplaceAll(f[0], "-", ""), name)
		// Of two paths the longer is right: ristretto/v2 also begins with the path of ristretto.
		if n && !named || n == named && len(f[0]) > len(path) {
			path, version, named = f[0], f[1], n
		}
	}
	if path == "" {
		t.Fatalf("adaptertest: package %s: imports no module that go.mod requires", pkg.Name)
	}
	return path + "@" + version
}

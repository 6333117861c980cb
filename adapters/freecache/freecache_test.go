package freecache_test

import (
	"testing"

	"github.com/cachepact/cachepact/adapters/freecache"
	"github.com/cachepact/cachepact/adapters/internal/adaptertest"
	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

func TestString(t *testing.T) {
	adaptertest.Strings(t, openAny[string, string], openAny[string, []byte], openAny[string, adaptertest.Value])
}

func TestUint64(t *testing.T) {
	adaptertest.Uint64s(t, openAny[uint64, string], openAny[uint64, []byte], openAny[uint64, adaptertest.Value])
}

func TestStruct(t *testing.T) {
	adaptertest.Structs(t, openAny[adaptertest.Key, string], openAny[adaptertest.Key, []byte], openAny[adaptertest.Key, adaptertest.Value])
}

func TestAny(t *testing.T) {
	adaptertest.Anys(t, openAny[any, string], openAny[any, []byte], openAny[any, adaptertest.Value])
}

func TestLossless(t *testing.T) { adaptertest.Lossless(t, openAny[int, int64]) }

func openAny[K comparable, V any](conformance.Options) (backend.Backend[K, V], error) {
	return freecache.New[K](16<<20, freecache.Options[V]{})
}

package gocache_test

import (
	"testing"

	"github.com/cachepact/cachepact/adapters/gocache"
	"github.com/cachepact/cachepact/adapters/internal/adaptertest"
	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

func TestString(t *testing.T) {
	adaptertest.Strings(t, open[string, string], open[string, []byte], open[string, adaptertest.Value])
}

func TestUint64(t *testing.T) {
	adaptertest.Uint64s(t, open[uint64, string], open[uint64, []byte], open[uint64, adaptertest.Value])
}

func TestStruct(t *testing.T) {
	adaptertest.Structs(t, open[adaptertest.Key, string], open[adaptertest.Key, []byte], open[adaptertest.Key, adaptertest.Value])
}

func TestAny(t *testing.T) {
	adaptertest.Anys(t, open[any, string], open[any, []byte], open[any, adaptertest.Value])
}

func TestLossless(t *testing.T) { adaptertest.Lossless(t, open[int, int64]) }

func open[K comparable, V any](conformance.Options) (backend.Backend[K, V], error) {
	return gocache.New[K, V]()
}

package freecache_test

import (
	"testing"

	"github.com/cachepact/cachepact/adapters/freecache"
	"github.com/cachepact/cachepact/adapters/internal/adaptertest"
	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

func TestConformance(t *testing.T) { adaptertest.Run(t, openAny, openAny, openAny, openAny) }

func openAny[K comparable, V any](conformance.Options) (backend.Backend[K, V], error) {
	return freecache.New[K](16<<20, freecache.Options[V]{})
}

package bigcache_test

import (
	"testing"

	"github.com/cachepact/cachepact/adapters/bigcache"
	"github.com/cachepact/cachepact/adapters/internal/adaptertest"
	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

func TestConformance(t *testing.T) { adaptertest.Run(t, open, open, open, open) }

func open[K comparable, V any](conformance.Options) (backend.Backend[K, V], error) {
	config := bigcache.NewConfig(64)
	config.Shards = 4 // large enough for the largest values
	return bigcache.New[K](config, bigcache.Options[V]{})
}

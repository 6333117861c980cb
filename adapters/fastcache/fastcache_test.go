package fastcache_test

import (
	"testing"

	"github.com/cachepact/cachepact/adapters/fastcache"
	"github.com/cachepact/cachepact/adapters/internal/adaptertest"
	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

func TestConformance(t *testing.T) { adaptertest.Run(t, openAny, openAny, openAny, openAny) }

// What LooseSize costs is that Size is not right, and nothing else.
func TestLooseSize(t *testing.T) {
	adaptertest.Deviating(t, "LooseSize", openLoose, conformance.Deviation{
		Check: "stats/size", Why: "with Options.LooseSize it counts what the library counts: also what has expired or been evicted",
	})
}

func openLoose[K comparable, V any](conformance.Options) (backend.Backend[K, V], error) {
	return fastcache.New[K](fastcache.MinBytes, fastcache.Options[V]{LooseSize: true})
}

func openAny[K comparable, V any](conformance.Options) (backend.Backend[K, V], error) {
	return fastcache.New[K](fastcache.MinBytes, fastcache.Options[V]{})
}

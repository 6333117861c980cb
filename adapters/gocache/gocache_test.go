package gocache_test

import (
	"testing"

	"github.com/cachepact/cachepact/adapters/gocache"
	"github.com/cachepact/cachepact/adapters/internal/adaptertest"
	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

func TestConformance(t *testing.T) { adaptertest.Run(t, open, open, open, open) }

func open[K comparable, V any](conformance.Options) (backend.Backend[K, V], error) {
	return gocache.New[K, V]()
}

package otter_test

import (
	"testing"

	"github.com/cachepact/cachepact/adapters/internal/adaptertest"
	"github.com/cachepact/cachepact/adapters/otter"
	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

func TestConformance(t *testing.T) { adaptertest.Run(t, open, open, open, open) }

func open[K comparable, V any](o conformance.Options) (backend.Backend[K, V], error) {
	return otter.New(otter.NewOptions[K, V](o.Capacity))
}

package theine_test

import (
	"cmp"
	"testing"

	"github.com/cachepact/cachepact/adapters/internal/adaptertest"
	"github.com/cachepact/cachepact/adapters/theine"
	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

func TestConformance(t *testing.T) { adaptertest.Run(t, open, open, open, open) }

func open[K comparable, V any](o conformance.Options) (backend.Backend[K, V], error) {
	return theine.New[K, V](cmp.Or(o.Capacity, 1<<20))
}

package ristretto_test

import (
	"testing"

	"github.com/cachepact/cachepact/adapters/internal/adaptertest"
	"github.com/cachepact/cachepact/adapters/ristretto"
	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

func open[K comparable, V any](o conformance.Options) (backend.Backend[K, V], error) {
	if o.Capacity > 0 {
		return ristretto.New[K, V](ristretto.NewConfig(o.Capacity))
	}
	config := ristretto.NewConfig(1 << 14)
	config.NumCounters = 1 << 10 // nothing competes for room; Invalidate(nil) and New clear them all
	return ristretto.New[K, V](config)
}

func TestConformance(t *testing.T) { adaptertest.Run(t, open, open, open, open) }

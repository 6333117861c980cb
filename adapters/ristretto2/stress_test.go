package ristretto2_test

import (
	"testing"

	"github.com/cachepact/cachepact/adapters/internal/adaptertest"
	"github.com/cachepact/cachepact/adapters/ristretto2"
	"github.com/cachepact/cachepact/backend"
)

func TestStress(t *testing.T) {
	adaptertest.Stress(t, func(capacity int) (backend.Backend[int, int64], error) {
		return ristretto2.New[int, int64](ristretto2.NewConfig(capacity))
	})
}

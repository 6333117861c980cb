package main

import (
	"cmp"
	"testing"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

// A cache that breaks the contract cannot be compared with others.
func TestSieve(t *testing.T) {
	conformance.Run(t, conformance.Subject[uint64, uint64]{
		New: func(o conformance.Options) (backend.Backend[uint64, uint64], error) {
			return newSieve(cmp.Or(o.Capacity, 1<<20))
		},
	})
}

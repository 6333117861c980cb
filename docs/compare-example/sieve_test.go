package main

import (
	"cmp"
	"testing"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

// A comparison is worth what the cache is: first see that it keeps the contract.
func TestSieve(t *testing.T) {
	conformance.Run(t, conformance.Subject[uint64, uint64]{
		New: func(o conformance.Options) (backend.Backend[uint64, uint64], error) {
			return newSieve(cmp.Or(o.Capacity, 1<<20))
		},
	})
}

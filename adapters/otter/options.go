package otter

import (
	"errors"
	"fmt"

	"github.com/maypok86/otter/v2"
)

// Options are the library's options.
type Options[K comparable, V any] = otter.Options[K, V]

// NewOptions returns options for a cache of at most capacity entries. Zero means
// no bound.
func NewOptions[K comparable, V any](capacity int) *Options[K, V] {
	return &Options[K, V]{MaximumSize: capacity}
}

// check returns an error if o asks for what the adapter cannot give.
func check[K comparable, V any](o *Options[K, V]) error {
	switch {
	case o == nil:
		return errors.New("options are nil")
	case o.MaximumSize < 0:
		return fmt.Errorf("MaximumSize %d is negative", o.MaximumSize)
	case o.InitialCapacity < 0:
		return fmt.Errorf("InitialCapacity %d is negative", o.InitialCapacity)
	}
	for _, f := range []struct {
		name, why string
		set       bool
	}{
		{"MaximumWeight", "the bound is in entries", o.MaximumWeight != 0},
		{"Weigher", "the bound is in entries", o.Weigher != nil},
		{"ExpiryCalculator", "each Put says how long its entry lives", o.ExpiryCalculator != nil},
		{"RefreshCalculator", "there is no loader", o.RefreshCalculator != nil},
		{"Clock", "lifetimes are measured on the monotonic clock", o.Clock != nil},
		{"OnDeletion", "removing all entries visits none of them", o.OnDeletion != nil},
		{"OnAtomicDeletion", "removing all entries visits none of them", o.OnAtomicDeletion != nil},
		{"StatsRecorder", "it would count an expired entry as a hit", o.StatsRecorder != nil},
		{"Executor", "Close waits for the goroutines that the adapter has started", o.Executor != nil},
	} {
		if f.set {
			return fmt.Errorf("%s must not be set: %s", f.name, f.why)
		}
	}
	return nil
}

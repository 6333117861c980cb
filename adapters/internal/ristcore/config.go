package ristcore

import (
	"errors"
	"fmt"
	"math"
)

// Bounds beyond which a library would panic or exhaust memory.
const (
	maxCounters    = 1 << 34
	maxBufferItems = 1 << 20
	maxTicker      = 1 << 32
)

// A Config is what the configurations of the libraries have in common.
type Config struct {
	NumCounters, MaxCost, BufferItems, TickerSeconds int64
	IgnoreInternalCost                               bool
	// Hooks are the functions that would see hashes and entries of this package,
	// and whether they are set.
	Hooks []Hook
}

// A Hook is a function of a configuration.
type Hook struct {
	Name string
	Set  bool
}

// Check returns an error if a number is out of its range, a hook is set, or costs
// are not those of entries.
func (c Config) Check() error {
	for _, f := range []struct {
		name     string
		n        int64
		min, max int64
	}{
		{"NumCounters", c.NumCounters, 1, maxCounters},
		{"MaxCost", c.MaxCost, 1, math.MaxInt64},
		{"BufferItems", c.BufferItems, 1, maxBufferItems},
		{"TtlTickerDurationInSec", c.TickerSeconds, 0, maxTicker},
	} {
		if f.n < f.min || f.n > f.max {
			return fmt.Errorf("%s is %d, not in [%d, %d]", f.name, f.n, f.min, f.max)
		}
	}
	for _, hook := range c.Hooks {
		if hook.Set {
			return fmt.Errorf("%s is not supported", hook.Name)
		}
	}
	if !c.IgnoreInternalCost {
		return errors.New("IgnoreInternalCost is false, but MaxCost must count entries")
	}
	return nil
}

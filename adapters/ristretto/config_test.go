package ristretto_test

import (
	"math"
	"reflect"
	"strings"
	"testing"

	lib "github.com/dgraph-io/ristretto"

	"github.com/cachepact/cachepact/adapters/ristretto"
)

// What the library would hang, panic or silently misbehave with is refused.
func TestNewRefuses(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(c *lib.Config)
	}{
		{"NumCounters", func(c *lib.Config) { c.NumCounters = 0 }},
		{"NumCounters", func(c *lib.Config) { c.NumCounters = -1 }},
		{"NumCounters", func(c *lib.Config) { c.NumCounters = math.MaxInt64 }},
		{"MaxCost", func(c *lib.Config) { c.MaxCost = 0 }},
		{"MaxCost", func(c *lib.Config) { c.MaxCost = -1 }},
		{"BufferItems", func(c *lib.Config) { c.BufferItems = 0 }},
		{"BufferItems", func(c *lib.Config) { c.BufferItems = -64 }},
		{"BufferItems", func(c *lib.Config) { c.BufferItems = math.MaxInt64 }},
		{"TtlTickerDurationInSec", func(c *lib.Config) { c.TtlTickerDurationInSec = -5 }},
		{"IgnoreInternalCost", func(c *lib.Config) { c.IgnoreInternalCost = false }},
		{"KeyToHash", func(c *lib.Config) { c.KeyToHash = func(any) (uint64, uint64) { return 0, 0 } }},
		{"Cost", func(c *lib.Config) { c.Cost = func(any) int64 { return 1 } }},
		{"OnEvict", func(c *lib.Config) { c.OnEvict = func(*lib.Item) {} }},
		{"OnReject", func(c *lib.Config) { c.OnReject = func(*lib.Item) {} }},
		{"OnExit", func(c *lib.Config) { c.OnExit = func(any) {} }},
	} {
		config := ristretto.NewConfig(10)
		tt.change(config)
		b, err := ristretto.New[string, int](config)
		if b != nil || err == nil || !strings.HasPrefix(err.Error(), "ristretto: new: "+tt.name+" is ") {
			t.Errorf("New with a bad %s = %v, %v; want an error that names it", tt.name, b, err)
		}
	}
	for _, config := range []*lib.Config{nil, {}, ristretto.NewConfig(0), ristretto.NewConfig(-1), ristretto.NewConfig(math.MaxInt)} {
		if b, err := ristretto.New[string, int](config); b != nil || err == nil {
			t.Errorf("New(%+v) = %v, %v, want an error", config, b, err)
		}
	}
}

// New leaves its argument alone, and so one configuration serves many backends.
func TestNewKeepsNothing(t *testing.T) {
	config := ristretto.NewConfig(10)
	b, err := ristretto.New[string, int](config)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if want := ristretto.NewConfig(10); !reflect.DeepEqual(config, want) {
		t.Errorf("after New, config = %+v, want %+v", config, want)
	}
}

package ristretto2_test

import (
	"math"
	"reflect"
	"strings"
	"testing"

	lib "github.com/dgraph-io/ristretto/v2"

	"github.com/cachepact/cachepact/adapters/ristretto2"
)

type config = lib.Config[uint64, any]

// What the library would hang, panic or silently misbehave with is refused.
func TestNewRefuses(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(c *config)
	}{
		{"NumCounters", func(c *config) { c.NumCounters = 0 }},
		{"NumCounters", func(c *config) { c.NumCounters = -1 }},
		{"NumCounters", func(c *config) { c.NumCounters = math.MaxInt64 }},
		{"MaxCost", func(c *config) { c.MaxCost = 0 }},
		{"MaxCost", func(c *config) { c.MaxCost = -1 }},
		{"BufferItems", func(c *config) { c.BufferItems = 0 }},
		{"BufferItems", func(c *config) { c.BufferItems = -64 }},
		{"BufferItems", func(c *config) { c.BufferItems = math.MaxInt64 }},
		{"TtlTickerDurationInSec", func(c *config) { c.TtlTickerDurationInSec = -5 }},
		{"IgnoreInternalCost", func(c *config) { c.IgnoreInternalCost = false }},
		{"KeyToHash", func(c *config) { c.KeyToHash = func(uint64) (uint64, uint64) { return 0, 0 } }},
		{"Cost", func(c *config) { c.Cost = func(any) int64 { return 1 } }},
		{"OnEvict", func(c *config) { c.OnEvict = func(*lib.Item[any]) {} }},
		{"OnReject", func(c *config) { c.OnReject = func(*lib.Item[any]) {} }},
		{"OnExit", func(c *config) { c.OnExit = func(any) {} }},
		{"ShouldUpdate", func(c *config) { c.ShouldUpdate = func(_, _ any) bool { return true } }},
	} {
		config := ristretto2.NewConfig(10)
		tt.change(config)
		b, err := ristretto2.New[string, int](config)
		if b != nil || err == nil || !strings.HasPrefix(err.Error(), "ristretto2: new: "+tt.name+" is ") {
			t.Errorf("New with a bad %s = %v, %v; want an error that names it", tt.name, b, err)
		}
	}
	for _, config := range []*config{nil, {}, ristretto2.NewConfig(0), ristretto2.NewConfig(-1), ristretto2.NewConfig(math.MaxInt)} {
		if b, err := ristretto2.New[string, int](config); b != nil || err == nil {
			t.Errorf("New(%+v) = %v, %v, want an error", config, b, err)
		}
	}
}

// New leaves its argument alone, and so one configuration serves many backends.
func TestNewKeepsNothing(t *testing.T) {
	config := ristretto2.NewConfig(10)
	b, err := ristretto2.New[string, int](config)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if want := ristretto2.NewConfig(10); !reflect.DeepEqual(config, want) {
		t.Errorf("after New, config = %+v, want %+v", config, want)
	}
}

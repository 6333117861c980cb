package ristcore

import (
	"errors"
	"fmt"
	"math"
	"reflect"
)

// Beyond these bounds a library panics or exhausts memory.
const (
	maxCounters    = 1 << 34
	maxBufferItems = 1 << 20
	maxTicker      = 1 << 32
)

// check returns the capacity in entries that config, a configuration of either major version, gives. It fails if a
// number is out of range, a function is set, or MaxCost does not count entries.
func check(config reflect.Value) (capacity int64, err error) {
	for _, f := range []struct {
		name     string
		min, max int64
	}{
		{"NumCounters", 1, maxCounters},
		{"MaxCost", 1, math.MaxInt64},
		{"BufferItems", 1, maxBufferItems},
		{"TtlTickerDurationInSec", 0, maxTicker},
	} {
		if n := config.FieldByName(f.name).Int(); n < f.min || n > f.max {
			return 0, fmt.Errorf("%s is %d: want %d to %d", f.name, n, f.min, f.max)
		}
	}
	for field, value := range config.Fields() {
		if field.Type.Kind() == reflect.Func && !value.IsNil() {
			return 0, fmt.Errorf("%s is set: it would get the adapter's hashes and entries; leave it nil", field.Name)
		}
	}
	if !config.FieldByName("IgnoreInternalCost").Bool() {
		return 0, errors.New("IgnoreInternalCost is false: MaxCost must count entries; set it to true")
	}
	return config.FieldByName("MaxCost").Int(), nil
}

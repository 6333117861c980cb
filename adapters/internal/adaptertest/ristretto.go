package adaptertest

import (
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
)

// RistrettoConfig tests what an adapter of ristretto does with a configuration of type C: New returns an error that
// names the field if the library would hang, panic or call a function of the user with the adapter's entries. New
// neither changes nor keeps the configuration.
func RistrettoConfig[C any](
	t *testing.T, name string, newConfig func(capacity int) *C, open func(*C) (io.Closer, error),
) {
	t.Helper()
	refuses := func(field string, value reflect.Value) {
		t.Helper()
		config := newConfig(10)
		reflect.ValueOf(config).Elem().FieldByName(field).Set(value)
		_, err := open(config)
		if want := name + ": new: " + field + " is "; err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("New with %s %v = %v, want an error that starts with %q", field, value, err, want)
		}
	}
	for field, numbers := range map[string][]int64{
		"NumCounters":            {0, -1, math.MaxInt64},
		"MaxCost":                {0, -1},
		"BufferItems":            {0, -64, math.MaxInt64},
		"TtlTickerDurationInSec": {-5, math.MaxInt64},
	} {
		for _, n := range numbers {
			refuses(field, reflect.ValueOf(n))
		}
	}
	refuses("IgnoreInternalCost", reflect.ValueOf(false))
	functions := 0
	for f := range reflect.TypeFor[C]().Fields() {
		if f.Type.Kind() == reflect.Func {
			refuses(f.Name, reflect.MakeFunc(f.Type, nil))
			functions++
		}
	}
	if functions < 5 {
		t.Errorf("%T has %d functions, want KeyToHash, Cost, OnEvict, OnReject and OnExit at least", *new(C), functions)
	}
	for _, config := range []*C{nil, new(C), newConfig(0), newConfig(-1), newConfig(math.MaxInt)} {
		if _, err := open(config); err == nil {
			t.Errorf("New(%+v) returned no error", config)
		}
	}

	config := newConfig(10)
	b, err := open(config)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if want := newConfig(10); fmt.Sprint(*config) != fmt.Sprint(*want) {
		t.Errorf("after New, config = %+v, want %+v", config, want)
	}
}

// Package faulty has backends that are broken on purpose, like the failing readers of
// testing/iotest. Each fault breaks one rule of the contract in a way in which a real
// cache has broken it. The share of faults that a test suite detects measures the
// suite:
//
//	for _, f := range faulty.Faults() {
//		b, err := faulty.New[string, string](f.Name, conformance.Options{})
//		// does the suite report b?
//	}
//
// All faults are small mutations of one backend, which implements every optional
// interface. New returns that backend for the name [Correct]; a suite must accept it.
package faulty

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

// Names of backends without a fault.
const (
	// Correct keeps every rule, even if it declares relaxed traits.
	Correct = "Correct"
	// Sloppy is correct too, but it uses every relaxation that it declares: it expires
	// entries late, buffers writes until Sync, rejects entries, and so on.
	Sloppy = "Sloppy"
)

// A Fault is one way to break the contract.
type Fault struct {
	// Name identifies the fault. It never changes.
	Name string
	// Rule is the id of the rule that the fault breaks, one of [conformance.Rules].
	Rule string
	// Doc describes the fault and names the caches that have had it.
	Doc string
	// Needs tells which types can show the fault.
	Needs Need
}

// A Need limits the types that can show a fault. New fails for other types.
type Need string

// The needs.
const (
	Anything      Need = ""
	StringKeys    Need = "keys of type string"
	IntKeys       Need = "keys of type int64"
	FloatKeys     Need = "keys of type float64"
	AnyKeys       Need = "keys of type any"
	StructKeys    Need = "keys of a struct type"
	PointerKeys   Need = "keys of a pointer type"
	StringValues  Need = "values of type string"
	BytesValues   Need = "values of type []byte"
	IntValues     Need = "values of type int64"
	FloatValues   Need = "values of type float64"
	AnyValues     Need = "values of type any"
	StructValues  Need = "values of a struct type"
	PointerValues Need = "values of a pointer type"
	// RaceDetector means that the fault is a data race, which shows only under -race.
	RaceDetector Need = "the race detector"
)

// Met reports whether a backend with types K and V can show a fault with the need.
func Met[K comparable, V any](n Need) bool {
	k, v := reflect.TypeFor[K](), reflect.TypeFor[V]()
	switch n {
	case StringKeys:
		return k == reflect.TypeFor[string]()
	case IntKeys:
		return k == reflect.TypeFor[int64]()
	case FloatKeys:
		return k == reflect.TypeFor[float64]()
	case AnyKeys:
		return k == reflect.TypeFor[any]()
	case StructKeys:
		return k.Kind() == reflect.Struct
	case PointerKeys:
		return k.Kind() == reflect.Pointer
	case StringValues:
		return v == reflect.TypeFor[string]()
	case BytesValues:
		return v == reflect.TypeFor[[]byte]()
	case IntValues:
		return v == reflect.TypeFor[int64]()
	case FloatValues:
		return v == reflect.TypeFor[float64]()
	case AnyValues:
		return v == reflect.TypeFor[any]()
	case StructValues:
		return v.Kind() == reflect.Struct
	case PointerValues:
		return v.Kind() == reflect.Pointer
	}
	return true
}

// Faults returns every fault, in the order of the rules.
func Faults() []Fault {
	var out []Fault
	for _, m := range mutations {
		out = append(out, m.Fault)
	}
	return out
}

// New returns a new backend with the named fault, or the correct backend if name is
// [Correct] or "". It fails if there is no such fault, or if the fault needs other
// types.
func New[K comparable, V any](name string, o conformance.Options) (backend.Backend[K, V], error) {
	return Relaxed[K, V](name, o, backend.Traits{})
}

// Relaxed is New for a backend that declares t. The correct backend does what it
// declares: it shares its values, returns errors for entries over the limits, or grows
// without a bound. A fault may declare further traits.
func Relaxed[K comparable, V any](name string, o conformance.Options, t backend.Traits) (backend.Backend[K, V], error) {
	if o.Capacity < 0 {
		return nil, fmt.Errorf("faulty: new: capacity %d is negative", o.Capacity)
	}
	if v := reflect.TypeFor[V](); v.Kind() > reflect.Complex128 && v.Kind() != reflect.String && v != reflect.TypeFor[[]byte]() {
		t.Values = backend.ByReference // only bytes are copied
	}
	var zero K
	c := newCache(o.Capacity, t, zero, reflect.TypeFor[V]())
	switch name {
	case "", Correct:
	case Sloppy:
		sloppy(c)
	default:
		i := slices.IndexFunc(mutations, func(m mutation) bool { return m.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("faulty: new: no fault %q", name)
		}
		if !Met[K, V](mutations[i].Needs) {
			return nil, fmt.Errorf("faulty: new: %s needs %s", name, mutations[i].Needs)
		}
		mutations[i].apply(c)
	}
	return typed[K, V]{c}, nil
}

// A mutation makes a fault in a correct cache.
type mutation struct {
	Fault
	apply func(c *cache)
}

// mutations are in the order of the rules.
var mutations = inOrder(
	hitFaults, ttlFaults, invalidateFaults, statsFaults, concurrentFaults, closeFaults, errorFaults,
)

func inOrder(groups ...[]mutation) []mutation {
	rank := map[string]int{}
	for i, rule := range conformance.Rules() {
		rank[rule.ID] = i
	}
	all := slices.Concat(groups...)
	slices.SortStableFunc(all, func(a, b mutation) int { return rank[a.Rule] - rank[b.Rule] })
	return all
}

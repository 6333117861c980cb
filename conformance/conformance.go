// Package conformance tests that a cache keeps the contract of package backend.
//
// A test of your own backend is one line:
//
//	func TestMine(t *testing.T) {
//		conformance.Run(t, conformance.Subject[string, []byte]{New: newMine})
//	}
//
// where newMine is a func(conformance.Options) (backend.Backend[string, []byte],
// error). Each rule of the contract is a subtest under the rule's id, and below
// it a case: "go test -run TestMine/ttl/overwrite" runs one rule. [Rules] lists
// them.
//
// The suite should not produce any false positive, but may miss a fault that
// shows only in rare interleavings: run it with the race detector too.
//
// # Three doors
//
// [Run] reports to a test. [Check] needs no test and returns a [Report]. [Bench]
// measures a backend, after making sure that it is not broken.
//
// # Relaxed promises
//
// What a backend declares through [backend.Traits] relaxes a rule, and the suite
// then tests the relaxed rule. Nothing is skipped because of a declaration: a
// backend that says its values are shared must share them. A fault that cannot
// be repaired is listed in [Subject.Known]; its check still runs, and must fail.
//
// # Time
//
// Each check runs in a testing/synctest bubble, where time is exact to the
// nanosecond and a day passes at once. A backend that leaks goroutines or does
// I/O cannot live there: that is found out first and reported, and its checks
// run in real time, which is measured, never assumed.
package conformance

import (
	"testing"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// Options is what a check asks of the backend it wants.
type Options struct {
	// Capacity is the number of entries at which the backend should be bounded.
	// Zero asks for ample room: ten thousand entries and a few values of some
	// megabytes. It is no capacity: New takes a size of its own then, or none, and
	// an admission policy ([backend.Traits.Rejects]) has no reason to keep anything
	// out for good or to drop what was once read. A backend without a bound in
	// entries ignores the capacity and declares [backend.BoundApproximate] or
	// [backend.BoundNone].
	Capacity int
}

// A Subject is what the suite tests. Only New is required.
type Subject[K comparable, V any] struct {
	// New returns a new, empty backend that shares nothing with others. It is
	// called at least once for every check, inside the check's bubble. The suite
	// closes what it makes.
	New func(Options) (backend.Backend[K, V], error)

	// Name names the subject in reports. The default is the name of the test.
	Name string

	// Variant names a configuration of the backend in which it keeps other rules
	// than in its usual one, such as "unsynced". It has a column of its own in a
	// matrix.
	Variant string

	// Module names in reports the module that is tested, as path@version. The
	// default is the one that defines the backend's type, as far as the build
	// knows it; for an adapter it is better the library's.
	Module string

	// Traits relaxes rules for a backend that is not a [backend.Describer]. For
	// one that is, it must be zero or equal to what the backend says.
	Traits backend.Traits

	// Keys and Values make what is stored. The defaults come from the types K
	// and V by reflection.
	Keys   Keys[K]
	Values Values[V]

	// Known lists the deviations from the contract that are known.
	Known []Deviation

	// RealTime says that the backend cannot live in a synctest bubble, for
	// example because it talks to a server. The suite finds that out by itself;
	// saying so saves it a few seconds.
	RealTime bool

	// Timeout bounds one check in real time. Zero means ten seconds, and thirty
	// under the race detector.
	Timeout time.Duration

	// Only limits a run to groups ("ttl"), rules ("ttl/zero") and checks
	// ("ttl/zero/removes"), as -run does for Run. A report says so, for it vouches
	// for nothing else. Empty means every check.
	Only []string
}

// Keys makes keys. The zero Keys uses reflection, which serves strings, numbers,
// booleans, any, and arrays and structs of these.
type Keys[K comparable] struct {
	// At returns the i'th key. Different i from 0 up to N give different keys,
	// and the same i always the same key.
	At func(i int) K
	// N is how many different keys At makes. Zero means at least a million.
	N int
	// Odd are valid keys that are easily confused. They differ from each other.
	Odd []K
	// Bad are values of K that no backend may take as a key.
	Bad []K
}

// Values makes values. The zero Values uses reflection.
type Values[V any] struct {
	// At returns the i'th value, which shares no memory with any other call's.
	// Different i give different values as long as V has so many.
	At func(i int) V
	// Equal reports whether two values are the same. The default compares
	// deeply, tells nil from empty, and takes NaN as equal to itself.
	Equal func(a, b V) bool
	// Mutate changes memory that *v refers to and reports whether there was any.
	Mutate func(v *V) bool
	// Odd returns values that a backend could easily lose.
	Odd func() []V
}

// A Deviation is a rule, or one case of a rule, that a backend is known to
// break. The check still runs. It must fail: one that passes is reported, so
// that the list stays true.
type Deviation struct {
	// Check is a rule id ("hit/values") or the name of a check
	// ("hit/values/nil").
	Check string
	// Why says in a sentence why the rule cannot be kept. It is required.
	Why string
	// Link points to an issue or a document.
	Link string
}

// Run tests s and reports every check as a subtest of t named by its rule and
// case. It must not run in parallel with other tests: it raises GOMAXPROCS,
// watches standard output and counts goroutines.
//
// A check that the subject's traits or missing optional interfaces make void is
// reported as skipped, with the reason.
func Run[K comparable, V any](t *testing.T, s Subject[K, V]) {
	t.Helper()
	if s.Name == "" {
		s.Name = t.Name()
	}
	r, err := newRunner(t, s)
	if err != nil {
		t.Fatal(err)
	}
	defer r.stop()
	runGroups(t, r, r.checks(), func(c check[K, V]) string { return c.id() }, 0)
	r.writeReport(t)
}

// Check tests s without a test and returns what it found. It never panics and
// writes nothing.
func Check[K comparable, V any](s Subject[K, V]) Report {
	r, err := newRunner(nil, s)
	if err != nil {
		return Report{Schema: Schema, Subject: s.Name, Error: err.Error()}
	}
	defer r.stop()
	for _, c := range r.checks() {
		r.do(nil, c)
	}
	return r.finish()
}

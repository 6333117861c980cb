// Package conformance tests whether a cache keeps the contract of package backend.
//
// A test of your own backend is one line:
//
//	func TestMine(t *testing.T) {
//		conformance.Run(t, conformance.Subject[string, []byte]{New: newMine})
//	}
//
// The function newMine has the type func(conformance.Options) (backend.Backend[string, []byte], error).
// Each rule of the contract is a subtest with the rule's id as its name, and each case of a rule is a subtest below
// it. For example, "go test -run TestMine/ttl/overwrite" tests one rule. [Rules] lists the rules.
//
// The suite should not report a fault in a correct cache. The suite can miss a fault that shows only in rare
// interleavings, so run it with the race detector too.
//
// # Entry points
//
// [Run] reports to a test. [Check] needs no test and returns a [Report]. [Bench]
// makes a short check of a backend, and then measures it.
//
// # Relaxed rules
//
// A backend relaxes a rule by declaring a trait in [backend.Traits]. The suite then tests the relaxed rule.
// For example, a backend that declares shared values must share them.
// If a deviation cannot be repaired, list it in [Subject.Known]. Its check still runs, and must fail.
//
// # Time
//
// Each check runs in a testing/synctest bubble, where time is exact to the
// nanosecond and a day passes at once. A backend that leaks goroutines or does
// I/O cannot run in a bubble. The suite detects such a backend first, reports it, and runs its checks in real time.
// In real time the suite measures how much time has passed before it judges a result.
package conformance

import (
	"testing"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// Options are the requirements of a check for the backend that New makes.
type Options struct {
	// Capacity is the number of entries at which the backend should be bounded.
	// Zero asks for ample room: New chooses a size that holds ten thousand entries
	// and a few values of some megabytes. An admission policy ([backend.Traits.Rejects])
	// must then admit an entry that is put repeatedly, and keep an entry that was read.
	// A backend without a bound in entries ignores the capacity and declares
	// [backend.BoundApproximate] or [backend.BoundNone].
	Capacity int
}

// A Subject describes the backend under test. Only New is required.
type Subject[K comparable, V any] struct {
	// New returns a new, empty backend that shares nothing with others. It is
	// called at least once for every check, inside the check's bubble. The suite
	// closes every backend that New returns.
	New func(Options) (backend.Backend[K, V], error)

	// Name names the subject in reports. The default is the name of the test.
	Name string

	// Variant names a configuration, such as "unsynced", in which the backend
	// keeps other rules than usual. The variant has its own column in a matrix.
	Variant string

	// Module is the tested module in reports, as path@version. The default is the
	// module that defines the backend's type, if the build information has it. An
	// adapter should set the library's module.
	Module string

	// Traits relaxes rules for a backend that is not a [backend.Describer]. If the
	// backend is a Describer, Traits must be zero or equal to the backend's traits.
	Traits backend.Traits

	// Keys and Values make the keys and values of the checks. The defaults derive
	// them from the types K and V by reflection.
	Keys   Keys[K]
	Values Values[V]

	// Known lists the known deviations from the contract.
	Known []Deviation

	// RealTime states that the backend cannot run in a synctest bubble, for
	// example because it talks to a server. The suite detects this too, but needs
	// up to three seconds.
	RealTime bool

	// Timeout bounds one check in real time. Zero means ten seconds, and thirty
	// under the race detector.
	Timeout time.Duration

	// Only limits a run to groups ("ttl"), rules ("ttl/zero") and checks
	// ("ttl/zero/removes"), like -run does for Run. The report lists Only.
	// Empty means every check.
	Only []string
}

// Keys makes keys. The zero Keys uses reflection, which serves strings, numbers,
// booleans, any, and arrays and structs of these.
type Keys[K comparable] struct {
	// At returns the i'th key. Every i from 0 to N-1 has a different key, and At
	// always returns the same key for the same i.
	At func(i int) K
	// N is how many different keys At makes. Zero means at least a million.
	N int
	// Odd lists valid, distinct keys that a faulty backend could confuse.
	Odd []K
	// Bad lists values of K that are not valid keys.
	Bad []K
}

// Values makes values. The zero Values uses reflection.
type Values[V any] struct {
	// At returns the i'th value. Values of different calls share no memory.
	// Different i give different values, unless V has too few values.
	At func(i int) V
	// Equal reports whether two values are the same. The default compares
	// deeply, distinguishes nil from empty, and treats NaN as equal to itself.
	Equal func(a, b V) bool
	// Mutate changes memory that *v refers to, and reports whether it changed any.
	Mutate func(v *V) bool
	// Odd returns values that a faulty backend could change or lose.
	Odd func() []V
}

// A Deviation is a rule, or one case of a rule, that a backend is known to
// break. The check still runs and must fail. A deviation whose check passes is
// reported as a failure.
type Deviation struct {
	// Check is a rule id ("hit/values") or the name of a check
	// ("hit/values/nil").
	Check string
	// Why states in one sentence why the backend breaks the rule. It is required.
	Why string
	// Link points to an issue or a document.
	Link string
}

// Run tests s and reports every check as a subtest of t, named after its rule and
// case. Run must not run in parallel with other tests, because it raises
// GOMAXPROCS, watches standard output and counts goroutines.
//
// If a check does not apply, because of the subject's traits or a missing optional
// interface, Run skips its subtest and states the reason.
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
	runGroups(t, r, r.checks(), 0)
	r.writeReport(t)
}

// Check tests s without a test and returns a report. It never panics and writes
// no output.
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

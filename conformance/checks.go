package conformance

import (
	"slices"
	"strings"
	"testing"
)

// checks returns every check in the order of the rules.
func checks[K comparable, V any]() []check[K, V] {
	all := slices.Concat(
		hitChecks[K, V](), keyChecks[K, V](), valueChecks[K, V](), ttlChecks[K, V](), invalidateChecks[K, V](),
		statsChecks[K, V](), capacityChecks[K, V](), concurrentChecks[K, V](), modelChecks[K, V](),
		errorChecks[K, V](), viewChecks[K, V](), closeChecks[K, V](), lastChecks[K, V](),
	)
	slices.SortStableFunc(all, func(a, b check[K, V]) int { return runRank(a.rule) - runRank(b.rule) })
	return all
}

// checks returns the checks that the subject asks for.
func (r *runner[K, V]) checks() []check[K, V] {
	all := checks[K, V]()
	if len(r.subject.Only) == 0 {
		return all
	}
	return slices.DeleteFunc(all, func(c check[K, V]) bool {
		return !slices.ContainsFunc(r.subject.Only, c.under)
	})
}

// under reports whether c is called name, or belongs to a rule or group that is.
func (c check[K, V]) under(name string) bool {
	return strings.HasPrefix(c.name()+"/", name+"/")
}

// runRank orders the rules for running: as in the contract, but what judges the
// whole run comes last.
func runRank(rule string) int {
	i := ruleRank(rule)
	switch group, _, _ := strings.Cut(rule, "/"); group {
	case "stats":
		return len(rules) + i
	case "close":
		return 2*len(rules) + i
	}
	return i
}

// ruleRank is the place of a rule in the contract.
func ruleRank(rule string) int {
	return slices.IndexFunc(rules, func(r Rule) bool { return r.ID == rule })
}

// lastChecks judge what the checks of other rules have shown.
func lastChecks[K comparable, V any]() []check[K, V] {
	return []check[K, V]{
		{rule: "stats/size", kase: "throughout", free: func(r *runner[K, V]) error {
			if len(r.strays) == 0 {
				return nil
			}
			return r.strays[0]
		}},
	}
}

// runGroups runs checks as subtests nested by the parts of their names, so that
// a part of a name selects a group.
func runGroups[K comparable, V any](t *testing.T, r *runner[K, V], cs []check[K, V], name func(check[K, V]) string, depth int) {
	t.Helper()
	part := func(c check[K, V]) string { return strings.Split(name(c), "/")[depth] }
	for len(cs) > 0 {
		n := 1
		for n < len(cs) && part(cs[n]) == part(cs[0]) {
			n++
		}
		group := cs[:n]
		cs = cs[n:]
		t.Run(part(group[0]), func(t *testing.T) {
			t.Helper()
			if strings.Count(name(group[0]), "/") == depth {
				r.do(t, group[0])
			} else {
				runGroups(t, r, group, name, depth+1)
			}
		})
	}
}

// The reasons for which a check can be void.

func noCloser[K comparable, V any](r *runner[K, V]) string {
	if !r.has.closer {
		return "the backend has no Close"
	}
	return ""
}

func noSharing[K comparable, V any](r *runner[K, V]) string {
	v := r.values.At(1)
	if !r.values.Mutate(&v) {
		return "a value of this type refers to no memory that could be shared"
	}
	return ""
}

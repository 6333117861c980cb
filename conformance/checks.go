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
		errorChecks[K, V](), viewChecks[K, V](), closeChecks[K, V](),
	)
	rank := map[string]int{}
	for i, rule := range rules {
		rank[rule.ID] = i
	}
	slices.SortStableFunc(all, func(a, b check[K, V]) int { return rank[a.rule] - rank[b.rule] })
	return all
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

func either[K comparable, V any](reasons ...func(r *runner[K, V]) string) func(r *runner[K, V]) string {
	return func(r *runner[K, V]) string {
		for _, reason := range reasons {
			if why := reason(r); why != "" {
				return why
			}
		}
		return ""
	}
}

package policy_test

import (
	"fmt"

	"github.com/cachepact/cachepact/compare/policy"
)

func Example() {
	r := policy.Requests{IDs: []uint32{0, 1, 2, 0, 1, 2, 0, 1, 2}, Distinct: 3}
	fmt.Println("LRU ", policy.LRU(r, 2))
	fmt.Println("OPT ", policy.OPT(policy.NewFuture(r), 2))
	// Output:
	// LRU  0
	// OPT  3
}

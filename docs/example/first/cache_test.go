package first_test

import (
	"fmt"
	"maps"
	"slices"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"

	"example.com/mycache/first"
)

// A test that calls conformance.Run fails. This example shows its messages.
func Example() {
	report := conformance.Check(conformance.Subject[string, string]{
		New: func(conformance.Options) (backend.Backend[string, string], error) { return first.New(), nil },
	})
	broken := map[string]bool{}
	for _, f := range report.Failed() {
		if f.Name() == "ttl/zero/removes" {
			fmt.Println(f.Detail)
		}
		broken[f.ID] = true
	}
	fmt.Println(slices.Sorted(maps.Keys(broken)))
	// Output:
	// ttl/zero/removes: Get("key-0") = hit "value-3"
	// 	want: a miss: its TTL was not positive
	// 	rule: A TTL of zero or less removes the earlier entry, stores nothing and returns nil.
	// 	done: Put("key-1", "value-1", nil)
	// 	      Put("key-0", "value-2", nil)
	// 	      Get("key-0") → hit "value-2"
	// 	      Put("key-0", "value-3", 0s)
	// 	      Get("key-0") → hit "value-3"
	// 	hint: the backend treats a TTL of zero or less as no TTL or as a default: such a Put must remove the entry
	// [concurrent/key hit/keys invalidate/key invalidate/nil invalidate/zerokey stats/size ttl/zero]
}

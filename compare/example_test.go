package compare_test

import (
	"context"
	"fmt"
	"os"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/backend/memory"
	"github.com/cachepact/cachepact/compare"
)

// A cache of your own, here package memory, beside the module's adapters. Its name
// works wherever theirs do. The main function of a program would call [Main].
func ExampleRun() {
	mine := compare.Contestant{
		Name: "mine",
		LRU:  true, // so its hits are checked against an exact LRU's
		New: func(o compare.Options) (backend.Backend[uint64, uint64], error) {
			return memory.New[uint64, uint64](memory.Options{Capacity: o.Capacity})
		},
	}
	args := []string{"compare", "--workload", "zipf:0.99", "--adapters", "mine", "--capacity", "0"}
	fmt.Println(compare.Run(context.Background(), args, os.Stdout, os.Stdout, mine))
	// Output:
	// cachepact: capacity "0": expected a number of entries from 1 to 2147483647, a percentage of the distinct keys such as 5%, or bytes such as 64MiB
	// 2
}

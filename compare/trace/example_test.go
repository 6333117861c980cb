package trace_test

import (
	"fmt"
	"strings"

	"github.com/cachepact/cachepact/compare/trace"
)

func ExampleNewReader() {
	r, err := trace.NewReader("example", strings.NewReader("100 2 0 1\n7 1 0 2\n"), trace.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	all, err := trace.ReadAll(r)
	fmt.Println(r.Format(), err)
	for _, q := range all {
		fmt.Println(q.Op, q.Key)
	}
	// Output:
	// arc <nil>
	// get 100
	// get 101
	// get 7
}

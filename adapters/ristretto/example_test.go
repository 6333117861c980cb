package ristretto_test

import (
	"context"
	"fmt"
	"time"

	"github.com/cachepact/cachepact/adapters/ristretto"
	"github.com/cachepact/cachepact/backend"
)

func Example() {
	ctx := context.Background()
	config := ristretto.NewConfig(10_000) // entries
	config.NumCounters = 1_000_000        // the library's other knobs are there too
	b, err := ristretto.New[string, int](config)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()

	_ = b.Put(ctx, "one", 1, nil) // never expires, and can be read at once
	_ = b.Put(ctx, "two", 2, new(5*time.Minute))
	fmt.Println(b.Get(ctx, "one"))
	fmt.Println(backend.InvalidateKey(ctx, b, "one"))
	fmt.Println(b.Get(ctx, "one"))
	// Output:
	// 1 true <nil>
	// <nil>
	// 0 false <nil>
}

package otter_test

import (
	"context"
	"fmt"
	"time"

	"github.com/cachepact/cachepact/adapters/otter"
	"github.com/cachepact/cachepact/backend"
)

func Example() {
	ctx := context.Background()
	b, err := otter.New(otter.NewOptions[string, int](10_000)) // entries
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()

	_ = b.Put(ctx, "one", 1, nil) // never expires
	_ = b.Put(ctx, "two", 2, new(5*time.Minute))

	value, hit, err := b.Get(ctx, "two")
	fmt.Println(value, hit, err)

	err = backend.InvalidateKey(ctx, b, "one")
	s, _ := b.Stats(ctx)
	fmt.Println(s.Size, err)
	// Output:
	// 2 true <nil>
	// 1 <nil>
}

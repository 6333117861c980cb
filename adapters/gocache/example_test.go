package gocache_test

import (
	"context"
	"fmt"
	"time"

	"github.com/cachepact/cachepact/adapters/gocache"
	"github.com/cachepact/cachepact/backend"
)

func Example() {
	type user struct {
		tenant, name string
	}
	ctx := context.Background()
	b, err := gocache.New[user, int]() // any comparable key
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()

	_ = b.Put(ctx, user{"ab", "c"}, 1, nil) // never expires
	_ = b.Put(ctx, user{"a", "bc"}, 2, new(5*time.Minute))

	value, hit, err := b.Get(ctx, user{"ab", "c"})
	fmt.Println(value, hit, err)

	err = backend.InvalidateKey(ctx, b, user{"ab", "c"})
	s, _ := b.Stats(ctx)
	fmt.Println(s.Size, err)
	// Output:
	// 1 true <nil>
	// 1 <nil>
}

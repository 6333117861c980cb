package ttlcache_test

import (
	"context"
	"fmt"
	"time"

	"github.com/cachepact/cachepact/adapters/ttlcache"
	"github.com/cachepact/cachepact/backend"
)

func Example() {
	ctx := context.Background()
	b, err := ttlcache.New[string, int](2) // entries
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()

	_ = b.Put(ctx, "one", 1, nil) // never expires
	_ = b.Put(ctx, "two", 2, new(5*time.Minute))
	_, _, _ = b.Get(ctx, "one")
	_ = b.Put(ctx, "three", 3, nil) // evicts the least recently used

	for _, key := range []string{"one", "two", "three"} {
		value, hit, err := b.Get(ctx, key)
		fmt.Println(key, value, hit, err)
	}
	err = backend.InvalidateKey(ctx, b, "one")
	s, _ := b.Stats(ctx)
	fmt.Println(s.Size, err)
	// Output:
	// one 1 true <nil>
	// two 0 false <nil>
	// three 3 true <nil>
	// 1 <nil>
}

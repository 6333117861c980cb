package layout_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/cachepact/cachepact/adapters/golanglru"
	"github.com/cachepact/cachepact/backend"
)

func Example() {
	ctx := context.Background()
	users, err := golanglru.New[int, string](10_000) // capacity in entries
	if err != nil {
		log.Fatal(err)
	}
	defer users.Close()

	// Cache an entry for five minutes. A nil TTL means that it never expires.
	if err := users.Put(ctx, 7, "Ada", new(5*time.Minute)); err != nil {
		log.Print(err)
	}
	name, hit, err := users.Get(ctx, 7)
	fmt.Println(name, hit, err) // Ada true <nil>

	if err := backend.InvalidateKey(ctx, users, 7); err != nil {
		log.Print(err)
	}
	// Output:
	// Ada true <nil>
}

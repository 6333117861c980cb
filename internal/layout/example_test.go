package layout

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
	users, err := golanglru.New[int, string](10_000) // entries
	if err != nil {
		log.Fatal(err)
	}
	defer users.Close()
	if err := users.Put(ctx, 7, "Ada", new(5*time.Minute)); err != nil { // nil: never expires
		log.Print(err)
	}
	name, hit, err := users.Get(ctx, 7)
	fmt.Println(name, hit, err)
	fmt.Println(backend.InvalidateKey(ctx, users, 7))
	// Output:
	// Ada true <nil>
	// <nil>
}

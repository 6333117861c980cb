package fastcache_test

import (
	"context"
	"fmt"
	"time"

	"github.com/cachepact/cachepact/adapters/fastcache"
	"github.com/cachepact/cachepact/backend"
)

type User struct {
	Name  string
	Roles []string
}

func Example() {
	ctx := context.Background()
	b, err := fastcache.New[int](64<<20, fastcache.Options[User]{}) // 64 MB
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()

	if err := b.Put(ctx, 7, User{"Ada", []string{"admin"}}, new(5*time.Minute)); err != nil {
		fmt.Println(err)
	}
	user, hit, err := b.Get(ctx, 7)
	fmt.Println(user, hit, err)
	err = backend.InvalidateKey(ctx, b, 7)
	s, _ := b.Stats(ctx)
	fmt.Println(s.Size, err)
	// Output:
	// {Ada [admin]} true <nil>
	// 0 <nil>
}

package bigcache_test

import (
	"context"
	"fmt"
	"time"

	"github.com/cachepact/cachepact/adapters/bigcache"
	"github.com/cachepact/cachepact/backend"
)

type User struct {
	Name  string
	Roles []string
}

func Example() {
	ctx := context.Background()
	b, err := bigcache.New[int](bigcache.NewConfig(64), bigcache.Options[User]{}) // 64 MB
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

// A type with parts that the default codec would change needs a codec that says
// how to treat them.
func ExampleOptions() {
	type event struct {
		Name string
		Data any
	}
	_, err := bigcache.New[string](bigcache.NewConfig(64), bigcache.Options[event]{})
	fmt.Println(err)

	_, err = bigcache.New[string](bigcache.NewConfig(64), bigcache.Options[event]{Codec: bigcache.JSON[event]()})
	fmt.Println(err)
	// Output:
	// bigcache: new: codec: field event.Data: interface {} would lose its dynamic type: unsupported operation
	// <nil>
}

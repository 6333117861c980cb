package backend_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/backend/memory"
)

// cache returns a backend with two entries for the examples.
func cache() *memory.Backend[string, int] {
	b, err := memory.New[string, int](memory.Options{})
	if err != nil {
		log.Fatal(err)
	}
	err = backend.PutMany(context.Background(), b, []backend.Item[string, int]{
		{Key: "", Value: 1}, // the zero key is a key
		{Key: "answer", Value: 42, TTL: new(time.Hour)},
	})
	if err != nil {
		log.Fatal(err)
	}
	return b
}

func ExampleInvalidateKey() {
	ctx := context.Background()
	b := cache()
	defer b.Close()

	// The zero key is one key. It does not mean every key.
	if err := backend.InvalidateKey(ctx, b, ""); err != nil {
		log.Print(err)
	}
	_, zero, _ := b.Get(ctx, "")
	answer, hit, _ := b.Get(ctx, "answer")
	fmt.Println(zero, answer, hit)
	// Output: false 42 true
}

// counting counts the Gets of the backend it decorates. It changes neither keys
// nor values, so it has an Unwrap method.
type counting struct {
	backend.Backend[string, int]
	gets int
}

func (c *counting) Get(ctx context.Context, key string) (int, bool, error) {
	c.gets++
	return c.Backend.Get(ctx, key)
}

func (c *counting) Unwrap() backend.Backend[string, int] { return c.Backend }

// prefixed changes keys, so it must not have an Unwrap method.
type prefixed struct {
	backend.Backend[string, int]
}

func (p prefixed) Get(ctx context.Context, key string) (int, bool, error) {
	return p.Backend.Get(ctx, "p:"+key)
}

func ExampleAs() {
	b := &counting{Backend: cache()}
	defer backend.Close(b)

	_, direct := backend.Backend[string, int](b).(backend.EntryGetter[string, int])
	getter, behind := backend.As[backend.EntryGetter[string, int]](b)
	fmt.Println(direct, behind)

	entry, hit, err := getter.GetEntry(context.Background(), "answer")
	fmt.Println(entry.Value, time.Until(entry.Deadline) <= time.Hour, hit, err)
	// Output:
	// false true
	// 42 true true <nil>
}

func ExampleAll() {
	for _, b := range []backend.Backend[string, int]{cache(), &counting{Backend: cache()}, prefixed{cache()}} {
		all, err := backend.All(b)
		if errors.Is(err, errors.ErrUnsupported) {
			fmt.Println("cannot list:", err)
			continue
		}
		sum := 0
		for _, v := range all {
			sum += v
		}
		fmt.Println("sum", sum)
	}
	// Output:
	// sum 43
	// sum 43
	// cannot list: backend: all: unsupported operation
}

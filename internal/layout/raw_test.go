package layout_test

import (
	"fmt"
	"runtime"
	"time"

	"github.com/dgraph-io/ristretto"
	gocache "github.com/patrickmn/go-cache"
)

func Example_raw() {
	// ristretto hits in about 1 of 1,000 runs if its goroutine runs before Get.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))

	users, _ := ristretto.NewCache(&ristretto.Config{NumCounters: 1e5, MaxCost: 1e4, BufferItems: 64})
	users.Set("ada", 36, 1)
	fmt.Println(users.Get("ada")) // <nil> false: Set has returned, but the value is not stored yet

	tokens := gocache.New(time.Hour, time.Hour)
	tokens.Set("ada", "secret", 0) // the token expires now: its remaining lifetime is 0
	fmt.Println(tokens.Get("ada")) // secret true: go-cache keeps it for an hour
	// Output:
	// <nil> false
	// secret true
}

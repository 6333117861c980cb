// Command compare-example is the cachepact command with one more cache:
//
//	go run . compare hits --workload zipf:0.99 --adapters mine,golanglru
package main

import (
	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/compare"
)

func main() {
	compare.Main(compare.Contestant{
		Name: "mine",
		New: func(o compare.Options) (backend.Backend[uint64, uint64], error) {
			return newSieve(o.Capacity)
		},
	})
}

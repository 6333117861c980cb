// Command cachepact compares Go caches on recorded or generated requests.
package main

import "github.com/cachepact/cachepact/compare"

func main() {
	compare.Main()
}

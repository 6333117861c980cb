// Command cachepact compares Go caches on recorded or generated requests, and
// merges the reports of conformance runs.
package main

import "github.com/cachepact/cachepact/compare"

func main() {
	root := compare.Command()
	root.AddCommand(newMatrix())
	compare.Exit(root)
}

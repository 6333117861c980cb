package compare

import (
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/cachepact/cachepact/backend"
)

// A Contestant is a cache that takes part in a comparison.
type Contestant struct {
	// Name is how --adapters and the report call it.
	Name string
	// Module is the path of the module the cache comes from. The report shows
	// the version of it that is linked in. It may be empty.
	Module string
	// LRU says that the cache evicts exactly by least recent use, so that its
	// hits must equal those of the exact LRU.
	LRU bool
	// Bytes says that the cache is bounded by bytes and not by entries.
	Bytes bool
	// Note says in a few words what a reader must know to judge the figures,
	// such as how the cache was configured to come close to the capacity.
	Note string
	// New returns an empty cache. What it can hold should be as close to the
	// options as the cache allows; how close that is, its Traits say.
	New func(Options) (backend.Backend[uint64, uint64], error)
	// NewBytes is New for values that are byte slices, which the comparison of
	// memory and capacities in bytes need. Without it the cache takes part in
	// these with numbers as values, or not at all.
	NewBytes func(Options) (backend.Backend[uint64, []byte], error)
}

// Options says what a contestant should be able to hold.
type Options struct {
	// Capacity is a number of entries, at least 1.
	Capacity int
	// Bytes is the capacity of a cache that is bounded by bytes, all in all. If
	// it is zero, such a cache is to have room for Capacity entries.
	Bytes int64
	// Value is the size of a value in bytes, by mean; of use to a cache that is
	// bounded by bytes and has to hold Capacity entries. Zero means a number.
	Value int
}

// version returns the version of the module the contestant comes from.
func (c Contestant) version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || c.Module == "" {
		return ""
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path == c.Module {
			if m.Replace != nil {
				m = m.Replace
			}
			return strings.TrimSuffix(m.Version, "+incompatible")
		}
	}
	return ""
}

// choose returns the contestants named by a list with commas, in its order, or
// all if the list is empty.
func choose(all []Contestant, list string) ([]Contestant, error) {
	if list == "" {
		return all, nil
	}
	var chosen []Contestant
	for name := range strings.SplitSeq(list, ",") {
		named := func(c Contestant) bool { return c.Name == strings.TrimSpace(name) }
		i := slices.IndexFunc(all, named)
		if i < 0 {
			return nil, fmt.Errorf("unknown adapter %q: expected one of %s", name, strings.Join(names(all), ", "))
		}
		if !slices.ContainsFunc(chosen, named) {
			chosen = append(chosen, all[i])
		}
	}
	return chosen, nil
}

func names(all []Contestant) []string {
	var list []string
	for _, c := range all {
		list = append(list, c.Name)
	}
	return list
}

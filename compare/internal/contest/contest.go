// Package contest has what the comparisons of hits, speed, memory and lifetimes share: the caches that take part, the
// settings, and the findings.
package contest

import (
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/cachepact/cachepact/adapters"
	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/compare/internal/load"
	"github.com/cachepact/cachepact/compare/report"
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

// Choose returns the contestants named by a list with commas, in its order, or
// all if the list is empty.
func Choose(all []Contestant, list string) ([]Contestant, error) {
	if list == "" {
		return all, nil
	}
	var chosen []Contestant
	for name := range strings.SplitSeq(list, ",") {
		named := func(c Contestant) bool { return c.Name == strings.TrimSpace(name) }
		i := slices.IndexFunc(all, named)
		if i < 0 {
			return nil, fmt.Errorf("unknown adapter %q: expected one of %s", name, strings.Join(Names(all), ", "))
		}
		if !slices.ContainsFunc(chosen, named) {
			chosen = append(chosen, all[i])
		}
	}
	return chosen, nil
}

// Names returns the names of contestants.
func Names(all []Contestant) []string {
	var list []string
	for _, c := range all {
		list = append(list, c.Name)
	}
	return list
}

// Describe describes c for a report.
func (c Contestant) Describe() report.Contestant {
	return report.Contestant{Name: c.Name, Module: c.Module, Version: c.version(), LRU: c.LRU}
}

// Bounds returns what the capacity of b bounds, which is a cache of c.
func Bounds[V any](c Contestant, b backend.Backend[uint64, V]) report.Bounds {
	switch bound := backend.TraitsOf(b).Bound; {
	case bound == backend.BoundNone:
		return report.BoundsNothing
	case c.Bytes:
		return report.BoundsBytes
	case bound == backend.BoundApproximate:
		return report.BoundsAbout
	}
	return report.BoundsEntries
}

// Config is the part of the settings that all comparisons have.
type Config struct {
	Load        *load.Load // nil if there are no requests
	Contestants []Contestant
	Capacities  []load.Capacity
	Seed        uint64
	// Value is the size of a value in bytes. Zero means the size that the requests state, or the default of the
	// comparison.
	Value    int
	Progress Progress
}

// Progress shows how much of a comparison is done. The steps of all comparisons add up.
type Progress interface {
	// Expect announces more steps.
	Expect(steps int)
	// Step says that one step is done, and names the next one.
	Step(next string)
}

// A Log collects the findings and notes of a comparison.
type Log struct {
	Findings []report.Finding
	Notes    []report.Note
}

// Found adds a finding.
func (l *Log) Found(f report.Finding) { l.Findings = append(l.Findings, f) }

// Note adds a note on a cache, or on the whole comparison if name is empty.
func (l *Log) Note(name, format string, args ...any) {
	l.Notes = append(l.Notes, report.Note{Name: name, Text: fmt.Sprintf(format, args...)})
}

// Mix is the finalizer of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014). It maps different numbers to different,
// scattered numbers.
func Mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Find returns the contestant with a name.
func Find(all []Contestant, name string) (Contestant, error) {
	for _, c := range all {
		if c.Name == name {
			return c, nil
		}
	}
	return Contestant{}, fmt.Errorf("unknown contestant %q: the child process has other contestants", name)
}

// Builtin returns the caches of this module's adapters.
func Builtin() []Contestant {
	var all []Contestant
	bytes := adapters.All[uint64, []byte]()
	for i, a := range adapters.All[uint64, uint64]() {
		all = append(all, Contestant{
			Name: a.Name, Module: a.Module, LRU: a.Eviction == adapters.LRU, Bytes: a.Bound == adapters.Bytes, Note: a.Note,
			New:      func(o Options) (backend.Backend[uint64, uint64], error) { return a.New(adapters.Options(o)) },
			NewBytes: func(o Options) (backend.Backend[uint64, []byte], error) { return bytes[i].New(adapters.Options(o)) },
		})
	}
	return all
}

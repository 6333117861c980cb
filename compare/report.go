package compare

import (
	"runtime"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// A Report is the result of a comparison.
type Report struct {
	Workload Workload
	Machine  Machine
	Tables   []Table
	Notes    []Note
}

// A Note is what a reader must know of a cache at every capacity.
type Note struct {
	Name, Text string
}

// A Workload describes the requests that were replayed.
type Workload struct {
	Name     string
	Format   string // of the trace; empty if the workload was generated
	Requests int64
	Distinct int // keys
	// Sample is the share of the keys that was taken; 1 is all.
	Sample float64
}

// A Machine is where the comparison ran.
type Machine struct {
	Go, OS, Arch string
	CPUs         int
}

func thisMachine() Machine {
	return Machine{Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.GOMAXPROCS(0)}
}

// A Table compares the caches at one capacity.
type Table struct {
	Capacity   int // entries
	Rows       []Row
	References []Reference
	Findings   []Finding
}

// A Row is one cache at one pace.
type Row struct {
	Name    string
	Version string // of the library
	Pace    Pace   // empty: the cache has no writes to wait for
	Bounds  Bounds
	Outcome
	// Failed is why there are no or not all figures.
	Failed string
	// Ranked says that the figures are those of a cache of the table's capacity,
	// so that the row has a place in the order.
	Ranked bool
}

// Bounds is what a cache keeps within its capacity.
type Bounds string

// What a cache can bound.
const (
	BoundsEntries Bounds = "entries"
	BoundsAbout   Bounds = "~entries" // not exactly
	BoundsBytes   Bounds = "bytes"
	BoundsNothing Bounds = "nothing"
)

// bounds returns what b, which is of c, bounds.
func (c Contestant) bounds(b backend.Backend[uint64, uint64]) Bounds {
	switch bound := backend.TraitsOf(b).Bound; {
	case bound == backend.BoundNone:
		return BoundsNothing
	case c.Bytes:
		return BoundsBytes
	case bound == backend.BoundApproximate:
		return BoundsAbout
	}
	return BoundsEntries
}

// label names the row in a table and in findings.
func (r Row) label() string {
	if r.Pace == "" {
		return r.Name
	}
	return r.Name + " " + string(r.Pace)
}

// A Reference is the hits of an exact policy.
type Reference struct {
	Name     string
	Hits     int64
	Misses   int64
	Computed time.Duration
}

// HitRatio returns the share of hits in all reads.
func (r Reference) HitRatio() float64 {
	return Outcome{Hits: r.Hits, Misses: r.Misses}.HitRatio()
}

// The names of the references.
const (
	refOPTBypass = "OPT with bypass"
	refOPT       = "OPT"
	refLRU       = "LRU"
	refFIFO      = "FIFO"
)

// reference returns the named reference, if it was computed.
func (t Table) reference(name string) (Reference, bool) {
	for _, r := range t.References {
		if r.Name == name {
			return r, true
		}
	}
	return Reference{}, false
}

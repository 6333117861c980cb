package policy

import (
	"math"
	"math/bits"
	"slices"
	"time"

	"github.com/cachepact/cachepact/compare/trace"
)

// A Future has for each request the position of the Get that would hit if the request's key were kept. [OPT] and
// [OPTBypass] need it. It is the same for every capacity.
type Future struct {
	use []uint32
	// gets are the requests that do not store what they miss; nil: there are none.
	gets bitset
}

const (
	never   = math.MaxUint32     // keeping the key would gain nothing
	nothing = math.MaxUint32 - 1 // the request neither hits nor stores
)

// NewFuture computes the future of r, which must have fewer than 2³²-2 requests.
//
// If entries expire and a Get stores after a miss, an entry's deadline depends on the policy's decisions. The Future
// then takes the latest possible deadline, so OPTBypass is an upper bound.
func NewFuture(r Requests) Future {
	f := Future{use: make([]uint32, len(r.IDs))}
	at := make([]uint32, r.Distinct) // the next Get of each key
	for id := range at {
		at[id] = never
	}
	if r.NoFill {
		f.gets = newBitset(len(r.IDs))
	}
	late := r.late()
	for i := len(r.IDs) - 1; i >= 0; i-- {
		id := r.IDs[i]
		f.use[i] = at[id]
		switch r.op(i) {
		case trace.Get:
			at[id] = uint32(i)
			if late != nil && late.has(uint32(i)) {
				at[id] = never
			}
			if r.NoFill {
				f.gets.add(uint32(i))
			}
		case trace.Set:
			at[id] = never
		case trace.Delete:
			f.use[i], at[id] = nothing, never
		case trace.Update:
			f.use[i] = nothing
		}
	}
	return f
}

// late returns the Gets that always miss because the key has expired. It returns nil if nothing expires.
func (r Requests) late() bitset {
	if r.Times == nil {
		return nil
	}
	late := newBitset(len(r.IDs))
	deadline := make([]time.Duration, r.Distinct)
	for i, id := range r.IDs {
		switch r.op(i) {
		case trace.Get:
			over := deadline[id] <= r.Times[i]
			if over {
				late.add(uint32(i))
			}
			if !r.NoFill && (over || r.Deadlines[i] > deadline[id]) {
				deadline[id] = r.Deadlines[i]
			}
		case trace.Set:
			deadline[id] = r.Deadlines[i]
		case trace.Delete:
			deadline[id] = 0
		case trace.Update:
		}
	}
	return late
}

// OPT evicts the entry whose next Get is the latest. It is optimal only if every Get stores after a miss and nothing
// expires.
func OPT(f Future, capacity int) (hits int) {
	return belady(f, capacity, false)
}

// OPTBypass is OPT, but it does not store an entry that it would evict first.
func OPTBypass(f Future, capacity int) (hits int) {
	return belady(f, capacity, true)
}

// belady holds for each stored key the position of its next hit, in a set whose largest position is evicted. Keys
// without a next hit are equivalent, so they are only counted.
func belady(f Future, capacity int, bypass bool) (hits int) {
	useful, useless := newBitset(len(f.use)), 0
	size := 0 // of useful
	for i, use := range f.use {
		if use == nothing {
			continue
		}
		switch {
		case useful.remove(uint32(i)):
			hits++
			size--
		case f.gets != nil && f.gets.has(uint32(i)):
			continue
		case size+useless < capacity:
		case useless > 0:
			useless--
		default:
			last := useful.max()
			if bypass && last <= use {
				continue
			}
			useful.remove(last)
			size--
		}
		if use == never {
			useless++
		} else {
			useful.add(use)
			size++
		}
	}
	return hits
}

// A bitset is a set of positions. Each word of a level has a bit for every word of the level below that is not empty,
// so finding the largest position takes one step per level.
type bitset [][]uint64

func newBitset(n int) bitset {
	var b bitset
	for {
		n = (n + 63) / 64
		b = append(b, make([]uint64, n))
		if n <= 1 {
			return b
		}
	}
}

func (b bitset) add(i uint32) {
	for _, level := range b {
		level[i/64] |= 1 << (i % 64)
		i /= 64
	}
}

func (b bitset) has(i uint32) bool { return b[0][i/64]&(1<<(i%64)) != 0 }

// remove reports whether i was in the set.
func (b bitset) remove(i uint32) bool {
	if !b.has(i) {
		return false
	}
	for _, level := range b {
		level[i/64] &^= 1 << (i % 64)
		if level[i/64] != 0 {
			break
		}
		i /= 64
	}
	return true
}

// max returns the largest position in the set, which is not empty.
func (b bitset) max() uint32 {
	var i uint32
	for _, level := range slices.Backward(b) {
		i = i*64 + uint32(63-bits.LeadingZeros64(level[i]))
	}
	return i
}

package policy

import (
	"math"
	"math/bits"
	"slices"

	"github.com/cachepact/cachepact/compare/trace"
)

// A Future says for each request what [OPT] and [OPTBypass] need to know of the
// later ones: the position of the Get that would hit if its key were kept. It is
// the same for every capacity.
type Future []uint32

const (
	never   = math.MaxUint32     // keeping the key would gain nothing
	nothing = math.MaxUint32 - 1 // the request neither hits nor stores
)

// NewFuture looks into the future of r, which has fewer than 2³²-2 requests.
func NewFuture(r Requests) Future {
	f := make(Future, len(r.IDs))
	at := make([]uint32, r.Distinct) // the next Get of each key
	for id := range at {
		at[id] = never
	}
	for i := len(f) - 1; i >= 0; i-- {
		id := r.IDs[i]
		f[i] = at[id]
		switch r.op(i) {
		case trace.Get:
			at[id] = uint32(i)
		case trace.Set:
			at[id] = never
		case trace.Delete:
			f[i], at[id] = nothing, never
		case trace.Update:
			f[i] = nothing
		}
	}
	return f
}

// OPT evicts what will be asked for last, or never.
func OPT(f Future, capacity int) (hits int) {
	return belady(f, capacity, false)
}

// OPTBypass is OPT that does not store what it would evict first.
func OPTBypass(f Future, capacity int) (hits int) {
	return belady(f, capacity, true)
}

// belady holds, for each key that is in, the position at which it will hit: a set
// of positions whose largest is the one to evict. Keys that will not hit are all
// alike, and only counted.
func belady(f Future, capacity int, bypass bool) (hits int) {
	useful, useless := newBitset(len(f)), 0
	size := 0 // of useful
	for i, use := range f {
		if use == nothing {
			continue
		}
		if useful.remove(uint32(i)) {
			hits++
			size--
		} else if size+useless == capacity {
			if useless > 0 {
				useless--
			} else {
				last := useful.max()
				if bypass && last <= use {
					continue
				}
				useful.remove(last)
				size--
			}
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

// A bitset holds positions. Each word of a level has a bit for every word of the
// level below that is not empty, so that finding the largest position takes one
// step a level.
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

// remove reports whether i was in the set.
func (b bitset) remove(i uint32) bool {
	if b[0][i/64]&(1<<(i%64)) == 0 {
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

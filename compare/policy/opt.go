package policy

import (
	"math"
	"math/bits"
)

// Never is the next use of a key that is not asked for again.
const Never = math.MaxUint32

// NextUse returns for each request the position of the next one for the same
// key, or [Never]. It is what [OPT] and [OPTBypass] need to know of the future
// and the same for every capacity.
func NextUse(ids []uint32, distinct int) []uint32 {
	next := make([]uint32, len(ids))
	at := make([]uint32, distinct)
	for i := range at {
		at[i] = Never
	}
	for i := len(ids) - 1; i >= 0; i-- {
		next[i] = at[ids[i]]
		at[ids[i]] = uint32(i)
	}
	return next
}

// OPT evicts what will be asked for last, or never. It takes the next uses in
// place of the keys.
func OPT(next []uint32, capacity int) (hits int) {
	return belady(next, capacity, false)
}

// OPTBypass is OPT that does not store what would be evicted first.
func OPTBypass(next []uint32, capacity int) (hits int) {
	return belady(next, capacity, true)
}

// belady holds, for each key that is in, the position of its next use: a set of
// positions whose largest is the one to evict. Keys that are not asked for again
// are all alike, so they are only counted.
func belady(next []uint32, capacity int, bypass bool) (hits int) {
	future := newBitset(len(next))
	size, dead := 0, 0
	for i, use := range next {
		if future.remove(uint32(i)) {
			hits++
			size--
		} else if size+dead == capacity {
			switch last := future.max; {
			case dead > 0:
				dead--
			case bypass && last() <= use:
				continue
			default:
				future.remove(last())
				size--
			}
		}
		if use == Never {
			dead++
		} else {
			future.add(use)
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
	for l := len(b) - 1; l >= 0; l-- {
		i = i*64 + uint32(63-bits.LeadingZeros64(b[l][i]))
	}
	return i
}

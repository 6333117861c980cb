// Package spread distributes similar keys over buckets, and counts on several cache lines.
package spread

import (
	"sync/atomic"
	"unsafe"
)

// Of returns a hash of x, even if inputs are similar. Use its topmost bits, which are the best. It is multiplicative
// hashing: Knuth, The Art of Computer Programming 3, section 6.4.
func Of(x uint64) uint64 { return x * 0x9e3779b97f4a7c15 }

// Own returns a number with the given number of bits. A goroutine mostly gets the same number, and other goroutines
// mostly get others, because it is a hash of the address of the goroutine's stack.
func Own(bits uint) uint64 {
	var here byte
	const smallestStack = 11 // 2 KiB, as a shift
	return Of(uint64(uintptr(unsafe.Pointer(&here)))>>smallestStack) >> (64 - bits)
}

const tallyBits = 4

// A Tally is a counter. Any number of goroutines may add to it at once, mostly on different cache lines.
type Tally [1 << tallyBits]struct {
	_ [56]byte // fills the cache line
	n atomic.Uint64
}

// Add adds one.
func (t *Tally) Add() { t[Own(tallyBits)].n.Add(1) }

// Sum returns the count at some moment during the call. Later calls return no less.
func (t *Tally) Sum() (n uint64) {
	for i := range t {
		n += t[i].n.Load()
	}
	return n
}

// Package spread keeps keys that are alike, and goroutines that count the same thing,
// apart.
package spread

import (
	"sync/atomic"
	"unsafe"
)

// Of returns bits that differ for most numbers, however alike these are, the
// topmost most of all: hashing by multiplication, Knuth, The Art of Computer
// Programming 3, section 6.4.
func Of(x uint64) uint64 { return x * 0x9e3779b97f4a7c15 }

// Own returns a number of so many bits that is mostly the same for one goroutine, and
// mostly another for another: it depends on where its stack is.
func Own(bits uint) uint64 {
	var here byte
	const smallestStack = 11 // 2 KiB, as a shift
	return Of(uint64(uintptr(unsafe.Pointer(&here)))>>smallestStack) >> (64 - bits)
}

const tallyBits = 4

// A Tally counts. Any number of goroutines may add to it at once.
type Tally [1 << tallyBits]struct {
	_ [56]byte // apart from each other, and from what is before
	n atomic.Uint64
}

// Add counts one more.
func (t *Tally) Add() { t[Own(tallyBits)].n.Add(1) }

// Sum returns the count, which is that of some moment of the call: it never falls.
func (t *Tally) Sum() (n uint64) {
	for i := range t {
		n += t[i].n.Load()
	}
	return n
}

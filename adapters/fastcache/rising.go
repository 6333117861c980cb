package fastcache

import "sync/atomic"

// A rising number never falls, although what it is made of is not read at one moment.
type rising struct{ most atomic.Uint64 }

// raise makes c at least n, which may be negative, and returns it. To be exact
// once nobody counts any more, n must never be too large: who subtracts reads
// what he subtracts from first.
func (c *rising) raise(n int64) uint64 {
	for {
		most := c.most.Load()
		if n <= 0 || uint64(n) <= most {
			return most
		}
		if c.most.CompareAndSwap(most, uint64(n)) {
			return uint64(n)
		}
	}
}

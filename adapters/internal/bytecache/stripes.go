package bytecache

import "sync"

// Stripes are locks for keys: keys of the same hash have the same lock.
type Stripes [256]struct {
	sync.Mutex
	_ [56]byte // keeps the locks in cache lines of their own
}

// Of returns the lock for a key's hash.
func (s *Stripes) Of(hash uint64) *sync.Mutex { return &s[hash%uint64(len(s))].Mutex }

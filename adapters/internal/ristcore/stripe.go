package ristcore

import (
	"sync"
	"sync/atomic"

	"github.com/cachepact/cachepact/adapters/internal/spread"
)

const (
	stripeBits = 6
	bucketBits = 4
	markBits   = 8 // at least stripeBits, at most those of stripe and bucket
)

// A stripe is the share of the entries whose spread hashes agree in the topmost
// stripeBits. Those of a bucket agree in the next bucketBits as well.
type stripe[K comparable, V any] struct {
	// insert is held by whoever adds an entry to the library or removes one. With
	// it held, an entry that is not pending is not in the library's buffer. It
	// guards the fields up to index.
	insert  sync.Mutex
	inserts atomic.Uint64 // the entries added
	live    int64         // the entries added less those that a caller has dropped
	cells   cells[K, V]   // the entries that have not been dropped

	// index guards the heap. It is the innermost lock: the library's hooks take it
	// on goroutines of the library. Nothing is called while it is held.
	index sync.Mutex
	heap  []*Entry[K, V] // what has a deadline, the first due first

	_      [8]byte // whole cache lines
	bucket [1 << bucketBits]bucket[K, V]
}

func (s *stripe[K, V]) bucketOf(hash uint64) *bucket[K, V] {
	return &s.bucket[spread.Of(hash)<<stripeBits>>(64-bucketBits)]
}

// prune removes from the pending what is applied.
func (s *stripe[K, V]) prune(applied uint64, m *marks) {
	s.insert.Lock()
	defer s.insert.Unlock()
	for i := range s.bucket {
		s.bucket[i].prune(applied, m)
	}
}

// list appends the entries to list.
func (s *stripe[K, V]) list(list []*Entry[K, V]) []*Entry[K, V] {
	s.insert.Lock()
	defer s.insert.Unlock()
	for _, page := range s.cells.pages {
		for i := range page {
			if e := page[i].Load(); e != nil {
				list = append(list, e)
			}
		}
	}
	return list
}

// drop ends e and returns the payload it had, nil if it had ended before.
func (s *stripe[K, V]) drop(e *Entry[K, V]) *payload[V] {
	p := e.payload.Swap(nil)
	if p == nil {
		return nil
	}
	e.cell.Store(nil)
	// Whoever sets due looks at the payload afterwards.
	if e.due.Load() != never {
		s.index.Lock()
		defer s.index.Unlock()
		s.remove(e)
	}
	return p
}

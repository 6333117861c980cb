package ristcore

import (
	"container/heap"
	"sync"
	"sync/atomic"

	"github.com/cachepact/cachepact/adapters/internal/spread"
)

const (
	stripeBits = 6
	bucketBits = 4
	markBits   = 8 // at least stripeBits and at most stripeBits+bucketBits
)

// A stripe holds the entries whose spread hashes have the same top stripeBits. The entries of one bucket agree in the
// next bucketBits too.
type stripe[K comparable, V any] struct {
	// insert is locked to add an entry to the library or to remove one. While insert is locked, an entry that is not
	// pending is not in the library's buffer. The lock guards the fields up to index.
	insert  sync.Mutex
	inserts atomic.Uint64 // entries added
	live    int64         // entries added, less the entries that a caller dropped
	cells   cells[K, V]   // entries that are not dropped

	// index guards the heap. It is the innermost lock: the library's goroutines take it in hooks. No code calls
	// anything else while it holds index.
	index sync.Mutex
	heap  dueHeap[K, V] // entries with a deadline

	_      [8]byte // makes a stripe whole cache lines
	bucket [1 << bucketBits]bucket[K, V]
}

func (s *stripe[K, V]) bucketOf(hash uint64) *bucket[K, V] {
	return &s.bucket[spread.Of(hash)<<stripeBits>>(64-bucketBits)]
}

// prune removes from the pending lists the entries that the library has applied.
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

// drop drops e and returns its payload, or nil if e was dropped before.
func (s *stripe[K, V]) drop(e *Entry[K, V]) *payload[V] {
	p := e.payload.Swap(nil)
	if p == nil {
		return nil
	}
	e.cell.Store(nil)
	// A goroutine that sets due reads the payload afterwards, so one of the two removes e from the heap.
	if e.due.Load() != never {
		s.index.Lock()
		defer s.index.Unlock()
		s.remove(e)
	}
	return p
}

// expire drops the entries that have expired at now, and returns them. The caller holds insert.
func (s *stripe[K, V]) expire(now int64) (expired []*Entry[K, V]) {
	s.index.Lock()
	defer s.index.Unlock()
	for len(s.heap) > 0 && s.heap[0].due.Load() <= now {
		// A Put that shortens a lifetime stores the payload before it reads due. This loop clears due before it reads
		// the payload. So one of the two sees the other's write.
		e, place := s.heap[0], s.heap[0].due.Swap(never)
		p := e.payload.Load()
		switch {
		case p == nil || due(p.deadline) == never:
			s.remove(e)
		case p.deadline > now:
			e.due.Store(p.deadline)
			heap.Fix(&s.heap, 0)
			s.removeDropped(e)
		default:
			e.due.Store(place)
			if e.payload.CompareAndSwap(p, nil) { // if it fails, the next turn reads the new payload
				e.cell.Store(nil)
				s.remove(e)
				expired = append(expired, e)
			}
		}
	}
	s.live -= int64(len(expired))
	return expired
}

// next returns the due time of the first entry in the heap.
func (s *stripe[K, V]) next() int64 {
	s.index.Lock()
	defer s.index.Unlock()
	if len(s.heap) == 0 {
		return never
	}
	return s.heap[0].due.Load()
}

// schedule adds e to the heap, or moves it forward there. The caller holds index.
func (s *stripe[K, V]) schedule(e *Entry[K, V], at int64) {
	e.due.Store(at)
	if e.at < 0 {
		heap.Push(&s.heap, e)
	} else {
		heap.Fix(&s.heap, e.at)
	}
	s.removeDropped(e)
}

// removeDropped removes e from the heap if it was dropped by a goroutine that read due before it was set. The caller
// holds index.
func (s *stripe[K, V]) removeDropped(e *Entry[K, V]) {
	if e.payload.Load() == nil {
		s.remove(e)
	}
}

// remove removes e from the heap if it is there. The caller holds index.
func (s *stripe[K, V]) remove(e *Entry[K, V]) {
	if e.at >= 0 {
		heap.Remove(&s.heap, e.at)
		e.due.Store(never)
	}
}

// dueHeap is a [heap.Interface] that orders entries by due.
type dueHeap[K comparable, V any] []*Entry[K, V]

func (h dueHeap[K, V]) Len() int           { return len(h) }
func (h dueHeap[K, V]) Less(i, j int) bool { return h[i].due.Load() < h[j].due.Load() }

func (h dueHeap[K, V]) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i, j
}

func (h *dueHeap[K, V]) Push(x any) {
	e := x.(*Entry[K, V])
	e.at = len(*h)
	*h = append(*h, e)
}

func (h *dueHeap[K, V]) Pop() any {
	last := len(*h) - 1
	e := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	e.at = -1
	return e
}

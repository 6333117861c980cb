package ristcore

import (
	"sync"
	"sync/atomic"
)

const (
	// stripes is the number of stripes of a cache, buckets that of the buckets of
	// a stripe. Both are powers of two.
	stripes = 64
	buckets = 16
)

// A stripe is the share of the entries whose hashes agree in some bits.
type stripe[K comparable, V any] struct {
	// insert is held by whoever adds an entry to the library or removes one. With
	// it held, an entry that is not pending is not in the library's buffer.
	insert sync.Mutex
	// inserts counts the entries added, which is done with insert held.
	inserts atomic.Uint64

	// index guards the rest. It is the innermost lock: the library's hooks take
	// it on goroutines of the library. Nothing is called while it is held.
	index sync.Mutex
	// heap holds every entry that has not been dropped, the first due first.
	heap []*Entry[K, V]
	// bucket lists the pending entries, so that Get finds what the library does
	// not have yet. Get reads a head without the lock: mostly it is nil.
	bucket [buckets]atomic.Pointer[Entry[K, V]]

	_ [16]byte // whole cache lines
}

func (s *stripe[K, V]) head(hash uint64) *atomic.Pointer[Entry[K, V]] {
	return &s.bucket[hash/stripes%buckets]
}

// find returns the pending entry of a hash, or nil.
func (s *stripe[K, V]) find(hash uint64) *Entry[K, V] {
	head := s.head(hash)
	if head.Load() == nil {
		return nil
	}
	s.index.Lock()
	defer s.index.Unlock()
	e := head.Load()
	for e != nil && e.hash != hash {
		e = e.next
	}
	return e
}

// link makes e pending. The caller holds index.
func (s *stripe[K, V]) link(e *Entry[K, V]) {
	head := s.head(e.hash)
	e.next, e.pending = head.Load(), true
	head.Store(e)
}

// unlink makes e no longer pending and reports whether it was. The caller holds
// index.
func (s *stripe[K, V]) unlink(e *Entry[K, V]) bool {
	if !e.pending {
		return false
	}
	head := s.head(e.hash)
	if first := head.Load(); first == e {
		head.Store(e.next)
	} else {
		for first.next != e {
			first = first.next
		}
		first.next = e.next
	}
	e.next, e.pending = nil, false
	return true
}

// add puts a new entry into the heap. The caller holds index.
func (s *stripe[K, V]) add(e *Entry[K, V]) {
	s.heap = append(s.heap, e)
	e.at = int32(len(s.heap) - 1)
	if e.due.Load() != never { // else it stays last
		s.up(len(s.heap) - 1)
	}
}

// remove takes e out of the heap. The caller holds index.
func (s *stripe[K, V]) remove(e *Entry[K, V]) {
	i, last := int(e.at), len(s.heap)-1
	e.at = -1
	moved := s.heap[last]
	s.heap[last] = nil
	s.heap = s.heap[:last]
	if i < last {
		s.put(i, moved)
		if moved.due.Load() != e.due.Load() && !s.up(i) { // mostly neither is ever due
			s.down(i)
		}
	}
}

func (s *stripe[K, V]) put(i int, e *Entry[K, V]) {
	s.heap[i] = e
	e.at = int32(i)
}

func (s *stripe[K, V]) up(i int) (moved bool) {
	e := s.heap[i]
	for i > 0 {
		parent := (i - 1) / 2
		if s.heap[parent].due.Load() <= e.due.Load() {
			break
		}
		s.put(i, s.heap[parent])
		i, moved = parent, true
	}
	s.put(i, e)
	return moved
}

func (s *stripe[K, V]) down(i int) {
	e := s.heap[i]
	for {
		child := 2*i + 1
		if child >= len(s.heap) {
			break
		}
		if r := child + 1; r < len(s.heap) && s.heap[r].due.Load() < s.heap[child].due.Load() {
			child = r
		}
		if e.due.Load() <= s.heap[child].due.Load() {
			break
		}
		s.put(i, s.heap[child])
		i = child
	}
	s.put(i, e)
}

// drop ends e: its payload, its place in the heap and its being pending. It
// returns the payload, nil if e had ended before, and whether e was pending.
func (s *stripe[K, V]) drop(e *Entry[K, V]) (p *payload[V], pending bool) {
	s.index.Lock()
	defer s.index.Unlock()
	if p = e.payload.Swap(nil); p != nil {
		s.remove(e)
	}
	return p, s.unlink(e)
}

// dropAll ends every entry.
func (s *stripe[K, V]) dropAll() {
	s.index.Lock()
	defer s.index.Unlock()
	for _, e := range s.heap {
		e.payload.Store(nil)
		e.at = -1
		s.unlink(e)
	}
	s.heap = nil
}

// size returns the number of entries that have not been dropped.
func (s *stripe[K, V]) size() int64 {
	s.index.Lock()
	defer s.index.Unlock()
	return int64(len(s.heap))
}

// next returns when the first entry is due.
func (s *stripe[K, V]) next() int64 {
	s.index.Lock()
	defer s.index.Unlock()
	if len(s.heap) == 0 {
		return never
	}
	return s.heap[0].due.Load()
}

// expire ends what has expired by now. It returns that, and whether any of it was
// pending.
func (s *stripe[K, V]) expire(now int64) (expired []*Entry[K, V], pending bool) {
	s.index.Lock()
	defer s.index.Unlock()
	for len(s.heap) > 0 && s.heap[0].due.Load() <= now {
		// A Put that shortens a lifetime stores the payload and then looks at due.
		// Here due is cleared before the payload is read. So one of the two sees
		// what the other did.
		e, place := s.heap[0], s.heap[0].due.Swap(never)
		for e.at == 0 {
			p := e.payload.Load()
			if at := due(p.deadline); at > now {
				e.due.Store(at)
				s.down(0)
				break
			}
			if e.payload.CompareAndSwap(p, nil) {
				e.due.Store(place)
				s.remove(e)
				pending = s.unlink(e) || pending
				expired = append(expired, e)
			}
		}
	}
	return expired, pending
}

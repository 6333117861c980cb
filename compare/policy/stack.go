package policy

import (
	"math"

	"github.com/cachepact/cachepact/compare/trace"
)

// A stack holds keys in the order of their last use, and tells how deep a key is.
// An LRU of capacity c holds the keys at the depths up to c (Mattson, Gecsei, Slutz
// and Traiger, Evaluation techniques for storage hierarchies, IBM Systems Journal
// 9(2), 1970).
//
// A key that is deleted leaves a hole, a free place of every cache at least so
// large. What is pushed fills the topmost hole, so that what is below stays where it
// is.
//
// Depths are counted by a Fenwick tree (A new data structure for cumulative
// frequency tables, Software: Practice and Experience 24(3), 1994) over places that
// are numbered in the order of their use. When the numbers run out, the places in
// use are numbered anew.
type stack struct {
	place []uint32 // by key: the number of its place, from 1; 0: none
	key   []uint32 // by place
	tree  []uint32 // Fenwick, of places that are keys or holes
	holes bitset   // places
	next  uint32   // number
	size  uint32   // keys and holes
	freed uint32   // holes
}

const (
	noKey = math.MaxUint32 // of a hole or an unused place
	// infinite is the depth of a key that is not in.
	infinite = math.MaxUint32
)

func newStack(distinct int) *stack {
	s := &stack{place: make([]uint32, distinct)}
	s.renumber(max(1024, 2*distinct))
	return s
}

// renumber makes room for so many places.
func (s *stack) renumber(places int) {
	old, holes := s.key, s.holes
	s.key = make([]uint32, places+1)
	s.tree = make([]uint32, places+1)
	s.holes = newBitset(places + 1)
	from := uint32(1)
	for place := uint32(1); place < s.next; place++ {
		id := old[place]
		hole := s.freed > 0 && holes.has(place)
		if id == noKey && !hole {
			continue
		}
		s.key[from] = id
		s.tree[from] = 1
		if hole {
			s.holes.add(from)
		} else {
			s.place[id] = from
		}
		from++
	}
	s.next = from
	for i := range s.tree[1:] { // sums, in one pass
		i++
		if up := i + i&-i; up < len(s.tree) {
			s.tree[up] += s.tree[i]
		}
	}
}

// push brings a key to the top and returns how deep it was.
func (s *stack) push(id uint32) (depth uint32) {
	if int(s.next) == len(s.key) {
		s.renumber(max(len(s.key)-1, 2*int(s.size)))
	}
	place := s.place[id]
	depth = infinite
	if place > 0 {
		depth = s.size - s.upTo(place-1)
		s.key[place] = noKey
	}
	if hole, ok := s.topHole(); ok && hole > place {
		s.holes.remove(hole)
		s.add(hole, -1)
		s.size--
		s.freed--
		if place > 0 {
			s.holes.add(place)
			s.freed++
		}
	} else if place > 0 {
		s.add(place, -1)
		s.size--
	}
	s.place[id], s.key[s.next] = s.next, id
	s.add(s.next, 1)
	s.size++
	s.next++
	return depth
}

func (s *stack) topHole() (uint32, bool) {
	if s.freed == 0 {
		return 0, false
	}
	return s.holes.max(), true
}

// remove turns a key into a hole.
func (s *stack) remove(id uint32) {
	place := s.place[id]
	if place == 0 {
		return
	}
	s.place[id], s.key[place] = 0, noKey
	s.holes.add(place)
	s.freed++
}

// drop takes a key out as if it had never been there.
func (s *stack) drop(id uint32) {
	place := s.place[id]
	if place == 0 {
		return
	}
	s.place[id], s.key[place] = 0, noKey
	s.add(place, -1)
	s.size--
}

func (s *stack) add(place uint32, n int32) {
	for ; int(place) < len(s.tree); place += place & -place {
		s.tree[place] += uint32(n)
	}
}

// upTo counts the keys and holes at the places up to one.
func (s *stack) upTo(place uint32) (n uint32) {
	for ; place > 0; place -= place & -place {
		n += s.tree[place]
	}
	return n
}

// An LRUCurve has the hits of LRU by capacity.
type LRUCurve []int

// NewLRUCurve replays r once, by the stack algorithm of Mattson and others. It
// reports false if the hits are not those of a stack: with Updates, which are a use
// only of what is there; without a fill; and with deadlines.
func NewLRUCurve(r Requests) (LRUCurve, bool) {
	if r.NoFill || r.Times != nil {
		return nil, false
	}
	s := newStack(r.Distinct)
	c := make(LRUCurve, r.Distinct+1)
	for i, id := range r.IDs {
		switch r.op(i) {
		case trace.Update:
			return nil, false
		case trace.Delete:
			s.remove(id)
		case trace.Set:
			s.push(id)
		case trace.Get:
			if depth := s.push(id); depth != infinite {
				c[min(int(depth), r.Distinct)]++
			}
		}
	}
	for i := range c[1:] {
		c[i+1] += c[i]
	}
	return c, true
}

// Hits returns the number of Gets that hit at a capacity.
func (c LRUCurve) Hits(capacity int) int { return c[min(capacity, len(c)-1)] }

// Package policy replays requests through exact cache policies: the reference
// lines of a comparison.
//
// Every policy is asked for a key at each Get, stores what it misses, stores at
// each Set, forgets at each Delete and does not care for an Update, but that LRU
// takes it for a use. It returns the number of Gets that hit.
// Capacities are in entries and at least 1.
//
// [LRU] and [FIFO] are what their names say. [OPT] is Belady's algorithm (A study
// of replacement algorithms for a virtual-storage computer, IBM Systems Journal
// 5(2), 1966): no policy that must store has more hits. [OPTBypass] may also
// refuse to store, as caches with an admission policy do: no cache of that
// capacity has more hits.
package policy

import "github.com/cachepact/cachepact/compare/trace"

// Requests is what the policies replay.
type Requests struct {
	IDs      []uint32   // the keys, each below Distinct
	Ops      []trace.Op // nil: all are Get
	Distinct int
}

func (r Requests) op(i int) trace.Op {
	if r.Ops == nil {
		return trace.Get
	}
	return r.Ops[i]
}

// FIFO evicts what was stored first. A Set of what is stored keeps its place.
func FIFO(r Requests, capacity int) (hits int) {
	return queue(r, capacity, false)
}

// LRU evicts what was neither asked for nor set for the longest time.
func LRU(r Requests, capacity int) (hits int) {
	return queue(r, capacity, true)
}

// queue evicts from the end of a list that keys enter at the front. If refresh is
// set they also return there when they are used.
func queue(r Requests, capacity int, refresh bool) (hits int) {
	l := newList(r.Distinct)
	for i, id := range r.IDs {
		op := r.op(i)
		switch in := l.in[id]; {
		case op == trace.Update && !in:
			continue
		case op == trace.Delete:
			if in {
				l.remove(id)
			}
			continue
		case in:
			if op == trace.Get {
				hits++
			}
			if !refresh {
				continue
			}
			l.remove(id)
		case l.size == capacity:
			l.remove(l.prev[l.root])
		}
		l.push(id)
	}
	return hits
}

// A list is a ring of keys through one more element, the root.
type list struct {
	next, prev []uint32
	in         []bool
	root       uint32
	size       int
}

func newList(distinct int) *list {
	l := &list{
		next: make([]uint32, distinct+1),
		prev: make([]uint32, distinct+1),
		in:   make([]bool, distinct),
		root: uint32(distinct),
	}
	l.next[l.root], l.prev[l.root] = l.root, l.root
	return l
}

func (l *list) push(id uint32) {
	first := l.next[l.root]
	l.next[id], l.prev[id] = first, l.root
	l.prev[first], l.next[l.root] = id, id
	l.in[id] = true
	l.size++
}

func (l *list) remove(id uint32) {
	l.next[l.prev[id]], l.prev[l.next[id]] = l.next[id], l.prev[id]
	l.in[id] = false
	l.size--
}

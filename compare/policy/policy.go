// Package policy replays requests through exact cache policies, the references of a comparison.
//
// Every policy looks up the key of each Get, stores it after a miss, stores at each Set and removes at each Delete. An
// Update counts as a use in [LRU] and [CLOCK]; other policies ignore it. A policy returns the number of Gets that hit.
// Capacities are in entries and at least 1.
//
// [NewLRUCurve] has the hits of LRU at every capacity, and [SHARDS] estimates them from a sample. [OPT] is Belady's
// algorithm (A study of replacement algorithms for a virtual-storage computer, IBM Systems Journal 5(2), 1966): no
// policy that must store has more hits. [OPTBypass] may also refuse to store, like caches with an admission policy: no
// cache of that capacity has more hits.
package policy

import (
	"math"
	"time"

	"github.com/cachepact/cachepact/compare/trace"
)

// Requests are the requests that the policies replay.
type Requests struct {
	IDs      []uint32   // the keys, each below Distinct
	Ops      []trace.Op // nil: all are Get
	Distinct int
	// NoFill means that only Sets store. Otherwise a Get stores after a miss too.
	NoFill bool
	// Times are the times of the requests, and Deadlines the deadlines of the entries
	// that they store. At its deadline an entry has expired. Times never decrease.
	// Without Times nothing expires.
	Times, Deadlines []time.Duration
	// Lazy means that an expired entry stays until a request for it or its eviction.
	// Otherwise it leaves at its deadline. OPT ignores Lazy, because it evicts entries
	// that it will not need.
	Lazy bool
}

// Never is the deadline of an entry that does not expire.
const Never time.Duration = math.MaxInt64

func (r Requests) op(i int) trace.Op {
	if r.Ops == nil {
		return trace.Get
	}
	return r.Ops[i]
}

// FIFO evicts the entry that was stored first. A Set of a stored key keeps its place.
func FIFO(r Requests, capacity int) (hits int) {
	return queue(r, capacity, (*list).stay, (*list).last)
}

// LRU evicts the least recently used entry. Gets and Sets are uses.
func LRU(r Requests, capacity int) (hits int) {
	return queue(r, capacity, (*list).refresh, (*list).last)
}

// CLOCK is FIFO, but an entry that was used since the last round gets another round (Corbató, A paging experiment with
// the Multics system, 1968).
func CLOCK(r Requests, capacity int) (hits int) {
	return queue(r, capacity, (*list).mark, (*list).sweep)
}

// queue evicts from the end of a list, and keys enter at the front. It calls use when a key in the list is used, and
// victim to choose the key to evict.
func queue(r Requests, capacity int, use func(*list, uint32), victim func(*list) uint32) (hits int) {
	l := newList(r.Distinct)
	clock := newExpiry(r, l)
	for i, id := range r.IDs {
		op, in := r.op(i), l.in[id]
		if clock != nil {
			in = clock.advance(i, id)
		}
		switch {
		case op == trace.Update:
			if in {
				use(l, id)
			}
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
			use(l, id)
			if op == trace.Get {
				continue
			}
		case op == trace.Get && r.NoFill:
			continue
		default:
			if l.size == capacity {
				l.remove(victim(l))
			}
			l.push(id)
		}
		if clock != nil {
			clock.stored(i, id)
		}
	}
	return hits
}

// An expiry removes expired keys from a list.
type expiry struct {
	Requests
	list     *list
	deadline []time.Duration // by key, if lazy
	due      *Deadlines      // if not
}

// newExpiry returns nil if nothing expires.
func newExpiry(r Requests, l *list) *expiry {
	switch {
	case r.Times == nil:
		return nil
	case r.Lazy:
		return &expiry{Requests: r, list: l, deadline: make([]time.Duration, r.Distinct)}
	}
	return &expiry{Requests: r, list: l, due: NewDeadlines(r.Distinct)}
}

// advance moves the time to request i, and reports whether id is in the list and has not expired.
func (e *expiry) advance(i int, id uint32) bool {
	if e.Lazy {
		if e.list.in[id] && e.deadline[id] <= e.Times[i] {
			e.list.remove(id)
		}
		return e.list.in[id]
	}
	for {
		gone, ok := e.due.Expired(e.Times[i])
		if !ok {
			return e.list.in[id]
		}
		if e.list.in[gone] {
			e.list.remove(gone)
		}
	}
}

// stored records that request i has stored id.
func (e *expiry) stored(i int, id uint32) {
	if e.Lazy {
		e.deadline[id] = e.Deadlines[i]
		return
	}
	e.due.Set(id, e.Deadlines[i])
}

// A list is a ring of keys with a root element.
type list struct {
	next, prev []uint32
	in         []bool
	used       []bool // since it came to the front, for CLOCK
	root       uint32
	size       int
}

func newList(distinct int) *list {
	l := &list{
		next: make([]uint32, distinct+1),
		prev: make([]uint32, distinct+1),
		in:   make([]bool, distinct),
		used: make([]bool, distinct),
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
	l.in[id], l.used[id] = false, false
	l.size--
}

func (l *list) stay(uint32) {}

func (l *list) mark(id uint32) { l.used[id] = true }

func (l *list) refresh(id uint32) {
	l.remove(id)
	l.push(id)
}

func (l *list) last() uint32 { return l.prev[l.root] }

// sweep moves used keys from the end to the front until the last key is unused.
func (l *list) sweep() uint32 {
	for l.used[l.last()] {
		id := l.last()
		l.used[id] = false
		l.refresh(id)
	}
	return l.last()
}

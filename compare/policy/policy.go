// Package policy replays requests through exact cache policies: the reference
// lines of a comparison.
//
// Every policy is asked for a key at each Get, stores what it misses, stores at
// each Set, forgets at each Delete and does not care for an Update, but that [LRU]
// and [CLOCK] take it for a use. It returns the number of Gets that hit.
// Capacities are in entries and at least 1.
//
// [LRU], [FIFO] and [CLOCK] are what their names say; [NewLRUCurve] has the hits of
// LRU at every capacity, and [SHARDS] estimates them from a sample. [OPT] is
// Belady's algorithm (A study of replacement algorithms for a virtual-storage
// computer, IBM Systems Journal 5(2), 1966): no policy that must store has more
// hits. [OPTBypass] may also refuse to store, as caches with an admission policy
// do: no cache of that capacity has more hits.
package policy

import (
	"math"
	"time"

	"github.com/cachepact/cachepact/compare/trace"
)

// Requests is what the policies replay.
type Requests struct {
	IDs      []uint32   // the keys, each below Distinct
	Ops      []trace.Op // nil: all are Get
	Distinct int
	// NoFill says that a Get that misses does not store: only Sets do.
	NoFill bool
	// Times is when each request comes, and Deadlines when what it stores, if it
	// does, expires: an entry is not there at its deadline or later. Times do not
	// fall. Without them nothing expires.
	Times, Deadlines []time.Duration
	// Lazy says that an expired entry keeps its place until it is asked for or
	// evicted. Otherwise it leaves at its deadline. OPT does not care: it evicts
	// what it will not need.
	Lazy bool
}

// Never is the deadline of what does not expire.
const Never time.Duration = math.MaxInt64

func (r Requests) op(i int) trace.Op {
	if r.Ops == nil {
		return trace.Get
	}
	return r.Ops[i]
}

// FIFO evicts what was stored first. A Set of what is stored keeps its place.
func FIFO(r Requests, capacity int) (hits int) {
	return queue(r, capacity, (*list).stay, (*list).last)
}

// LRU evicts what was neither asked for nor set for the longest time.
func LRU(r Requests, capacity int) (hits int) {
	return queue(r, capacity, (*list).refresh, (*list).last)
}

// CLOCK gives what would be evicted by FIFO a second round if it was used since
// the last one (Corbató, A paging experiment with the Multics system, 1968).
func CLOCK(r Requests, capacity int) (hits int) {
	return queue(r, capacity, (*list).mark, (*list).sweep)
}

// queue evicts from the end of a list that keys enter at the front. The function
// use is called for a key in the list when it is used, and victim chooses one.
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

// An expiry removes from a list what has expired.
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

// advance moves the time to that of request i, and reports whether id is in the
// list and not expired.
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

// stored notes that request i has stored id.
func (e *expiry) stored(i int, id uint32) {
	if e.Lazy {
		e.deadline[id] = e.Deadlines[i]
		return
	}
	e.due.Set(id, e.Deadlines[i])
}

// A list is a ring of keys through one more element, the root.
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

// sweep brings what was used back to the front until the last one was not.
func (l *list) sweep() uint32 {
	for l.used[l.last()] {
		id := l.last()
		l.used[id] = false
		l.refresh(id)
	}
	return l.last()
}

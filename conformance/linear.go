package conformance

import "math/bits"

// absent is the state of a register without a value.
const absent = -1

// A lop is one completed operation on one key. Its times are readings of a counter: call is read before the operation
// starts, and ret after it has returned.
type lop struct {
	kind      opKind // opGet, opPut or opInvalidate
	val       int    // put, or returned by a hit; absent for a miss
	call, ret int64
	client    int
}

// linearizable reports whether the operations on one key can be ordered as one after the other, each between its call
// and its return, on a register that is absent at first. A lossy register may lose its value at any moment, and a lost
// value does not come back: a miss is always legal and leaves the key absent.
//
// The search is that of Wing and Gong (Testing and Verifying Concurrent Objects, JPDC 1993) with the cache of visited
// states of Lowe (Testing for Linearizability, CCPE 2017). It accepts at most 64 operations.
func linearizable(ops []lop, lossy bool) bool {
	s := search{ops: ops, lossy: lossy, seen: map[visited]bool{}}
	return s.from(visited{state: absent})
}

type visited struct {
	done  uint64 // set of operations
	state int
}

type search struct {
	ops   []lop
	lossy bool
	seen  map[visited]bool
}

func (s *search) from(at visited) bool {
	if bits.OnesCount64(at.done) == len(s.ops) {
		return true
	}
	if s.seen[at] {
		return false
	}
	s.seen[at] = true
	// The next operation must have been called before any other operation returned.
	first := int64(1<<63 - 1)
	for i, o := range s.ops {
		if at.done&(1<<i) == 0 {
			first = min(first, o.ret)
		}
	}
	for i, o := range s.ops {
		if at.done&(1<<i) != 0 || o.call > first {
			continue
		}
		next, legal := o.apply(at.state, s.lossy)
		if legal && s.from(visited{done: at.done | 1<<i, state: next}) {
			return true
		}
	}
	return false
}

// apply returns the state after o, and whether o could have happened in state.
func (o lop) apply(state int, lossy bool) (next int, legal bool) {
	switch {
	case o.kind == opPut:
		return o.val, true
	case o.kind == opInvalidate:
		return absent, true
	case o.val == absent:
		return absent, lossy || state == absent
	}
	return state, state == o.val
}

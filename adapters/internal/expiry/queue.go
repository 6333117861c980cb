package expiry

import (
	"math"
	"slices"
)

const (
	// PutLimit is how many expired entries a Put removes. It is more than one, so that expired entries become fewer
	// even if every Put adds an entry that will expire.
	PutLimit = 4
	// StatsLimit is how many expired entries Stats removes before it unlocks the cache for other goroutines.
	StatsLimit = 256
)

// A Node holds the deadline of one entry. The entry embeds its node or points to it.
type Node[K any] struct {
	Key      K
	Deadline int64
	index    int // in the heap, plus one; 0: not in a queue
}

// A Queue orders nodes by deadline. The zero Queue is empty. A Queue is not safe for concurrent use.
//
// An overwrite is cheap: if a node gets a later deadline, it keeps its place until the earlier deadline has passed. A
// removal is cheap too: a removed node leaves a gap, and the queue closes the gaps when they are more than half of all
// places.
type Queue[K any] struct {
	heap []item[K]
	gaps int
}

type item[K any] struct {
	at   int64    // at most node.Deadline
	node *Node[K] // nil: a gap
}

// Len returns the number of nodes.
func (q *Queue[K]) Len() int { return len(q.heap) - q.gaps }

// Add adds n, which must not be in a queue.
func (q *Queue[K]) Add(n *Node[K]) {
	q.heap = append(q.heap, item[K]{})
	q.up(len(q.heap)-1, item[K]{n.Deadline, n})
}

// Move restores the order after the caller has changed the deadline of n. The node n must be in the queue.
func (q *Queue[K]) Move(n *Node[K]) { q.Replace(n, n) }

// Replace puts n in the place of old, which must be in the queue.
func (q *Queue[K]) Replace(old, n *Node[K]) {
	i := old.index - 1
	old.index = 0
	n.index = i + 1
	q.heap[i].node = n
	if n.Deadline < q.heap[i].at {
		q.up(i, item[K]{n.Deadline, n})
	}
}

// Remove removes n if it is in the queue.
func (q *Queue[K]) Remove(n *Node[K]) {
	if n.index == 0 {
		return
	}
	q.heap[n.index-1].node = nil
	n.index = 0
	if q.gaps++; q.gaps > len(q.heap)/2 {
		q.compact()
	}
}

// Pop removes and returns a node whose deadline has passed at the time now. It returns nil if there is no such node.
func (q *Queue[K]) Pop(now int64) *Node[K] {
	for q.Due(now) {
		n := q.heap[0].node
		if n != nil && n.Deadline > now {
			q.down(0, item[K]{n.Deadline, n})
			continue
		}
		q.removeFirst()
		if n != nil {
			n.index = 0
			return n
		}
		q.gaps--
	}
	return nil
}

// Due reports whether a deadline may have passed at the time now. If Due returns false, no deadline has passed.
func (q *Queue[K]) Due(now int64) bool {
	return len(q.heap) > 0 && q.heap[0].at <= now
}

// None is the result of [Queue.Next] for an empty queue.
const None int64 = math.MaxInt64

// Next returns a time before which no deadline passes. It is the first deadline or earlier. For an empty queue Next
// returns [None].
func (q *Queue[K]) Next() int64 {
	if q.Len() == 0 {
		return None
	}
	return q.heap[0].at
}

func (q *Queue[K]) removeFirst() {
	end := len(q.heap) - 1
	last := q.heap[end]
	q.heap[end] = item[K]{}
	q.heap = q.heap[:end]
	if end > 0 {
		q.down(0, last)
	}
}

// compact closes the gaps.
func (q *Queue[K]) compact() {
	q.heap = slices.DeleteFunc(q.heap, func(it item[K]) bool { return it.node == nil })
	q.gaps = 0
	for i, it := range slices.Backward(q.heap) {
		q.down(i, it)
	}
}

// down places it at i or below.
func (q *Queue[K]) down(i int, it item[K]) {
	for {
		child := 2*i + 1
		if child >= len(q.heap) {
			break
		}
		if child+1 < len(q.heap) && q.heap[child+1].at < q.heap[child].at {
			child++
		}
		if it.at <= q.heap[child].at {
			break
		}
		q.set(i, q.heap[child])
		i = child
	}
	q.set(i, it)
}

// up places it at i or above.
func (q *Queue[K]) up(i int, it item[K]) {
	for i > 0 {
		parent := (i - 1) / 2
		if q.heap[parent].at <= it.at {
			break
		}
		q.set(i, q.heap[parent])
		i = parent
	}
	q.set(i, it)
}

func (q *Queue[K]) set(i int, it item[K]) {
	q.heap[i] = it
	if it.node != nil {
		it.node.index = i + 1
	}
}

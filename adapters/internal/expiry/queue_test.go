package expiry

import (
	"math/rand/v2"
	"testing"
)

// TestGaps removes more than half of the nodes in random order.
func TestGaps(t *testing.T) {
	const n = 1000
	r := rand.New(rand.NewPCG(1, 2))
	var q Queue[int]
	nodes := map[int]*Node[int]{}
	for _, i := range r.Perm(n) {
		nodes[i] = &Node[int]{Key: i, Deadline: int64(i)}
		q.Add(nodes[i])
	}
	for _, i := range r.Perm(n)[:2*n/3] {
		q.Remove(nodes[i])
		delete(nodes, i)
	}
	if got := cap(q.heap) - len(q.heap); got < n/2 || q.Len() != len(nodes) {
		t.Errorf("Len = %d with %d places, want %d with less than half of the places", q.Len(), len(q.heap), len(nodes))
	}
	for now := range int64(n) {
		if got, want := q.Pop(now), nodes[int(now)]; got != want {
			t.Errorf("Pop(%d) = %v, want %v", now, got, want)
		}
	}
}

// TestModel compares a queue with a map of deadlines during random operations.
func TestModel(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(1, seed))
		var q Queue[int]
		live := map[int]*Node[int]{}
		now := int64(0)
		for step := range 1000 {
			key := r.IntN(60)
			n, deadline := live[key], now+1+r.Int64N(500)
			switch op := r.IntN(5); {
			case op == 0:
				now += r.Int64N(20)
				for {
					n := q.Pop(now)
					if n == nil {
						break
					}
					if live[n.Key] != n || n.Deadline > now {
						t.Fatalf("seed %d, step %d: Pop(%d) returned %d with deadline %d", seed, step, now, n.Key, n.Deadline)
					}
					delete(live, n.Key)
				}
				if q.Due(now) {
					t.Fatalf("seed %d, step %d: due after the last Pop", seed, step)
				}
				for k, n := range live {
					if n.Deadline <= now {
						t.Fatalf("seed %d, step %d: Pop(%d) left %d with deadline %d", seed, step, now, k, n.Deadline)
					}
				}
			case n == nil:
				live[key] = &Node[int]{Key: key, Deadline: deadline}
				q.Add(live[key])
			case op == 1:
				q.Remove(n)
				q.Remove(n) // no effect
				delete(live, key)
			case op == 2:
				n.Deadline = deadline
				q.Move(n)
			default:
				live[key] = &Node[int]{Key: key, Deadline: deadline}
				q.Replace(n, live[key])
				q.Remove(n) // no effect
			}
			if q.Len() != len(live) {
				t.Fatalf("seed %d, step %d: Len = %d, want %d", seed, step, q.Len(), len(live))
			}
			soonest := None
			for _, n := range live {
				soonest = min(soonest, n.Deadline)
			}
			if next := q.Next(); next > soonest || (next == None) != (len(live) == 0) {
				t.Fatalf("seed %d, step %d: Next = %d, want at most %d", seed, step, next, soonest)
			}
		}
	}
}

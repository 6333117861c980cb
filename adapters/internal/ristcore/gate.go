package ristcore

import (
	"sync/atomic"

	"github.com/cachepact/cachepact/adapters/internal/spread"
)

const (
	rowBits    = 3
	columnBits = 4
)

// A gate admits calls until it is shut. The goroutine that shuts it waits until all calls that were admitted have
// left. The gate counts how each call left. So hits and misses cost nothing beyond the gate.
//
// A call enters and leaves through a lane. The key's hash selects the row, and the goroutine selects the column. So
// goroutines seldom write the same cache line.
type gate struct {
	row [1 << rowBits]row
}

type row [1 << columnBits]lane

type lane struct {
	entered, hits, misses, others atomic.Uint64
	shut                          atomic.Pointer[signal] // nil while the gate is open
	_                             [24]byte               // fills a cache line
}

// A signal wakes the goroutine that shuts a gate.
type signal chan struct{}

// rowOf returns the row of the keys with a hash.
func (g *gate) rowOf(hash uint64) *row { return &g.row[spread.Of(hash)>>(64-rowBits)] }

// laneOf returns the calling goroutine's lane for a key with a hash.
func (g *gate) laneOf(hash uint64) *lane { return &g.rowOf(hash)[spread.Own(columnBits)] }

// enter reports whether the gate is open. If it is open, the caller must leave through the lane.
func (l *lane) enter() bool {
	l.entered.Add(1)
	return l.shut.Load() == nil || l.turnBack()
}

func (l *lane) turnBack() bool { l.leave(); return false }

func (l *lane) hit()   { l.hits.Add(1); l.wake() }
func (l *lane) miss()  { l.misses.Add(1); l.wake() }
func (l *lane) leave() { l.others.Add(1); l.wake() }

// wake makes a goroutine that is shutting the gate count again.
func (l *lane) wake() {
	if s := l.shut.Load(); s != nil {
		s.set()
	}
}

func (s signal) set() {
	select {
	case s <- struct{}{}:
	default: // an earlier signal is still unread
	}
}

// onlyCaller reports whether all other calls that were inside the row at the start have left. It may return false
// although they have left. The caller is inside through its lane.
func (r *row) onlyCaller(caller *lane) bool {
	for i := range r {
		l, own := &r[i], uint64(0)
		if l == caller {
			own = 1
		}
		if !l.held(own) {
			return false
		}
	}
	return true
}

// held reports whether exactly this many calls were inside at some moment during held.
func (l *lane) held(inside uint64) bool {
	// The calls that have left are read first. If entered is larger by inside, then this many calls were inside
	// between the two reads.
	left := l.hits.Load() + l.misses.Load() + l.others.Load()
	return left+inside == l.entered.Load()
}

// shut rejects later calls and returns when all calls inside have left. It is called once.
func (g *gate) shut() {
	s := make(signal, 1)
	for l := range g.lanes {
		l.shut.Store(&s)
	}
	for l := range g.lanes {
		// A call that leaves is counted before it looks for the signal, and the signal is stored before held counts.
		// So a call that held does not count wakes this loop.
		for !l.held(0) {
			<-s
		}
	}
}

// counts returns the number of hits and misses.
func (g *gate) counts() (hits, misses uint64) {
	for l := range g.lanes {
		hits += l.hits.Load()
		misses += l.misses.Load()
	}
	return hits, misses
}

// lanes yields all lanes.
func (g *gate) lanes(yield func(*lane) bool) {
	for i := range g.row {
		for j := range g.row[i] {
			if !yield(&g.row[i][j]) {
				return
			}
		}
	}
}

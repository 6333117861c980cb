package ristcore

import (
	"sync/atomic"

	"github.com/cachepact/cachepact/adapters/internal/spread"
)

const (
	rowBits    = 3
	columnBits = 4
)

// A gate lets any number of calls in until it is shut, and lets the one that
// shuts it wait until all of them have left. How each call left is counted, so
// that the hits and misses of a cache cost no more than the gate.
//
// A call enters and leaves through a lane. The lanes of a row are for the same
// keys, those of a column for the same goroutines, which keeps these off each
// other's cache lines.
type gate struct {
	row [1 << rowBits]row
}

type row [1 << columnBits]lane

type lane struct {
	entered, hits, misses, others atomic.Uint64
	shut                          atomic.Pointer[signal] // nil while the gate is open
	_                             [24]byte               // a cache line each
}

// A signal wakes the one that shuts a gate.
type signal chan struct{}

// rowOf returns the row of the key with a hash.
func (g *gate) rowOf(hash uint64) *row { return &g.row[spread.Of(hash)>>(64-rowBits)] }

// laneOf returns the lane of the caller for the key with a hash.
func (g *gate) laneOf(hash uint64) *lane { return &g.rowOf(hash)[spread.Own(columnBits)] }

// enter reports whether the gate is open. If so the caller must leave through the
// lane.
func (l *lane) enter() bool {
	l.entered.Add(1)
	return l.shut.Load() == nil || l.turnBack()
}

func (l *lane) turnBack() bool { l.leave(); return false }

func (l *lane) hit()   { l.hits.Add(1); l.wake() }
func (l *lane) miss()  { l.misses.Add(1); l.wake() }
func (l *lane) leave() { l.others.Add(1); l.wake() }

// wake tells the one that shuts the gate, if anybody does, to count again.
func (l *lane) wake() {
	if s := l.shut.Load(); s != nil {
		s.set()
	}
}

func (s signal) set() {
	select {
	case s <- struct{}{}:
	default: // it has been told, and has not counted since
	}
}

// alone reports whether nobody is inside who was when the call began, but the
// caller through its lane. It looks at one row.
func (r *row) alone(caller *lane) bool {
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

// held reports whether at some moment of the call just so many were inside.
func (l *lane) held(inside uint64) bool {
	// What has left is read before what has entered. When they differ by so many,
	// these were inside at the moment between.
	left := l.hits.Load() + l.misses.Load() + l.others.Load()
	return left+inside == l.entered.Load()
}

// shut keeps later calls out and returns when those inside have left. It is called
// once.
func (g *gate) shut() {
	s := make(signal, 1)
	for l := range g.lanes {
		l.shut.Store(&s)
	}
	for l := range g.lanes {
		// Whoever leaves is counted before it looks for a signal, and the signal
		// was there before this counts: if this misses one, that one wakes it.
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

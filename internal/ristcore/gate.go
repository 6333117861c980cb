package ristcore

import "sync/atomic"

// lanes is the number of lanes of a gate, a power of two.
const lanes = 64

// A gate lets any number of calls in until it is shut, and lets the one that
// shuts it wait until all of them have left. How each call left is counted, so
// that the hits and misses of a cache cost no more than the gate.
//
// A call enters and leaves through the lane of its key, which keeps calls for
// different keys off each other's cache lines.
type gate struct {
	lane [lanes]lane
}

type lane struct {
	entered, hits, misses, others atomic.Uint64
	shut                          atomic.Pointer[signal] // nil while the gate is open
	_                             [24]byte               // a cache line each
}

// A signal wakes the one that shuts a gate.
type signal chan struct{}

// enter returns the lane to leave through, or nil if the gate is shut.
func (g *gate) enter(hash uint64) *lane {
	l := &g.lane[hash%lanes]
	l.entered.Add(1)
	if l.shut.Load() != nil {
		l.leave()
		return nil
	}
	return l
}

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

// alone reports whether the caller, which is inside, was at some moment of the call
// the only one inside.
func (l *lane) alone() bool {
	left := l.left() // read first, see empty
	return left+1 == l.entered.Load()
}

// empty reports whether at some moment of the call nobody was inside.
func (l *lane) empty() bool {
	// What has left is read before what has entered. When they are equal, nobody
	// was inside at the moment between.
	left := l.left()
	return left == l.entered.Load()
}

func (l *lane) left() uint64 { return l.hits.Load() + l.misses.Load() + l.others.Load() }

// shut keeps later calls out and returns when those inside have left. It is called
// once.
func (g *gate) shut() {
	s := make(signal, 1)
	for i := range g.lane {
		g.lane[i].shut.Store(&s)
	}
	for i := range g.lane {
		// Whoever leaves is counted before it looks for a signal, and the signal
		// was there before this counts: if this misses one, that one wakes it.
		for l := &g.lane[i]; !l.empty(); {
			<-s
		}
	}
}

// counts returns the number of hits and misses.
func (g *gate) counts() (hits, misses uint64) {
	for i := range g.lane {
		hits += g.lane[i].hits.Load()
		misses += g.lane[i].misses.Load()
	}
	return hits, misses
}

package ristcore

import (
	"runtime"
	"sync/atomic"
)

// lanes is the number of lanes of a gate, a power of two.
const lanes = 64

// A gate lets any number of calls in until it is shut, and lets the one that
// shuts it wait until all of them have left. How each call left is counted, so
// that the hits and misses of a cache cost no more than the gate.
//
// A call enters and leaves through the lane of its key, which keeps calls for
// different keys off each other's cache lines.
type gate struct {
	closed atomic.Bool
	_      [64]byte
	lane   [lanes]lane
}

type lane struct {
	entered, hits, misses, others atomic.Uint64
	_                             [32]byte // a cache line each
}

// enter returns the lane to leave through, or nil if the gate is shut.
func (g *gate) enter(hash uint64) *lane {
	l := &g.lane[hash%lanes]
	l.entered.Add(1)
	if g.closed.Load() {
		l.leave()
		return nil
	}
	return l
}

func (l *lane) hit()   { l.hits.Add(1) }
func (l *lane) miss()  { l.misses.Add(1) }
func (l *lane) leave() { l.others.Add(1) }

// alone reports whether the caller, which is inside, was at some moment of the call
// the only one inside.
func (l *lane) alone() bool {
	left := l.left() // read first, see shut
	return left+1 == l.entered.Load()
}

func (l *lane) left() uint64 { return l.hits.Load() + l.misses.Load() + l.others.Load() }

// shut keeps later calls out and returns when those inside have left.
func (g *gate) shut() {
	g.closed.Store(true)
	for i := range g.lane {
		// What has left is read before what has entered. When they are equal,
		// nobody was inside at the first of these reads.
		for l := &g.lane[i]; ; runtime.Gosched() {
			if left := l.left(); left == l.entered.Load() {
				break
			}
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

package load

import (
	"time"

	"github.com/cachepact/cachepact/compare/trace"
)

// A Segment is a number of consecutive requests, as columns.
type Segment struct {
	Keys []uint64
	IDs  []uint32   // numbers of the keys, in order of first appearance
	Ops  []trace.Op // nil: all requests are Gets
	// Times and TTLs are those of the trace, except that Times never decrease. They are nil if all are zero.
	Times, TTLs []time.Duration
	// Deadlines are when the entry that a request stores expires. They are nil if nothing expires.
	Deadlines []time.Duration
}

func (s *Segment) append(more Segment) {
	n := len(s.Keys)
	s.Ops = appendColumn(s.Ops, more.Ops, n, len(more.Keys))
	s.Times = appendColumn(s.Times, more.Times, n, len(more.Keys))
	s.TTLs = appendColumn(s.TTLs, more.TTLs, n, len(more.Keys))
	s.Keys = append(s.Keys, more.Keys...)
	s.IDs = append(s.IDs, more.IDs...)
}

// appendColumn appends m values to a column of n. A column that is all zeros is nil.
func appendColumn[T any](column, more []T, n, m int) []T {
	if column == nil && more == nil {
		return nil
	}
	if column == nil {
		column = make([]T, n)
	}
	if more == nil {
		more = make([]T, m)
	}
	return append(column, more...)
}

func (s Segment) slice(from, to int) Segment {
	return Segment{
		Keys: s.Keys[from:to], IDs: s.IDs[from:to],
		Ops: sliceColumn(s.Ops, from, to), Times: sliceColumn(s.Times, from, to),
		TTLs: sliceColumn(s.TTLs, from, to), Deadlines: sliceColumn(s.Deadlines, from, to),
	}
}

func sliceColumn[T any](column []T, from, to int) []T {
	if column == nil {
		return nil
	}
	return column[from:to]
}

// size returns how many bytes the columns take.
func (s *Segment) size() int {
	return 8*len(s.Keys) + 4*len(s.IDs) + len(s.Ops) + 8*(len(s.Times)+len(s.TTLs))
}

// columns turns a batch of requests into a Segment, in memory of its own.
type columns struct {
	Segment
	gets, timeless, endless bool
	latest                  time.Duration // time so far
}

func newColumns() *columns {
	return &columns{Segment: Segment{
		Keys: make([]uint64, BatchSize), IDs: make([]uint32, BatchSize), Ops: make([]trace.Op, BatchSize),
		Times: make([]time.Duration, BatchSize), TTLs: make([]time.Duration, BatchSize),
	}}
}

func (c *columns) reset(n int) {
	c.Segment = Segment{Keys: c.Keys[:n], IDs: c.IDs[:n], Ops: c.Ops[:n], Times: c.Times[:n], TTLs: c.TTLs[:n]}
	c.gets, c.timeless, c.endless = true, true, true
}

func (c *columns) set(i int, id uint32, q trace.Request) {
	c.latest = max(c.latest, q.Time)
	c.Keys[i], c.IDs[i], c.Ops[i], c.Times[i], c.TTLs[i] = q.Key, id, q.Op, c.latest, q.TTL
	c.gets, c.timeless, c.endless = c.gets && q.Op == trace.Get, c.timeless && c.latest == 0, c.endless && q.TTL == 0
}

// get returns the Segment, without the columns that have nothing to say.
func (c *columns) get() Segment {
	s := c.Segment
	if c.gets {
		s.Ops = nil
	}
	if c.timeless {
		s.Times = nil
	}
	if c.endless {
		s.TTLs = nil
	}
	return s
}

func (s Segment) time(i int) time.Duration {
	if s.Times == nil {
		return 0
	}
	return s.Times[i]
}

// Op returns the operation of request i.
func (s Segment) Op(i int) trace.Op {
	if s.Ops == nil {
		return trace.Get
	}
	return s.Ops[i]
}

func (s Segment) ttl(i int) time.Duration {
	if s.TTLs == nil {
		return 0
	}
	return s.TTLs[i]
}

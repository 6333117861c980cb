package compare

import (
	"time"

	"github.com/cachepact/cachepact/compare/trace"
)

// A segment is some consecutive requests, as columns.
type segment struct {
	keys []uint64
	ids  []uint32   // of the keys, in order of first appearance
	ops  []trace.Op // nil: all are Get
	// times and ttls are as recorded, but that times do not fall. They are nil if
	// all are zero.
	times, ttls []time.Duration
	// deadlines is when what a request stores expires; nil: nothing does.
	deadlines []time.Duration
}

func (s *segment) append(more segment) {
	n := len(s.keys)
	s.ops = appendColumn(s.ops, more.ops, n, len(more.keys))
	s.times = appendColumn(s.times, more.times, n, len(more.keys))
	s.ttls = appendColumn(s.ttls, more.ttls, n, len(more.keys))
	s.keys = append(s.keys, more.keys...)
	s.ids = append(s.ids, more.ids...)
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

func (s segment) slice(from, to int) segment {
	return segment{
		keys: s.keys[from:to], ids: s.ids[from:to],
		ops: sliceColumn(s.ops, from, to), times: sliceColumn(s.times, from, to),
		ttls: sliceColumn(s.ttls, from, to), deadlines: sliceColumn(s.deadlines, from, to),
	}
}

func sliceColumn[T any](column []T, from, to int) []T {
	if column == nil {
		return nil
	}
	return column[from:to]
}

// size returns how many bytes the columns take.
func (s *segment) size() int {
	return 8*len(s.keys) + 4*len(s.ids) + len(s.ops) + 8*(len(s.times)+len(s.ttls))
}

// columns turns a batch of requests into a segment, in memory of its own.
type columns struct {
	segment
	gets, timeless, endless bool
	latest                  time.Duration // time so far
}

func newColumns() *columns {
	return &columns{segment: segment{
		keys: make([]uint64, batchSize), ids: make([]uint32, batchSize), ops: make([]trace.Op, batchSize),
		times: make([]time.Duration, batchSize), ttls: make([]time.Duration, batchSize),
	}}
}

func (c *columns) reset(n int) {
	c.segment = segment{keys: c.keys[:n], ids: c.ids[:n], ops: c.ops[:n], times: c.times[:n], ttls: c.ttls[:n]}
	c.gets, c.timeless, c.endless = true, true, true
}

func (c *columns) set(i int, id uint32, q trace.Request) {
	c.latest = max(c.latest, q.Time)
	c.keys[i], c.ids[i], c.ops[i], c.times[i], c.ttls[i] = q.Key, id, q.Op, c.latest, q.TTL
	c.gets, c.timeless, c.endless = c.gets && q.Op == trace.Get, c.timeless && c.latest == 0, c.endless && q.TTL == 0
}

// get returns the segment, without the columns that have nothing to say.
func (c *columns) get() segment {
	s := c.segment
	if c.gets {
		s.ops = nil
	}
	if c.timeless {
		s.times = nil
	}
	if c.endless {
		s.ttls = nil
	}
	return s
}

func (s segment) time(i int) time.Duration {
	if s.times == nil {
		return 0
	}
	return s.times[i]
}

func (s segment) op(i int) trace.Op {
	if s.ops == nil {
		return trace.Get
	}
	return s.ops[i]
}

func (s segment) ttl(i int) time.Duration {
	if s.ttls == nil {
		return 0
	}
	return s.ttls[i]
}

package compare

import (
	"errors"
	"io"
	"iter"
	"path/filepath"

	"github.com/cachepact/cachepact/compare/trace"
	"github.com/cachepact/cachepact/compare/workload"
)

// held is the number of requests up to which a load is kept in memory. A longer
// one is read anew for each replay; what needs to know the future is left out.
const held = 1 << 25

// A load is the requests that every contestant gets.
type load struct {
	name     string // of the file without directory, or the workload's description
	format   string // of the trace; empty if generated
	requests int64
	distinct int
	ttls     bool // some requests have one

	limits trace.Limits
	open   func() (trace.Source, func() error, error)
	index  *trace.Index
	all    segment // empty if the load is too long to hold
}

// A segment is some consecutive requests, as columns.
type segment struct {
	keys []uint64
	ids  []uint32   // of the keys, in order of first appearance
	ops  []trace.Op // nil: all are Get
}

func loadTrace(file string, o trace.Options) (*load, error) {
	l := &load{name: filepath.Base(file), limits: o.Limits, open: func() (trace.Source, func() error, error) {
		r, err := trace.Open(file, o)
		if err != nil {
			return nil, nil, err
		}
		return r, r.Close, nil
	}}
	return l, l.scan(held)
}

func loadWorkload(spec string, limits trace.Limits) (*load, error) {
	w, err := workload.Parse(spec)
	if err != nil {
		return nil, err
	}
	l := &load{name: w.String(), limits: limits, open: func() (trace.Source, func() error, error) {
		src, err := trace.Limit(w.Open(), limits)
		return src, func() error { return nil }, err
	}}
	return l, l.scan(held)
}

// scan reads everything once, so that an error comes before any figure, and
// keeps it if it is not more than limit.
func (l *load) scan(limit int) (err error) {
	src, done, err := l.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	if r, ok := src.(*trace.Reader); ok {
		l.format = r.Format()
	}
	l.index = trace.NewIndex()
	for seg, err := range l.read(batches(src)) {
		if err != nil {
			return err
		}
		l.requests += int64(len(seg.keys))
		if l.requests <= int64(limit) {
			l.all.append(seg)
		} else {
			l.all = segment{}
		}
	}
	l.distinct = l.index.Len()
	return nil
}

func (s *segment) append(more segment) {
	if more.ops != nil && s.ops == nil {
		s.ops = make([]trace.Op, len(s.keys))
	}
	s.keys = append(s.keys, more.keys...)
	s.ids = append(s.ids, more.ids...)
	if s.ops != nil {
		if more.ops == nil {
			more.ops = make([]trace.Op, len(more.keys))
		}
		s.ops = append(s.ops, more.ops...)
	}
}

// sample returns the share of the keys that the load has.
func (l *load) sample() float64 {
	if l.limits.Sample == 0 {
		return 1
	}
	return l.limits.Sample
}

// streamed reports whether the load is too long to hold.
func (l *load) streamed() bool { return l.all.keys == nil }

// segments yields the requests in order, at most size at a time. A segment is
// valid until the next.
func (l *load) segments(size int) iter.Seq2[segment, error] {
	return func(yield func(segment, error) bool) {
		if !l.streamed() {
			for start := 0; start < len(l.all.keys); start += size {
				if !yield(l.all.slice(start, min(start+size, len(l.all.keys))), nil) {
					return
				}
			}
			return
		}
		for seg, err := range l.read(l.batches()) {
			if !yield(seg, err) {
				return
			}
		}
	}
}

func (s segment) slice(from, to int) segment {
	part := segment{keys: s.keys[from:to], ids: s.ids[from:to]}
	if s.ops != nil {
		part.ops = s.ops[from:to]
	}
	return part
}

// batches yields the requests as they are read. A batch is valid until the next.
func (l *load) batches() iter.Seq2[[]trace.Request, error] {
	return func(yield func([]trace.Request, error) bool) {
		src, done, err := l.open()
		if err != nil {
			yield(nil, err)
			return
		}
		for batch, err := range batches(src) {
			if !yield(batch, err) || err != nil {
				_ = done() // nothing was written
				return
			}
		}
		if err := done(); err != nil {
			yield(nil, err)
		}
	}
}

func batches(src trace.Source) iter.Seq2[[]trace.Request, error] {
	return func(yield func([]trace.Request, error) bool) {
		batch := make([]trace.Request, batchSize)
		for {
			n, err := src.Read(batch)
			if errors.Is(err, io.EOF) {
				return
			}
			if !yield(batch[:n], err) || err != nil {
				return
			}
		}
	}
}

// batchSize is how many requests are read at a time.
const batchSize = 512

// read turns requests into segments.
func (l *load) read(batches iter.Seq2[[]trace.Request, error]) iter.Seq2[segment, error] {
	return func(yield func(segment, error) bool) {
		keys := make([]uint64, batchSize)
		ids := make([]uint32, batchSize)
		ops := make([]trace.Op, batchSize)
		for batch, err := range batches {
			gets := true
			for i, q := range batch {
				l.ttls = l.ttls || q.TTL != 0
				keys[i], ops[i] = q.Key, q.Op
				gets = gets && q.Op == trace.Get
				if err == nil {
					ids[i], err = l.index.ID(q.Key)
				}
			}
			seg := segment{keys: keys[:len(batch)], ids: ids[:len(batch)]}
			if !gets {
				seg.ops = ops[:len(batch)]
			}
			if !yield(seg, err) || err != nil {
				return
			}
		}
	}
}

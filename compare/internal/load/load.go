// Package load holds the requests that all contestants of a comparison get.
package load

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"path/filepath"
	"time"

	"github.com/cachepact/cachepact/compare/report"
	"github.com/cachepact/cachepact/compare/trace"
	"github.com/cachepact/cachepact/compare/workload"
)

// maxHeld is the largest number of bytes of requests that are kept in memory: 2²⁵ requests that have only keys. A
// longer load is read again for each replay, and policies that need the future are left out.
const maxHeld = 12 << 25

// A Load is the requests that every contestant gets.
type Load struct {
	Name    string   // file name without the directory, or the description of the workload
	Missing []string // what is known to be missing from the trace, a sentence each
	Index   *trace.Index
	NoFill  bool    // a Get that misses does not store
	All     Segment // empty if the load is too long to hold

	profile
	format    string // of the trace; empty if the load is generated
	limits    trace.Limits
	open      func() (trace.Source, func() error, error)
	lifetimes *lifetimes
	ttlMode   TTLMode // of the deadlines of the segments
}

// A profile describes requests that have all been read.
type profile struct {
	Requests int64
	Ops      [4]int64 // number of requests by trace.Op
	Distinct int      // number of keys
	TTLs     bool     // some requests have a TTL
	Timed    bool     // some requests have a time other than zero
	Grouped  bool     // some keys have a group
	Sizes    []uint32 // by id: size of the value, the last one that is not zero; nil if no request has a size
	counts   []uint32 // by id: number of requests
}

// FromTrace reads a trace file.
func FromTrace(file string, o trace.Options) (*Load, error) {
	return From(filepath.Base(file), o.Limits, func() (trace.Source, func() error, error) {
		r, err := trace.Open(file, o)
		if err != nil {
			return nil, nil, err
		}
		return r, r.Close, nil
	})
}

// FromWorkload generates the requests of a workload.
func FromWorkload(spec string, limits trace.Limits) (*Load, error) {
	w, err := workload.Parse(spec)
	if err != nil {
		return nil, err
	}
	return From(w.String(), limits, func() (trace.Source, func() error, error) {
		src, err := trace.Limit(w.Open(), limits)
		return src, func() error { return nil }, err
	})
}

// From reads the requests of a source that can be opened again and again. The second result of open closes the source.
func From(name string, limits trace.Limits, open func() (trace.Source, func() error, error)) (*Load, error) {
	l := &Load{Name: name, limits: limits, open: open}
	return l, l.scan(maxHeld)
}

// scan reads everything once, so that an error comes before any figure, and
// keeps it if it is not more than limit bytes.
func (l *Load) scan(limit int) (err error) {
	src, done, err := l.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	if r, ok := src.(*trace.Reader); ok {
		l.format = r.Format()
	}
	l.profile, l.Index, l.lifetimes, l.All = profile{}, trace.NewIndex(), newLifetimes(), Segment{}
	keep := true
	for seg, err := range l.read(batches(src), l.learn) {
		if err != nil {
			return err
		}
		if keep {
			l.All.append(seg)
		}
		if l.All.size() > limit {
			l.All, keep = Segment{}, false
		}
	}
	if r, ok := src.(*trace.Reader); ok {
		l.Missing = r.Warnings()
	}
	l.Distinct = l.Index.Len()
	if l.Sizes != nil { // keys that came later and have none
		l.Sizes = append(l.Sizes, make([]uint32, l.Distinct-len(l.Sizes))...)
	}
	return nil
}

// learn adds a request to what is known.
func (l *Load) learn(id uint32, q trace.Request) {
	l.Requests++
	l.Ops[q.Op]++
	l.TTLs, l.Timed, l.Grouped = l.TTLs || q.TTL != 0, l.Timed || q.Time != 0, l.Grouped || q.Group != 0
	if int(id) == len(l.counts) {
		l.counts = append(l.counts, 0)
	}
	if l.counts[id] < math.MaxUint32 {
		l.counts[id]++
	}
	if q.Size > 0 {
		if missing := len(l.counts) - len(l.Sizes); missing > 0 {
			l.Sizes = append(l.Sizes, make([]uint32, missing)...)
		}
		l.Sizes[id] = uint32(min(q.Size, math.MaxUint32))
	}
	l.lifetimes.learn(id, q)
}

// Warn writes what is missing from the trace.
func (l *Load) Warn(w io.Writer) {
	for _, missing := range l.Missing {
		fmt.Fprintf(w, "warning: %s: %s\n", l.Name, missing)
	}
}

// Describe describes l for a report.
func (l *Load) Describe() *report.Workload {
	return &report.Workload{
		Name: l.Name, Format: l.format, Requests: l.Requests, Distinct: l.Distinct, Sample: l.Sample(),
		Gets: l.Ops[trace.Get], Sets: l.Ops[trace.Set], Deletes: l.Ops[trace.Delete], Updates: l.Ops[trace.Update],
		TTLs: l.TTLs, Sizes: l.Sizes != nil, TopKey: l.topKey(), Value: l.MeanSize(),
	}
}

// topKey returns the share of the requests that are for the most popular key.
func (l *Load) topKey() float64 {
	most := uint32(0)
	for _, n := range l.counts {
		most = max(most, n)
	}
	return report.Ratio(int64(most), l.Requests)
}

// MeanSize returns the mean size of a value over the keys that have a size, or 0.
func (l *Load) MeanSize() float64 {
	total, keys := int64(0), int64(0)
	for _, size := range l.Sizes {
		if size > 0 {
			total, keys = total+int64(size), keys+1
		}
	}
	return report.Ratio(total, keys)
}

// Sample returns the share of the keys that the load has.
func (l *Load) Sample() float64 {
	if l.limits.Sample == 0 {
		return 1
	}
	return l.limits.Sample
}

// Streamed reports whether the load is too long to hold.
func (l *Load) Streamed() bool { return l.All.Keys == nil }

// Segments yields the requests in order, at most size at a time. A segment is valid until the next one.
func (l *Load) Segments(size int) iter.Seq2[Segment, error] {
	return func(yield func(Segment, error) bool) {
		if !l.Streamed() {
			for start := 0; start < len(l.All.Keys); start += size {
				if !yield(l.All.slice(start, min(start+size, len(l.All.Keys))), nil) {
					return
				}
			}
			return
		}
		var t *lifetimes
		var deadlines []time.Duration
		if l.Expires() {
			t, deadlines = l.lifetimes.start(), make([]time.Duration, BatchSize)
		}
		for seg, err := range l.read(l.Batches(), nil) {
			if t != nil {
				seg.Deadlines = deadlines[:len(seg.Keys)]
				l.setDeadlines(seg, t)
			}
			if !yield(seg, err) {
				return
			}
		}
	}
}

// Batches yields the requests as they are read. A batch is valid until the next one.
func (l *Load) Batches() iter.Seq2[[]trace.Request, error] {
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
		batch := make([]trace.Request, BatchSize)
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

// BatchSize is the number of requests that are read at a time.
const BatchSize = 512

// read turns requests into segments. The function learn, if there is one, is
// called for each.
func (l *Load) read(batches iter.Seq2[[]trace.Request, error], learn func(uint32, trace.Request)) iter.Seq2[Segment, error] {
	return func(yield func(Segment, error) bool) {
		c := newColumns()
		for batch, err := range batches {
			c.reset(len(batch))
			for i, q := range batch {
				id, idErr := l.Index.ID(q.Key)
				if err == nil {
					err = idErr
				}
				if learn != nil && idErr == nil {
					learn(id, q)
				}
				c.set(i, id, q)
			}
			if !yield(c.get(), err) || err != nil {
				return
			}
		}
	}
}

package compare

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

// held is how many bytes of requests are kept in memory: 2²⁵ requests that are
// nothing but keys. A longer load is read anew for each replay; what needs to know
// the future is left out.
const held = 12 << 25

// A load is the requests that every contestant gets.
type load struct {
	name   string // of the file without directory, or the workload's description
	format string // of the trace; empty if generated
	limits trace.Limits
	open   func() (trace.Source, func() error, error)
	// missing is what is known to be missing from the trace, a sentence each.
	missing []string

	profile
	index     *trace.Index
	lifetimes *lifetimes
	ttlMode   ttlMode // of the deadlines of the segments
	noFill    bool    // a Get that misses does not store
	all       segment // empty if the load is too long to hold
}

// A profile is what is known of requests once they have all been read.
type profile struct {
	requests int64
	ops      [4]int64 // by trace.Op
	distinct int
	ttls     bool     // some requests have one
	timed    bool     // some requests have a time other than zero
	grouped  bool     // some keys have a group
	sizes    []uint32 // by id: of the value, the last one that is not zero; nil: there are none
	counts   []uint32 // by id: of requests
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
// keeps it if it is not more than limit bytes.
func (l *load) scan(limit int) (err error) {
	src, done, err := l.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	if r, ok := src.(*trace.Reader); ok {
		l.format = r.Format()
	}
	l.profile, l.index, l.lifetimes, l.all = profile{}, trace.NewIndex(), newLifetimes(), segment{}
	keep := true
	for seg, err := range l.read(batches(src), l.learn) {
		if err != nil {
			return err
		}
		if keep {
			l.all.append(seg)
		}
		if l.all.size() > limit {
			l.all, keep = segment{}, false
		}
	}
	if r, ok := src.(*trace.Reader); ok {
		l.missing = r.Warnings()
	}
	l.distinct = l.index.Len()
	if l.sizes != nil { // keys that came later and have none
		l.sizes = append(l.sizes, make([]uint32, l.distinct-len(l.sizes))...)
	}
	return nil
}

// learn adds a request to what is known.
func (l *load) learn(id uint32, q trace.Request) {
	l.requests++
	l.ops[q.Op]++
	l.ttls, l.timed, l.grouped = l.ttls || q.TTL != 0, l.timed || q.Time != 0, l.grouped || q.Group != 0
	if int(id) == len(l.counts) {
		l.counts = append(l.counts, 0)
	}
	if l.counts[id] < math.MaxUint32 {
		l.counts[id]++
	}
	if q.Size > 0 {
		if missing := len(l.counts) - len(l.sizes); missing > 0 {
			l.sizes = append(l.sizes, make([]uint32, missing)...)
		}
		l.sizes[id] = uint32(min(q.Size, math.MaxUint32))
	}
	l.lifetimes.learn(id, q)
}

// warn says what is missing from the trace.
func (l *load) warn(w io.Writer) {
	for _, missing := range l.missing {
		fmt.Fprintf(w, "warning: %s: %s\n", l.name, missing)
	}
}

// describe describes l in a report.
func (l *load) describe() *report.Workload {
	return &report.Workload{
		Name: l.name, Format: l.format, Requests: l.requests, Distinct: l.distinct, Sample: l.sample(),
		Gets: l.ops[trace.Get], Sets: l.ops[trace.Set], Deletes: l.ops[trace.Delete], Updates: l.ops[trace.Update],
		TTLs: l.ttls, Sizes: l.sizes != nil, TopKey: l.topKey(), Value: l.meanSize(),
	}
}

// topKey returns the share of the requests that are for the most popular key.
func (l *load) topKey() float64 {
	most := uint32(0)
	for _, n := range l.counts {
		most = max(most, n)
	}
	return ratio(int64(most), l.requests)
}

// meanSize returns the size of a value by mean over the keys that have one, or 0.
func (l *load) meanSize() float64 {
	total, keys := int64(0), int64(0)
	for _, size := range l.sizes {
		if size > 0 {
			total, keys = total+int64(size), keys+1
		}
	}
	return ratio(total, keys)
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
		var t *lifetimes
		var deadlines []time.Duration
		if l.expires() {
			t, deadlines = l.lifetimes.start(), make([]time.Duration, batchSize)
		}
		for seg, err := range l.read(l.batches(), nil) {
			if t != nil {
				seg.deadlines = deadlines[:len(seg.keys)]
				l.setDeadlines(seg, t)
			}
			if !yield(seg, err) {
				return
			}
		}
	}
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

// read turns requests into segments. The function learn, if there is one, is
// called for each.
func (l *load) read(batches iter.Seq2[[]trace.Request, error], learn func(uint32, trace.Request)) iter.Seq2[segment, error] {
	return func(yield func(segment, error) bool) {
		c := newColumns()
		for batch, err := range batches {
			c.reset(len(batch))
			for i, q := range batch {
				id, idErr := l.index.ID(q.Key)
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

package compare

import (
	"context"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/compare/report"
	"github.com/cachepact/cachepact/compare/trace"
)

// An Outcome is what the driver counted in one replay.
type Outcome struct {
	Hits   int64
	Misses int64
	// Peak is the most live entries seen.
	Peak int64
	// Wrong counts the values returned that were not the last written under
	// their key.
	Wrong int64
	// Time is what the replay took, without the driver's own bookkeeping between
	// the requests.
	Time time.Duration
}

// A driver replays requests: it reads, and stores what it missed. Every value
// names its key and the write it comes from, so that whatever a cache returns can
// be told from what it should.
type driver struct {
	b       backend.Backend[uint64, uint64]
	settled bool
	last    []uint32 // by id: the number of the last write; 0: none
	writes  uint32
	Outcome
}

// samples is how many times in a replay the live entries are counted.
const samples = 256

// replay runs the requests of l through b.
func replay(ctx context.Context, b backend.Backend[uint64, uint64], l *load, pace report.Pace) (Outcome, error) {
	d := &driver{b: b, settled: pace == report.Settled, last: make([]uint32, l.distinct)}
	every := int(min(max(l.requests/samples, 64), 1<<16))
	for seg, err := range l.segments(every) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return d.Outcome, err
		}
		start := time.Now()
		if seg.ops == nil {
			err = d.reads(ctx, seg)
		} else {
			err = d.mixed(ctx, seg)
		}
		d.Time += time.Since(start)
		if err != nil {
			return d.Outcome, err
		}
		s, err := b.Stats(ctx)
		if err != nil {
			return d.Outcome, err
		}
		d.Peak = max(d.Peak, s.Size)
	}
	return d.Outcome, nil
}

// reads replays requests that are all reads.
func (d *driver) reads(ctx context.Context, seg segment) error {
	for i, key := range seg.keys {
		if err := d.get(ctx, key, seg.ids[i]); err != nil {
			return err
		}
	}
	return nil
}

func (d *driver) mixed(ctx context.Context, seg segment) error {
	for i, key := range seg.keys {
		var err error
		switch id := seg.ids[i]; seg.ops[i] {
		case trace.Get:
			err = d.get(ctx, key, id)
		case trace.Set:
			err = d.put(ctx, key, id)
		case trace.Delete:
			d.last[id] = 0
			err = backend.InvalidateKey(ctx, d.b, key)
		case trace.Update:
			var hit bool
			if hit, err = d.lookup(ctx, key, id); hit {
				err = d.put(ctx, key, id)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *driver) get(ctx context.Context, key uint64, id uint32) error {
	hit, err := d.lookup(ctx, key, id)
	switch {
	case err != nil:
		return err
	case hit:
		d.Hits++
		return nil
	}
	d.Misses++
	return d.put(ctx, key, id)
}

// lookup reads a key and checks the value.
func (d *driver) lookup(ctx context.Context, key uint64, id uint32) (hit bool, err error) {
	v, hit, err := d.b.Get(ctx, key)
	if hit && (d.last[id] == 0 || v != stamp(id, d.last[id])) {
		d.Wrong++
	}
	return hit, err
}

func (d *driver) put(ctx context.Context, key uint64, id uint32) error {
	d.writes = max(d.writes+1, 1) // never 0, also after 2³² writes
	d.last[id] = d.writes
	err := d.b.Put(ctx, key, stamp(id, d.writes), nil)
	if err == nil && d.settled {
		err = backend.Flush(ctx, d.b)
	}
	return err
}

// stamp is the value of a write.
func stamp(id, write uint32) uint64 {
	return uint64(id)<<32 | uint64(write)
}

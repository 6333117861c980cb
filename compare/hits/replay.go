package hits

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/compare/internal/load"
	"github.com/cachepact/cachepact/compare/policy"
	"github.com/cachepact/cachepact/compare/report"
	"github.com/cachepact/cachepact/compare/trace"
)

// An outcome is what the driver counted in one replay.
type outcome struct {
	hits   int64
	misses int64
	// peak is the most live entries seen.
	peak int64
	// wrong counts the values returned that were not the last written under
	// their key, and stale those of entries that had expired.
	wrong, stale int64
	// probed is how many of the Puts of a key that was not there were looked at
	// right after, and dropped how many of those could not be read.
	probed, dropped int64
	// writes counts the Puts, tooLarge those refused for their size, and rejected
	// those of which the cache says that it refused them.
	writes, tooLarge, rejected int64
	// ops counts the requests executed, by trace.Op.
	ops [4]int64
	// asked counts the Gets of all kinds, by whether they hit; said is what the
	// cache's own counters say of that, if it has them.
	asked, said [2]int64
	says        bool
	// time is what the replay took, without the driver's own bookkeeping between
	// the requests.
	time time.Duration
	// series is the hit ratio in each of equally long parts of the requests.
	series []float64
}

// A driver replays requests: it reads, and stores what it missed. Every value
// names its key and the write it comes from, so that whatever a cache returns can
// be told from what it should.
//
// Deadlines are in the trace's own time, of which a cache knows nothing. So it gets
// no TTL, and the driver invalidates each entry when its deadline has come, which
// is what a cache does that expires exactly.
type driver struct {
	b       backend.Backend[uint64, uint64]
	settled bool
	noFill  bool
	due     *policy.Deadlines // nil: nothing expires
	keys    []uint64          // by id, of those in due
	last    []uint32          // by id: the number of the last write, or gone or expired
	write   uint32            // number of the last write
	every   int64             // so many stores are looked at once
	left    int64             // until then

	extraHits, extraMisses int64 // Gets that are no request
	outcome
}

const (
	gone    = 0              // never written, or deleted
	expired = math.MaxUint32 // the last write has expired
)

const (
	// windows is how many parts of the requests have a hit ratio of their own.
	windows = 100
	// samples is how many times in each of them the live entries are counted.
	samples = 3
	// probes is about how many stores are looked at at most, and each of so many at
	// most: a look is one more Get of a key, which a policy may take for a use.
	probes, probeEvery = 4096, 64
)

// A pacing says how the driver treats writes and misses.
type pacing struct {
	report.Pace
	load, work time.Duration
	clients    int
}

func (s *comparison) pacing(p report.Pace) pacing { return pacing{p, s.Miss, s.Work, s.Clients} }

// replay runs the requests of l through b.
func replay(ctx context.Context, b backend.Backend[uint64, uint64], l *load.Load, p pacing) (outcome, error) {
	d := &driver{b: b, settled: p.Pace == report.Settled, noFill: l.NoFill, last: make([]uint32, l.Distinct)}
	d.every = max(probeEvery, l.Requests/probes)
	d.left = d.every / 2
	if l.Expires() {
		d.due, d.keys = policy.NewDeadlines(l.Distinct), make([]uint64, l.Distinct)
	}
	play, count := d.play, d.count
	if p.Pace == report.Paced {
		paced := newSchedule(d, p)
		play, count = paced.play, paced.count
	}
	every := int(max(1, l.Requests/(windows*samples)))
	w := window{driver: d, length: max(1, (l.Requests+windows-1)/windows)}
	seen := 0
	for seg, err := range l.Segments(every) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return d.outcome, err
		}
		start := time.Now()
		err = play(ctx, seg)
		d.time += time.Since(start)
		if err != nil {
			return d.outcome, err
		}
		w.add(int64(len(seg.Keys)))
		if seen += len(seg.Keys); seen >= max(every, 64) {
			seen = 0
			if err := count(ctx); err != nil {
				return d.outcome, err
			}
		}
	}
	w.end()
	err := count(ctx)
	return d.outcome, err
}

// A window turns the counts of a driver into a series.
type window struct {
	*driver
	length, at   int64 // requests
	hits, misses int64 // before the window
}

func (w *window) add(requests int64) {
	if w.at += requests; w.at >= w.length {
		w.end()
		w.at %= w.length
	}
}

// end ends a window. One without a Get is like the one before.
func (w *window) end() {
	hits, misses := w.driver.hits-w.hits, w.driver.misses-w.misses
	switch {
	case hits+misses > 0:
		w.series = append(w.series, report.Ratio(hits, hits+misses))
	case w.at >= w.length && len(w.series) > 0:
		w.series = append(w.series, w.series[len(w.series)-1])
	}
	w.hits, w.misses = w.driver.hits, w.driver.misses
}

// count asks the cache what it counts.
func (d *driver) count(ctx context.Context) error {
	s, err := d.b.Stats(ctx)
	if err != nil {
		return err
	}
	d.peak = max(d.peak, s.Size)
	hits, ok := s.Counters[backend.CounterHits]
	misses, too := s.Counters[backend.CounterMisses]
	d.says = ok && too
	d.said = [2]int64{int64(misses), int64(hits)}
	d.asked = [2]int64{d.misses + d.extraMisses, d.hits + d.extraHits}
	d.rejected = d.tooLarge + int64(s.Counters[backend.CounterRejections])
	return nil
}

// play runs the requests one after the other.
func (d *driver) play(ctx context.Context, seg load.Segment) error {
	if seg.Ops == nil && d.due == nil && !d.noFill {
		return d.reads(ctx, seg)
	}
	for i := range seg.Keys {
		missed, err := d.request(ctx, seg, i)
		if err == nil && missed {
			err = d.store(ctx, seg, i)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// reads is play for requests that are all Gets of what does not expire.
func (d *driver) reads(ctx context.Context, seg load.Segment) error {
	for i, key := range seg.Keys {
		id := seg.IDs[i]
		hit, err := d.lookup(ctx, key, id)
		if err != nil {
			return err
		}
		if hit {
			d.hits++
			continue
		}
		d.misses++
		if err := d.fill(ctx, key, id); err != nil {
			return err
		}
	}
	d.ops[trace.Get] += int64(len(seg.Keys))
	return nil
}

// request runs request i of a segment. It reports whether that missed what is to
// be stored now.
func (d *driver) request(ctx context.Context, seg load.Segment, i int) (missed bool, err error) {
	if d.due != nil {
		if err := d.expire(ctx, seg.Times[i]); err != nil {
			return false, err
		}
	}
	key, id, op := seg.Keys[i], seg.IDs[i], seg.Op(i)
	d.ops[op]++
	switch op {
	case trace.Get:
		hit, err := d.lookup(ctx, key, id)
		switch {
		case err != nil:
			return false, err
		case hit:
			d.hits++
			return false, nil
		}
		d.misses++
		return !d.noFill, nil
	case trace.Set:
		if d.due != nil {
			d.expires(key, id, seg.Deadlines[i])
		}
		return false, d.put(ctx, key, id)
	case trace.Delete:
		d.last[id] = gone
		if d.due != nil {
			d.due.Remove(id)
		}
		return false, backend.InvalidateKey(ctx, d.b, key)
	case trace.Update:
		hit, err := d.lookup(ctx, key, id)
		if err == nil && hit {
			d.extraHits++
			err = d.put(ctx, key, id)
		} else {
			d.extraMisses++
		}
		return false, err
	}
	return false, nil
}

// store stores what request i missed.
func (d *driver) store(ctx context.Context, seg load.Segment, i int) error {
	if d.due != nil {
		d.expires(seg.Keys[i], seg.IDs[i], seg.Deadlines[i])
	}
	return d.fill(ctx, seg.Keys[i], seg.IDs[i])
}

// expires notes when the entry that is about to be stored expires.
func (d *driver) expires(key uint64, id uint32, deadline time.Duration) {
	d.keys[id] = key
	d.due.Set(id, deadline)
}

// expire invalidates what has expired.
func (d *driver) expire(ctx context.Context, now time.Duration) error {
	for {
		id, ok := d.due.Expired(now)
		if !ok {
			return nil
		}
		d.last[id] = expired
		if err := backend.InvalidateKey(ctx, d.b, d.keys[id]); err != nil {
			return err
		}
	}
}

// lookup reads a key and checks the value.
func (d *driver) lookup(ctx context.Context, key uint64, id uint32) (hit bool, err error) {
	v, hit, err := d.b.Get(ctx, key)
	if hit && (v != stamp(id, d.last[id]) || d.last[id] == gone) {
		if d.last[id] == expired {
			d.stale++
		} else {
			d.wrong++
		}
	}
	return hit, err
}

// fill stores a key that was not there.
func (d *driver) fill(ctx context.Context, key uint64, id uint32) error {
	err := d.put(ctx, key, id)
	if d.left--; d.left > 0 || err != nil || d.last[id] == gone {
		return err
	}
	d.left = d.every
	d.probed++
	hit, err := d.lookup(ctx, key, id)
	if hit {
		d.extraHits++
	} else {
		d.extraMisses++
		d.dropped++
	}
	return err
}

func (d *driver) put(ctx context.Context, key uint64, id uint32) error {
	if d.write++; d.write == expired {
		d.write = 1 // after 2³² writes
	}
	d.writes++
	d.last[id] = d.write
	err := d.b.Put(ctx, key, stamp(id, d.write), nil)
	if errors.Is(err, backend.ErrTooLarge) {
		d.last[id], d.tooLarge, err = gone, d.tooLarge+1, nil
	}
	if err == nil && d.settled {
		err = backend.Sync(ctx, d.b)
	}
	return err
}

// stamp is the value of a write.
func stamp(id, write uint32) uint64 {
	return uint64(id)<<32 | uint64(write)
}

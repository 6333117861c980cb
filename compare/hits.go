package compare

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cachepact/cachepact/compare/report"
	"github.com/cachepact/cachepact/compare/trace"
)

func hitsPart() part {
	h := &hits{}
	return part{
		name:  "hits",
		short: "Replay requests through caches and compare their hits",
		long: `Replay requests through caches and compare their hits, beside those of exact
policies and of the best that any cache of the capacity could do.

A cache has a row for each pace: flat, in a tight loop, which gives a cache that
works in the background no time to; settled, in which it does all it owes after each
write; and paced, in which a miss costs a simulated --load for one of so many
--clients, which store what they loaded only after it. Of a cache that works in the
foreground, flat and settled are one.`,
		examples: [3]string{
			"--trace oltp.gz --capacity 1%,5%,10%",
			"--trace requests.csv.zst --ttl trace --mode trace --capacity 64MiB --html report.html",
			"--workload zipf:s=0.99,keys=100000 --pace settled --curve --adapters golanglru,ristretto",
		},
		load:  mustLoad,
		flags: h.flags,
		complete: map[string]cobra.CompletionFunc{
			"pace": completeList([]string{"flat", "settled", "paced"}),
			"mode": completeOne("fill", "trace"),
			"ttl":  completeOne("trace", "none"),
		},
		check:   h.check,
		measure: h.measure,
	}
}

// hits are the settings of the part about hit ratios.
type hits struct {
	paces, mode, ttl string
	runs             int
	load, work       time.Duration
	clients          int
	curve            bool
	points           int

	pacings []pacing // of paces
	ttlMode ttlMode  // of ttl
}

func (h *hits) flags(f *pflag.FlagSet) {
	f.StringVar(&h.paces, "pace", "flat,settled,paced", "comma-separated `list` of paces: flat, settled, paced")
	f.StringVar(&h.mode, "mode", "fill", "what stores: fill (a get that misses, and recorded writes) or trace (only recorded writes)")
	f.StringVar(&h.ttl, "ttl", "trace", "lifetime in the trace's own time: trace (as recorded), none or a `time` such as 30s for everything")
	f.IntVar(&h.runs, "runs", 3, "replay `n` times if the hits differ from run to run")
	f.DurationVar(&h.load, "load", time.Millisecond, "paced: what a miss costs, a `time`")
	f.DurationVar(&h.work, "work", 10*time.Microsecond, "paced: what any request costs its client besides, a `time`")
	f.IntVar(&h.clients, "clients", 8, "paced: `n` clients at once")
	f.BoolVar(&h.curve, "curve", false, "replay at many capacities, and compare miss-ratio curves")
	f.IntVar(&h.points, "points", 12, "curve: `n` capacities from 0.1 % to all of the keys")
}

// maxClients bounds what are, after all, only numbers.
const maxClients = 1 << 20

func (h *hits) check() (err error) {
	if h.ttlMode, err = parseTTLMode(h.ttl); err != nil {
		return err
	}
	switch {
	case h.mode != "fill" && h.mode != "trace":
		return fmt.Errorf("mode %q: expected fill or trace", h.mode)
	case h.runs < 1:
		return fmt.Errorf("runs %d: expected 1 or more", h.runs)
	case h.load <= 0 || h.load > time.Hour:
		return fmt.Errorf("load %v: expected a time above 0 and up to 1h", h.load)
	case h.work < 0 || h.work > time.Hour:
		return fmt.Errorf("work %v: expected a time from 0 to 1h", h.work)
	case h.clients < 1 || h.clients > maxClients:
		return fmt.Errorf("clients %d: expected a number from 1 to %d", h.clients, maxClients)
	case h.points < 2 || h.points > 1000:
		return fmt.Errorf("points %d: expected a number from 2 to 1000", h.points)
	}
	h.pacings = nil
	for name := range strings.SplitSeq(h.paces, ",") {
		p := report.Pace(strings.TrimSpace(name))
		if p != report.Flat && p != report.Settled && p != report.Paced {
			return fmt.Errorf("pace %q: expected flat, settled or paced", name)
		}
		if !slices.ContainsFunc(h.pacings, func(q pacing) bool { return q.Pace == p }) {
			h.pacings = append(h.pacings, pacing{p, h.load, h.work, h.clients})
		}
	}
	return nil
}

// measure replays the load through every contestant at every capacity.
func (h *hits) measure(ctx context.Context, s *session) error {
	l, err := h.prepare(s)
	if err != nil {
		return err
	}
	rooms, err := resolve(s.capacities, l)
	if err != nil {
		return err
	}
	var values sizes
	if rooms[len(rooms)-1].bytes > 0 {
		if values, err = valueSizes(l, s.value); err != nil {
			return err
		}
	}
	s.report.Hits = &report.Hits{Mode: h.mode, TTL: h.ttlMode.text, Runs: h.runs}
	if slices.ContainsFunc(h.pacings, func(p pacing) bool { return p.Pace == report.Paced }) {
		s.report.Hits.Load, s.report.Hits.Work, s.report.Hits.Clients = h.load, h.work, h.clients
	}
	if err := s.selfTest(ctx); err != nil {
		return err
	}
	refs := newReferences(l)
	s.progress.Expect(len(rooms) * len(s.contestants) * len(h.pacings))
	for _, r := range rooms {
		t, err := h.table(ctx, s, l, refs, r, values)
		if err != nil {
			return err
		}
		s.report.Hits.Tables = append(s.report.Hits.Tables, t)
	}
	s.report.Workload.LRU1 = lru1(s.load)
	if h.curve {
		if s.report.Hits.Curve, err = h.curves(ctx, s, l, refs); err != nil {
			return err
		}
	}
	return nil
}

// prepare returns the load as the settings say, with notes on what that means.
func (h *hits) prepare(s *session) (*load, error) {
	l, err := s.load.expiring(h.ttlMode)
	if err != nil {
		return nil, err
	}
	if h.mode == "trace" {
		if l.ops[trace.Set] == 0 {
			return nil, errors.New("mode trace: the requests have no writes, so that nothing would ever be stored")
		}
		with := *l
		with.noFill = true
		l = &with
	}
	switch {
	case l.ttls && h.ttlMode.text == "none":
		s.note("", "The requests have TTLs, which are not honoured: a cache that does has fewer hits.")
	case l.ttls && h.ttlMode.trace && !l.timed:
		s.note("", "The requests have TTLs but no times, so that nothing expires.")
	case l.expires():
		s.note("", "TTLs are honoured in the time of the requests: the driver invalidates an entry when its deadline has come.")
		if !l.noFill {
			s.note("", "With TTLs, %s is an upper bound: it lets a TTL start again at each request.", report.RefOPTBypass)
		}
	}
	if l.expires() && h.ttlMode.trace && !l.noFill {
		n, err := l.unknownTTLs()
		if err != nil {
			return nil, err
		}
		if n > 0 {
			s.note("", "%s of the gets are for keys that no write says a TTL of: when they miss, what is stored never expires.", report.Percent(ratio(n, l.ops[trace.Get])))
		}
	}
	if l.streamed() {
		s.note("", "The requests are too many to hold: what needs to know the future, and the other exact policies, are left out.")
	}
	return l, nil
}

// table compares the contestants at one capacity.
func (h *hits) table(ctx context.Context, s *session, l *load, refs *references, r room, values sizes) (report.Table, error) {
	fits := make([]fit, len(s.contestants))
	for i, c := range s.contestants {
		var err error
		if fits[i], err = c.fitIn(ctx, r, values); err != nil {
			return report.Table{}, err
		}
	}
	t := report.Table{Capacity: r.entries, Bytes: r.bytes}
	if r.bytes > 0 {
		t.Capacity = middle(fits, int(r.bytes/int64(values.mean)))
	}
	t.Share = ratio(int64(t.Capacity), int64(l.distinct))
	t.References = refs.at(t.Capacity)
	for i, c := range s.contestants {
		rows, err := h.rows(ctx, s, l, c, fits[i])
		if err != nil {
			return t, err
		}
		t.Rows = append(t.Rows, rows...)
	}
	s.judge(&t, refs, r)
	return t, nil
}

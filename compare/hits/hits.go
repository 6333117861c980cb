// Package hits replays requests through caches and compares their hit ratios with those of exact policies.
package hits

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cachepact/cachepact/compare/internal/contest"
	"github.com/cachepact/cachepact/compare/internal/load"
	"github.com/cachepact/cachepact/compare/report"
	"github.com/cachepact/cachepact/compare/trace"
)

// Config says what to replay, and how.
type Config struct {
	contest.Config // Load must not be nil
	// Paces are how the driver treats writes and misses. A cache has a row for each.
	Paces []report.Pace
	// Miss is what a paced miss costs, and Work is what any paced request costs its client.
	Miss, Work time.Duration
	// Clients is the number of paced clients.
	Clients int
	// OnlyWrites means that only recorded writes store. Otherwise a Get that misses stores too.
	OnlyWrites bool
	// TTL tells which lifetimes are honoured, in the time of the requests.
	TTL load.TTLMode
	// Runs is how often a replay is repeated at most if the hits differ from run to run.
	Runs int
	// Points is the number of capacities of the miss-ratio curves. Zero means that there are no curves.
	Points int
}

// MaxClients is the largest number of paced clients.
const MaxClients = 1 << 20

// Check returns an error for the first setting that is out of range.
func (c Config) Check() error {
	switch {
	case c.Runs < 1:
		return fmt.Errorf("runs %d: out of range; use 1 or more", c.Runs)
	case c.Miss <= 0 || c.Miss > time.Hour:
		return fmt.Errorf("load %v: out of range; use a duration above 0 and up to 1h", c.Miss)
	case c.Work < 0 || c.Work > time.Hour:
		return fmt.Errorf("work %v: out of range; use a duration from 0 to 1h", c.Work)
	case c.Clients < 1 || c.Clients > MaxClients:
		return fmt.Errorf("clients %d: out of range; use a number from 1 to %d", c.Clients, MaxClients)
	case c.Points != 0 && c.Points < 2 || c.Points > 1000:
		return fmt.Errorf("points %d: out of range; use a number from 2 to 1000", c.Points)
	}
	for _, p := range c.Paces {
		if p != report.Flat && p != report.Settled && p != report.Paced {
			return fmt.Errorf("pace %q: unknown; use flat, settled or paced", string(p))
		}
	}
	return nil
}

// Result is what the replays have shown.
type Result struct {
	contest.Log
	Hits *report.Hits
	// LRU1 is the hit ratio of an exact LRU that holds 1 % of the keys, or 0 if the load is too long to hold.
	LRU1 float64
}

// A comparison is a call of Run.
type comparison struct {
	Config
	Result
}

// Run replays the load through every contestant at every capacity.
func Run(ctx context.Context, c Config) (Result, error) {
	if err := c.Check(); err != nil {
		return Result{}, err
	}
	s := &comparison{Config: c}
	err := s.run(ctx)
	return s.Result, err
}

func (s *comparison) run(ctx context.Context) error {
	l, err := s.prepare()
	if err != nil {
		return err
	}
	bounds, err := load.Resolve(s.Capacities, l)
	if err != nil {
		return err
	}
	var values sizes
	if bounds[len(bounds)-1].Bytes > 0 {
		if values, err = valueSizes(l, s.Value); err != nil {
			return err
		}
	}
	s.Hits = &report.Hits{Mode: "fill", TTL: s.TTL.Text, Runs: s.Runs}
	if s.OnlyWrites {
		s.Hits.Mode = "trace"
	}
	if slices.Contains(s.Paces, report.Paced) {
		s.Hits.Load, s.Hits.Work, s.Hits.Clients = s.Miss, s.Work, s.Clients
	}
	if err := s.selfTest(ctx); err != nil {
		return err
	}
	refs := NewReferences(l)
	s.Progress.Expect(len(bounds) * len(s.Contestants) * len(s.Paces))
	for _, r := range bounds {
		t, err := s.table(ctx, l, refs, r, values)
		if err != nil {
			return err
		}
		s.Hits.Tables = append(s.Hits.Tables, t)
	}
	s.LRU1 = lru1(s.Load)
	if s.Points > 0 {
		s.Hits.Curve, err = s.curves(ctx, l, refs)
	}
	return err
}

// prepare returns the load as the settings say, with notes on what that means.
func (s *comparison) prepare() (*load.Load, error) {
	l, err := s.Load.Expiring(s.TTL)
	if err != nil {
		return nil, err
	}
	if s.OnlyWrites {
		if l.Ops[trace.Set] == 0 {
			return nil, errors.New("mode trace: the requests have no writes, so that nothing would ever be stored")
		}
		with := *l
		with.NoFill = true
		l = &with
	}
	switch {
	case l.TTLs && s.TTL.Text == "none":
		s.Note("", "The requests have TTLs, which are not honoured: a cache that does has fewer hits.")
	case l.TTLs && s.TTL.Trace && !l.Timed:
		s.Note("", "The requests have TTLs but no times, so that nothing expires.")
	case l.Expires():
		s.Note("", "TTLs are honoured in the time of the requests: the driver invalidates an entry when its deadline has come.")
		if !l.NoFill {
			s.Note("", "With TTLs, %s is an upper bound: it lets a TTL start again at each request.", report.RefOPTBypass)
		}
	}
	if l.Expires() && s.TTL.Trace && !l.NoFill {
		n, err := l.UnknownTTLs()
		if err != nil {
			return nil, err
		}
		if n > 0 {
			s.Note("", "%s of the gets are for keys that no write says a TTL of: when they miss, what is stored never expires.", report.Percent(report.Ratio(n, l.Ops[trace.Get])))
		}
	}
	if l.Streamed() {
		s.Note("", "The requests are too many to hold: what needs to know the future, and the other exact policies, are left out.")
	}
	return l, nil
}

// table compares the contestants at one capacity.
func (s *comparison) table(ctx context.Context, l *load.Load, refs *References, r load.Bound, values sizes) (report.Table, error) {
	fits := make([]fit, len(s.Contestants))
	for i, c := range s.Contestants {
		var err error
		if fits[i], err = fitIn(ctx, c, r, values); err != nil {
			return report.Table{}, err
		}
	}
	t := report.Table{Capacity: r.Entries, Bytes: r.Bytes}
	if r.Bytes > 0 {
		t.Capacity = middle(fits, int(r.Bytes/int64(values.mean)))
	}
	t.Share = report.Ratio(int64(t.Capacity), int64(l.Distinct))
	t.References = refs.At(t.Capacity)
	for i, c := range s.Contestants {
		rows, err := s.rows(ctx, l, c, fits[i])
		if err != nil {
			return t, err
		}
		t.Rows = append(t.Rows, rows...)
	}
	s.judge(&t, refs, r)
	return t, nil
}

package compare

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"github.com/cachepact/cachepact/compare/report"
)

func ttlPart() part {
	o := &ttl{patience: 30 * time.Second}
	return part{
		name:  "ttl",
		short: "Measure how exactly entries expire",
		long: `Measure how exactly entries expire.

Keys are put with a TTL and read until they miss. An entry that is gone before its
TTL has passed is early; the time from its deadline to the first miss is how late it
is. A read counts as early or stale only if it was so by both ends of the Put, and
less than the resolution, which is the time between two reads of a key, is not seen.
Entries are "idle" until their deadline is near, "read" all the time, or
"overwrite": put again halfway.`,
		examples: [3]string{
			"--lifetimes 1ms,100ms,3s",
			"--adapters ttlcache,gocache --lifetime-keys 1000",
			"--strict --json ttl.json",
		},
		load:    noLoad,
		flags:   o.flags,
		check:   o.check,
		measure: o.measure,
	}
}

// ttl are the settings of the part about lifetimes.
type ttl struct {
	lifetimes []time.Duration
	keys      int
	wait      time.Duration
	patience  time.Duration // beyond the longest lifetimes, until a worker is given up
}

func (o *ttl) flags(f *pflag.FlagSet) {
	f.DurationSliceVar(&o.lifetimes, "lifetimes", []time.Duration{time.Millisecond, 20 * time.Millisecond, 200 * time.Millisecond, time.Second},
		"comma-separated `list` of TTLs, such as 1ms,100ms,3s")
	f.IntVar(&o.keys, "lifetime-keys", 200, "`n` keys for each TTL and use")
	f.DurationVar(&o.wait, "lifetime-wait", 2*time.Second, "`time` after the deadline until a cache is no longer watched")
}

func (o *ttl) check() error {
	for _, d := range o.lifetimes {
		if d < 100*time.Microsecond || d > time.Hour {
			return fmt.Errorf("lifetimes %v: expected a TTL from 100µs to 1h", d)
		}
	}
	switch {
	case len(o.lifetimes) == 0:
		return errors.New("lifetimes: expected at least one TTL")
	case o.keys < 1 || o.keys > 1_000_000:
		return fmt.Errorf("lifetime-keys %d: expected a number from 1 to 1000000", o.keys)
	case o.wait <= 0 || o.wait > time.Hour:
		return fmt.Errorf("lifetime-wait %v: expected a time above 0 and up to 1h", o.wait)
	}
	return nil
}

// measure fills s.report.TTL. Contestants wait most of the time, so that some are
// measured at once.
func (o *ttl) measure(ctx context.Context, s *session) error {
	all := make([][]report.TTLRow, len(s.contestants))
	s.progress.Expect(len(all))
	slots := make(chan struct{}, o.atOnce(ctx))
	var wg sync.WaitGroup
	var mu sync.Mutex // of the session
	for i, c := range s.contestants {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			rows, lag, err := o.expire(ctx, s, c)
			mu.Lock()
			defer mu.Unlock()
			s.progress.Step(c.Name + ": TTL")
			if err != nil && ctx.Err() == nil {
				rows = []report.TTLRow{{Name: c.Name, Failed: err.Error(), SizeLag: unseen, MemoryLag: unseen}}
			}
			all[i] = rows
			s.judgeTTL(rows, lag)
		})
	}
	wg.Wait()
	s.report.TTL = &report.TTL{Rows: slices.Concat(all...)}
	return ctx.Err()
}

// atOnce returns how many contestants are measured at a time. Without processes they
// would measure each other's memory.
func (o *ttl) atOnce(ctx context.Context) int {
	if hasProcesses(ctx) {
		return 2 * runtime.NumCPU()
	}
	return 1
}

// expire measures one contestant in a process of its own, and returns its declared
// lag too.
func (o *ttl) expire(ctx context.Context, s *session, c Contestant) (rows []report.TTLRow, lag time.Duration, err error) {
	w, err := startWorker(ctx, s.contestants)
	if err != nil {
		return nil, 0, err
	}
	defer w.close()
	for _, d := range o.lifetimes {
		job := ttlJob{Contestant: c.Name, TTL: d, Keys: o.keys, Wait: o.wait, Memory: d == o.weighed()}
		ctx, cancel := context.WithTimeout(ctx, 8*d+5*o.wait+o.patience)
		var result ttlResult
		err := w.call(ctx, jobTTL, job, &result)
		cancel()
		if err != nil {
			return nil, 0, err
		}
		rows, lag = append(rows, result.Rows...), result.ExpiryLag
	}
	return rows, lag, nil
}

// weighed returns the TTL at which memory is watched, as to do so at each would take
// long: the shortest that leaves time to fill a cache, or else the longest.
func (o *ttl) weighed() time.Duration {
	best := slices.Max(o.lifetimes)
	for _, d := range o.lifetimes {
		if d >= 100*time.Millisecond {
			best = min(best, d)
		}
	}
	return best
}

// unseen is a lag that was not seen.
const unseen = -1

// drift is the share of a TTL by which the clocks of a system may differ, which the
// kernel's is steered by at most.
const drift = 1.0 / 1000

// judgeTTL finds what is wrong with a contestant's rows.
func (s *session) judgeTTL(rows []report.TTLRow, lag time.Duration) {
	for _, row := range rows {
		add := func(check, format string, args ...any) {
			where := "ttl"
			if row.TTL > 0 {
				where = fmt.Sprintf("ttl %v, %s", row.TTL, row.Use)
			}
			s.found(report.Finding{Name: row.Name, Check: check, Where: where, Text: fmt.Sprintf(format, args...)})
		}
		slack := time.Duration(float64(row.TTL) * drift)
		if row.Failed != "" {
			add(report.CheckFailed, "%s", row.Failed)
		}
		if row.Early > 0 && row.Earliest > slack {
			add(report.CheckEarly, "%d of %d keys were gone before their TTL had passed, by up to %v", row.Early, row.Keys, row.Earliest.Round(time.Microsecond))
		}
		if row.Stale > lag+slack {
			add(report.CheckStale, "returned a value %v after its deadline, where the cache declares %v at most", row.Stale.Round(time.Microsecond), lag)
		}
	}
}

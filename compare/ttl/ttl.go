// Package ttl measures how exactly entries expire.
package ttl

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/cachepact/cachepact/compare/internal/contest"
	"github.com/cachepact/cachepact/compare/internal/worker"
	"github.com/cachepact/cachepact/compare/report"
)

// Config says what to measure.
type Config struct {
	contest.Config
	// Lifetimes are the TTLs.
	Lifetimes []time.Duration
	// Keys is the number of keys for each TTL and use.
	Keys int
	// Wait is how long after the deadline a cache is watched at most.
	Wait time.Duration
	// Patience is how much longer than expected a worker may take. Zero means 30 seconds.
	Patience time.Duration
}

// Check returns an error for the first setting that is out of range.
func (c Config) Check() error {
	for _, d := range c.Lifetimes {
		if d < 100*time.Microsecond || d > time.Hour {
			return fmt.Errorf("lifetimes %v: out of range; use a TTL from 100µs to 1h", d)
		}
	}
	switch {
	case len(c.Lifetimes) == 0:
		return errors.New("lifetimes: none; use at least one TTL")
	case c.Keys < 1 || c.Keys > 1_000_000:
		return fmt.Errorf("lifetime-keys %d: out of range; use a number from 1 to 1000000", c.Keys)
	case c.Wait <= 0 || c.Wait > time.Hour:
		return fmt.Errorf("lifetime-wait %v: out of range; use a duration above 0 and up to 1h", c.Wait)
	}
	return nil
}

// Result is what was measured.
type Result struct {
	contest.Log
	TTL *report.TTL
}

// Run measures each contestant in a process of its own. Contestants wait most of the time, so several run at once.
func Run(ctx context.Context, c Config) (Result, error) {
	if err := c.Check(); err != nil {
		return Result{}, err
	}
	var r Result
	all := make([][]report.TTLRow, len(c.Contestants))
	c.Progress.Expect(len(all))
	slots := make(chan struct{}, concurrency(ctx))
	var wg sync.WaitGroup
	var mu sync.Mutex // guards r and c.Progress
	for i, contestant := range c.Contestants {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			rows, lag, err := c.measure(ctx, contestant)
			mu.Lock()
			defer mu.Unlock()
			c.Progress.Step(contestant.Name + ": TTL")
			if err != nil && ctx.Err() == nil {
				rows = []report.TTLRow{{Name: contestant.Name, Failed: err.Error(), SizeLag: unseen, MemoryLag: unseen}}
			}
			all[i] = rows
			r.judge(rows, lag)
		})
	}
	wg.Wait()
	r.TTL = &report.TTL{Rows: slices.Concat(all...)}
	return r, ctx.Err()
}

// concurrency returns how many contestants are measured at once. Without processes they would measure each other's
// memory.
func concurrency(ctx context.Context) int {
	if worker.HasProcesses(ctx) {
		return 2 * runtime.NumCPU()
	}
	return 1
}

// measure measures one contestant in a process of its own. It also returns the lag that the contestant declares.
func (c Config) measure(ctx context.Context, one contest.Contestant) (rows []report.TTLRow, lag time.Duration, err error) {
	w, err := worker.Start(ctx, func() worker.Handler { return NewHandler(c.Contestants) })
	if err != nil {
		return nil, 0, err
	}
	defer w.Close()
	for _, d := range c.Lifetimes {
		j := job{Contestant: one.Name, TTL: d, Keys: c.Keys, Wait: c.Wait, Memory: d == c.memoryTTL()}
		ctx, cancel := context.WithTimeout(ctx, 8*d+5*c.Wait+cmp.Or(c.Patience, 30*time.Second))
		var got result
		err := w.Call(ctx, jobName, j, &got)
		cancel()
		if err != nil {
			return nil, 0, err
		}
		rows, lag = append(rows, got.Rows...), got.ExpiryLag
	}
	return rows, lag, nil
}

const jobName = "ttl" // a job to a result

// NewHandler returns the handler of the jobs that Run gives to workers.
func NewHandler(all []contest.Contestant) worker.Handler { return handler(all) }

type handler []contest.Contestant

// Do implements [worker.Handler].
func (all handler) Do(ctx context.Context, name string, in json.RawMessage) (any, error) {
	if name != jobName {
		return nil, worker.ErrUnknown
	}
	return worker.Job(ctx, in, func(ctx context.Context, j job) (result, error) { return expire(ctx, all, j) })
}

// Close implements [worker.Handler].
func (handler) Close() {}

// memoryTTL returns the one TTL at which memory is watched, because watching it takes long. It is the shortest TTL that
// leaves time to fill a cache, or else the longest TTL.
func (c Config) memoryTTL() time.Duration {
	best := slices.Max(c.Lifetimes)
	for _, d := range c.Lifetimes {
		if d >= 100*time.Millisecond {
			best = min(best, d)
		}
	}
	return best
}

// unseen is a lag that was not seen to end.
const unseen = -1

// drift is the share of a TTL by which the clocks of a system may differ: the kernel adjusts its clock by no more.
const drift = 1.0 / 1000

// judge adds the findings of a contestant's rows.
func (r *Result) judge(rows []report.TTLRow, lag time.Duration) {
	for _, row := range rows {
		add := func(check, format string, args ...any) {
			where := "ttl"
			if row.TTL > 0 {
				where = fmt.Sprintf("ttl %v, %s", row.TTL, row.Use)
			}
			r.Found(report.Finding{Name: row.Name, Check: check, Where: where, Text: fmt.Sprintf(format, args...)})
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

// Package speed measures how long operations of caches take, and how they scale.
package speed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cachepact/cachepact/compare/internal/contest"
	"github.com/cachepact/cachepact/compare/internal/load"
	"github.com/cachepact/cachepact/compare/internal/worker"
	"github.com/cachepact/cachepact/compare/memory"
	"github.com/cachepact/cachepact/compare/report"
	"github.com/cachepact/cachepact/compare/trace"
)

// Config says what to measure.
type Config struct {
	contest.Config // without a Load, a Zipf workload is requested
	// Cases are out of [CaseHit], [CaseMiss] and [CaseWorkload].
	Cases []string
	// Rounds is the number of rounds that count. Three rounds before them do not count.
	Rounds int
	// Slice is how long a contestant runs in each round.
	Slice time.Duration
	// Settings are the settings at which each case is measured.
	Settings []Setting
	// Mix is the mix of operations in CaseHit.
	Mix report.Mix
	// Baseline is the name of the contestant to which others are compared. Empty means the first contestant.
	Baseline string
	// Latency is how long each distribution of latencies is measured. Zero means that none is measured.
	Latency time.Duration
	// Patience is how much longer than expected a worker may take. Zero means 30 seconds.
	Patience time.Duration
}

// A Setting is a GOMAXPROCS and a number of goroutines.
type Setting struct{ Procs, Goroutines int }

// warmup is the number of rounds that do not count.
const warmup = 3

// Check returns an error for the first setting that is wrong.
func (c Config) Check() error {
	for _, name := range c.Cases {
		if name != CaseHit && name != CaseMiss && name != CaseWorkload {
			return fmt.Errorf("cases %q: unknown; use %s, %s or %s", name, CaseHit, CaseMiss, CaseWorkload)
		}
	}
	switch {
	case c.Rounds < 1:
		return fmt.Errorf("rounds %d: out of range; use 1 or more", c.Rounds)
	case c.Slice < time.Millisecond:
		return fmt.Errorf("slice %v: out of range; use 1ms or more", c.Slice)
	case c.Latency < 0:
		return fmt.Errorf("latency %v: out of range; use 0 or more", c.Latency)
	}
	return nil
}

// Result is what was measured.
type Result struct {
	contest.Log
	Speed *report.Speed
	// Workload describes the requests if the configuration has none.
	Workload *report.Workload

	contenders []contender
}

// A comparison is a call of Run.
type comparison struct {
	Config
	Result
	dir string // of the streams
}

// Run measures every contestant in every case at every setting.
func Run(ctx context.Context, c Config) (Result, error) {
	if err := c.Check(); err != nil {
		return Result{}, err
	}
	c.Patience = cmp.Or(c.Patience, 30*time.Second)
	s := &comparison{Config: c}
	err := s.run(ctx)
	return s.Result, err
}

func (s *comparison) run(ctx context.Context) (err error) {
	if s.Baseline == "" {
		s.Baseline = s.Contestants[0].Name
	} else if all := contest.Names(s.Contestants); !slices.Contains(all, s.Baseline) {
		return fmt.Errorf("against %q: unknown adapter; use one of %s", s.Baseline, strings.Join(all, ", "))
	}
	if s.dir, err = os.MkdirTemp("", "cachepact-*"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(s.dir)) }()
	races, capacity, err := s.prepare(ctx)
	if err != nil {
		return err
	}
	s.Speed = &report.Speed{Rounds: s.Rounds, Slice: s.Slice, Baseline: s.Baseline}
	s.Progress.Expect(len(races) * (warmup + s.Rounds))
	for _, r := range races {
		contenders, err := s.race(ctx, r)
		if err != nil {
			return err
		}
		s.contenders = append(s.contenders, contenders...)
		c := summarize(r, contenders)
		s.Speed.Cases = append(s.Speed.Cases, c)
		s.judge(r, c, contenders)
	}
	if s.Latency > 0 {
		s.Speed.Latency, err = s.latencies(ctx, capacity)
	}
	return err
}

// defaultWorkload is requested if the configuration has no requests.
const defaultWorkload = "zipf:s=0.99,keys=100000,requests=1000000"

// A race is a case to measure.
type race struct {
	openJob
	due report.Mix
}

// where names the race in findings.
func (r race) where() string {
	return fmt.Sprintf("speed, case %s, %s, GOMAXPROCS %d", r.Case, plural(r.Goroutines, "goroutine"), r.Procs)
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// missing returns how many requests for keys that do not come again a stream has: what
// eight million a second are in a slice, and not so few that a pass is over at once.
func (s *comparison) missing() int {
	return min(max(int(s.Slice.Seconds()*8e6), 1<<14), streamed)
}

// prepare makes the streams of requests and writes them to files.
func (s *comparison) prepare(ctx context.Context) (all []race, capacity int, err error) {
	requests, capacity, err := s.requests(ctx)
	if err != nil {
		return nil, 0, err
	}
	if err := requests.save(filepath.Join(s.dir, CaseWorkload)); err != nil {
		return nil, 0, err
	}
	for _, name := range s.Cases {
		job := openJob{Case: name, Capacity: capacity, Value: s.Value, Stream: filepath.Join(s.dir, name)}
		r := requests
		switch name {
		case CaseHit:
			r = requests.hitStream(s.Mix, s.Seed)
			job.Capacity = 2 * r.distinct() // so that no cache has to evict
		case CaseMiss:
			r = missStream(s.missing())
		}
		if name != CaseWorkload {
			if err := r.save(job.Stream); err != nil {
				return nil, 0, err
			}
		}
		for _, set := range s.Settings {
			job.Procs, job.Goroutines = set.Procs, set.Goroutines
			all = append(all, race{job, r.mix()})
		}
	}
	return all, capacity, nil
}

// requests returns the stream of the requests, and the capacity in entries.
func (s *comparison) requests(ctx context.Context) (stream, int, error) {
	l := s.Load
	if l == nil {
		var err error
		if l, err = load.FromWorkload(defaultWorkload, trace.Limits{}); err != nil {
			return stream{}, 0, err
		}
		s.Workload = l.Describe()
	}
	capacity, err := s.entries(ctx, l)
	if err != nil {
		return stream{}, 0, err
	}
	requests, err := workloadStream(l)
	if n := len(requests.keys); err == nil && l.Requests >= int64(n)+batch {
		s.Note("", "speed is measured on the first %s requests", report.Count(n))
	}
	return requests, capacity, err
}

// entries returns the largest capacity that is a number of entries. If all capacities are in bytes, it returns as many
// entries as the baseline holds in the largest of them.
func (s *comparison) entries(ctx context.Context, l *load.Load) (int, error) {
	bounds, err := load.Resolve(s.Capacities, l)
	if err != nil {
		return 0, err
	}
	entries := 0
	for _, b := range bounds {
		entries = max(entries, b.Entries)
	}
	if entries > 0 {
		return entries, nil
	}
	baseline, err := contest.Find(s.Contestants, s.Baseline)
	if err != nil {
		return 0, err
	}
	per, err := memory.BytesPerEntry(ctx, s.Contestants, baseline, cmp.Or(s.Value, 8))
	if err != nil {
		return 0, err
	}
	return max(1, int(float64(bounds[len(bounds)-1].Bytes)/per)), nil
}

// distinct returns the number of keys that s has.
func (s stream) distinct() int {
	all := map[uint64]struct{}{}
	for _, key := range s.keys {
		all[key] = struct{}{}
	}
	return len(all)
}

// control is the baseline as a contestant once more.
const control = "(control)"

// A contender is a contestant in one race.
type contender struct {
	race
	name       string // of the row
	isBaseline bool
	w          worker.Worker
	opened     opened
	rounds     []count
	failed     string
	// excused says that the failure is none of the cache's: it does not do what
	// the case is about.
	excused bool
}

// race lets every contestant run, and the baseline twice.
func (s *comparison) race(ctx context.Context, r race) ([]contender, error) {
	all := []contender{{race: r, name: control}}
	all[0].Contestant = s.Baseline
	for i, c := range append(slices.Clone(s.Contestants), baselines()...) {
		one := contender{race: r, name: c.Name, isBaseline: i >= len(s.Contestants)}
		one.Contestant = c.Name
		all = append(all, one)
	}
	defer func() {
		for i := range all {
			all[i].end()
		}
	}()
	for i := range all {
		all[i].start(ctx, s, s.Patience)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	rng := rand.New(rand.NewPCG(s.Seed, 2))
	order := rng.Perm(len(all))
	for round := range warmup + s.Rounds {
		s.Progress.Step(fmt.Sprintf("%s: round %d", r.where(), round+1-warmup))
		rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, i := range order {
			all[i].turn(ctx, s.Slice, s.Patience, round >= warmup)
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return all, nil
}

// start starts the process and opens the cache.
func (c *contender) start(ctx context.Context, s *comparison, patience time.Duration) {
	var err error
	if c.w, err = worker.Start(ctx, func() worker.Handler { return NewHandler(s.Contestants) }); err == nil {
		err = c.call(ctx, patience, jobOpen, c.openJob, &c.opened)
	}
	switch {
	case err != nil:
		c.fail(err)
	case c.Case == CaseMiss && c.opened.Unbounded:
		c.fail(errUnbounded)
		c.excused = true
	}
}

var errUnbounded = errors.New("has no bound, so that no Put evicts")

// turn runs one slice.
func (c *contender) turn(ctx context.Context, slice, patience time.Duration, counts bool) {
	if c.failed != "" {
		return
	}
	var n count
	err := c.call(ctx, slice+patience, jobSlice, sliceJob{slice}, &n)
	switch {
	case err != nil:
		c.fail(err)
	case n.ops() == 0:
		c.fail(errors.New("did nothing in a slice"))
	case counts:
		c.rounds = append(c.rounds, n)
	}
}

func (c *contender) call(ctx context.Context, patience time.Duration, job string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return c.w.Call(ctx, job, in, out)
}

func (c *contender) fail(err error) {
	c.failed = err.Error()
	c.end()
}

// end ends the process, if it has begun.
func (c *contender) end() {
	if c.w != nil {
		c.w.Close()
	}
}

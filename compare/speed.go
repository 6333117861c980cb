package compare

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/cachepact/cachepact/compare/report"
	"github.com/cachepact/cachepact/compare/trace"
)

func speedPart() part {
	o := newSpeed()
	return part{
		name:  "speed",
		short: "Measure how long operations take, and how they scale",
		long: `Measure how long operations take, and how they scale.

Every contestant runs in a process of its own, and all take turns in short slices,
in another order in each round, so that what disturbs the machine disturbs all of
them. A ratio pairs a contestant's slices with those of the baseline in the same
rounds. The baseline takes part twice, and what differs from it by no more than it
differs from itself is a tie. If that is more than 10 %, the machine is too noisy,
and nothing is ranked.

An operation is a request: a Get, and the Put that follows if it misses; or a Put
or an Invalidate of the requests. The cases are "hit", in which every Get hits and
nothing is evicted, "miss", in which every Get misses and every Put evicts, and
"workload". TTLs of the requests are not used.`,
		examples: [3]string{
			"--workload zipf:0.99 --capacity 10%",
			"--trace oltp.gz --cases workload --procs 1,2 --goroutines 1,P,4P --bench speed.txt",
			"--adapters golanglru,ristretto --rounds 40 --slice 500ms --latency 2s",
		},
		load:    mayLoad,
		flags:   o.flags,
		check:   o.check,
		measure: o.measure,
	}
}

// speed are the settings of the part about time.
type speed struct {
	cases             []string
	rounds            int
	slice             time.Duration
	procs, goroutines []string
	mixText           string
	against           string
	bench             string
	latency           time.Duration

	mix      report.Mix
	warmup   int           // rounds that do not count
	patience time.Duration // after which a worker that does not answer is given up
}

func newSpeed() *speed {
	return &speed{warmup: 3, patience: 30 * time.Second}
}

func (o *speed) flags(f *pflag.FlagSet) {
	f.StringSliceVar(&o.cases, "cases", []string{caseHit, caseMiss, caseWorkload}, "comma-separated `list` of situations to measure")
	f.IntVar(&o.rounds, "rounds", 20, "`n` rounds that count, after three that do not; fewer than 20 give wide intervals")
	f.DurationVar(&o.slice, "slice", 250*time.Millisecond, "`time` a contestant runs in each round")
	f.StringSliceVar(&o.procs, "procs", []string{"P"}, "comma-separated `list` of GOMAXPROCS, such as 1,2,P; P is that of this process")
	f.StringSliceVar(&o.goroutines, "goroutines", []string{"P"}, "comma-separated `list` of numbers of goroutines, such as 1,P,4P; P is GOMAXPROCS")
	f.StringVar(&o.mixText, "mix", "100/0/0", "`shares` of Gets, Puts and Invalidates in the case hit, such as 90/9/1")
	f.StringVar(&o.against, "against", "", "contestant to `name` as the baseline of ratios (default: the first)")
	f.StringVar(&o.bench, "bench", "", "write each round to `file` as a benchmark, which benchstat reads")
	f.DurationVar(&o.latency, "latency", 500*time.Millisecond, "`time` for each distribution of latencies; 0 for none")
}

func (o *speed) check() (err error) {
	for _, c := range o.cases {
		if c != caseHit && c != caseMiss && c != caseWorkload {
			return fmt.Errorf("cases %q: expected %s, %s or %s", c, caseHit, caseMiss, caseWorkload)
		}
	}
	switch {
	case o.rounds < 1:
		return fmt.Errorf("rounds %d: expected at least one", o.rounds)
	case o.slice < time.Millisecond:
		return fmt.Errorf("slice %v: expected at least 1ms", o.slice)
	case o.latency < 0:
		return fmt.Errorf("latency %v: expected a time", o.latency)
	}
	if _, err := o.sweep(); err != nil {
		return err
	}
	o.mix, err = parseMix(o.mixText)
	return err
}

// A setting is a GOMAXPROCS and a number of goroutines.
type setting struct{ procs, goroutines int }

func (o *speed) sweep() ([]setting, error) {
	var all []setting
	for _, text := range o.procs {
		procs, err := times("procs", text, runtime.GOMAXPROCS(0))
		if err != nil {
			return nil, err
		}
		for _, text := range o.goroutines {
			goroutines, err := times("goroutines", text, procs)
			if err != nil {
				return nil, err
			}
			if s := (setting{procs, goroutines}); !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
	}
	return all, nil
}

// times reads a number such as 3, P or 4P.
func times(flag, text string, p int) (int, error) {
	digits, isP := strings.CutSuffix(strings.TrimSpace(text), "P")
	if isP && digits == "" {
		return p, nil
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n < 1 || n > 1<<16 {
		return 0, fmt.Errorf("%s %q: expected a number from 1 to 65536, P or a multiple such as 4P", flag, text)
	}
	if isP {
		n *= p
	}
	return n, nil
}

// parseMix reads shares such as 90/9/1.
func parseMix(text string) (report.Mix, error) {
	parts := strings.Split(text, "/")
	var shares [3]float64
	sum := 0.0
	for i, part := range parts {
		x, err := strconv.ParseFloat(part, 64)
		if err != nil || len(parts) != len(shares) || !(x >= 0 && x <= 1e6) {
			return report.Mix{}, fmt.Errorf("mix %q: expected shares of Gets, Puts and Invalidates such as 90/9/1", text)
		}
		shares[i] = x
		sum += x
	}
	if shares[0] == 0 {
		return report.Mix{}, fmt.Errorf("mix %q: expected some Gets", text)
	}
	return report.Mix{Gets: shares[0] / sum, Puts: shares[1] / sum, Invalidates: shares[2] / sum}, nil
}

// speedWorkload is what is requested if nothing else is said.
const speedWorkload = "zipf:s=0.99,keys=100000,requests=1000000"

// A race is a case to measure.
type race struct {
	speedJob
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

// measure fills s.report.Speed.
func (o *speed) measure(ctx context.Context, s *session) (err error) {
	baseline, err := o.baseline(s.contestants)
	if err != nil {
		return err
	}
	var out *os.File
	if o.bench != "" {
		if out, err = os.Create(o.bench); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, out.Close()) }()
	}
	dir, err := os.MkdirTemp("", "cachepact-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	races, capacity, err := o.prepare(ctx, s, dir, baseline)
	if err != nil {
		return err
	}
	s.report.Speed = &report.Speed{Rounds: o.rounds, Slice: o.slice, Baseline: baseline}
	s.progress.Expect(len(races) * (o.warmup + o.rounds))
	var all []report.SpeedCase
	var benchmarks []contender
	for _, r := range races {
		contenders, err := o.run(ctx, s, r, baseline)
		if err != nil {
			return err
		}
		benchmarks = append(benchmarks, contenders...)
		c := summarize(r, contenders)
		all = append(all, c)
		s.judgeSpeed(r, c, contenders)
	}
	s.report.Speed.Cases = all
	if out != nil {
		if err := writeBenchmarks(out, s.report.Machine, benchmarks); err != nil {
			return err
		}
	}
	if o.latency > 0 {
		s.report.Speed.Latency, err = o.latencies(ctx, s, dir, capacity)
	}
	return err
}

// missing returns how many requests for keys that do not come again a stream has: what
// eight million a second are in a slice, and not so few that a pass is over at once.
func (o *speed) missing() int {
	return min(max(int(o.slice.Seconds()*8e6), 1<<14), streamed)
}

func (o *speed) baseline(contestants []Contestant) (string, error) {
	if o.against == "" {
		return contestants[0].Name, nil
	}
	if all := names(contestants); !slices.Contains(all, o.against) {
		return "", fmt.Errorf("against %q: expected one of %s", o.against, strings.Join(all, ", "))
	}
	return o.against, nil
}

// prepare works the streams out, and writes them to files in dir.
func (o *speed) prepare(ctx context.Context, s *session, dir, baseline string) (all []race, capacity int, err error) {
	settings, err := o.sweep()
	if err != nil {
		return nil, 0, err
	}
	requests, capacity, err := s.speedRequests(ctx, baseline)
	if err != nil {
		return nil, 0, err
	}
	if err := requests.save(filepath.Join(dir, caseWorkload)); err != nil {
		return nil, 0, err
	}
	for _, name := range o.cases {
		job := speedJob{Case: name, Capacity: capacity, Value: s.value, Stream: filepath.Join(dir, name)}
		r := requests
		switch name {
		case caseHit:
			r = requests.hitStream(o.mix, s.seed)
			job.Capacity = 2 * r.distinct() // so that no cache has to evict
		case caseMiss:
			r = missStream(o.missing())
		}
		if name != caseWorkload {
			if err := r.save(job.Stream); err != nil {
				return nil, 0, err
			}
		}
		for _, set := range settings {
			job.Procs, job.Goroutines = set.procs, set.goroutines
			all = append(all, race{job, r.mix()})
		}
	}
	return all, capacity, nil
}

// speedRequests returns what is requested, and the capacity at which.
func (s *session) speedRequests(ctx context.Context, baseline string) (stream, int, error) {
	l := s.load
	if l == nil {
		var err error
		if l, err = loadWorkload(speedWorkload, trace.Limits{}); err != nil {
			return stream{}, 0, err
		}
		s.report.Workload = l.describe()
	}
	capacity, err := s.speedCapacity(ctx, l, baseline)
	if err != nil {
		return stream{}, 0, err
	}
	requests, err := workloadStream(l)
	if n := len(requests.keys); err == nil && l.requests >= int64(n)+batch {
		s.note("", "speed is measured on the first %s requests", report.Count(n))
	}
	return requests, capacity, err
}

// speedCapacity returns the largest capacity of the session that is a number of
// entries, or else as many as the baseline holds in the largest number of bytes.
func (s *session) speedCapacity(ctx context.Context, l *load, baseline string) (int, error) {
	rooms, err := resolve(s.capacities, l)
	if err != nil {
		return 0, err
	}
	entries := 0
	for _, r := range rooms {
		entries = max(entries, r.entries)
	}
	if entries > 0 {
		return entries, nil
	}
	i := slices.Index(names(s.contestants), baseline)
	per, err := bytesPerEntry(ctx, s, s.contestants[i], cmp.Or(s.value, 8))
	if err != nil {
		return 0, err
	}
	return max(1, int(float64(rooms[len(rooms)-1].bytes)/per)), nil
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
	name   string // of the row
	floor  bool
	w      worker
	opened speedOpened
	rounds []speedCount
	failed string
	// excused says that the failure is none of the cache's: it does not do what
	// the case is about.
	excused bool
}

// run has every contestant, and the baseline twice, run the race.
func (o *speed) run(ctx context.Context, s *session, r race, baseline string) ([]contender, error) {
	all := []contender{{race: r, name: control}}
	all[0].Contestant = baseline
	for i, c := range append(slices.Clone(s.contestants), floors()...) {
		one := contender{race: r, name: c.Name, floor: i >= len(s.contestants)}
		one.Contestant = c.Name
		all = append(all, one)
	}
	defer func() {
		for i := range all {
			all[i].end()
		}
	}()
	for i := range all {
		all[i].start(ctx, s, o.patience)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	rng := rand.New(rand.NewPCG(s.seed, 2))
	order := rng.Perm(len(all))
	for round := range o.warmup + o.rounds {
		s.progress.Step(fmt.Sprintf("%s: round %d", r.where(), round+1-o.warmup))
		rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, i := range order {
			all[i].turn(ctx, o.slice, o.patience, round >= o.warmup)
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return all, nil
}

// start starts the process and opens the cache.
func (c *contender) start(ctx context.Context, s *session, patience time.Duration) {
	var err error
	if c.w, err = startWorker(ctx, s.contestants); err == nil {
		err = c.call(ctx, patience, jobOpen, c.speedJob, &c.opened)
	}
	switch {
	case err != nil:
		c.fail(err)
	case c.Case == caseMiss && c.opened.Unbounded:
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
	var n speedCount
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
	return c.w.call(ctx, job, in, out)
}

func (c *contender) fail(err error) {
	c.failed = err.Error()
	c.end()
}

// end ends the process, if it has begun.
func (c *contender) end() {
	if c.w != nil {
		c.w.close()
	}
}

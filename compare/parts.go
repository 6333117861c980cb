package compare

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cachepact/cachepact/compare/hits"
	"github.com/cachepact/cachepact/compare/internal/contest"
	"github.com/cachepact/cachepact/compare/internal/load"
	"github.com/cachepact/cachepact/compare/memory"
	"github.com/cachepact/cachepact/compare/report"
	"github.com/cachepact/cachepact/compare/speed"
	"github.com/cachepact/cachepact/compare/ttl"
)

// A part is one question of a comparison, and a subcommand of compare.
type part struct {
	name, short, long string
	// examples are three complete command lines, without "cachepact compare".
	examples [3]string
	load     need
	// flags adds the flags that only this part has, and complete completes their values, by the flag's name.
	flags    func(*pflag.FlagSet)
	complete map[string]cobra.CompletionFunc
	// check reads the flags. It returns an error for the first value that is wrong.
	check func() error
	// measure fills the report's section of the part.
	measure func(context.Context, contest.Config, *report.Report) error
}

// A need tells how a part uses requests.
type need int

const (
	noLoad   need = iota // the part ignores requests
	mayLoad              // the part uses requests if there are any
	mustLoad             // the part needs requests
)

// parts returns the parts in the order in which compare all measures them. Each call returns parts with new flags.
func parts() []part {
	return []part{hitsPart(), speedPart(), memoryPart(), ttlPart()}
}

// add adds the findings and notes of a part to the report.
func add(r *report.Report, l contest.Log) {
	r.Findings = append(r.Findings, l.Findings...)
	r.Notes = append(r.Notes, l.Notes...)
}

func hitsPart() part {
	var (
		c                hits.Config
		paces, mode, ttl string
		curve            bool
		points           int
	)
	return part{
		name:  "hits",
		short: "Replay requests through caches and compare their hit ratios",
		long: `Replay requests through caches and compare their hit ratios with those of exact
policies and of the best possible cache of the same capacity.

A cache has a row for each pace. flat: the driver never waits, so background
maintenance lags behind. settled: the driver calls Sync after every write, so
background maintenance has finished. paced: a miss costs a simulated --load for one
of several --clients, and the client stores the value only after that load. A cache
without background maintenance has one row for flat and settled.`,
		examples: [3]string{
			"--trace oltp.gz --capacity 1%,5%,10%",
			"--trace requests.csv.zst --ttl trace --mode trace --capacity 64MiB --html report.html",
			"--workload zipf:s=0.99,keys=100000 --pace settled --curve --adapters golanglru,ristretto",
		},
		load: mustLoad,
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&paces, "pace", "flat,settled,paced", "comma-separated `list` of paces: flat, settled, paced")
			f.StringVar(&mode, "mode", "fill",
				"what stores: fill (a get that misses, and recorded writes) or trace (only recorded writes)")
			f.StringVar(&ttl, "ttl", "trace",
				"lifetimes in the trace's own time: trace (as recorded), none or a `duration` such as 30s for every entry")
			f.IntVar(&c.Runs, "runs", 3, "replay `n` times if the hits differ from run to run")
			f.DurationVar(&c.Miss, "load", time.Millisecond, "paced: cost of a miss, a `duration`")
			f.DurationVar(&c.Work, "work", 10*time.Microsecond, "paced: cost of any request for its client, a `duration`")
			f.IntVar(&c.Clients, "clients", 8, "paced: `n` concurrent clients")
			f.BoolVar(&curve, "curve", false, "replay at many capacities, and compare miss-ratio curves")
			f.IntVar(&points, "points", 12, "curve: `n` capacities from 0.1 % to all of the keys")
		},
		complete: map[string]cobra.CompletionFunc{
			"pace": completeList([]string{"flat", "settled", "paced"}),
			"mode": completeOne("fill", "trace"),
			"ttl":  completeOne("trace", "none"),
		},
		check: func() (err error) {
			if c.TTL, err = load.ParseTTLMode(ttl); err != nil {
				return err
			}
			if mode != "fill" && mode != "trace" {
				return fmt.Errorf("mode %q: unknown; use fill or trace", mode)
			}
			c.OnlyWrites, c.Points, c.Paces = mode == "trace", points, nil
			for name := range strings.SplitSeq(paces, ",") {
				if p := report.Pace(strings.TrimSpace(name)); !slices.Contains(c.Paces, p) {
					c.Paces = append(c.Paces, p)
				}
			}
			err = c.Check()
			if !curve {
				c.Points = 0
			}
			return err
		},
		measure: func(ctx context.Context, common contest.Config, r *report.Report) error {
			c.Config = common
			got, err := hits.Run(ctx, c)
			r.Hits = got.Hits
			if r.Workload != nil {
				r.Workload.LRU1 = got.LRU1
			}
			add(r, got.Log)
			return err
		},
	}
}

func speedPart() part {
	var (
		c                 speed.Config
		procs, goroutines []string
		mix, bench        string
	)
	return part{
		name:  "speed",
		short: "Measure how long operations take, and how they scale",
		long: `Measure how long operations take, and how they scale.

Every contestant runs in its own process. All contestants take turns in short
slices, in another order in each round, so that a disturbance of the machine affects
all of them. A ratio compares a contestant's slices with those of the baseline in
the same rounds. The baseline takes part twice. A contestant ties with the baseline
if it differs no more than the baseline differs from itself. If the confidence
interval of the baseline against itself is wider than 0.1, the machine is too noisy,
and nothing is ranked.

An operation is a request: a Get and, after a miss, the Put that follows; or a Put
or an Invalidate of the requests. In the case "hit" every Get hits and nothing is
evicted. In the case "miss" every Get misses and every Put evicts. The case
"workload" replays the requests. TTLs of the requests are not used.`,
		examples: [3]string{
			"--workload zipf:0.99 --capacity 10%",
			"--trace oltp.gz --cases workload --procs 1,2 --goroutines 1,P,4P --bench speed.txt",
			"--adapters golanglru,ristretto --rounds 40 --slice 500ms --latency 2s",
		},
		load: mayLoad,
		flags: func(f *pflag.FlagSet) {
			f.StringSliceVar(&c.Cases, "cases", []string{speed.CaseHit, speed.CaseMiss, speed.CaseWorkload},
				"comma-separated `list` of cases to measure")
			f.IntVar(&c.Rounds, "rounds", 20, "`n` rounds that count, after three that do not; below 20 the intervals are wide")
			f.DurationVar(&c.Slice, "slice", 250*time.Millisecond, "`duration` for which a contestant runs in each round")
			f.StringSliceVar(&procs, "procs", []string{"P"},
				"comma-separated `list` of GOMAXPROCS, such as 1,2,P; P is GOMAXPROCS of this process")
			f.StringSliceVar(&goroutines, "goroutines", []string{"P"},
				"comma-separated `list` of numbers of goroutines, such as 1,P,4P; P is GOMAXPROCS")
			f.StringVar(&mix, "mix", "100/0/0", "`shares` of Gets, Puts and Invalidates in the case hit, such as 90/9/1")
			f.StringVar(&c.Baseline, "against", "", "`name` of the contestant that is the baseline of ratios (default: the first)")
			f.StringVar(&bench, "bench", "", "write each round to `file` as a Go benchmark result, for benchstat")
			f.DurationVar(&c.Latency, "latency", 500*time.Millisecond, "`duration` of each measurement of latencies; 0 for none")
		},
		check: func() (err error) {
			if c.Settings, err = settings(procs, goroutines); err != nil {
				return err
			}
			if c.Mix, err = parseMix(mix); err != nil {
				return err
			}
			return c.Check()
		},
		measure: func(ctx context.Context, common contest.Config, r *report.Report) (err error) {
			var out *os.File
			if bench != "" {
				if out, err = os.Create(bench); err != nil {
					return err
				}
				defer func() { err = errors.Join(err, out.Close()) }()
			}
			c.Config = common
			got, err := speed.Run(ctx, c)
			r.Speed = got.Speed
			if got.Workload != nil {
				r.Workload = got.Workload
			}
			add(r, got.Log)
			if err != nil || out == nil {
				return err
			}
			return got.WriteBenchmarks(out, r.Machine)
		},
	}
}

// settings combines each GOMAXPROCS with each number of goroutines.
func settings(procs, goroutines []string) (all []speed.Setting, err error) {
	var s speed.Setting
	for _, text := range procs {
		if s.Procs, err = multiple("procs", text, runtime.GOMAXPROCS(0)); err != nil {
			return nil, err
		}
		for _, text := range goroutines {
			if s.Goroutines, err = multiple("goroutines", text, s.Procs); err != nil {
				return nil, err
			}
			if !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
	}
	return all, nil
}

// multiple reads a number such as 3, P or 4P.
func multiple(flag, text string, p int) (int, error) {
	digits, isP := strings.CutSuffix(strings.TrimSpace(text), "P")
	if isP && digits == "" {
		return p, nil
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n < 1 || n > 1<<16 {
		return 0, fmt.Errorf("%s %q: not a number from 1 to 65536; use a number, P or a multiple such as 4P", flag, text)
	}
	if isP {
		n *= p
	}
	return n, nil
}

// parseMix reads shares such as 90/9/1.
func parseMix(text string) (report.Mix, error) {
	fields := strings.Split(text, "/")
	var shares [3]float64
	sum := 0.0
	for i, field := range fields {
		x, err := strconv.ParseFloat(field, 64)
		if err != nil || len(fields) != len(shares) || !(x >= 0 && x <= 1e6) {
			return report.Mix{}, fmt.Errorf("mix %q: not three shares; use shares of Gets, Puts and Invalidates such as 90/9/1", text)
		}
		shares[i] = x
		sum += x
	}
	if shares[0] == 0 {
		return report.Mix{}, fmt.Errorf("mix %q: no Gets; use a share of Gets above 0", text)
	}
	return report.Mix{Gets: shares[0] / sum, Puts: shares[1] / sum, Invalidates: shares[2] / sum}, nil
}

func memoryPart() part {
	var (
		c       memory.Config
		entries []string
	)
	return part{
		name:  "memory",
		short: "Measure the memory of an entry, and the cost for the garbage collector",
		long: `Measure the memory of an entry, and the cost for the garbage collector.

Each contestant is filled in its own process, once for each number of entries. Its
memory is the growth of the process. Bytes per entry is the slope of that growth
over the numbers of entries that a Get of every key finds. "heap" and "rss" leave
out the values, which exist before the cache is filled. "kept" is all the memory that
would be free without the cache.`,
		examples: [3]string{
			"--value 256",
			"--entries 100000,200000,400000 --adapters golanglru,bigcache",
			"--html memory.html --json memory.json",
		},
		load: noLoad,
		flags: func(f *pflag.FlagSet) {
			f.StringSliceVar(&entries, "entries", []string{"50000", "100000", "200000"},
				"comma-separated `list` of numbers of entries, two or more; doubling numbers show tables that double")
		},
		check: func() error {
			c.Entries = nil
			for _, text := range entries {
				n, err := strconv.Atoi(text)
				if err != nil {
					return fmt.Errorf("entries %q: not a number; use numbers such as 50000,100000", text)
				}
				c.Entries = append(c.Entries, n)
			}
			return c.Check()
		},
		measure: func(ctx context.Context, common contest.Config, r *report.Report) error {
			c.Config = common
			got, err := memory.Run(ctx, c)
			r.Memory = got.Memory
			add(r, got.Log)
			return err
		},
	}
}

func ttlPart() part {
	var c ttl.Config
	return part{
		name:  "ttl",
		short: "Measure how exactly entries expire",
		long: `Measure how exactly entries expire.

The driver puts keys with a TTL and reads them until they miss. An entry that
misses before its TTL has passed is early. The time from the deadline to the first
miss is the lag. A read counts as early or stale only if it is early or stale both
from the start and from the end of the Put. A lag below the resolution, which is the
time between two reads of a key, is not seen. Entries are "idle" until their
deadline is near, "read" all the time, or "overwrite": put again halfway.`,
		examples: [3]string{
			"--lifetimes 1ms,100ms,3s",
			"--adapters ttlcache,gocache --lifetime-keys 1000",
			"--strict --json ttl.json",
		},
		load: noLoad,
		flags: func(f *pflag.FlagSet) {
			f.DurationSliceVar(&c.Lifetimes, "lifetimes",
				[]time.Duration{time.Millisecond, 20 * time.Millisecond, 200 * time.Millisecond, time.Second},
				"comma-separated `list` of TTLs, such as 1ms,100ms,3s")
			f.IntVar(&c.Keys, "lifetime-keys", 200, "`n` keys for each TTL and use")
			f.DurationVar(&c.Wait, "lifetime-wait", 2*time.Second, "longest `duration` after the deadline for which a cache is watched")
		},
		check: func() error { return c.Check() }, //nolint:gocritic // c.Check would copy c before the flags are parsed
		measure: func(ctx context.Context, common contest.Config, r *report.Report) error {
			c.Config = common
			got, err := ttl.Run(ctx, c)
			r.TTL = got.TTL
			add(r, got.Log)
			return err
		},
	}
}

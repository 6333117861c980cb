// Command report measures the adapters beside their libraries and prints what they
// cost. See docs/benchmarks.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"time"

	"github.com/cachepact/cachepact/adapters/internal/bench"
)

type options struct {
	lib, kase, key, value pattern
	settings              bench.Settings
	procs                 int
	json                  string
	memory                bool
	footprint             string
}

// A pattern is a flag that selects names.
type pattern struct{ *regexp.Regexp }

func (p *pattern) String() string {
	if p.Regexp == nil {
		return ""
	}
	return p.Regexp.String()
}

func (p *pattern) Set(text string) (err error) {
	p.Regexp, err = regexp.Compile("(?i)^(?:" + text + ")$")
	return err
}

func (p *pattern) selects(name string) bool { return p.Regexp == nil || p.MatchString(name) }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

func parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet("report", flag.ContinueOnError)
	flags.Var(&o.lib, "lib", "the `libraries` to measure, a regular expression; all if empty")
	flags.Var(&o.kase, "case", "the `cases`, likewise, such as 'Get.*|Mixed/.*'")
	flags.Var(&o.key, "key", "the `types` of keys, likewise: string or uint64")
	flags.Var(&o.value, "value", "the `types` of values, likewise: int, bytes or struct")
	flags.IntVar(&o.settings.Rounds, "rounds", 10, "how many `rounds` of each")
	flags.DurationVar(&o.settings.Slice, "slice", 20*time.Millisecond, "for how `long` each runs in a round")
	flags.IntVar(&o.procs, "procs", 2, "GOMAXPROCS")
	flags.StringVar(&o.json, "json", "", "also write the results to this `file`")
	flags.BoolVar(&o.memory, "memory", false, "measure the bytes of entries instead of times")
	flags.StringVar(&o.footprint, "footprint", "", "print what `library:impl` takes, for -memory, which runs a process for each")
	if err = flags.Parse(args); err != nil {
		return o, err
	}
	if o.settings.Rounds < 2 || o.settings.Slice <= 0 || o.procs < 1 || flags.NArg() > 0 {
		return o, errors.New("want at least 2 rounds, a slice above zero, a processor, and no arguments besides flags")
	}
	return o, nil
}

func run(ctx context.Context, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	runtime.GOMAXPROCS(o.procs)
	if o.footprint != "" {
		return printFootprint(o.footprint)
	}
	fmt.Printf("%s, %s %s/%s, %d procs of %d CPUs, %d rounds of %v\n\n", time.Now().Format(time.DateOnly),
		runtime.Version(), runtime.GOOS, runtime.GOARCH, o.procs, runtime.NumCPU(), o.settings.Rounds, o.settings.Slice)
	if o.memory {
		return memory(ctx, o)
	}
	return measure(ctx, o)
}

// Command report measures the adapters beside their libraries and prints what they
// cost. See docs/benchmarks.md.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"time"

	"github.com/cachepact/cachepact/internal/bench"
)

type options struct {
	lib, kase, key, value pattern
	settings              bench.Settings
	procs                 int
	json                  string
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
	fmt.Printf("%s, %s %s/%s, %d procs of %d, %d rounds of %v\n", time.Now().Format(time.DateOnly),
		runtime.Version(), runtime.GOOS, runtime.GOARCH, o.procs, runtime.NumCPU(), o.settings.Rounds, o.settings.Slice)
	results, err := experiments(ctx, o)
	if err != nil || o.json == "" {
		return err
	}
	text, err := json.MarshalIndent(results, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(o.json, append(text, '\n'), 0o644)
}

func experiments(ctx context.Context, o options) (results []bench.Result, err error) {
	table := bench.NewTable(os.Stdout)
	for _, e := range bench.Experiments() {
		if !o.lib.selects(e.Library) || !o.kase.selects(e.Case.String()) || !o.key.selects(e.Key) || !o.value.selects(e.Value) {
			continue
		}
		r, err := bench.Measure(ctx, e, o.settings)
		if err != nil {
			return results, errors.Join(err, table.Flush())
		}
		table.Add(r)
		results = append(results, r)
	}
	return results, table.Flush()
}

// Command bench compares the cost of each adapter with the cost of its library. See docs/benchmarks.md.
//
// A scenario is a kind of operation, such as a Get that hits. An experiment is a scenario for one library and one pair
// of key and value types. It opens the raw library or the adapter with the same configuration, and does the same
// operations on both through an interface.
//
// Keys, values and the order of operations are made before the clock starts. Each piece of work is checked after the
// clock has stopped: a hit was a hit, a written value can be read, the mix had the announced share of writes. Work that
// was not done is an error.
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
)

type options struct {
	lib, scenario, key, value pattern
	settings                  settings
	procs                     int
	json                      string
	memory                    bool
	footprint                 string
}

// A pattern is a flag that selects names. The zero pattern selects all.
type pattern struct{ re *regexp.Regexp }

func (p *pattern) String() string {
	if p.re == nil {
		return ""
	}
	return p.re.String()
}

func (p *pattern) Set(text string) (err error) {
	p.re, err = regexp.Compile("(?i)^(?:" + text + ")$")
	return err
}

func (p *pattern) selects(name string) bool { return p.re == nil || p.re.MatchString(name) }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.Var(&o.lib, "lib", "measure the `libraries` that match this regular expression")
	flags.Var(&o.scenario, "case", "measure the `cases` that match, such as 'Get.*|Mixed/.*'")
	flags.Var(&o.key, "key", "measure the `types` of keys that match: string, uint64")
	flags.Var(&o.value, "value", "measure the `types` of values that match: int, bytes, struct")
	flags.IntVar(&o.settings.rounds, "rounds", 10, "`number` of rounds")
	flags.DurationVar(&o.settings.slice, "slice", 20*time.Millisecond, "`duration` of one measurement in a round")
	flags.IntVar(&o.procs, "procs", 2, "GOMAXPROCS")
	flags.StringVar(&o.json, "json", "", "also write the results to this `file`")
	flags.BoolVar(&o.memory, "memory", false, "measure bytes per entry instead of times")
	flags.StringVar(&o.footprint, "footprint", "", "measure the memory of `library:impl` in this process; used by -memory")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("argument %q: unknown; use flags only", flags.Arg(0))
	case o.settings.rounds < minRounds:
		return o, fmt.Errorf("-rounds %d: too few for a 95 %% confidence interval; use %d or more",
			o.settings.rounds, minRounds)
	case o.settings.slice <= 0 || o.procs < 1:
		return o, fmt.Errorf("-slice %v -procs %d: must be positive", o.settings.slice, o.procs)
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
		runtime.Version(), runtime.GOOS, runtime.GOARCH, o.procs, runtime.NumCPU(), o.settings.rounds, o.settings.slice)
	var all any
	if o.memory {
		all, err = reportMemory(ctx, o)
	} else {
		all, err = reportTimes(ctx, o)
	}
	if err != nil || o.json == "" {
		return err
	}
	text, err := json.MarshalIndent(all, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(o.json, append(text, '\n'), 0o644)
}

// times is the JSON form of a report of times.
type times struct {
	Results   []result   `json:"results"`
	Clearings []clearing `json:"clearings"`
}

// reportTimes runs the selected experiments, and prints the table of each library when it is complete.
func reportTimes(ctx context.Context, o options) (all times, err error) {
	for _, library := range libraryNames() {
		if !o.lib.selects(library) {
			continue
		}
		var results []result
		for _, e := range experiments() {
			if e.library == library && o.selects(e.scenario.String(), e.key, e.value) {
				r, err := measure(ctx, e, o.settings)
				if err != nil {
					return all, err
				}
				results = append(results, r)
			}
		}
		for _, s := range scrapeScenarios {
			if o.selects(s.name, "uint64", "int") {
				r, err := measureScrape(ctx, library, s, o.settings.rounds)
				if err != nil {
					return all, err
				}
				results = append(results, r)
			}
		}
		if len(results) > 0 {
			printResults(os.Stdout, results)
			all.Results = append(all.Results, results...)
		}
		if o.selects(invalidateAll, "uint64", "int") {
			c, err := measureInvalidateAll(ctx, library, o.settings.rounds)
			if err != nil {
				return all, err
			}
			all.Clearings = append(all.Clearings, c)
		}
	}
	if len(all.Results)+len(all.Clearings) == 0 {
		return all, errors.New("the flags select no experiment")
	}
	if len(all.Clearings) > 0 {
		printClearings(os.Stdout, all.Clearings)
	}
	return all, nil
}

func (o options) selects(scenario, key, value string) bool {
	return o.scenario.selects(scenario) && o.key.selects(key) && o.value.selects(value)
}

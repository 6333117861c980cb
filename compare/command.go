package compare

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cachepact/cachepact/compare/internal/contest"
	"github.com/cachepact/cachepact/compare/internal/load"
	"github.com/cachepact/cachepact/compare/report"
)

// newCompare returns the command compare, with a subcommand for each part and one
// for all of them. Without one it is the first part.
func newCompare(all []Contestant) *cobra.Command {
	cmd := newPart("compare", all, parts()[0])
	for _, p := range parts() {
		cmd.AddCommand(newPart(p.name, all, p))
	}
	whole := newPart("all", all, parts()...)
	whole.Short = "Compare caches in every way, in one report"
	whole.Long = "Compare caches in every way, in one report:\n\n" + partsHelp()
	whole.Example = examples("all", [3]string{
		"--trace oltp.gz --html report.html",
		"--workload zipf:0.99 --capacity 1% --adapters golanglru,ristretto --json new.json --baseline old.json",
		"--trace requests.csv.zst --capacity 64MiB --strict --csv report.csv",
	})
	cmd.AddCommand(whole)
	return cmd
}

func partsHelp() string {
	var b strings.Builder
	for _, p := range parts() {
		fmt.Fprintf(&b, "  %-8s%s\n", p.name, p.short)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// newPart returns a command that measures parts. What it shows for help is that of
// the first.
func newPart(name string, all []Contestant, parts ...part) *cobra.Command {
	f := &compareFlags{all: all}
	use := name
	for _, p := range parts {
		f.need = max(f.need, p.load)
	}
	switch f.need {
	case mayLoad:
		use += " [--trace FILE | --workload SPEC]"
	case mustLoad:
		use += " (--trace FILE | --workload SPEC)"
	case noLoad:
	}
	cmd := &cobra.Command{
		Use:     use,
		Short:   parts[0].short,
		Long:    parts[0].long,
		Example: examples(name, parts[0].examples),
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd, parts) },
	}
	cmd.Flags().SortFlags = false
	for _, p := range parts {
		p.flags(cmd.Flags())
		for flag, complete := range p.complete {
			must(cmd.RegisterFlagCompletionFunc(flag, complete))
		}
	}
	f.add(cmd)
	return cmd
}

func examples(name string, lines [3]string) string {
	command := "  cachepact compare "
	if name != "compare" {
		command += name + " "
	}
	return command + strings.Join(lines[:], "\n"+command)
}

// compareFlags are the flags that every part has.
type compareFlags struct {
	all        []Contestant
	need       need
	load       loadFlags
	adapters   string
	capacities string
	value      int
	seed       uint64
	strict     bool
	out        reportFlags
}

func (f *compareFlags) add(cmd *cobra.Command) {
	if f.need != noLoad {
		f.load.add(cmd)
	}
	flags := cmd.Flags()
	flags.StringVar(&f.capacities, "capacity", "1%,5%,10%", "comma-separated `list` of entries (1000), percentages of the distinct keys (5%) or bytes (64MiB); or auto: "+load.Auto)
	flags.StringVar(&f.adapters, "adapters", "", "comma-separated `list` of caches: "+strings.Join(contest.Names(f.all), ", ")+" (default: all)")
	flags.IntVar(&f.value, "value", 0, "size of a value in `bytes` (default: the sizes in the requests)")
	flags.Uint64Var(&f.seed, "seed", 1, "seed `n` of the random numbers")
	flags.BoolVar(&f.strict, "strict", false, "exit with status 3 if any integrity check fails")
	f.out.add(cmd)
	must(cmd.RegisterFlagCompletionFunc("adapters", completeList(contest.Names(f.all))))
	must(cmd.RegisterFlagCompletionFunc("capacity", cobra.NoFileCompletions))
}

// run measures the parts and shows the report.
func (f *compareFlags) run(cmd *cobra.Command, parts []part) (err error) {
	for _, p := range parts {
		if err := p.check(); err != nil {
			return err
		}
	}
	c, err := f.common(cmd)
	if err != nil {
		return err
	}
	if err := f.out.check(); err != nil {
		return err
	}
	bar := f.out.bar(cmd.ErrOrStderr())
	defer bar.Finish()
	c.Progress = bar
	r := newReport(c, commandLine(cmd))
	for _, p := range parts {
		if err := p.measure(cmd.Context(), c, r); err != nil {
			return err
		}
	}
	bar.Finish()
	r.Elapsed = time.Since(r.Started)
	r.Conclude()
	if err := f.out.write(cmd, r); err != nil {
		return err
	}
	if f.strict {
		return strict(r.Findings)
	}
	return nil
}

// common reads the flags that all parts share.
func (f *compareFlags) common(cmd *cobra.Command) (c contest.Config, err error) {
	c = contest.Config{Seed: f.seed, Value: f.value}
	if c.Contestants, err = contest.Choose(f.all, f.adapters); err != nil {
		return c, err
	}
	if c.Capacities, err = load.ParseCapacities(f.capacities); err != nil {
		return c, err
	}
	if f.value < 0 {
		return c, fmt.Errorf("value %d: negative; use a number of bytes", f.value)
	}
	if f.need == mustLoad || f.need == mayLoad && f.load.given() {
		c.Load, err = f.load.load(cmd)
	}
	return c, err
}

// commandLine returns what reproduces the comparison.
func commandLine(cmd *cobra.Command) []string {
	line := strings.Fields(cmd.CommandPath())
	cmd.Flags().Visit(func(flag *pflag.Flag) {
		line = append(line, "--"+flag.Name+"="+flag.Value.String())
	})
	return line
}

// newReport returns a report with all that is known before anything is measured.
func newReport(c contest.Config, command []string) *report.Report {
	r := &report.Report{
		Schema: report.Schema, Command: command, Started: time.Now(), Machine: thisMachine(), Findings: []report.Finding{},
	}
	var l contest.Log
	if c.Load != nil {
		r.Workload = c.Load.Describe()
		for _, missing := range c.Load.Missing {
			l.Note("", "%s: %s.", c.Load.Name, missing)
		}
	}
	for _, one := range c.Contestants {
		r.Contestants = append(r.Contestants, one.Describe())
		if one.Note != "" {
			l.Note(one.Name, "%s", one.Note)
		}
	}
	add(r, l)
	return r
}

// strict returns the error that ends a strict run with findings.
func strict(findings []report.Finding) error {
	var where []string
	for _, f := range findings {
		where = append(where, strings.TrimSpace(f.Name+" "+f.Check))
	}
	if where == nil {
		return nil
	}
	return ExitError{Code: 3, Err: errors.New("strict: " + strings.Join(where, ", "))}
}

// completeList completes the last item of a list with commas by words that are not
// yet in it.
func completeList(words []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		before := typed[:strings.LastIndexByte(typed, ',')+1]
		taken := strings.Split(before, ",")
		var all []string
		for _, word := range words {
			if !slices.Contains(taken, word) {
				all = append(all, before+word)
			}
		}
		return all, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}

// completeOne completes by words.
func completeOne(words ...string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return words, cobra.ShellCompDirectiveNoFileComp
	}
}

// must panics if the command is put together wrongly, which every test would see.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

package compare

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cachepact/cachepact/compare/trace"
	"github.com/cachepact/cachepact/compare/workload"
)

func newTrace() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "trace",
		Short: "Describe, convert and generate recorded requests",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newTraceStat(), newTraceConvert(), newTraceGenerate())
	return cmd
}

func newTraceStat() *cobra.Command {
	var load loadFlags
	cmd := &cobra.Command{
		Use:   "stat (FILE | --workload SPEC)",
		Short: "Say what can be said of requests without a cache",
		Example: `  cachepact trace stat oltp.gz
  cachepact trace stat --workload zipf:0.99
  cachepact trace stat requests.csv --columns time=1,id=2,size=3 --max-requests 1000000`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := positional(&load.file, "--trace", args); err != nil {
				return err
			}
			l, err := load.load(cmd)
			if err != nil {
				return err
			}
			s, err := newStat(l)
			if err != nil {
				return err
			}
			l.Warn(cmd.ErrOrStderr())
			return s.text(cmd.OutOrStdout(), l)
		},
	}
	load.add(cmd)
	return cmd
}

func newTraceConvert() *cobra.Command {
	var load loadFlags
	var out outFlags
	cmd := &cobra.Command{
		Use:   "convert FILE --to FORMAT",
		Short: "Write a trace in another format",
		Example: `  cachepact trace convert oltp.gz --to csv --out oltp.csv.zst
  cachepact trace convert cluster52.zst --to lirs --lossy --max-requests 1000000 > part.lirs
  cachepact trace convert huge.oracleGeneral.zst --to oraclegeneral --sample 0.01 --out small.bin`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := positional(&load.file, "--trace", args); err != nil {
				return err
			}
			return out.convert(cmd, &load)
		},
	}
	load.addTrace(cmd)
	load.addLimits(cmd)
	out.add(cmd)
	return cmd
}

func newTraceGenerate() *cobra.Command {
	var load loadFlags
	var out outFlags
	cmd := &cobra.Command{
		Use:   "generate SPEC",
		Short: "Write a generated workload as a trace",
		Long:  "Write a generated workload as a trace. A SPEC is a kind and its parameters:\n\n" + kindsHelp(),
		Example: `  cachepact trace generate zipf:0.99 --out zipf.csv.gz
  cachepact trace generate scan:hot=0.05,requests=5000000 --to lirs --out scan.lirs
  cachepact trace generate latest:writes=0.1,size=100-2000,ttl=1m-1h,rate=500 --to csv`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := positional(&load.spec, "--workload", args); err != nil {
				return err
			}
			return out.convert(cmd, &load)
		},
	}
	load.addWorkload(cmd)
	load.addLimits(cmd)
	out.add(cmd)
	return cmd
}

// positional takes an argument for the value of a flag.
func positional(value *string, flag string, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if *value != "" {
		return fmt.Errorf("%s and an argument: expected one of them, not both", flag)
	}
	*value = args[0]
	return nil
}

func kindsHelp() string {
	var b strings.Builder
	for _, k := range workload.Kinds() {
		fmt.Fprintf(&b, "  %s\n      %s\n", k.Standard, k.Doc)
	}
	b.WriteString(`
What is left out has the value shown. With any kind go also writes=0.1 and
deletes=0.01, shares of the requests; size=100-1000, in bytes, and ttl=10s-1h, of
each key, as a value, a range or lognormal:MEDIAN:SIGMA; and rate=1000, requests
per second of the workload's own time.`)
	return b.String()
}

// outFlags are the flags that say how to write a trace.
type outFlags struct {
	file    string
	options trace.WriteOptions
}

func (f *outFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.file, "out", "-", "`file` to write, packed if its name ends in .gz, .zst or .xz; - is standard output")
	flags.StringVar(&f.options.Format, "to", "csv", "`format` to write: "+strings.Join(trace.WriteFormats(), ", "))
	must(cmd.RegisterFlagCompletionFunc("to", completeOne(trace.WriteFormats()...)))
	flags.BoolVar(&f.options.Lossy, "lossy", false, "leave out what the format cannot hold: requests other than get, and TTLs")
}

func (f *outFlags) convert(cmd *cobra.Command, in *loadFlags) error {
	l, err := in.load(cmd)
	if err != nil {
		return err
	}
	l.Warn(cmd.ErrOrStderr())
	return convert(l, f.file, cmd.OutOrStdout(), f.options)
}

// Package compare replays recorded or generated requests through caches and
// shows side by side how they do: the command cachepact.
//
// # A cache of your own
//
// [Main] is the whole command. A program that calls it with a [Contestant] has
// that cache beside those of this module's adapters.
//
// # Reading the tables
//
// Every cache is asked for each key in turn, and gets a Put for each miss. OPT is
// the best that any cache of the capacity could have done, so a hit ratio above
// it means that a cache held more than its capacity. Caches that buffer writes
// have a row for a tight loop and one in which they settle after each Put. A
// cache without a bound on its entries is shown, but has no place in the order.
package compare

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cachepact/cachepact/compare/trace"
)

// Main runs the command with the arguments of the process and ends the process:
// with 0, or with 2 if something it was given is not right. The contestants take
// part beside [Builtin].
func Main(own ...Contestant) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := Run(ctx, os.Args[1:], os.Stdout, os.Stderr, own...)
	stop()
	os.Exit(code)
}

// Run is Main with everything it would take from the process. It returns the exit
// code.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer, own ...Contestant) int {
	cmd := newCommand(own)
	cmd.SetArgs(args)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	if err := cmd.ExecuteContext(ctx); err != nil {
		fmt.Fprintf(stderr, "cachepact: %s\n", strings.Join(strings.Fields(err.Error()), " "))
		return 2
	}
	return 0
}

func newCommand(own []Contestant) *cobra.Command {
	root := &cobra.Command{
		Use:           "cachepact",
		Short:         "Compare Go caches on recorded or generated requests",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newCompare(append(Builtin(), own...)))
	return root
}

func newCompare(all []Contestant) *cobra.Command {
	var file, format, spec, adapters, capacities string
	cmd := &cobra.Command{
		Use:   "compare (--trace FILE | --workload SPEC)",
		Short: "Replay requests through caches and compare their hits",
		Example: `  cachepact compare --trace oltp.gz --capacity 1%,5%,10%
  cachepact compare --trace keys.txt.zst --format keys --capacity 1000 --adapters golanglru
  cachepact compare --workload zipf:s=0.99,keys=100000,requests=1000000,seed=1`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			chosen, err := choose(all, adapters)
			if err != nil {
				return err
			}
			sizes, err := ParseCapacities(capacities)
			if err != nil {
				return err
			}
			l, err := loadEither(file, spec, trace.Options{Format: format})
			if err != nil {
				return err
			}
			report, err := run(cmd.Context(), l, chosen, sizes)
			if err != nil {
				return err
			}
			return report.Text(cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&file, "trace", "", "`file` with the recorded requests; plain, gzip, xz, zstd or bzip2")
	f.StringVar(&format, "format", "", "format of the trace: "+strings.Join(trace.Formats(), ", ")+"; recognised if not given")
	f.StringVar(&spec, "workload", "", "generated requests, such as zipf:s=0.99,keys=100000,requests=1000000,seed=1")
	f.StringVar(&capacities, "capacity", "1%,5%,10%", "comma-separated `list` of entries (1000) or percentages of the distinct keys (5%)")
	f.StringVar(&adapters, "adapters", "", "comma-separated `list` out of "+strings.Join(names(all), ", ")+"; all if not given")
	return cmd
}

func loadEither(file, spec string, o trace.Options) (*load, error) {
	switch {
	case file != "" && spec != "":
		return nil, errors.New("--trace and --workload: expected one of them, not both")
	case file != "":
		return loadTrace(file, o)
	case spec != "":
		return loadWorkload(spec)
	}
	return nil, errors.New("nothing to replay: expected --trace FILE or --workload SPEC")
}

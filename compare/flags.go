package compare

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cachepact/cachepact/compare/internal/load"
	"github.com/cachepact/cachepact/compare/trace"
	"github.com/cachepact/cachepact/compare/workload"
)

// loadFlags are the flags that say what to replay.
type loadFlags struct {
	file, spec string
	options    trace.Options
}

func (f *loadFlags) add(cmd *cobra.Command) {
	f.addTrace(cmd)
	f.addWorkload(cmd)
	f.addLimits(cmd)
}

func (f *loadFlags) addTrace(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.file, "trace", "", "`file` with recorded requests, plain or compressed by gzip, xz, zstd or bzip2")
	flags.StringVar(&f.options.Format, "format", "", "`format` of the trace: "+strings.Join(trace.Formats(), ", ")+" (default: recognised by content)")
	must(cmd.RegisterFlagCompletionFunc("format", completeOne(trace.Formats()...)))
	flags.StringVar(&f.options.Columns, "columns", "", "`positions` in a csv without header, such as time=1,id=2,size=3,delimiter=tab,unit=ms")
}

func (f *loadFlags) addWorkload(cmd *cobra.Command) {
	var kinds, typed []string
	for _, k := range workload.Kinds() {
		kinds = append(kinds, k.Name)
		typed = append(typed, k.Name+":\t"+k.Doc)
	}
	cmd.Flags().StringVar(&f.spec, "workload", "", "generated requests, `kind:name=value,...`; the kinds are "+strings.Join(kinds, ", "))
	must(cmd.RegisterFlagCompletionFunc("workload", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return typed, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}))
}

func (f *loadFlags) addLimits(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.Int64Var(&f.options.Skip, "skip", 0, "leave out the first `n` requests")
	flags.Int64Var(&f.options.Max, "max-requests", 0, "stop after `n` requests (default: all)")
	flags.Float64Var(&f.options.Sample, "sample", 0, "take only a `share` of the keys, such as 0.01, and scale the capacities by the same share (default: all)")
}

// given reports whether the flags name something to read.
func (f *loadFlags) given() bool { return f.file != "" || f.spec != "" }

// load reads what the flags say.
func (f *loadFlags) load(cmd *cobra.Command) (*load.Load, error) {
	if err := f.options.Check(); err != nil {
		return nil, err
	}
	if cmd.Flags().Changed("sample") && f.options.Sample == 0 {
		return nil, errors.New("sample 0: expected a share of the keys above 0")
	}
	switch {
	case f.file != "" && f.spec != "":
		return nil, errors.New("--trace and --workload: expected one of them, not both")
	case f.file != "":
		return load.FromTrace(f.file, f.options)
	case f.spec != "":
		if f.options.Format != "" || f.options.Columns != "" {
			return nil, errors.New("--format and --columns: expected --trace with them")
		}
		return load.FromWorkload(f.spec, f.options.Limits)
	}
	return nil, errors.New("nothing to read: expected " + f.expected(cmd))
}

// expected names the flags that say what to read, as far as cmd has them.
func (f *loadFlags) expected(cmd *cobra.Command) string {
	var all []string
	for _, flag := range []string{"trace FILE", "workload SPEC"} {
		if name, _, _ := strings.Cut(flag, " "); cmd.Flags().Lookup(name) != nil {
			all = append(all, "--"+flag)
		}
	}
	return strings.Join(all, " or ")
}

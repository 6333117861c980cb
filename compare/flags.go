package compare

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cachepact/cachepact/compare/trace"
	"github.com/cachepact/cachepact/compare/workload"
)

// loadFlags are the flags that say what to replay.
type loadFlags struct {
	file, spec string
	options    trace.Options
}

func (f *loadFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.file, "trace", "", "`file` with recorded requests, plain or packed by gzip, xz, zstd or bzip2")
	flags.StringVar(&f.spec, "workload", "", "generated requests, `kind:name=value,...` of the kinds "+kinds())
	addTraceFlags(cmd, &f.options)
}

func kinds() string {
	var names []string
	for _, k := range workload.Kinds() {
		names = append(names, k.Name)
	}
	return strings.Join(names, ", ")
}

// addTraceFlags adds the flags that say how to read a trace.
func addTraceFlags(cmd *cobra.Command, o *trace.Options) {
	flags := cmd.Flags()
	flags.StringVar(&o.Format, "format", "", "`format` of the trace, recognised if not given: "+strings.Join(trace.Formats(), ", "))
	flags.StringVar(&o.Columns, "columns", "", "`positions` in a csv without header, such as time=1,id=2,size=3,delimiter=tab,unit=ms")
	flags.Int64Var(&o.Skip, "skip", 0, "leave out the first `n` requests")
	flags.Int64Var(&o.Max, "max-requests", 0, "stop after `n` requests (default: all)")
	flags.Float64Var(&o.Sample, "sample", 0, "take only a `share` of the keys, such as 0.01, and scale capacities alike (default: all)")
}

// load reads what the flags say.
func (f *loadFlags) load(cmd *cobra.Command) (*load, error) {
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
		return loadTrace(f.file, f.options)
	case f.spec != "":
		if f.options.Format != "" || f.options.Columns != "" {
			return nil, errors.New("--format and --columns: expected --trace with them")
		}
		return loadWorkload(f.spec, f.options.Limits)
	}
	return nil, errors.New("nothing to replay: expected --trace FILE or --workload SPEC")
}

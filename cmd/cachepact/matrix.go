package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/cachepact/cachepact/compare"
	"github.com/cachepact/cachepact/conformance/matrix"
)

// These end a run with an exit code of their own.
var (
	errBroken = errors.New("matrix: a rule is broken")
	errDrift  = errors.New("matrix: not what it was")
)

func newMatrix() *cobra.Command {
	var strict bool
	var baseline string
	outputs := []struct {
		flag, usage, file string
		write             func(*matrix.Matrix, io.Writer) error
	}{
		{flag: "markdown", usage: "write Markdown to `file`, - is standard output", write: (*matrix.Matrix).Markdown},
		{flag: "json", usage: "write JSON to `file`", write: (*matrix.Matrix).JSON},
		{flag: "html", usage: "write one self-contained page to `file`", write: (*matrix.Matrix).HTML},
	}
	cmd := &cobra.Command{
		Use:   "matrix (DIR | FILE)...",
		Short: "Merge conformance reports into one table",
		Long: `Merge the reports of conformance runs into one table: a row for each rule, a
column for each cache. Without a flag it goes to standard output as Markdown.`,
		Example: `  CONFORMANCE_REPORT=$PWD/reports go test ./...
  cachepact matrix reports --html matrix.html
  cachepact matrix reports --baseline docs/matrix.json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, paths []string) error {
			m, err := matrix.Read(paths...)
			if err != nil {
				return err
			}
			if baseline == "" && outputs[0].file == "" && outputs[1].file == "" && outputs[2].file == "" {
				outputs[0].file = "-"
			}
			for _, o := range outputs {
				var text bytes.Buffer
				if err := o.write(m, &text); err != nil {
					return err
				}
				if err := save(cmd.OutOrStdout(), o.file, text.Bytes()); err != nil {
					return err
				}
			}
			if baseline != "" {
				earlier, err := matrix.ReadMatrix(baseline)
				if err != nil {
					return err
				}
				drift := m.Drift(earlier)
				for _, line := range drift {
					fmt.Fprintln(cmd.ErrOrStderr(), line)
				}
				if len(drift) > 0 {
					return compare.ExitError{Code: 3, Err: fmt.Errorf("%w: %s", errDrift, baseline)}
				}
			}
			if strict && m.Failed() {
				return compare.ExitError{Code: 3, Err: errBroken}
			}
			return nil
		},
	}
	for i := range outputs {
		cmd.Flags().StringVar(&outputs[i].file, outputs[i].flag, "", outputs[i].usage)
	}
	cmd.Flags().StringVar(&baseline, "baseline", "", "say what differs from the matrix in a JSON `file`, and end with 3 if anything does")
	cmd.Flags().BoolVar(&strict, "strict", false, "end with 3 if any rule is broken or any cache could not be tested")
	return cmd
}

// save writes data to a file, to stdout if it is called -, or nowhere if it has
// no name.
func save(stdout io.Writer, file string, data []byte) error {
	switch file {
	case "":
		return nil
	case "-":
		_, err := stdout.Write(data)
		return err
	}
	return os.WriteFile(file, data, 0o666)
}

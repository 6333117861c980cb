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

// These errors end the program with status 3.
var (
	errBroken = errors.New("matrix: a rule is broken")
	errDrift  = errors.New("matrix: outcomes differ")
)

func newMatrix() *cobra.Command {
	var strict bool
	var baseline string
	outputs := []struct {
		flag, usage, file string
		write             func(*matrix.Matrix, io.Writer) error
	}{
		{flag: "markdown", usage: "write Markdown to `file`; - means standard output", write: (*matrix.Matrix).Markdown},
		{flag: "json", usage: "write JSON to `file`", write: (*matrix.Matrix).JSON},
		{flag: "html", usage: "write one self-contained page to `file`", write: (*matrix.Matrix).HTML},
	}
	cmd := &cobra.Command{
		Use:   "matrix (DIR | FILE)...",
		Short: "Merge conformance reports into one table",
		Long: `Merge the reports of conformance runs into one table with a row for each rule and
a column for each cache. Without flags, write it to standard output as Markdown.`,
		Example: `  CONFORMANCE_REPORT=$PWD/reports go test ./...
  cachepact matrix reports --html matrix.html
  cachepact matrix reports --baseline docs/matrix.md`,
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
				earlier, err := os.ReadFile(baseline)
				if err != nil {
					return fmt.Errorf("matrix: %w", err)
				}
				drift := m.Drift(string(earlier))
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
	cmd.Flags().StringVar(&baseline, "baseline", "",
		"compare with the tables in a Markdown `file`; exit with status 3 if they differ")
	cmd.Flags().BoolVar(&strict, "strict", false,
		"exit with status 3 if a rule is broken or a cache could not be tested")
	return cmd
}

// save writes data to a file. The name "-" means stdout, and an empty name means that nothing is written.
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

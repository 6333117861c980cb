package compare

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/cachepact/cachepact/compare/report"
)

// reportFlags are the flags that say how a report is shown.
type reportFlags struct {
	html, json, csv string
	baseline        string
	before          *report.Report // that baseline names
	color, bars     string
	quiet           bool
}

func (f *reportFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.html, "html", "", "write the report to `file` as one page that needs no network; - is standard output")
	flags.StringVar(&f.json, "json", "", "write the report to `file` as JSON")
	flags.StringVar(&f.csv, "csv", "", "write the figures to `file` as CSV")
	flags.StringVar(&f.baseline, "baseline", "", "print the changes since the JSON report in `file`, and no tables")
	flags.StringVar(&f.color, "color", "auto", "colour `when`: auto (on a terminal), always or never")
	flags.StringVar(&f.bars, "progress", "auto", "show a progress bar on standard error `when`: auto (on a terminal), always or never")
	flags.BoolVar(&f.quiet, "quiet", false, "print the answer and the findings, and no tables")
	when := completeOne("auto", "always", "never")
	must(cmd.RegisterFlagCompletionFunc("color", when))
	must(cmd.RegisterFlagCompletionFunc("progress", when))
}

// files are the files to write.
func (f *reportFlags) files() []struct {
	name  string
	write func(io.Writer, *report.Report) error
} {
	return []struct {
		name  string
		write func(io.Writer, *report.Report) error
	}{{f.html, report.WriteHTML}, {f.json, report.WriteJSON}, {f.csv, report.WriteCSV}}
}

// check returns an error if what the flags say cannot be done, before anything is
// measured for it.
func (f *reportFlags) check() error {
	for _, flag := range []struct{ name, value string }{{"color", f.color}, {"progress", f.bars}} {
		if flag.value != "auto" && flag.value != "always" && flag.value != "never" {
			return fmt.Errorf("%s %q: expected auto, always or never", flag.name, flag.value)
		}
	}
	stdout := 0
	for _, file := range f.files() {
		switch file.name {
		case "":
		case "-":
			stdout++
		default:
			dir := filepath.Dir(file.name)
			if info, err := os.Stat(dir); err != nil {
				return err
			} else if !info.IsDir() {
				return fmt.Errorf("%s: not a directory", dir)
			}
		}
	}
	if stdout > 1 {
		return errors.New("-: expected one report on standard output")
	}
	return f.readBaseline()
}

func (f *reportFlags) readBaseline() error {
	if f.baseline == "" {
		return nil
	}
	file, err := os.Open(f.baseline)
	if err != nil {
		return err
	}
	f.before, err = report.ReadJSON(file)
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("baseline %s: %w", f.baseline, err)
	}
	return nil
}

// write writes the report to the files, and to standard output as text if none of
// them is there.
func (f *reportFlags) write(cmd *cobra.Command, r *report.Report) error {
	text := true
	for _, file := range f.files() {
		pass := func(w io.Writer) error { return file.write(w, r) }
		switch file.name {
		case "":
		case "-":
			text = false
			if err := pass(cmd.OutOrStdout()); err != nil {
				return err
			}
		default:
			if err := create(file.name, pass); err != nil {
				return err
			}
			if !f.quiet {
				fmt.Fprintf(cmd.ErrOrStderr(), "cachepact: wrote %s\n", file.name)
			}
		}
	}
	if !text {
		return nil
	}
	if f.before != nil {
		return report.WriteChanges(cmd.OutOrStdout(), report.Diff(f.before, r))
	}
	var b bytes.Buffer
	if err := report.WriteText(&b, r, report.TextOptions{Color: wanted(f.color, cmd.OutOrStdout()) && os.Getenv("NO_COLOR") == "", Brief: f.quiet}); err != nil {
		return err
	}
	_, err := cmd.OutOrStdout().Write(b.Bytes())
	return err
}

// bar returns what shows the progress on w.
func (f *reportFlags) bar(w io.Writer) progress {
	if wanted(f.bars, w) && !f.quiet {
		return newBar(w)
	}
	return quiet{}
}

// wanted reports whether to do what should be done when, which is auto, always or
// never, with w.
func wanted(when string, w io.Writer) bool {
	f, isFile := w.(*os.File)
	return when == "always" || when == "auto" && isFile && term.IsTerminal(int(f.Fd()))
}

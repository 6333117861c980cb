package matrix

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cachepact/cachepact/conformance"
)

// Read merges the reports in files, and in the files called *.json in directories and their subdirectories.
//
// A file that is not a complete report, a report of a newer schema, a subject that was reported twice and a directory
// without reports are errors.
func Read(paths ...string) (*Matrix, error) {
	var reports []conformance.Report
	var from []string
	for _, path := range paths {
		files, err := reportFiles(path)
		if err != nil {
			return nil, fmt.Errorf("matrix: %w", err)
		}
		for _, file := range files {
			r, err := readReport(file)
			if err != nil {
				return nil, fmt.Errorf("matrix: %s: %w", file, err)
			}
			same := func(o conformance.Report) bool { return compareReports(o, r) == 0 }
			if i := slices.IndexFunc(reports, same); i >= 0 {
				return nil, fmt.Errorf("%w: %s and %s", errTwice(r), from[i], file)
			}
			reports, from = append(reports, r), append(from, file)
		}
	}
	return Merge(reports...)
}

func reportFiles(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	var files []string
	err = filepath.WalkDir(path, func(file string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.EqualFold(filepath.Ext(file), ".json") {
			files = append(files, file)
		}
		return err
	})
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("%s: no reports in this directory: set %s to it and run the tests", path, conformance.ReportEnv)
	}
	return files, err
}

func readReport(file string) (conformance.Report, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return conformance.Report{}, errors.Unwrap(err) // without the path, which the caller adds
	}
	// Other fields of a newer schema can have other types, so the version is read first.
	var head struct {
		Schema  int    `json:"schema"`
		Subject string `json:"subject"`
	}
	var syntax *json.SyntaxError
	var r conformance.Report
	switch err := json.Unmarshal(data, &head); {
	case len(strings.TrimSpace(string(data))) == 0:
		return r, errors.New("empty: the run that should write it did not finish")
	case errors.As(err, &syntax):
		return r, fmt.Errorf("not a whole JSON document (%w): was the run that wrote it interrupted?", err)
	case err != nil || head.Schema <= 0:
		return r, errors.New("not a conformance report")
	case head.Schema > conformance.Schema:
		return r, fmt.Errorf("report of schema %d: this program reads up to %d; update it", head.Schema, conformance.Schema)
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return r, fmt.Errorf("not a conformance report: %w", err)
	}
	if len(r.Checks) == 0 && r.Error == "" {
		return r, errors.New("not a conformance report: it has no checks")
	}
	for _, c := range r.Checks {
		if c.ID == "" || c.Case == "" || c.Outcome == Missing || !slices.Contains(outcomes, c.Outcome) {
			return r, fmt.Errorf("not a conformance report: check %q has the outcome %q", c.Name(), c.Outcome)
		}
	}
	return r, nil
}

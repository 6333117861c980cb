package compare

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/cachepact/cachepact/compare/report"
)

// A session is one comparison: what is compared, on which requests, and how. Each
// part of a comparison is measured by a function of its own, which fills its part
// of the report.
type session struct {
	load        *load // nil: there are no requests
	contestants []Contestant
	capacities  []Capacity
	seed        uint64
	// value is the size of a value in bytes; 0: what the requests say, or the
	// part's own default.
	value    int
	progress progress
	stderr   io.Writer

	report *report.Report
}

// found adds a finding to the report.
func (s *session) found(f report.Finding) {
	s.report.Findings = append(s.report.Findings, f)
}

// note adds a note on a cache, or on the whole if name is empty.
func (s *session) note(name, format string, args ...any) {
	s.report.Notes = append(s.report.Notes, report.Note{Name: name, Text: fmt.Sprintf(format, args...)})
}

// strict returns the error that ends a strict run.
func (s *session) strict() error {
	var where []string
	for _, f := range s.report.Findings {
		where = append(where, strings.TrimSpace(f.Name+" "+f.Check))
	}
	if where == nil {
		return nil
	}
	return ExitError{Code: 3, Err: errors.New("strict: " + strings.Join(where, ", "))}
}

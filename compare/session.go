package compare

import (
	"io"

	"github.com/cachepact/cachepact/compare/report"
)

// A session is one comparison: what is compared, on which requests, and how. Each
// part of a comparison is measured by a function of its own, which fills its part
// of the report.
type session struct {
	load        *load // nil: the part needs no requests
	contestants []Contestant
	capacities  []Capacity
	seed        uint64
	strict      bool
	progress    progress
	stderr      io.Writer

	report *report.Report
}

// found adds a finding to the report.
func (s *session) found(f report.Finding) {
	s.report.Findings = append(s.report.Findings, f)
}

// A progress shows how much of a long work is done. The steps of all parts add up.
type progress interface {
	// Expect announces more steps.
	Expect(steps int)
	// Step says that one step is done, and what comes next.
	Step(next string)
}

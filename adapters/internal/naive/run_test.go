package naive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cachepact/cachepact/conformance"
)

const (
	subjectEnv = "NAIVE_SUBJECT"   // makes the test binary check this subject only
	reportEnv  = "NAIVE_REPORT"    // the file to which it writes the report
	timeout    = 100 * time.Second // of such a process, which takes a few seconds
	runs       = 3                 // the largest number of runs until every known failure was seen
)

func TestMain(m *testing.M) {
	i := slices.IndexFunc(subjects, func(s subject) bool { return s.name == os.Getenv(subjectEnv) })
	if i < 0 {
		os.Exit(m.Run())
	}
	s := subjects[i]
	mod, err := os.ReadFile("../../../go.mod")
	version := regexp.MustCompile(`\s` + regexp.QuoteMeta(s.module) + ` (v\S+)`).FindSubmatch(mod)
	if err != nil || version == nil {
		panic(fmt.Sprintf("naive: go.mod: no version of %s: %v", s.module, err))
	}
	module := s.module + "@" + string(version[1])
	report := conformance.Check(conformance.Subject[string, []byte]{Name: "naive", New: s.open, Module: module})
	data, err := json.Marshal(report)
	if err := errors.Join(err, os.WriteFile(os.Getenv(reportEnv), data, 0o600)); err != nil {
		panic(err)
	}
}

// Each library breaks the rules that it is known to break, and no other. If a library no longer breaks a rule, its
// adapter may become simpler.
func TestNaive(t *testing.T) {
	for _, s := range subjects {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			reasons := s.reasons()
			report := s.check(t)
			for n := 1; n < runs && len(s.unseen(report)) > 0; n++ {
				report = merge(report, s.check(t))
			}
			for _, rule := range s.unseen(report) {
				t.Errorf("%s is not broken: %s", rule, reasons[rule])
			}
			for i, c := range report.Checks {
				if c.Outcome != conformance.Fail {
					continue
				}
				if reasons[c.ID] == "" {
					t.Errorf("%s is broken, but no reason is given: %s", c.Name(), c.Detail)
				}
				report.Checks[i].Why, report.Checks[i].Detail = reasons[c.ID], ""
			}
			if dir := os.Getenv(conformance.ReportEnv); dir != "" && !t.Failed() {
				s.write(t, report, filepath.Join(dir, "naive."+s.name+".json"))
			}
		})
	}
}

// check runs the suite in a process of its own, so that a library that hangs or panics on another goroutine does not
// stop the test. The process uses one processor, which makes most outcomes the same in every run.
func (s subject) check(t *testing.T) conformance.Report {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "report.json")
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", subjectEnv+"="+s.name, reportEnv+"="+path)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	err = cmd.Run() // also fails if the race detector reports a race
	data, unwritten := os.ReadFile(path)
	if unwritten != nil {
		t.Fatalf("the process ended without a report: %v\n%s", err, output.Bytes()[max(0, output.Len()-4000):])
	}
	var r conformance.Report
	if err := json.Unmarshal(data, &r); err != nil || r.Error != "" {
		t.Fatalf("%v %s", err, r.Error)
	}
	return r
}

// merge returns a with the checks that failed in b.
func merge(a, b conformance.Report) conformance.Report {
	for i, c := range b.Checks {
		if c.Outcome == conformance.Fail {
			a.Checks[i] = c
		}
	}
	return a
}

// reasons returns the reason for each rule that the library breaks.
func (s subject) reasons() map[string]string {
	reasons := map[string]string{}
	for _, pair := range s.breaks {
		for rule := range strings.FieldsSeq(pair[1]) {
			reasons[rule] = pair[0]
		}
	}
	return reasons
}

// unseen returns the rules that are broken in every run, but were not broken in this one.
func (s subject) unseen(r conformance.Report) (unseen []string) {
	for rule := range s.reasons() {
		failed := func(c conformance.Result) bool { return c.ID == rule }
		if !slices.Contains(strings.Fields(s.sometimes), rule) && !slices.ContainsFunc(r.Failed(), failed) {
			unseen = append(unseen, rule)
		}
	}
	return unseen
}

// write writes the report for the matrix. A rule that is broken only in some runs counts as broken, so that the matrix
// is the same each time.
func (s subject) write(t *testing.T, r conformance.Report, path string) {
	for rule := range strings.FieldsSeq(s.sometimes) {
		i := slices.IndexFunc(r.Checks, func(c conformance.Result) bool { return c.ID == rule })
		r.Checks[i].Outcome, r.Checks[i].Why = conformance.Fail, s.reasons()[rule]
	}
	data, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

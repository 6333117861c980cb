package naive

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cachepact/cachepact/conformance"
)

const (
	subjectEnv = "NAIVE_SUBJECT"   // makes a process check that subject
	reportEnv  = "NAIVE_REPORT"    // and write its report there
	limit      = 100 * time.Second // for such a process, which takes a few seconds
	runs       = 3                 // for a report that is kept
)

func TestMain(m *testing.M) {
	i := slices.IndexFunc(subjects, func(s subject) bool { return s.name == os.Getenv(subjectEnv) })
	if i < 0 {
		os.Exit(m.Run())
	}
	s := subjects[i]
	data, err := json.Marshal(conformance.Check(conformance.Subject[string, []byte]{Name: "naive", New: s.open, Module: s.module}))
	if err == nil {
		err = os.WriteFile(os.Getenv(reportEnv), data, 0o600)
	}
	if err != nil {
		panic(err)
	}
}

// The libraries break the rules that they are known to break. If one no longer
// does, its adapter may have become simpler to write.
func TestNaive(t *testing.T) {
	for _, s := range subjects {
		t.Run(s.name, func(t *testing.T) {
			reports := []conformance.Report{s.check(t)}
			for why, rules := range s.breaks {
				for rule := range strings.FieldsSeq(rules) {
					if !slices.ContainsFunc(reports[0].Failed(), func(r conformance.Result) bool { return r.ID == rule || r.Name() == rule }) && !s.isUnsteady(rule) {
						t.Errorf("%s is not broken: %s", rule, why)
					}
				}
			}
			dir := os.Getenv(conformance.ReportEnv)
			if dir == "" || t.Failed() {
				return
			}
			for len(reports) < runs {
				reports = append(reports, s.check(t))
			}
			data, err := json.MarshalIndent(s.settle(t, reports), "", "\t")
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "naive."+s.name+".json"), data, 0o600); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// check tests the library in a process of its own: one that hangs or panics on
// another goroutine takes nothing with it. The process has one processor, which
// makes most of what the library leaves to chance come out one way.
func (s subject) check(t *testing.T) conformance.Report {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "report.json")
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", subjectEnv+"="+s.name, reportEnv+"="+path)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	err = cmd.Run() // fails for a data race, too
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

// settle makes one report of several that says the same each time it is made: it
// has the outcome of most of them, a check that is known to fail now and then is
// one that fails, and the reasons are those that are known.
func (s subject) settle(t *testing.T, reports []conformance.Report) conformance.Report {
	t.Helper()
	settled := reports[0]
	for i := range settled.Checks {
		votes := map[conformance.Outcome]int{}
		for _, r := range reports {
			c := r.Checks[i]
			if votes[c.Outcome]++; votes[c.Outcome] > len(reports)/2 {
				settled.Checks[i] = c
			}
		}
		c := &settled.Checks[i]
		if len(votes) > 1 && !s.isUnsteady(c.Name()) {
			t.Logf("%s: %v; if that is not rare, list it as unsteady", c.Name(), votes)
		}
		if s.isUnsteady(c.Name()) {
			c.Outcome = conformance.Fail
		}
		if c.Outcome != conformance.Fail {
			continue
		}
		c.Detail = ""
		if why := cmp.Or(s.why(c.Name()), s.why(c.ID)); why != "" {
			c.Why = why
		} else {
			t.Logf("%s is broken, but how is not known: %s", c.Name(), c.Why)
		}
	}
	return settled
}

// why says how a rule or a check is broken.
func (s subject) why(name string) string {
	for why, rules := range s.breaks {
		if slices.Contains(strings.Fields(rules), name) {
			return why
		}
	}
	return ""
}

// isUnsteady reports whether a check, or any check of a rule, is known to fail
// now and then.
func (s subject) isUnsteady(name string) bool {
	return slices.ContainsFunc(strings.Fields(s.unsteady), func(known string) bool {
		return known == name || strings.HasPrefix(known, name+"/") || strings.HasPrefix(name, known+"/")
	})
}

package naive

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cachepact/cachepact/conformance"
	"github.com/cachepact/cachepact/conformance/matrix"
)

const (
	subjectEnv = "NAIVE_SUBJECT"   // makes a process check that subject
	reportEnv  = "NAIVE_REPORT"    // and write its report there
	limit      = 100 * time.Second // for such a process, which takes a few seconds
	runs       = 3                 // at most, until what is known or published has been seen
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
			dir := os.Getenv(conformance.ReportEnv)
			var reports []conformance.Report
			before := map[string]conformance.Result{}
			for len(reports) < runs && (len(reports) == 0 || len(s.unbroken(reports)) > 0 || dir != "" && !asBefore(before, reports)) {
				reports = append(reports, s.check(t))
				if dir != "" {
					before = published(t, reports[0].Backend)
				}
			}
			for _, rule := range s.unbroken(reports) {
				t.Errorf("%s is not broken: %s", rule, s.why(rule))
			}
			if dir == "" || t.Failed() {
				return
			}
			data, err := json.MarshalIndent(s.settle(t, reports, before), "", "\t")
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

// unbroken returns the rules and checks that are known to be broken, and were
// kept in every run.
func (s subject) unbroken(reports []conformance.Report) []string {
	var kept []string
	for _, rules := range s.breaks {
		for rule := range strings.FieldsSeq(rules) {
			if !s.isUnsteady(rule) && !slices.ContainsFunc(reports, func(r conformance.Report) bool {
				return slices.ContainsFunc(r.Failed(), func(c conformance.Result) bool { return c.ID == rule || c.Name() == rule })
			}) {
				kept = append(kept, rule)
			}
		}
	}
	return kept
}

// published returns what the matrix under docs says of a backend, by check.
func published(t *testing.T, name string) map[string]conformance.Result {
	t.Helper()
	data, err := os.ReadFile("../../docs/matrix.json")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var m matrix.Matrix
	if err == nil {
		err = json.Unmarshal(data, &m)
	}
	if err != nil {
		t.Fatal(err)
	}
	column := slices.IndexFunc(m.Columns, func(c matrix.Column) bool { return c.Backend == name })
	if column < 0 {
		return nil
	}
	was := map[string]conformance.Result{}
	for _, row := range m.Rows {
		for _, kase := range row.Cases {
			cell := kase.Cells[column]
			r := conformance.Result{ID: row.ID, Case: kase.Name, Outcome: cell.Outcome}
			if len(cell.Reasons) == 1 {
				r.Why = cell.Reasons[0].Why
			}
			was[r.Name()] = r
		}
	}
	return was
}

// asBefore reports whether each outcome that is published was seen again.
func asBefore(before map[string]conformance.Result, reports []conformance.Report) bool {
	for i, c := range reports[0].Checks {
		if !slices.ContainsFunc(reports, func(r conformance.Report) bool { return r.Checks[i].Outcome == before[c.Name()].Outcome }) {
			return false
		}
	}
	return true
}

// settle makes one report of several that says the same each time it is made.
// What is published stays as long as any run agrees with it: what these
// libraries leave to chance comes out one way or the other. Otherwise it is the
// outcome of most runs. A check that is known to fail now and then is one that
// fails, and the reasons are those that are known.
func (s subject) settle(t *testing.T, reports []conformance.Report, before map[string]conformance.Result) conformance.Report {
	t.Helper()
	settled := reports[0]
	settled.Checks = slices.Clone(settled.Checks)
	for i := range settled.Checks {
		votes := map[conformance.Outcome]int{}
		c := &settled.Checks[i]
		was := before[c.Name()]
		for _, r := range reports {
			if votes[r.Checks[i].Outcome]++; votes[r.Checks[i].Outcome] > len(reports)/2 {
				*c = r.Checks[i]
			}
		}
		if len(votes) > 1 && !s.isUnsteady(c.Name()) {
			t.Logf("%s: %v; if that is not rare, list it as unsteady", c.Name(), votes)
		}
		if votes[was.Outcome] > 0 && c.Outcome != was.Outcome {
			c.Outcome, c.Why, c.Detail = was.Outcome, was.Why, ""
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
			continue
		}
		t.Logf("%s is broken, but how is not known: %s", c.Name(), c.Why)
		c.Why = cmp.Or(was.Why, c.Why)
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

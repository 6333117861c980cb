package conformance

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// Schema is the version of the JSON form of [Report]. It increases when the meaning
// of a field changes, but not when a field is added.
const Schema = 1

// ReportEnv names the environment variable that makes [Run] write the JSON form
// of its [Report] into a directory, one file for each subject of a backend.
// Without it the report goes to the test's artifact directory as report.json.
const ReportEnv = "CONFORMANCE_REPORT"

// An Outcome is the result of a check in one word.
type Outcome string

// The outcomes.
const (
	// Pass: the subject follows the rule.
	Pass Outcome = "pass"
	// Fail: the subject broke the rule.
	Fail Outcome = "fail"
	// Deviates: the subject broke the rule, and [Subject.Known] lists the deviation.
	Deviates Outcome = "deviates"
	// NotApplicable: the check does not apply to this subject, because of a missing optional
	// interface, its types or its traits. Why states the reason.
	NotApplicable Outcome = "n/a"
	// Weak: the check ran, but was not conclusive. Why states the reason.
	Weak Outcome = "weak"
)

// A Result is the outcome of one check.
type Result struct {
	// ID is the rule's id, and Case the name of the check within the rule.
	ID   string `json:"id"`
	Case string `json:"case"`
	// Text is the text of the rule.
	Text    string  `json:"text"`
	Outcome Outcome `json:"outcome"`
	// Why states in one line why the outcome is not a pass.
	Why string `json:"why,omitempty"`
	// Detail is the whole message of a failure: the operations, the wrong answer,
	// the correct answer and a hint.
	Detail string `json:"detail,omitempty"`
	// Link is the known deviation's link.
	Link string `json:"link,omitempty"`
	// Millis is the real time the check took in milliseconds.
	Millis float64 `json:"ms"`
}

// Name returns the name of the check, "rule/case".
func (r Result) Name() string { return r.ID + "/" + r.Case }

// A Report holds the results of a run.
type Report struct {
	Schema  int    `json:"schema"`
	Subject string `json:"subject"`
	// Backend is the Go type of the backend, without type arguments.
	Backend string `json:"backend"`
	// Key and Value are the types of keys and values.
	Key   string `json:"key"`
	Value string `json:"value"`
	// Variant is [Subject.Variant].
	Variant string `json:"variant,omitempty"`
	// Module and Version come from [Subject.Module]. If that is empty, they name the
	// module that defines the backend, if the build information has it.
	Module  string `json:"module,omitempty"`
	Version string `json:"version,omitempty"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
	Race    bool   `json:"race"`
	// Clock is "bubble" or "real". If it is "real", ClockWhy states the reason.
	Clock    string         `json:"clock"`
	ClockWhy string         `json:"clock_why,omitempty"`
	Traits   backend.Traits `json:"traits"`
	// Only is [Subject.Only]. If it is not empty, only these checks ran.
	Only   []string `json:"only,omitempty"`
	Checks []Result `json:"checks"`
	// Expected is the number of Gets that hit if the subject rejects no entry.
	// Dropped is the number of these Gets that missed.
	Dropped  int `json:"dropped"`
	Expected int `json:"expected"`
	// Error states why the suite could not test the subject.
	Error string `json:"error,omitempty"`
}

// Failed returns the checks that failed.
func (r Report) Failed() []Result {
	var failed []Result
	for _, c := range r.Checks {
		if c.Outcome == Fail {
			failed = append(failed, c)
		}
	}
	return failed
}

// OK reports whether the subject was tested and no check failed.
func (r Report) OK() bool { return r.Error == "" && len(r.Failed()) == 0 }

// String returns a summary and the message of every failure.
func (r Report) String() string {
	var b strings.Builder
	if r.Error != "" {
		return fmt.Sprintf("conformance: %s: %s", r.Subject, r.Error)
	}
	count := map[Outcome]int{}
	for _, c := range r.Checks {
		count[c.Outcome]++
	}
	fmt.Fprintf(&b, "conformance: %s: %d passed, %d failed, %d deviate, %d weak, %d not applicable", r.Subject,
		count[Pass], count[Fail], count[Deviates], count[Weak], count[NotApplicable])
	for _, c := range r.Failed() {
		b.WriteString("\n" + c.Detail)
	}
	return b.String()
}

func (r *runner[K, V]) writeReport(t *testing.T) {
	rep := r.finish()
	data, err := json.MarshalIndent(rep, "", "\t")
	if err != nil {
		t.Errorf("conformance: report: %v", err)
		return
	}
	path := filepath.Join(t.ArtifactDir(), "report.json")
	if dir := os.Getenv(ReportEnv); dir != "" {
		name := strings.Map(func(c rune) rune {
			if strings.ContainsRune(`/\:*?"<>| `, c) {
				return '_'
			}
			return c
		}, rep.Backend+" "+rep.Subject)
		path = filepath.Join(dir, name+".json")
		err = os.MkdirAll(dir, 0o777)
	}
	if err == nil {
		err = os.WriteFile(path, append(data, '\n'), 0o666)
	}
	if err != nil {
		t.Errorf("conformance: report: %v", err)
	}
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

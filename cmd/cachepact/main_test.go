package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cachepact/cachepact/conformance"
	"github.com/cachepact/cachepact/conformance/matrix"
)

// asCommand makes the test binary be the command.
const asCommand = "CACHEPACT_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// run runs the command in dir.
func run(t *testing.T, dir string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), asCommand+"=1")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// report writes a report of a subject with one check into dir.
func report(t *testing.T, dir, subject string, outcome conformance.Outcome) {
	t.Helper()
	data, err := json.Marshal(conformance.Report{
		Schema: conformance.Schema, Subject: subject, Backend: subject + ".Cache", Module: "example.com/" + subject, Version: "v1.0.0",
		Checks: []conformance.Result{{ID: "hit/put", Case: "at-once", Outcome: outcome, Why: "because"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, subject+".json"), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestMatrix(t *testing.T) {
	reports, out := t.TempDir(), t.TempDir()
	report(t, reports, "good", conformance.Pass)
	report(t, reports, "bad", conformance.Fail)
	file := func(name string) string {
		t.Helper()
		data, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}

	text, stderr, code := run(t, out, "matrix", reports)
	if code != 0 || stderr != "" || !strings.Contains(text, "| hit/put | ✗ |") {
		t.Errorf("exit %d, stderr %q, stdout\n%s", code, stderr, text)
	}
	stdout, stderr, code := run(t, out, "matrix", filepath.Join(reports, "good.json"), filepath.Join(reports, "bad.json"), "--markdown", "m.md", "--json", "m.json", "--html", "m.html")
	if code != 0 || stdout != "" || stderr != "" {
		t.Errorf("exit %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	if file("m.md") != text {
		t.Error("Markdown in a file differs from that on standard output")
	}
	var m matrix.Matrix
	if err := json.Unmarshal([]byte(file("m.json")), &m); err != nil || len(m.Columns) != 2 {
		t.Errorf("JSON: %v, %d columns, want 2", err, len(m.Columns))
	}
	if !strings.HasPrefix(file("m.html"), "<!DOCTYPE html>") {
		t.Error("the HTML page does not start with a doctype")
	}
	if text, _, _ := run(t, out, "matrix", reports, "--json", "-"); text != file("m.json") {
		t.Error("JSON in a file differs from that on standard output")
	}
}

func TestMatrix_strict(t *testing.T) {
	good, bad := t.TempDir(), t.TempDir()
	report(t, good, "good", conformance.Deviates)
	report(t, bad, "bad", conformance.Fail)
	if _, stderr, code := run(t, good, "matrix", "--strict", "."); code != 0 {
		t.Errorf("nothing broken: exit %d, %s", code, stderr)
	}
	stdout, stderr, code := run(t, bad, "matrix", "--strict", ".")
	if code != 3 || strings.Count(stderr, "\n") != 1 || !strings.Contains(stdout, "hit/put") {
		t.Errorf("a rule broken: exit %d, want 3; stderr %q, stdout %q", code, stderr, stdout)
	}
}

func TestMatrix_badInput(t *testing.T) {
	dir := t.TempDir()
	report(t, dir, "good", conformance.Pass)
	for name, text := range map[string]string{"torn": `{"schema": 1, "che`, "newer": `{"schema": 7}`, "other": `{"a": "b"}`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{nil, "arg"},
		{[]string{"empty"}, "no reports"},
		{[]string{"absent"}, "absent"},
		{[]string{"torn"}, "torn: not a whole JSON document"},
		{[]string{"newer"}, "newer: report of schema 7"},
		{[]string{"other"}, "other: not a conformance report"},
		{[]string{"good.json", "good.json"}, "twice"},
		{[]string{"good.json", "--markdown", "no/such/dir"}, "no/such/dir"},
		{[]string{"good.json", "--colour"}, "colour"},
	} {
		stdout, stderr, code := run(t, dir, slices.Concat([]string{"matrix"}, tt.args)...)
		if code != 2 || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, tt.want) {
			t.Errorf("%q: exit %d, stdout %q, stderr %q; want 2 and one line with %q", tt.args, code, stdout, stderr, tt.want)
		}
	}
}

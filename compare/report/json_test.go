package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/cachepact/cachepact/compare/internal/reporttest"
	"github.com/cachepact/cachepact/compare/report"
)

func TestJSON_RoundTrip(t *testing.T) {
	for name, r := range samples() {
		var out bytes.Buffer
		if err := report.WriteJSON(&out, r); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := report.ReadJSON(&out)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !reflect.DeepEqual(got, r) {
			t.Errorf("%s: the report that was read differs from the one that was written", name)
		}
	}
}

// samples are reports that every writer must handle.
func samples() map[string]*report.Report {
	empty := &report.Report{
		Schema: report.Schema, Command: []string{}, Contestants: []report.Contestant{}, Findings: []report.Finding{},
	}
	return map[string]*report.Report{
		"full": reporttest.Full(1), "evil": reporttest.Evil(), "single": reporttest.Single(), "empty": empty,
	}
}

func TestReadJSON_Errors(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", "not the JSON of a report"},
		{"hits\n", "not the JSON of a report"},
		{"[]", "not the JSON of a report"},
		{"{}", "schema or contestants are missing"},
		{`{"schema": 1}`, "schema or contestants are missing"},
		{`{"schema": 2, "contestants": []}`, "schema 2, want 1"},
		{`{"schema": 0, "contestants": []}`, "schema 0, want 1"},
		{"{\"schema\": 1,\n\"contestants\": [],\n\"elapsed\": \"1s\"}", "line 3"},
		{"{\"schema\": 1,\n\"contestants\": [}", "line 2"},
		{`{"schema": 1, "contestants": []} {}`, "not the JSON of a report"},
	} {
		_, err := report.ReadJSON(strings.NewReader(tt.text))
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "report: read: ") {
			t.Errorf("ReadJSON of %q: %v; want an error with %q", tt.text, err, tt.want)
		}
	}
	broken := errors.New("broken")
	if _, err := report.ReadJSON(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("ReadJSON from a broken reader: %v", err)
	}
}

// A NaN is an error that names the field, unless the row failed.
func TestWriteJSON_NotANumber(t *testing.T) {
	r := reporttest.Full(1)
	r.Speed.Cases[1].Rows[2].Wall.Low = math.NaN()
	err := report.WriteJSON(&bytes.Buffer{}, r)
	if err == nil || !strings.Contains(err.Error(), "report.speed.cases[1].rows[2].wall.low is NaN") {
		t.Errorf("WriteJSON: %v", err)
	}
	if err := report.WriteHTML(&bytes.Buffer{}, r); err == nil {
		t.Error("WriteHTML of a report with a NaN: no error")
	}
	r.Speed.Cases[1].Rows[2].Failed = "broken"
	var out bytes.Buffer
	if err := report.WriteJSON(&out, r); err != nil {
		t.Fatal(err)
	}
	if !math.IsNaN(r.Speed.Cases[1].Rows[2].Wall.Low) {
		t.Error("WriteJSON has changed the report")
	}
	got, err := report.ReadJSON(&out)
	if err != nil {
		t.Fatal(err)
	}
	if x := got.Speed.Cases[1].Rows[2].Wall.Low; x != 0 {
		t.Errorf("the figure of a row that failed is %v, want 0", x)
	}
}

// A part that was not measured is absent.
func TestWriteJSON_Absent(t *testing.T) {
	var out bytes.Buffer
	if err := report.WriteJSON(&out, reporttest.Single()); err != nil {
		t.Fatal(err)
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(out.Bytes(), &keys); err != nil {
		t.Fatal(err)
	}
	for _, k := range []string{"speed", "memory", "ttl", "notes"} {
		if _, ok := keys[k]; ok {
			t.Errorf("%q is in the JSON", k)
		}
	}
	if _, ok := keys["hits"]; !ok {
		t.Error("hits are not in the JSON")
	}
}

// A failingWriter fails after the given number of bytes.
type failingWriter int

var errFull = errors.New("full")

func (w *failingWriter) Write(p []byte) (int, error) {
	if *w -= failingWriter(len(p)); *w < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestWriters_Errors(t *testing.T) {
	r := reporttest.Full(1)
	other := reporttest.Full(2)
	for name, write := range map[string]func(*failingWriter) error{
		"JSON":    func(w *failingWriter) error { return report.WriteJSON(w, r) },
		"CSV":     func(w *failingWriter) error { return report.WriteCSV(w, r) },
		"HTML":    func(w *failingWriter) error { return report.WriteHTML(w, r) },
		"changes": func(w *failingWriter) error { return report.WriteChanges(w, report.Diff(r, other)) },
	} {
		if err := write(new(failingWriter)); !errors.Is(err, errFull) {
			t.Errorf("%s to a full disk: %v", name, err)
		}
	}
}

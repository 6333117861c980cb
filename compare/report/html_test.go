package report_test

import (
	"bytes"
	"testing"

	"github.com/cachepact/cachepact/compare/report"
	"github.com/cachepact/cachepact/internal/reporttest"
)

func TestHTML(t *testing.T) {
	for name, r := range map[string]*report.Report{"full": reporttest.Full(1), "evil": reporttest.Evil(), "single": reporttest.Single(), "empty": {}} {
		var out bytes.Buffer
		if err := report.WriteHTML(&out, r); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		t.Log(name, out.Len())
		if r.Answer != nil {
			t.Log(r.Answer.Text)
			for _, s := range r.Answer.Reasons {
				t.Log("-", s)
			}
		}
	}
}

package matrix_test

import (
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/backend/memory"
	"github.com/cachepact/cachepact/conformance"
	"github.com/cachepact/cachepact/conformance/matrix"
)

var update = flag.Bool("update", false, "write the golden file")

// report returns the report of a subject. Each result is given as "rule/case outcome why".
func report(backendType, module, version, subject, key string, results ...string) conformance.Report {
	r := conformance.Report{
		Schema: conformance.Schema, Subject: subject, Backend: backendType, Module: module, Version: version,
		Key: key, Value: "[]uint8", Go: "go9.99", OS: "plan9", Arch: "mips", Clock: "bubble",
	}
	for _, line := range results {
		name, rest, _ := strings.Cut(line, " ")
		outcome, why, _ := strings.Cut(rest, " ")
		i := strings.LastIndex(name, "/")
		res := conformance.Result{
			ID: name[:i], Case: name[i+1:], Text: "text of " + name[:i], Outcome: conformance.Outcome(outcome), Why: why,
		}
		if res.Outcome == conformance.Fail {
			res.Detail = name + ": " + why + "\n\twant: something else\n\tdone: Put(\"<k>\", \"v\")"
		}
		if res.Outcome == conformance.Deviates {
			res.Link = "https://example.com/issues/1_2"
		}
		r.Checks = append(r.Checks, res)
	}
	return r
}

// sample has every outcome, types with different outcomes, and text that is markup in Markdown and HTML.
func sample() []conformance.Report {
	fast := report("fast.Cache", "example.com/fast", "v1.2.3", "TestString", "string",
		"hit/absent/fresh pass", "hit/put/sequence pass", "hit/put/refusal n/a the backend may not refuse entries",
		"hit/keys/odd fail Get(\"a|b\") = hit \"<script>alert(1)</script>\", want *miss*", "ttl/range/years pass",
		"stats/size/lag weak real time was too slow to tell", "ctx/done/cancelled n/a the backend does no I/O")
	fast.Traits = backend.Traits{Values: backend.ByReference, Rejects: true, MaxKey: 65517, ExpiryLag: time.Second}
	fastInts := report("fast.Cache", "example.com/fast", "v1.2.3", "TestInt", "int",
		"hit/absent/fresh pass", "hit/put/sequence pass", "hit/put/refusal n/a the backend may not refuse entries",
		"hit/keys/odd pass", "ttl/range/years pass",
		"stats/size/lag pass", "ctx/done/cancelled n/a the backend does no I/O")
	fastInts.Clock, fastInts.ClockWhy = "real", "it leaves goroutines behind"
	naive := report("naive.Fast", "example.com/fast", "v1.2.3", "naive", "string",
		"hit/absent/fresh pass", "hit/put/sequence fail Get after Put missed",
		"hit/put/refusal n/a the backend may not refuse entries",
		"hit/keys/odd fail Get(\"a|b\") = hit \"<script>alert(1)</script>\", want *miss*", "ttl/range/years fail Get missed",
		"ctx/done/cancelled n/a the backend does no I/O", "new/rule/case pass")
	solid := report("solid.Backend", "example.com/solid", "(devel)", "TestAny", "interface {}",
		"hit/absent/fresh pass", "hit/put/sequence pass", "hit/put/refusal pass", "hit/keys/odd pass",
		"ttl/range/years deviates whole seconds only", "stats/size/lag pass", "ctx/done/cancelled pass")
	return []conformance.Report{solid, naive, fast, fastInts}
}

func markdown(t *testing.T, m *matrix.Matrix) string {
	t.Helper()
	var b strings.Builder
	if err := m.Markdown(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func merge(t *testing.T, reports ...conformance.Report) *matrix.Matrix {
	t.Helper()
	m, err := matrix.Merge(reports...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func row(t *testing.T, m *matrix.Matrix, id string) matrix.Row {
	t.Helper()
	i := slices.IndexFunc(m.Rows, func(r matrix.Row) bool { return r.ID == id })
	if i < 0 {
		t.Fatalf("the matrix has no row %s", id)
	}
	return m.Rows[i]
}

func TestFailed(t *testing.T) {
	for _, tt := range []struct {
		report conformance.Report
		want   bool
	}{
		{report("p.B", "m", "v1", "A", "string", "hit/put/x pass", "hit/put/y deviates why", "retain/x weak why"), false},
		{report("p.B", "m", "v1", "A", "string", "hit/put/x pass", "hit/put/y fail why"), true},
		{conformance.Report{Schema: 1, Subject: "s", Error: "New failed"}, true},
	} {
		if got := merge(t, tt.report).Failed(); got != tt.want {
			t.Errorf("Failed() of %v = %v, want %v", tt.report, got, tt.want)
		}
	}
}

func TestMerge_rejects(t *testing.T) {
	r := report("p.B", "m", "v1", "A", "string", "hit/put/x pass")
	for want, reports := range map[string][]conformance.Report{
		"matrix: no reports":                                       nil,
		`matrix: subject "A" of p.B reported twice`:                {r, r},
		`matrix: subject "A" of an unknown backend reported twice`: {{Subject: "A", Error: "x"}, {Subject: "A", Error: "x"}},
	} {
		if _, err := matrix.Merge(reports...); err == nil || err.Error() != want {
			t.Errorf("Merge = %v, want %s", err, want)
		}
	}
}

func encode(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestRead_rejects(t *testing.T) {
	good := encode(t, report("p.B", "m", "v1", "A", "string", "hit/put/x pass"))
	const other = "a.json: not a conformance report"
	for _, tt := range []struct {
		text  string   // of a.json
		wants []string // in the error
	}{
		{"", []string{"a.json: empty"}},
		{`{"schema": 99, "checks": "changed"}`, []string{"a.json", "schema 99", "up to 1", "update"}},
		{good[:len(good)/2], []string{"a.json: not a whole JSON document", "interrupted"}},
		{good + good, []string{"a.json: not a whole JSON document"}},
		{`{"name": "x"}`, []string{other}},
		{`[1]`, []string{other}},
		{`null`, []string{other}},
		{`{"schema": -1}`, []string{other}},
		{`{"schema": 1, "checks": "none"}`, []string{other, "checks"}},
		{`{"schema": 1, "columns": [], "rows": []}`, []string{other, "no checks"}},
		{`{"schema": 1, "checks": [{"case": "x", "outcome": "pass"}]}`, []string{other}},
		{strings.Replace(good, `"pass"`, `"splendid"`, 1), []string{"a.json", "hit/put/x", "splendid"}},
		{good, []string{`subject "A" of p.B`, "twice", "a.json", "c.json"}}, // b/c.json is the same report
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "a.json"), tt.text)
		write(t, filepath.Join(dir, "b", "c.json"), good)
		_, err := matrix.Read(dir)
		for _, want := range append(tt.wants, "matrix: ") {
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: error %v, want one line with %q", tt.text, err, want)
			}
		}
	}
	empty := t.TempDir()
	write(t, filepath.Join(empty, "a.txt"), good)
	if _, err := matrix.Read(empty); err == nil || !strings.Contains(err.Error(), conformance.ReportEnv) {
		t.Errorf("Read of an empty directory = %v", err)
	}
	if _, err := matrix.Read("does-not-exist"); err == nil || !strings.HasPrefix(err.Error(), "matrix: ") {
		t.Errorf("Read of a missing file = %v", err)
	}
}

// The golden file shows the whole page. Neither the order of the reports nor the machine changes it.
func TestMarkdown(t *testing.T) {
	path := filepath.Join("testdata", "matrix.md")
	reports := sample()
	for i := range 20 {
		got := markdown(t, merge(t, reports...))
		if *update && i == 0 {
			write(t, path, got)
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Fatalf("%s differs; run with -update and look at the difference\n%s", path, got)
		}
		rand.Shuffle(len(reports), func(i, j int) { reports[i], reports[j] = reports[j], reports[i] })
		for j := range reports {
			reports[j].Go, reports[j].OS, reports[j].Race, reports[j].Dropped = "go0", "x", !reports[j].Race, i
			reports[j].Checks[0].Millis++
		}
	}
}

// Text of a backend cannot become markup and cannot leave its line.
func TestMarkdown_escapes(t *testing.T) {
	why := "a|b <b> `c` [d](e) *f* &amp; $g$ \x1b[31m \xff\nnew # line"
	got := markdown(t, merge(t, report("p.B", "m", "v1", "A", "string", "hit/put/x fail "+why)))
	want := "- ✗ a\\|b &lt;b\\> \\`c\\` \\[d\\](e) \\*f\\* &amp;amp; \\$g\\$ \uFFFD\\[31m \uFFFD new \\# line (hit/put)\n"
	if !strings.Contains(got, want) {
		t.Errorf("got\n%s\nwant the line\n%s", got, want)
	}
}

// The outcome of a cell is the worst among the types, and the reasons are those of this outcome.
func TestMerge_worst(t *testing.T) {
	order := []string{"fail", "deviates", "weak", "pass", "n/a"}
	for i, a := range order {
		for j, b := range order {
			m := merge(t,
				report("p.B", "m", "v1", "A", "string", "hit/put/x "+a+" a", "hit/put/y n/a no"),
				report("p.B", "m", "v1", "B", "int", "hit/put/x "+b+" b"))
			r := row(t, m, "hit/put")
			cell := r.Cases[0].Cells[0]
			want := conformance.Outcome(order[min(i, j)])
			if len(m.Columns) != 1 || r.Outcomes[0] != want || cell.Outcome != want {
				t.Errorf("%s and %s: %d columns, outcomes %v and %v, want %v", a, b, len(m.Columns), r.Outcomes[0],
					cell.Outcome, want)
			}
			var types []string
			for _, reason := range cell.Reasons {
				types = append(types, reason.Types...)
			}
			wantTypes := []string{"string → []byte", "int → []byte"}
			switch {
			case want == conformance.Pass:
				wantTypes = nil
			case i < j:
				wantTypes = wantTypes[:1]
			case j < i:
				wantTypes = wantTypes[1:]
			}
			if !slices.Equal(types, wantTypes) {
				t.Errorf("%s and %s: reasons with types %q, want %q", a, b, types, wantTypes)
			}
		}
	}
}

// The columns of this module come first, then the others in alphabetical order, then the caches that break rules.
func TestMerge_columns(t *testing.T) {
	loose := report("d.Backend", "example.com/d", "v1", "L", "string", "hit/put/x deviates why")
	loose.Variant = "loose"
	m := merge(t,
		report("naive.B", "example.com/a", "v1", "S", "string", "hit/put/x fail why"),
		report("naive.A", "example.com/b", "v1", "S", "string", "hit/put/x fail why"),
		report("b.Backend", "example.com/b", "v1", "S", "string", "hit/put/x pass"),
		report("b.Backend", "example.com/b", "v2", "S", "string", "hit/put/x pass"),
		report("c.Cache", "example.com/one", "v1", "S", "string"),
		report("c.Cache", "example.com/two", "v1", "S", "string"),
		report("memory.Backend", "github.com/cachepact/cachepact", "(devel)", "S", "string", "hit/put/x pass"),
		conformance.Report{Schema: 1, Subject: "broken", Error: "New failed"},
		loose,
		report("d.Backend", "example.com/d", "v1", "S", "string", "hit/put/x pass"),
	)
	var got []string
	for _, c := range m.Columns {
		got = append(got, c.Name)
	}
	want := []string{
		"memory", "b.Backend v1", "b.Backend v2", "c.Cache example.com/one v1", "c.Cache example.com/two v1",
		"d", "d loose", "broken", "naive.A", "naive.B",
	}
	if !slices.Equal(got, want) {
		t.Errorf("columns %q, want %q", got, want)
	}
}

// The rules of the contract come first, in its order. Every one has a check in a report of conformance.Check.
func TestMerge_rows(t *testing.T) {
	m := merge(t,
		report("p.B", "m", "v1", "A", "string", "new/rule/x pass", "retain/x pass"),
		conformance.Check(conformance.Subject[string, []byte]{
			New: func(o conformance.Options) (backend.Backend[string, []byte], error) {
				return memory.New[string, []byte](memory.Options{Capacity: o.Capacity})
			},
		}))
	if m.Failed() {
		t.Error("the reference backend failed")
	}
	rules := append(conformance.Rules(), conformance.Rule{ID: "new/rule"})
	for i, r := range m.Rows {
		if r.ID != rules[i].ID || len(r.Cases) == 0 {
			t.Errorf("row %d is %s with %d cases, want %s with at least one", i, r.ID, len(r.Cases), rules[i].ID)
		}
	}
	if len(m.Rows) != len(rules) {
		t.Errorf("%d rows, want %d", len(m.Rows), len(rules))
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	for i, r := range sample() {
		write(t, filepath.Join(dir, string(rune('a'+i%2)), r.Subject+".json"), encode(t, r))
	}
	write(t, filepath.Join(dir, "notes.txt"), "not a report")
	m, err := matrix.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if encode(t, m) != encode(t, merge(t, sample()...)) {
		t.Error("Read and Merge of the same reports differ")
	}
}

// The page needs no other file, and every link has a target.
func TestHTML(t *testing.T) {
	var b strings.Builder
	if err := merge(t, sample()...).HTML(&b); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, bad := range []string{"<script", "<link", "<img", "@import", "url(", "src=", "ZgotmplZ"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page contains %q", bad)
		}
	}
	ids := map[string]bool{}
	for _, part := range strings.Split(page, ` id="`)[1:] {
		id, _, _ := strings.Cut(part, `"`)
		if ids[id] || strings.ContainsAny(id, " \t") {
			t.Errorf("id %q is used twice or contains a space", id)
		}
		ids[id] = true
	}
	links := strings.Split(page, `href="#`)[1:]
	for _, part := range links {
		if id, _, _ := strings.Cut(part, `"`); !ids[id] {
			t.Errorf("no element has the id %q", id)
		}
	}
	if len(links) < 10 {
		t.Errorf("%d links, want a link for every outcome with a reason", len(links))
	}
}

func TestDrift(t *testing.T) {
	was := []string{"hit/put/a pass", "hit/put/b pass", "ttl/zero/a fail late", "ttl/zero/b pass", "size/x/a n/a no size"}
	tests := []struct {
		name, version string
		now           []string
		want          string
	}{
		{"none", "v1", was, ""},
		{"another check", "v1", []string{was[0], was[1], "ttl/zero/a pass", "ttl/zero/b fail early", was[4]}, ""},
		{"a rule is broken", "v1", append([]string{"hit/put/b fail why"}, was[2:]...), "p hit/put: ✗, was ✓"},
		{"a rule is kept", "v1", []string{was[0], was[1], "ttl/zero/a pass", was[4]}, "p ttl/zero: ✓, was ✗"},
		{"new rule", "v1", append(slices.Clone(was), "z/z/z pass"), "p z/z: ✓, was none"},
		{"rule gone", "v1", was[:4], "p size/x: none, was –"},
		{"version", "v2", was, "p module: m/b@v2, was m/b@v1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			earlier := markdown(t, merge(t, report("p.B", "m/b", "v1", "A", "string", was...)))
			now := merge(t, report("p.B", "m/b", tt.version, "A", "string", tt.now...))
			if got := strings.Join(now.Drift(earlier), "\n"); got != tt.want {
				t.Errorf("Drift = %q, want %q", got, tt.want)
			}
		})
	}
	one, two := report("p.B", "m/b", "v1", "A", "string", was...), report("q.B", "m/c", "v1", "A", "string", was...)
	if got := merge(t, one, two).Drift(markdown(t, merge(t, one))); !slices.Equal(got, []string{"q: new"}) {
		t.Errorf("Drift with another cache = %q", got)
	}
	if got := merge(t, one).Drift(markdown(t, merge(t, one, two))); !slices.Equal(got, []string{"q: no longer there"}) {
		t.Errorf("Drift without a cache = %q", got)
	}
	if got := merge(t, one).Drift("# Nothing\n"); !slices.Equal(got, []string{"p: new"}) {
		t.Errorf("Drift from a page without tables = %q", got)
	}
}

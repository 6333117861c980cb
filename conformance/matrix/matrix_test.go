package matrix_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
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

var update = flag.Bool("update", false, "write the golden files")

// report returns one of a subject with results given as "rule/case outcome why".
func report(backendType, module, version, subject, key string, results ...string) conformance.Report {
	r := conformance.Report{
		Schema: conformance.Schema, Subject: subject, Backend: backendType, Module: module, Version: version,
		Key: key, Value: "[]uint8", Go: "go9.99", OS: "plan9", Arch: "mips", Clock: "bubble",
	}
	for _, line := range results {
		name, rest, _ := strings.Cut(line, " ")
		outcome, why, _ := strings.Cut(rest, " ")
		i := strings.LastIndex(name, "/")
		res := conformance.Result{ID: name[:i], Case: name[i+1:], Text: "text of " + name[:i], Outcome: conformance.Outcome(outcome), Why: why, Millis: 12.5}
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

// sample has each outcome, types that differ, and text that means something in
// Markdown and HTML.
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
		"hit/absent/fresh pass", "hit/put/sequence fail Get after Put missed", "hit/put/refusal n/a the backend may not refuse entries",
		"hit/keys/odd fail Get(\"a|b\") = hit \"<script>alert(1)</script>\", want *miss*", "ttl/range/years fail Get missed",
		"ctx/done/cancelled n/a the backend does no I/O", "new/rule/case pass")
	solid := report("solid.Backend", "example.com/solid", "(devel)", "TestAny", "interface {}",
		"hit/absent/fresh pass", "hit/put/sequence pass", "hit/put/refusal pass", "hit/keys/odd pass",
		"ttl/range/years deviates whole seconds only", "stats/size/lag pass", "ctx/done/cancelled pass")
	return []conformance.Report{solid, naive, fast, fastInts}
}

var writers = []struct {
	name  string
	write func(*matrix.Matrix, io.Writer) error
}{
	{"matrix.md", (*matrix.Matrix).Markdown},
	{"matrix.json", (*matrix.Matrix).JSON},
	{"matrix.html", (*matrix.Matrix).HTML},
}

func TestGolden(t *testing.T) {
	reports := sample()
	for range 20 {
		rand.Shuffle(len(reports), func(i, j int) { reports[i], reports[j] = reports[j], reports[i] })
		m := merge(t, reports...)
		for _, w := range writers {
			var got bytes.Buffer
			if err := w.write(m, &got); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", w.name)
			if *update {
				if err := os.WriteFile(path, got.Bytes(), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Fatalf("%s is not what is written now; look at it with -update and git diff", path)
			}
		}
	}
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

func TestMerge_worstOfTypes(t *testing.T) {
	order := []string{"fail", "deviates", "weak", "pass", "n/a"}
	for i, a := range order {
		for j, b := range order {
			m := merge(t, report("p.B", "m", "v1", "A", "string", "hit/put/x "+a+" a"), report("p.B", "m", "v1", "B", "int", "hit/put/x "+b+" b"))
			if len(m.Columns) != 1 {
				t.Fatalf("%d columns, want 1", len(m.Columns))
			}
			r := row(t, m, "hit/put")
			want := conformance.Outcome(order[min(i, j)])
			if r.Outcomes[0] != want || r.Cases[0].Cells[0].Outcome != want {
				t.Errorf("%s and %s are %v and %v, want %v", a, b, r.Outcomes[0], r.Cases[0].Cells[0].Outcome, want)
			}
			var types []string
			for _, reason := range r.Cases[0].Cells[0].Reasons {
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
				t.Errorf("%s and %s: reasons hold for %q, want %q", a, b, types, wantTypes)
			}
		}
	}
}

func TestMerge_worstOfCases(t *testing.T) {
	m := merge(t, report("p.B", "m", "v1", "A", "string", "hit/put/x pass", "hit/put/y fail no", "hit/put/z n/a no", "hit/keys/x n/a no", "hit/keys/y pass"))
	for id, want := range map[string]conformance.Outcome{"hit/put": conformance.Fail, "hit/keys": conformance.Pass, "hit/absent": matrix.Missing} {
		if got := row(t, m, id).Outcomes[0]; got != want {
			t.Errorf("%s is %v, want %v", id, got, want)
		}
	}
}

func TestMerge_rowsInOrderOfTheContract(t *testing.T) {
	m := merge(t, report("p.B", "m", "v1", "A", "string", "new/rule/x pass", "retain/x pass", "hit/put/x pass"))
	var got, want []string
	for _, r := range m.Rows {
		got = append(got, r.ID)
	}
	for _, r := range conformance.Rules() {
		want = append(want, r.ID)
	}
	if want = append(want, "new/rule"); !slices.Equal(got, want) {
		t.Errorf("rows %v, want %v", got, want)
	}
}

func variant(name string, r conformance.Report) conformance.Report {
	r.Variant = name
	return r
}

func TestMerge_columns(t *testing.T) {
	m := merge(t,
		report("zoo.Backend", "example.com/a", "v1", "S", "string", "hit/put/x pass"),
		report("naive.A", "example.com/a", "v1", "S", "string", "hit/put/x fail why"),
		report("naive.B", "example.com/b", "v1", "S", "string", "hit/put/x fail why"),
		report("b.Backend", "example.com/b", "v1", "S", "string", "hit/put/x pass"),
		report("b.Backend", "example.com/b", "v2", "S", "string", "hit/put/x pass"),
		report("c.Cache", "example.com/one", "v1", "S", "string"),
		report("c.Cache", "example.com/two", "v1", "S", "string"),
		conformance.Report{Schema: 1, Subject: "broken", Error: "New failed"},
		variant("loose", report("d.Backend", "example.com/d", "v1", "L", "string", "hit/put/x deviates why")),
		report("d.Backend", "example.com/d", "v1", "S", "string", "hit/put/x pass"),
	)
	var got []string
	for _, c := range m.Columns {
		got = append(got, c.Name)
	}
	want := []string{
		"broken", "zoo", "naive.A", "b.Backend v1", "naive.B", "b.Backend v2", "d", "d loose", "c.Cache example.com/one v1", "c.Cache example.com/two v1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("columns %q, want %q", got, want)
	}
}

func TestFailed(t *testing.T) {
	for _, tt := range []struct {
		report conformance.Report
		want   bool
	}{
		{report("p.B", "m", "v1", "A", "string", "hit/put/x pass", "hit/put/y deviates why", "hit/put/z weak why", "retain/x n/a why"), false},
		{report("p.B", "m", "v1", "A", "string", "hit/put/x pass", "hit/put/y fail why"), true},
		{conformance.Report{Schema: 1, Subject: "s", Error: "New failed"}, true},
	} {
		if got := merge(t, tt.report).Failed(); got != tt.want {
			t.Errorf("Failed() of %v = %v, want %v", tt.report, got, tt.want)
		}
	}
}

func TestMerge_refuses(t *testing.T) {
	r := report("p.B", "m", "v1", "A", "string", "hit/put/x pass")
	for want, reports := range map[string][]conformance.Report{
		"matrix: no reports":                        nil,
		`matrix: subject "A" of p.B reported twice`: {r, r},
		`matrix: subject "A" reported twice`:        {{Subject: "A", Error: "x"}, {Subject: "A", Error: "x"}},
	} {
		if _, err := matrix.Merge(reports...); err == nil || err.Error() != want {
			t.Errorf("Merge = %v, want %s", err, want)
		}
	}
}

// What Check returns can be merged as it is.
func TestMerge_check(t *testing.T) {
	m := merge(t, conformance.Check(conformance.Subject[string, []byte]{New: func(o conformance.Options) (backend.Backend[string, []byte], error) {
		return memory.New[string, []byte](memory.Options{Capacity: o.Capacity})
	}}))
	if m.Failed() {
		t.Error("the reference failed")
	}
	for _, r := range m.Rows {
		if len(r.Cases) == 0 {
			t.Errorf("%s has no cases", r.ID)
		}
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	for i, r := range sample() {
		sub := filepath.Join(dir, string(rune('a'+i%2)))
		write(t, filepath.Join(sub, r.Subject+".json"), encode(t, r))
	}
	write(t, filepath.Join(dir, "notes.txt"), "not a report")
	m, err := matrix.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got, want bytes.Buffer
	if err := m.JSON(&got); err != nil {
		t.Fatal(err)
	}
	if err := merge(t, sample()...).JSON(&want); err != nil {
		t.Fatal(err)
	}
	if got.String() != want.String() {
		t.Error("Read and Merge of the same reports differ")
	}
	if m, err = matrix.Read(filepath.Join(dir, "a", "naive.json"), filepath.Join(dir, "b", "TestInt.json")); err == nil {
		t.Errorf("a file that does not exist: %v", m)
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

func TestRead_refuses(t *testing.T) {
	good := encode(t, report("p.B", "m", "v1", "A", "string", "hit/put/x pass"))
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  []string // in the error
	}{
		{"empty directory", nil, []string{"no reports in this directory", conformance.ReportEnv}},
		{"no JSON", map[string]string{"a.txt": good}, []string{"no reports in this directory"}},
		{"newer schema", map[string]string{"a.json": `{"schema": 99, "checks": "changed"}`}, []string{"a.json", "schema 99", "up to 1", "update"}},
		{"empty file", map[string]string{"a.json": " \n"}, []string{"a.json", "empty"}},
		{"torn", map[string]string{"a.json": good[:len(good)/2]}, []string{"a.json", "not a whole JSON document", "interrupted"}},
		{"two documents", map[string]string{"a.json": good + good}, []string{"a.json", "not a whole JSON document"}},
		{"another document", map[string]string{"a.json": `{"name": "x"}`}, []string{"a.json", "not a conformance report"}},
		{"an array", map[string]string{"a.json": `[1]`}, []string{"a.json", "not a conformance report"}},
		{"null", map[string]string{"a.json": `null`}, []string{"a.json", "not a conformance report"}},
		{"negative schema", map[string]string{"a.json": `{"schema": -1}`}, []string{"a.json", "not a conformance report"}},
		{"wrong type", map[string]string{"a.json": `{"schema": 1, "checks": "none"}`}, []string{"a.json", "not a conformance report", "checks"}},
		{"a matrix", map[string]string{"a.json": `{"schema": 1, "columns": [], "rows": []}`}, []string{"a.json", "not a conformance report", "no checks"}},
		{"no rule", map[string]string{"a.json": `{"schema": 1, "checks": [{"case": "x", "outcome": "pass"}]}`}, []string{"a.json", "not a conformance report"}},
		{"unknown outcome", map[string]string{"a.json": strings.Replace(good, `"pass"`, `"splendid"`, 1)}, []string{"a.json", "hit/put/x", "splendid"}},
		{"twice", map[string]string{"a.json": good, "b/c.json": good}, []string{`subject "A" of p.B`, "twice", "a.json", "c.json"}},
		{"one bad among good", map[string]string{"a.json": good, "b.json": "{"}, []string{"b.json", "not a whole JSON document"}},
	} {
		dir := t.TempDir()
		for name, text := range tt.files {
			write(t, filepath.Join(dir, name), text)
		}
		_, err := matrix.Read(dir)
		if err == nil {
			t.Errorf("%s: no error", tt.name)
			continue
		}
		for _, want := range append(tt.want, "matrix: ") {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %q does not say %q", tt.name, err, want)
			}
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %q has more than one line", tt.name, err)
		}
	}
	if _, err := matrix.Read("does-not-exist"); err == nil || !strings.HasPrefix(err.Error(), "matrix: ") {
		t.Errorf("Read of what does not exist = %v", err)
	}
}

// Nothing of the run but its outcomes reaches the matrix.
func TestStable(t *testing.T) {
	before, after := sample(), sample()
	for i := range after {
		after[i].Go, after[i].OS, after[i].Arch, after[i].Race = "go0", "x", "y", true
		after[i].Dropped, after[i].Expected = 17, 18
		for j := range after[i].Checks {
			after[i].Checks[j].Millis *= 3
		}
	}
	a, b := merge(t, before...), merge(t, after...)
	for _, w := range writers {
		var x, y bytes.Buffer
		if w.write(a, &x) != nil || w.write(b, &y) != nil || x.String() != y.String() {
			t.Errorf("%s depends on the run", w.name)
		}
	}
}

// The page is whole: it asks for nothing, and each of its links leads somewhere.
func TestHTML_whole(t *testing.T) {
	var b bytes.Buffer
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
			t.Errorf("id %q is used twice or holds a space", id)
		}
		ids[id] = true
	}
	links := strings.Split(page, `href="#`)[1:]
	for _, part := range links {
		if id, _, _ := strings.Cut(part, `"`); !ids[id] {
			t.Errorf("nothing has the id %q", id)
		}
	}
	if len(links) < 20 {
		t.Errorf("%d links, want one for every outcome that has a reason", len(links))
	}
}

// Text of a backend cannot become markup, and cannot leave its line.
func TestMarkdown_escapes(t *testing.T) {
	r := report("p.B", "m", "v1", "A", "string", "hit/put/x fail a|b <b> `c` [d](e) *f* &amp; $g$ \x1b[31m \xff\nnew # line")
	var b bytes.Buffer
	if err := merge(t, r).Markdown(&b); err != nil {
		t.Fatal(err)
	}
	want := "- ✗ fail: **p**: a\\|b &lt;b\\> \\`c\\` \\[d\\](e) \\*f\\* &amp;amp; \\$g\\$ \uFFFD\\[31m \uFFFD new \\# line (x)\n"
	if !strings.Contains(b.String(), want) {
		t.Errorf("got\n%s\nwant the line\n%s", b.String(), want)
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
		{"caught in another case", "v1", []string{"hit/put/a pass", "hit/put/b pass", "ttl/zero/a pass", "ttl/zero/b fail early", "size/x/a n/a no size"}, ""},
		{"broken", "v1", []string{"hit/put/a pass", "hit/put/b fail why", "ttl/zero/a fail late", "ttl/zero/b pass", "size/x/a n/a no size"}, "B hit/put: fail, was pass"},
		{"mended", "v1", []string{"hit/put/a pass", "hit/put/b pass", "ttl/zero/a pass", "ttl/zero/b pass", "size/x/a n/a no size"}, "B ttl/zero: pass, was fail"},
		{"another reason", "v1", []string{"hit/put/a pass", "hit/put/b pass", "ttl/zero/a fail late", "ttl/zero/b pass", "size/x/a n/a other"}, "B size/x/a: n/a, was n/a, or for another reason"},
		{"case new", "v1", append(slices.Clone(was), "hit/put/c pass"), "B hit/put/c: new"},
		{"case gone", "v1", was[1:], "B hit/put/a: no longer there"},
		{"rule new", "v1", append(slices.Clone(was), "z/z/z pass"), "z/z: new"},
		{"rule gone", "v1", was[:4], "size/x: no longer there"},
		{"version", "v2", was, "B: other types, version or traits"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			earlier := merge(t, report("p.B", "m/b", "v1", "A", "string", was...))
			now := merge(t, report("p.B", "m/b", tt.version, "A", "string", tt.now...))
			for _, m := range []*matrix.Matrix{earlier, now} {
				m.Columns[0].Name = "B"
			}
			if got := strings.Join(now.Drift(earlier), "\n"); got != tt.want {
				t.Errorf("Drift = %q, want %q", got, tt.want)
			}
		})
	}
	usual := report("p.B", "m/b", "v1", "A", "string", was...)
	loose := variant("loose", report("p.B", "m/b", "v1", "L", "string", "hit/put/a deviates why"))
	if got := merge(t, usual, loose).Drift(merge(t, usual)); !slices.Equal(got, []string{"p loose: new"}) {
		t.Errorf("Drift with a variant more = %q", got)
	}
	one, two := report("p.B", "m/b", "v1", "A", "string", was...), report("p.C", "m/c", "v1", "A", "string", was...)
	if got := merge(t, one, two).Drift(merge(t, one)); !slices.Equal(got, []string{"p.C: new"}) {
		t.Errorf("Drift with one more cache = %q", got)
	}
	if got := merge(t, one).Drift(merge(t, one, two)); !slices.Equal(got, []string{"p.C: no longer there"}) {
		t.Errorf("Drift with one cache less = %q", got)
	}
}

// The documents are three forms of one matrix.
func TestDocs(t *testing.T) {
	m, err := matrix.ReadMatrix("../../docs/matrix.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range writers {
		var got bytes.Buffer
		if err := w.write(m, &got); err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join("../../docs", w.name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("docs/%s is not written from docs/matrix.json: run make matrix", w.name)
		}
	}
}

func TestReadMatrix_refuses(t *testing.T) {
	whole := encode(t, merge(t, sample()...))
	for name, text := range map[string]string{
		"empty": "", "report": encode(t, sample()[0]), "cut off": whole[:len(whole)/2],
		"newer":  strings.Replace(whole, `"schema":1`, `"schema":99`, 1),
		"ragged": `{"schema":1,"columns":[{"name":"a"}],"rows":[{"id":"hit/put","outcomes":[]}]}`,
	} {
		file := filepath.Join(t.TempDir(), "m.json")
		write(t, file, text)
		if _, err := matrix.ReadMatrix(file); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: ReadMatrix = %v, want an error that names the file", name, err)
		}
	}
}

package report_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/cachepact/cachepact/compare/internal/reporttest"
	"github.com/cachepact/cachepact/compare/report"
)

func htmlOf(t *testing.T, r *report.Report) string {
	t.Helper()
	var out bytes.Buffer
	if err := report.WriteHTML(&out, r); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

var (
	scripts  = regexp.MustCompile(`(?s)<script>(.*?)</script>`)
	embedded = regexp.MustCompile(`(?s)<script type="application/json" id="(\w+)">(.*?)</script>`)
	elements = regexp.MustCompile(`<([a-zA-Z][a-zA-Z0-9]*)`)
)

// No text of the report becomes an element of the page, and the JSON in the page is the
// report.
func TestWriteHTML_Escapes(t *testing.T) {
	evil := reporttest.Evil()
	page := htmlOf(t, evil)
	visible := scripts.ReplaceAllString(page, "")
	count := map[string]int{}
	for _, m := range elements.FindAllStringSubmatch(embedded.ReplaceAllString(visible, ""), -1) {
		count[m[1]]++
	}
	if count["img"] != 0 || count["script"] != 0 {
		t.Errorf("a text has become an element: %v", count)
	}
	if n := strings.Count(page, "<script"); n != 4+strings.Count(strings.Join(ownScripts(t), ""), "<script") {
		t.Errorf("the page has %d scripts", n)
	}
	for _, m := range embedded.FindAllStringSubmatch(page, -1) {
		if !json.Valid([]byte(m[2])) {
			t.Errorf("the content of #%s is not JSON: %.100s", m[1], m[2])
		}
		if m[1] == "report" {
			got, err := report.ReadJSON(strings.NewReader(m[2]))
			if err != nil || !reflect.DeepEqual(got, evil) {
				t.Errorf("the report in the page differs from the original: %v", err)
			}
		}
	}
	if !strings.Contains(page, `&lt;img src=x onerror=alert(2)&gt;`) {
		t.Error("the text is not shown")
	}
}

func ownScripts(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, name := range []string{"page/charts.LICENSE.txt", "page/charts.min.js", "page/report.js"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(text))
	}
	return all
}

// The page's policy allows its own scripts and no requests.
func TestWriteHTML_Policy(t *testing.T) {
	page := htmlOf(t, reporttest.Full(1))
	m := regexp.MustCompile(`http-equiv="Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(page)
	if m == nil {
		t.Fatal("the page has no policy")
	}
	policy := strings.NewReplacer("&#39;", "'", "&#43;", "+").Replace(m[1])
	if !strings.HasPrefix(policy, "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-") {
		t.Errorf("the policy is %s", policy)
	}
	found := scripts.FindAllStringSubmatch(page, -1)
	if len(found) != 2 {
		t.Fatalf("the page has %d scripts, want 2", len(found))
	}
	for _, s := range found {
		sum := sha256.Sum256([]byte(s[1]))
		if hash := base64.StdEncoding.EncodeToString(sum[:]); !strings.Contains(policy, hash) {
			t.Errorf("the policy does not allow the script that begins with %.60q", s[1])
		}
		if strings.Contains(s[1], "\r") {
			t.Error("a script has carriage returns, which browsers remove before they hash it")
		}
	}
}

// Nothing in the page is fetched from elsewhere.
func TestWriteHTML_SelfContained(t *testing.T) {
	page := scripts.ReplaceAllString(htmlOf(t, reporttest.Full(1)), "")
	links := regexp.MustCompile(`(?:src|href|action|srcset|data)="([^"]*)"|url\(([^)]*)\)|@import`)
	for _, m := range links.FindAllStringSubmatch(page, -1) {
		if link := m[1] + m[2]; !strings.HasPrefix(link, "#") && link != "data:," {
			t.Errorf("the page links %s", m[0])
		}
	}
}

// The page has a section for each part that was measured, in order.
func TestWriteHTML_Sections(t *testing.T) {
	sections := func(r *report.Report) []string {
		var ids []string
		for _, m := range regexp.MustCompile(`<section id="([\w-]+)"`).FindAllStringSubmatch(htmlOf(t, r), -1) {
			ids = append(ids, m[1])
		}
		return ids
	}
	speed := reporttest.Full(1)
	speed.Hits, speed.Memory, speed.TTL, speed.Speed.Latency, speed.Command = nil, nil, nil, nil, nil
	for _, tt := range []struct {
		name   string
		report *report.Report
		want   string
	}{
		{"full", reporttest.Full(1), "answer findings hits curves over-time ratios speed latency memory gc ttl " +
			"pareto environment reproduce data"},
		{"hits", reporttest.Single(), "answer findings hits environment reproduce data"},
		{"empty", &report.Report{}, "findings environment data"},
		{"speed", speed, "answer findings ratios speed environment data"},
	} {
		if got := strings.Join(sections(tt.report), " "); got != tt.want {
			t.Errorf("%s: the sections are %s, want %s", tt.name, got, tt.want)
		}
	}
}

// Headings do not skip a level, and identifiers are unique. Each table has a caption and
// heads for its columns and rows.
func TestWriteHTML_Structure(t *testing.T) {
	for name, r := range samples() {
		page := embedded.ReplaceAllString(scripts.ReplaceAllString(htmlOf(t, r), ""), "")
		level := byte('0')
		for _, m := range regexp.MustCompile(`<h([1-6])`).FindAllStringSubmatch(page, -1) {
			if m[1][0] > level+1 {
				t.Errorf("%s: h%s follows h%c", name, m[1], level)
			}
			level = m[1][0]
		}
		seen := map[string]bool{}
		for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(page, -1) {
			if seen[m[1]] {
				t.Errorf("%s: two elements are #%s", name, m[1])
			}
			seen[m[1]] = true
		}
		for _, m := range regexp.MustCompile(`(?:href="#|aria-labelledby=")([^"]+)"`).FindAllStringSubmatch(page, -1) {
			if !seen[m[1]] {
				t.Errorf("%s: no element is #%s", name, m[1])
			}
		}
		for _, table := range regexp.MustCompile(`(?s)<table.*?</table>`).FindAllString(page, -1) {
			checkTable(t, name, table)
		}
	}
}

// checkTable checks that the table has heads and that each row has a cell per column.
func checkTable(t *testing.T, name, table string) {
	t.Helper()
	if !regexp.MustCompile(`<caption[^>]*>.+</caption>`).MatchString(table) {
		t.Errorf("%s: no caption in %.200s", name, table)
	}
	span := regexp.MustCompile(`colspan="(\d)"|colspan="(\d\d)"`)
	rows := regexp.MustCompile(`(?s)<tr.*?</tr>`).FindAllString(table, -1)
	width := strings.Count(rows[0], `<th scope="col"`)
	for _, row := range rows[1:] {
		if strings.Count(row, `<th scope="row"`) != 1 {
			t.Errorf("%s: no head in %.200s", name, row)
		}
		cells := strings.Count(row, "<td") + strings.Count(row, "<th")
		for _, m := range span.FindAllStringSubmatch(row, -1) {
			n := 0
			for _, c := range m[1] + m[2] {
				n = 10*n + int(c-'0')
			}
			cells += n - 1
		}
		if cells != width {
			t.Errorf("%s: %d cells in a table of %d columns: %.300s", name, cells, width, row)
		}
	}
}

func TestWriteHTML_Command(t *testing.T) {
	r := &report.Report{Command: []string{"cachepact", "compare", "it's", "", "a b", "x=1%"}}
	want := `cachepact compare &#39;it&#39;\&#39;&#39;s&#39; &#39;&#39; &#39;a b&#39; x=1%`
	if page := htmlOf(t, r); !strings.Contains(page, want) {
		t.Errorf("the page lacks the command %s", want)
	}
}

// Equal reports give equal pages.
func TestWriteHTML_Deterministic(t *testing.T) {
	if once, again := htmlOf(t, reporttest.Full(1)), htmlOf(t, reporttest.Full(1)); once != again {
		t.Error("two pages of a report differ")
	}
}

func TestWriteHTML_Size(t *testing.T) {
	const most = 1_500_000
	if n := len(htmlOf(t, reporttest.Full(1))); n > most {
		t.Errorf("the page of a full report has %d bytes, want at most %d", n, most)
	}
}

// A cache without a row for a pace shows its row without a pace.
func TestWriteHTML_Paces(t *testing.T) {
	r := reporttest.Full(1)
	page := htmlOf(t, r)
	_, table, _ := strings.Cut(page, `<table id="hits-2"`)
	table, _, _ = strings.Cut(table, "</table>")
	for name, want := range map[string]string{"golanglru": "26.56 %|26.46 %", "golanglru-2q": "29.38 %"} {
		row := regexp.MustCompile(`(?s)<th scope="row"[^>]*>` + name + `[ <].*?</tr>`).FindString(table)
		var got []string
		for _, m := range regexp.MustCompile(`barred"[^>]*>([\d.]+ %)`).FindAllStringSubmatch(row, -1) {
			got = append(got, m[1])
		}
		if strings.Join(got, "|") != want {
			t.Errorf("%s has the hit ratios %q, want %s, in %s", name, got, want, row)
		}
	}
}

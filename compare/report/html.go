package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"regexp"
	"strings"
)

// The parts of the page. "make charts" builds charts.min.js from package.json;
// charts.LICENSE.txt holds the licences of its content. See
// docs/decisions/0006-charts.md.
var (
	//go:embed page/report.tmpl
	pageText string
	//go:embed page/report.css
	pageStyle string
	//go:embed page/report.js
	pageScript string
	//go:embed page/charts.min.js
	chartsScript string
	//go:embed page/charts.LICENSE.txt
	chartsLicence string
)

var pageTemplate = template.Must(template.New("report").Funcs(template.FuncMap{"tied": tied}).Parse(pageText))

// beforeUnit matches a number, a space and a unit. The line must not break at the space.
var beforeUnit = regexp.MustCompile(`(\d) (%|ns|µs|ms|s|B|KiB|MiB|GiB|TiB|points|entries|runs)\b|(\d) %`)

// tied keeps a number and its unit on one line.
func tied(text string) string {
	return beforeUnit.ReplaceAllStringFunc(text, func(s string) string { return strings.Replace(s, " ", "\u00a0", 1) })
}

// A page is the input of the template.
type page struct {
	*Report
	Title    string
	Style    template.CSS
	Policy   string
	Sections []section
	Caches   []cache
	Command  string
	Scripts  []template.JS
	Charts   template.JS // the JSON of the charts
	JSON     template.JS // of the report
}

// A section is a part of the page. Its blocks are shown in order.
type section struct {
	ID, Title string
	Short     string // in the contents
	Intro     []string
	Blocks    []block
}

// A block is a part of a section: an optional heading, charts and tables.
type block struct {
	Title  string
	Intro  string
	Charts []*chart
	Tables []*table
}

// A cache is a contestant in the legends.
type cache struct {
	Name   string
	Colour int
}

// WriteHTML writes the report as one HTML page, which needs no network: the page holds
// the styles, the scripts and the report's JSON. Without scripts it lacks only the
// charts, whose figures are also in tables. WriteHTML returns the error of w and the
// errors of [WriteJSON].
func WriteHTML(w io.Writer, r *Report) error {
	raw, err := encode(r)
	if err != nil {
		return err
	}
	sections := r.sections()
	specs, err := json.Marshal(chartsOf(sections))
	if err != nil {
		return fmt.Errorf("report: html: %w", err)
	}
	scripts := []template.JS{
		template.JS("/*\n" + chartsLicence + "*/\n" + chartsScript), // #nosec G203 -- ours
		template.JS(pageScript), // #nosec G203 -- ours
	}
	p := &page{
		Report: r, Title: r.title(), Style: template.CSS(pageStyle), Policy: policy(scripts),
		Sections: sections, Caches: r.caches(),
		Command: shellWords(r.Command), Scripts: scripts, Charts: template.JS(specs), JSON: template.JS(raw),
	}
	var out bytes.Buffer
	if err := pageTemplate.Execute(&out, p); err != nil {
		return fmt.Errorf("report: html: %w", err)
	}
	_, err = out.WriteTo(w)
	return err
}

// sections returns the sections of the page for the parts that were measured.
func (r *Report) sections() []section {
	var all []section
	for _, s := range []section{
		r.hitSection(), r.curveSection(), r.timeSection(), r.ratioSection(), r.speedSection(), r.latencySection(),
		r.memorySection(), r.gcSection(), r.ttlSection(), r.paretoSection(),
	} {
		if len(s.Blocks) > 0 {
			all = append(all, s)
		}
	}
	return all
}

// policy returns a Content-Security-Policy that allows only the page's own scripts and
// no requests, so that no text of the report can run code.
func policy(scripts []template.JS) string {
	var hashes []string
	for _, s := range scripts {
		sum := sha256.Sum256([]byte(s))
		hashes = append(hashes, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
	}
	return "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src " + strings.Join(hashes, " ")
}

func (r *Report) title() string {
	if r.Workload == nil || r.Workload.Name == "" {
		return "Caches compared"
	}
	return "Caches compared on " + r.Workload.Name
}

func (r *Report) caches() []cache {
	var all []cache
	for i, c := range r.Contestants {
		all = append(all, cache{c.Name, i % colours})
	}
	return all
}

// shellWords quotes and joins words for a POSIX shell.
func shellWords(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		if w == "" || strings.IndexFunc(w, unsafeInShell) >= 0 {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		quoted[i] = w
	}
	return strings.Join(quoted, " ")
}

func unsafeInShell(r rune) bool {
	return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:=,%+-@", r)
}

package browsertest

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/cachepact/cachepact/compare/internal/reporttest"
	"github.com/cachepact/cachepact/compare/report"
)

// A drawing describes the SVG of a chart.
type drawing struct {
	ID, Kind, Role, Label string
	// Points and Series are the numbers of points and series in the chart's JSON.
	Points, Series int
	// Marks is the number of shapes in a colour of a series. Colours is the number of
	// different colours that the browser computed for them.
	Marks, Colours int
	Texts          []string
	// Bad is the number of shapes with a coordinate that is not a number.
	Bad           int
	Width, Height float64
}

const drawings = `JSON.parse(document.getElementById('charts').textContent).map(c => {
	const svg = document.querySelector('#' + CSS.escape(c.id) + ' svg');
	if (!svg) return {ID: c.id, Kind: c.kind};
	const shapes = [...svg.querySelectorAll('path, polyline, polygon, line, circle, rect, use')];
	const own = shapes.filter(s => /var\(--(c\d|grey)\)/.test(s.getAttribute('fill') + s.getAttribute('stroke')));
	const box = svg.getBoundingClientRect();
	return {
		ID: c.id, Kind: c.kind, Role: svg.getAttribute('role'), Label: svg.getAttribute('aria-label'),
		Points: c.series.reduce((n, s) => n + s.points.length, 0), Series: c.series.length,
		Marks: own.length, Colours: new Set(own.map(s => getComputedStyle(s).fill + getComputedStyle(s).stroke)).size,
		Texts: [...svg.querySelectorAll('text')].map(t => t.textContent),
		Bad: shapes.filter(s => [...s.attributes].some(a => /NaN|undefined|Infinity/.test(a.value))).length,
		Width: box.width, Height: box.height,
	};
})`

// Each report is opened once, and all checks use the same tab.
func TestReport(t *testing.T) {
	for name, r := range map[string]*report.Report{"full": reporttest.Full(1), "evil": reporttest.Evil()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := open(t, r, light)
			for _, look := range []struct {
				name string
				test func(*testing.T, *tab)
			}{
				{"charts", testCharts},
				{"landmarks", testLandmarks},
				{"contrast", testContrast},
				{"narrow", testNarrow},
				{"keyboard", testKeyboard},
				{"filter", testFilter},
				{"download", func(t *testing.T, p *tab) { testDownload(t, p, r) }},
				{"print", testPrint},
			} {
				t.Run(look.name, func(t *testing.T) {
					if look.name == "print" && name != "full" {
						t.Skip("the full report is printed")
					}
					p.t = t
					look.test(t, p)
					p.quiet()
				})
			}
		})
	}
}

// Every chart draws all points and series of its JSON.
func testCharts(t *testing.T, p *tab) {
	charts := eval[[]drawing](p, drawings)
	kinds := map[string]int{}
	for _, d := range charts {
		kinds[d.Kind]++
		d.check(t)
	}
	if kinds["lines"] < 12 || kinds["ranges"] != 4 || kinds["strip"] != 1 || kinds["points"] != 1 {
		t.Errorf("the page has the charts %v", kinds)
	}
}

func (d drawing) check(t *testing.T) {
	t.Helper()
	want := d.Series // a line each
	switch d.Kind {
	case "ranges":
		want = 4 * d.Series // a line, its two ends, and the median
	case "strip":
		want = d.Points
	}
	if d.Marks < want || d.Series == 0 {
		t.Errorf("%s: %d marks for %d series of %d points, want at least %d", d.ID, d.Marks, d.Series, d.Points, want)
	}
	if d.Colours < min(2, d.Series) {
		t.Errorf("%s: %d colours for %d series", d.ID, d.Colours, d.Series)
	}
	if d.Bad > 0 {
		t.Errorf("%s: %d shapes have coordinates that are not numbers", d.ID, d.Bad)
	}
	if d.Width < 100 || d.Height < 50 {
		t.Errorf("%s: %v by %v pixels", d.ID, d.Width, d.Height)
	}
	if d.Role != "img" || len(d.Label) < 20 {
		t.Errorf("%s: role %q, label %q", d.ID, d.Role, d.Label)
	}
	if len(d.Texts) < 4 {
		t.Errorf("%s: the axes have only the texts %q", d.ID, d.Texts)
	}
}

// A page without charts makes no requests and reports no errors.
func TestQuiet(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]*report.Report{"single": reporttest.Single(), "empty": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := open(t, r, light)
			if n := eval[int](p, `document.querySelectorAll('.plot').length`); n != 0 {
				t.Errorf("%d charts of nothing", n)
			}
			p.quiet()
		})
	}
}

// The tests see requests and errors of a page. Otherwise the other tests could not fail.
func TestQuiet_SeesNoise(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "loud.html")
	write(t, path, []byte(`<html data-ready><img src="http://127.0.0.1:9/x.png">
<script>console.error("loud"); setTimeout(() => { throw Error("thrown") })</script>`))
	p := load(t, path, light)
	eval[int](p, `new Promise(r => setTimeout(r, 300)) && 1`)
	if err := chromedp.Do(p.ctx, chromedp.Sleep(300e6)); err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Contains(p.requests, "http://127.0.0.1:9/x.png") {
		t.Errorf("the requests seen are %q", p.requests)
	}
	if all := strings.Join(p.complaint, "\n"); !strings.Contains(all, "loud") || !strings.Contains(all, "thrown") {
		t.Errorf("the complaints seen are %q", p.complaint)
	}
}

// In both colour schemes, the contrast is at least 4.5 for text and 3 for charts (WCAG 2.2,
// level AA).
func testContrast(t *testing.T, p *tab) {
	p.look(light)
	seen := map[string]string{}
	for _, v := range []view{light, dark} {
		p.look(v)
		seen[v.name] = eval[string](p, `getComputedStyle(document.body).backgroundColor`)
		for _, bad := range eval[[]string](p, contrasts) {
			t.Errorf("%s: %s", v.name, bad)
		}
	}
	if seen["light"] == seen["dark"] {
		t.Errorf("the page is %s in both schemes", seen["light"])
	}
}

const contrasts = `(() => {
	const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
	const rgb = c => {
		canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1);
		return [...canvas.getImageData(0, 0, 1, 1).data];
	};
	const linear = x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
	const lum = c => {
		const [r, g, b] = rgb(c).map(x => linear(x / 255));
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const ratio = (a, b) => { const [x, y] = [lum(a), lum(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
	const behind = e => {
		for (; e; e = e.parentElement) {
			const c = getComputedStyle(e).backgroundColor;
			if (rgb(c)[3] === 255) return c;
		}
		return 'white';
	};
	const bad = new Set();
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (walker.nextNode()) {
		const e = walker.currentNode.parentElement;
		if (!walker.currentNode.textContent.trim() || ['SCRIPT', 'STYLE', 'NOSCRIPT'].includes(e.tagName)) continue;
		const svg = e.closest('svg'), st = getComputedStyle(e);
		const r = ratio(svg ? st.fill : st.color, behind(svg ? svg.parentElement : e));
		const name = e.tagName + '.' + (e.getAttribute('class') || '');
		const text = walker.currentNode.textContent.slice(0, 30);
		if (r < (svg ? 3 : 4.5)) bad.add(name + ' ' + text + ': contrast ' + r.toFixed(2));
	}
	for (const s of document.querySelectorAll('.plot svg [stroke^="var(--c"], .plot svg [stroke="var(--grey)"]')) {
		const r = ratio(getComputedStyle(s).stroke, behind(s.closest('.plot')));
		if (r < 3) bad.add('line in ' + s.getAttribute('stroke') + ': contrast ' + r.toFixed(2));
	}
	return [...bad];
})()`

// On a narrow screen the page does not scroll sideways. Wide tables scroll within their
// frames.
func testNarrow(t *testing.T, p *tab) {
	full := eval[float64](p, firstWidth)
	p.look(narrow)
	poll(p, firstWidth+` < `+number(float64(narrow.width)))
	if got := eval[int](p, `document.documentElement.scrollWidth`); got > int(narrow.width) {
		t.Errorf("the page is %d pixels wide on a screen of %d: %v", got, narrow.width, eval[[]string](p, tooWide))
	}
	for _, d := range eval[[]drawing](p, drawings) {
		d.check(t)
		if d.Width > float64(narrow.width) {
			t.Errorf("%s is %v pixels wide", d.ID, d.Width)
		}
	}
	p.look(light)
	poll(p, firstWidth+` === `+number(full))
}

const firstWidth = `document.querySelector('.plot svg').getBoundingClientRect().width`

const tooWide = `[...document.querySelectorAll('body *')]
	.filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll, .contents, pre'))
	.slice(0, 5).map(e => e.tagName + '.' + e.className + ' ' + e.textContent.slice(0, 40))`

// Tab reaches each control in the order of the page. The focused element has an outline.
func testKeyboard(t *testing.T, p *tab) {
	p.look(light)
	want := eval[int](p, `[...document.querySelectorAll('a[href], button, input, summary, [tabindex="0"]')]
		.filter(e => e.checkVisibility()).length`)
	var stops []stop
	for range want + 5 {
		press(p, kb.Tab)
		s := eval[stop](p, focused)
		if strings.HasPrefix(s.Name, "BODY") || len(stops) > 0 && s.Index == stops[0].Index {
			break
		}
		if s.Outline == "none" {
			t.Errorf("%s has the focus and does not show it", s.Name)
		}
		if n := len(stops); n > 0 && s.Index <= stops[n-1].Index {
			t.Errorf("after %s, Tab goes back to %s", stops[n-1].Name, s.Name)
		}
		stops = append(stops, s)
	}
	if len(stops) != want {
		t.Errorf("Tab stops %d times, want at each of %d controls", len(stops), want)
	}
	if len(stops) == 0 || !strings.Contains(stops[0].Name, "skip") {
		t.Errorf("the first stop is %v, want the link to the report", stops[:1])
	}
}

type stop struct {
	Name, Outline string
	Index         int
}

const focused = `(e => ({
	Name: e.tagName + (e.className ? '.' + e.className : '') + ' ' +
		(e.value || e.textContent || '').slice(0, 30).trim(),
	Outline: getComputedStyle(e).outlineStyle, Index: [...document.querySelectorAll('*')].indexOf(e),
}))(document.activeElement)`

// The check boxes remove caches from the charts and add them again.
func testFilter(t *testing.T, p *tab) {
	p.look(light)
	eval[int](p, `(window.third = document.querySelectorAll('.shown input')[3], window.third.id = 'third', 1)`)
	has := `[...document.querySelectorAll('#curve ~ .legend li')]
		.some(e => e.textContent.startsWith(window.third.value))`
	if !eval[bool](p, has) {
		t.Fatal("the curve lacks the third cache")
	}
	focus(p, `#third`)
	press(p, " ")
	if eval[bool](p, has) {
		t.Error("the third cache is drawn though its box is not checked")
	}
	focus(p, `[data-act="none"]`)
	press(p, kb.Enter)
	third := eval[string](p, `window.third.value`)
	got := eval[string](p, `document.querySelector('#curve svg').textContent`)
	if strings.Contains(got, third) || !strings.Contains(got, "LRU") {
		t.Errorf("without caches the curve has the texts %s", got)
	}
	focus(p, `[data-act="all"]`)
	press(p, kb.Enter)
	if !eval[bool](p, has) {
		t.Error("the third cache is not drawn though its box is checked again")
	}
	for _, d := range eval[[]drawing](p, drawings) {
		d.check(t)
	}
	p.quiet()
}

// The download button saves the JSON of the report.
func testDownload(t *testing.T, p *tab, r *report.Report) {
	p.look(light)
	eval[int](p, `(window.saved = '',
		URL.createObjectURL = b => { b.text().then(t => { window.saved = t; }); return 'blob:x'; },
		HTMLAnchorElement.prototype.click = function () { window.savedAs = this.download; }, 1)`)
	focus(p, `[data-act="download"]`)
	press(p, kb.Enter)
	poll(p, `window.saved !== ''`)
	var want bytes.Buffer
	if err := report.WriteJSON(&want, r); err != nil {
		t.Fatal(err)
	}
	got, err := report.ReadJSON(strings.NewReader(eval[string](p, `window.saved`)))
	if err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	if err := report.WriteJSON(&again, got); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again.Bytes(), want.Bytes()) {
		t.Error("the JSON of the page is not the report's")
	}
	if name := eval[string](p, `window.savedAs`); name != "report.json" {
		t.Errorf("it is saved as %q", name)
	}
	focus(p, `.raw summary`)
	press(p, kb.Enter)
	poll(p, `document.getElementById('raw').textContent.includes('"schema": 1')`)
	p.quiet()
}

// The printed page is light, contains the charts and fits the paper.
func testPrint(t *testing.T, p *tab) {
	p.look(dark)
	eval[int](p, `(addEventListener('beforeprint', () => {
		const s = document.querySelector('#curve svg').getBoundingClientRect();
		window.printed = {width: s.width, colour: getComputedStyle(document.body).backgroundColor};
	}), 1)`)
	pdf, err := chromedp.Run(p.ctx, chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperA4)))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(pdf, []byte("%PDF-")) || len(pdf) < 100_000 {
		t.Errorf("the PDF has %d bytes and begins %q", len(pdf), pdf[:min(8, len(pdf))])
	}
	if dir := os.Getenv("SCREENSHOTS"); dir != "" {
		write(t, filepath.Join(dir, "full.pdf"), pdf)
	}
	if got := eval[float64](p, `window.printed.width`); got < 600 || got > 720 {
		t.Errorf("on paper the first chart is %v pixels wide", got)
	}
	off := eval[int](p, `document.querySelector('#curve').clientWidth -
		document.querySelector('#curve svg').getBoundingClientRect().width`)
	if off > 1 || off < -1 {
		t.Errorf("after printing, the first chart is %d pixels narrower than its frame", off)
	}
	media(p, emulation.SetEmulatedMediaParams{Media: "print"})
	if got := eval[string](p, `getComputedStyle(document.body).backgroundColor`); got != "rgb(255, 255, 255)" {
		t.Errorf("the paper is %s", got)
	}
	controls := `[...document.querySelectorAll('nav, form, button')].filter(e => e.checkVisibility()).length`
	if n := eval[int](p, controls); n != 0 {
		t.Errorf("%d controls are printed", n)
	}
	p.quiet()
}

// The parts of the page have roles and names for screen readers.
func testLandmarks(t *testing.T, p *tab) {
	p.look(light)
	for _, one := range []string{"main", "header", "nav", "footer", "h1"} {
		if n := eval[int](p, `document.querySelectorAll('`+one+`').length`); n != 1 {
			t.Errorf("the page has %d of %s, want 1", n, one)
		}
	}
	unnamed := `[...document.querySelectorAll('section, nav, form, [role=region]')]
		.filter(e => !e.getAttribute('aria-label') && !document.getElementById(e.getAttribute('aria-labelledby')))
		.map(e => e.outerHTML.slice(0, 80))`
	if bad := eval[[]string](p, unnamed); len(bad) > 0 {
		t.Errorf("without a name: %q", bad)
	}
	unlabelled := `[...document.querySelectorAll('input')].filter(e => !e.labels.length).map(e => e.outerHTML)`
	if bad := eval[[]string](p, unlabelled); len(bad) > 0 {
		t.Errorf("without a label: %q", bad)
	}
	if lang := eval[string](p, `document.documentElement.lang`); lang != "en" {
		t.Errorf("the language is %q", lang)
	}
}

// TestPictures writes screenshots for review if SCREENSHOTS names a directory.
func TestPictures(t *testing.T) {
	if os.Getenv("SCREENSHOTS") == "" {
		t.Skip("SCREENSHOTS names no directory")
	}
	for name, r := range map[string]*report.Report{
		"full": reporttest.Full(1), "evil": reporttest.Evil(), "single": reporttest.Single(),
	} {
		for _, v := range []view{light, dark, narrow} {
			if name == "full" || v == narrow {
				open(t, r, v).keep(name + "-" + v.name)
			}
		}
	}
}

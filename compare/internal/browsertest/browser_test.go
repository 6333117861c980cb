// Package browsertest opens the HTML report in headless Chromium and checks what the
// page draws, what it fetches and what the keyboard reaches. It is a module of its own
// so that the product does not depend on the library that drives the browser.
package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/cachepact/cachepact/compare/report"
)

// browser is the context of the browser that all tests share.
var browser context.Context

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") != "" {
			fmt.Println("browsertest: chromium is missing; install it in CI (Debian: apt-get install chromium)")
			return 1
		}
		fmt.Println("browsertest: SKIPPED: chromium is missing (Debian: apt-get install chromium)")
		return 0
	}
	profile, err := os.MkdirTemp("", "browsertest")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer os.RemoveAll(profile)
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.UserDataDir(profile), chromedp.Headless, chromedp.NoSandbox,
		chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("force-color-profile", "srgb"), chromedp.CombinedOutput(io.Discard),
	}
	for _, name := range []string{
		"disable-background-networking", "disable-component-update", "disable-sync", "hide-scrollbars",
		"disable-dev-shm-usage",
	} {
		options = append(options, chromedp.Flag(name, true))
	}
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	defer stop()
	ctx, stop = chromedp.NewContext(ctx)
	defer stop()
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		fmt.Println("browsertest: chromium does not start:", err)
		return 1
	}
	browser = ctx
	code := m.Run()
	_ = chromedp.Cancel(ctx) // waits until the browser no longer uses its profile
	return code
}

// A tab shows a report. It records the page's requests, errors and dialogs.
type tab struct {
	t    *testing.T
	ctx  context.Context
	page string // its URL

	mu        sync.Mutex
	requests  []string
	complaint []string
	dialogs   int
}

// A view is a window size and a colour scheme.
type view struct {
	name          string
	width, height int64
	dark          bool
}

var (
	light  = view{"light", 1280, 900, false}
	dark   = view{"dark", 1280, 900, true}
	narrow = view{"narrow", 360, 780, false}
)

// open writes the report to a file and loads it.
func open(t *testing.T, r *report.Report, v view) *tab {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report of caches.html")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := report.WriteHTML(f, r); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return load(t, path, v)
}

// load opens the file and waits until the charts are drawn.
func load(t *testing.T, path string, v view) *tab {
	t.Helper()
	p := &tab{t: t, page: (&url.URL{Scheme: "file", Path: path}).String()}
	ctx, stop := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(stop)
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	t.Cleanup(cancel)
	p.ctx = ctx
	if err := chromedp.Listen(ctx, p.hear); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, cdplog.Enable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	// Tests run in parallel, so each page must behave as if it had the focus.
	enabled := emulation.SetFocusEmulationEnabledParams{Enabled: true}
	if _, err := chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, enabled); err != nil {
		t.Fatal(err)
	}
	p.look(v)
	if err := chromedp.Do(ctx, chromedp.Navigate(p.page)); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.WaitReady(chromedp.CSS("html[data-ready]"))); err != nil {
		t.Fatalf("the page's script has not finished: %v; %v", err, p.complaints())
	}
	return p
}

func (p *tab) hear(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		p.requests = append(p.requests, e.Request.URL)
	case *network.EventWebSocketCreated:
		p.requests = append(p.requests, e.URL)
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
		p.complaint = append(p.complaint, "exception: "+text)
	case *runtime.EventConsoleAPICalled:
		p.complaint = append(p.complaint, fmt.Sprintf("console.%s: %s", e.Type, values(e.Args)))
	case *cdplog.EventEntryAdded:
		p.complaint = append(p.complaint, fmt.Sprintf("%s: %s", e.Entry.Level, e.Entry.Text))
	case *page.EventJavascriptDialogOpening:
		p.dialogs++
	}
}

func values(args []*runtime.RemoteObject) string {
	var all []string
	for _, a := range args {
		all = append(all, a.Description+" "+string(a.Value))
	}
	return strings.Join(all, " ")
}

func (p *tab) complaints() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.complaint
}

// look sets the window size and the colour scheme.
func (p *tab) look(v view) {
	p.t.Helper()
	scheme := "light"
	if v.dark {
		scheme = "dark"
	}
	if err := chromedp.Do(p.ctx, chromedp.EmulateViewport(v.width, v.height)); err != nil {
		p.t.Fatal(err)
	}
	features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}
	media(p, emulation.SetEmulatedMediaParams{Features: features})
}

// eval returns the value of the expression in the page.
func eval[T any](p *tab, expression string) T {
	p.t.Helper()
	text, err := chromedp.Run(p.ctx, chromedp.Evaluate[string]("JSON.stringify("+expression+")"))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	var x T
	if err := json.Unmarshal([]byte(text), &x); err != nil {
		p.t.Fatalf("%s: %v in %s", expression, err, text)
	}
	return x
}

// poll waits until the expression is true in the page.
func poll(p *tab, expression string) {
	p.t.Helper()
	_, err := chromedp.Run(p.ctx, chromedp.Poll[bool](expression, chromedp.WithPollingTimeout(time.Minute)))
	if err != nil {
		p.t.Fatalf("%s does not become true: %v", expression, err)
	}
}

// press presses a key.
func press(p *tab, key string) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, chromedp.KeyEvent(key)); err != nil {
		p.t.Fatal(err)
	}
}

// focus moves the focus to the selected element.
func focus(p *tab, selector string) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, chromedp.Focus(chromedp.CSS(selector))); err != nil {
		p.t.Fatalf("%s: %v", selector, err)
	}
}

// media sets the medium and the media features of the page.
func media(p *tab, params emulation.SetEmulatedMediaParams) {
	p.t.Helper()
	if _, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, params); err != nil {
		p.t.Fatal(err)
	}
}

func number(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// quiet checks that the page has made no request and reported no error.
func (p *tab) quiet() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.requests {
		if r != p.page && !strings.HasPrefix(r, "data:") && !strings.HasPrefix(r, "blob:") {
			p.t.Errorf("the page requests %.200s", r)
		}
	}
	if len(p.requests) == 0 {
		p.t.Error("the page itself was not requested: the test does not see requests")
	}
	for _, c := range p.complaint {
		p.t.Errorf("the page reports: %.500s", c)
	}
	if p.dialogs > 0 {
		p.t.Error("the page opens a dialog: a text of the report was executed")
	}
}

// keep writes a screenshot to the directory that SCREENSHOTS names. Without SCREENSHOTS it
// does nothing.
func (p *tab) keep(name string) {
	p.t.Helper()
	dir := os.Getenv("SCREENSHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		p.t.Fatal(err)
	}
	write(p.t, filepath.Join(dir, name+".png"), png)
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

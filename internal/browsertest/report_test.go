package browsertest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/cachepact/cachepact/internal/reporttest"
)

func TestViews(t *testing.T) {
	p := open(t, reporttest.Full(1), light)
	for _, v := range []view{light, dark, narrow} {
		p.look(v)
		chromedp.Do(p.ctx, chromedp.Sleep(300e6))
		p.keep("full-" + v.name)
	}
	p.look(dark)
	pdf, err := chromedp.Run(p.ctx, chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperA4)))
	if err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("SCREENSHOTS"); dir != "" {
		write(t, filepath.Join(dir, "full.pdf"), pdf)
	}
	p.quiet()
}

module github.com/cachepact/cachepact/compare/internal/browsertest

go 1.26.0

require (
	github.com/cachepact/cachepact v0.0.0
	github.com/chromedp/cdproto v0.159.0
	github.com/chromedp/chromedp v0.23.0
)

require (
	github.com/fatih/color v1.19.0 // indirect
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
	github.com/mattn/go-colorable v0.1.14 // indirect
	github.com/mattn/go-isatty v0.0.22 // indirect
	golang.org/x/sys v0.50.0 // indirect
)

replace github.com/cachepact/cachepact => ../../..

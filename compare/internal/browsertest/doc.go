// Package browsertest opens the HTML report in headless Chromium and looks at it
// as a reader does: what is drawn, what is fetched, what the keyboard reaches. It
// is a module of its own, so that what drives a browser is no dependency of the
// product.
package browsertest

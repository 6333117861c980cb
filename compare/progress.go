package compare

import (
	"io"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/cachepact/cachepact/compare/internal/contest"
)

// A progress is a [contest.Progress] on standard error.
type progress interface {
	contest.Progress
	// Finish removes the bar.
	Finish()
}

// quiet shows nothing.
type quiet struct{}

func (quiet) Expect(int)  {}
func (quiet) Step(string) {}
func (quiet) Finish()     {}

// bar shows a bar and an estimate of the time that is left.
type bar struct {
	shown *progressbar.ProgressBar
}

func newBar(w io.Writer) bar {
	return bar{shown: progressbar.NewOptions(0,
		progressbar.OptionSetWriter(w),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionShowCount(),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionFullWidth(),
	)}
}

func (b bar) Expect(steps int) { b.shown.ChangeMax(b.shown.GetMax() + steps) }

func (b bar) Step(next string) {
	b.shown.Describe(next)
	_ = b.shown.Add(1) // a bar that cannot be shown is no reason to stop
}

func (b bar) Finish() {
	_ = b.shown.Clear() // as above
}

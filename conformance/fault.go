package conformance

import (
	"errors"
	"fmt"
	"strings"
)

// kind distinguishes faults that the runner treats differently.
type kind int

const (
	broke     kind = iota // the backend broke a rule
	newFailed             // New returned an error or a nil backend
	panicked
	hung
	leaked  // goroutines remained after Close
	raced   // the race detector reported a data race
	unclear // real time was too slow to tell
)

// A fault describes how a subject broke a rule. A session panics with a fault
// and recovers it at its end.
type fault struct {
	kind  kind
	what  string   // the wrong answer, in one line
	want  string   // the correct answer
	hint  string   // the usual cause, if known
	done  []string // the last operations
	stack string
	repro string // Go code
}

func (f *fault) Error() string { return f.what }

// asFault returns err as a fault.
func asFault(err error) *fault {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*fault](err); ok {
		return f
	}
	return &fault{what: err.Error()}
}

// message returns the failure message.
func (f *fault) message(name, text string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", name, f.what)
	if f.want != "" {
		fmt.Fprintf(&b, "\n\twant: %s", f.want)
	}
	fmt.Fprintf(&b, "\n\trule: %s", text)
	for i, op := range f.done {
		label := "      "
		if i == 0 {
			label = "done: "
		}
		fmt.Fprintf(&b, "\n\t%s%s", label, op)
	}
	if f.hint != "" {
		fmt.Fprintf(&b, "\n\thint: %s", f.hint)
	}
	if f.repro != "" {
		fmt.Fprintf(&b, "\n\trepeat it with:\n\n%s", f.repro)
	}
	if f.stack != "" {
		fmt.Fprintf(&b, "\n\tstacks:\n%s", f.stack)
	}
	return b.String()
}

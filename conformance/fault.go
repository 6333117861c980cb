package conformance

import (
	"errors"
	"fmt"
	"strings"
)

// kind tells faults apart where the runner must treat them differently.
type kind int

const (
	broke     kind = iota // a rule
	newFailed             // New returned an error or a nil backend
	panicked
	hung
	leaked  // goroutines
	raced   // says the race detector
	unclear // real time was too slow to tell
)

// A fault is how a subject broke a rule. It is panicked with inside a session
// and recovered at its end.
type fault struct {
	kind  kind
	what  string   // what came back, in a line
	want  string   // what was due
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

// message is what a person reads.
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

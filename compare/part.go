package compare

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A part is one part of a comparison, and a subcommand of compare.
type part struct {
	name  string
	short string
	long  string
	// examples are three complete command lines, without "cachepact compare".
	examples [3]string
	load     need
	// flags adds the flags that only this part has.
	flags func(*pflag.FlagSet)
	// complete completes the values of those, by the flag's name.
	complete map[string]cobra.CompletionFunc
	// check returns an error if those are wrong. It may be nil.
	check func() error
	// measure fills the part of the report.
	measure func(context.Context, *session) error
}

// A need says what use a part has for requests.
type need int

const (
	noLoad   need = iota
	mayLoad       // it makes something of them
	mustLoad      // there is nothing to measure without
)

// parts returns the parts in the order in which all of them are measured. Each
// call returns parts with flags of their own.
func parts() []part {
	return []part{
		hitsPart(),
		speedPart(),
		memoryPart(),
		ttlPart(),
	}
}

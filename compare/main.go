// Package compare replays recorded or generated requests through caches and
// shows side by side how they do: the command cachepact.
//
// # A cache of your own
//
// [Main] is the whole command. A program that calls it with a [Contestant] has
// that cache beside those of this module's adapters.
//
// # Reading the tables
//
// Every cache is asked for each key in turn, and gets a Put for each miss. OPT is
// the best that any cache of the capacity could have done, so a hit ratio above
// it means that a cache held more than its capacity. Caches that buffer writes
// have a row for a tight loop and one in which they settle after each Put. A
// cache without a bound on its entries is shown, but has no place in the order.
package compare

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cachepact/cachepact/compare/internal/contest"
	"github.com/cachepact/cachepact/compare/internal/worker"
	"github.com/cachepact/cachepact/compare/memory"
	"github.com/cachepact/cachepact/compare/speed"
	"github.com/cachepact/cachepact/compare/ttl"
)

// A Contestant is a cache that takes part in a comparison.
type Contestant = contest.Contestant

// Options is the capacity of a contestant.
type Options = contest.Options

// Builtin returns the caches of this module's adapters.
func Builtin() []Contestant { return contest.Builtin() }

// Main runs the command with the arguments of the process and ends the process.
// The contestants take part beside [Builtin].
func Main(own ...Contestant) {
	Exit(Command(own...))
}

// Command returns the command for a program that adds commands of its own. The
// contestants take part beside [Builtin].
func Command(own ...Contestant) *cobra.Command {
	root := &cobra.Command{
		Use:           "cachepact",
		Short:         "Compare Go caches on recorded or generated requests",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	all := append(Builtin(), own...)
	root.AddCommand(newCompare(all), newTrace(), worker.NewCommand(func() worker.Handler {
		return worker.Handlers{speed.NewHandler(all), memory.NewHandler(all), ttl.NewHandler(all)}
	}))
	return root
}

// Exit runs cmd with the arguments of the process and ends the process: with 0, or
// after one line on standard error with the code of an [ExitError], or with 2.
func Exit(cmd *cobra.Command) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := execute(worker.WithProcesses(ctx), cmd, worker.Args(cmd, os.Args[1:]), os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// An ExitError ends the command with a code of its own.
type ExitError struct {
	Code int
	Err  error
}

func (e ExitError) Error() string { return e.Err.Error() }
func (e ExitError) Unwrap() error { return e.Err }

// Run is Main with everything it would take from the process. It returns the exit
// code.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer, own ...Contestant) int {
	return execute(ctx, Command(own...), args, stdout, stderr)
}

func execute(ctx context.Context, cmd *cobra.Command, args []string, stdout, stderr io.Writer) int {
	cmd.SetArgs(args)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	err := cmd.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	_, _ = fmt.Fprintf(stderr, "cachepact: %s\n", strings.Join(strings.Fields(err.Error()), " "))
	if exit, ok := errors.AsType[ExitError](err); ok {
		return exit.Code
	}
	return 2
}

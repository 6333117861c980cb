package worker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// TestMain makes the test binary a child when it is started as one.
func TestMain(m *testing.M) {
	if !InChild() {
		os.Exit(m.Run())
	}
	cmd := NewCommand(func() Handler { return Handlers{echo{}} })
	cmd.SetArgs(nil)
	if cmd.Execute() != nil {
		os.Exit(2)
	}
	os.Exit(0)
}

// echo returns what it is given. The other jobs hang, panic and print.
type echo struct{}

func (echo) Do(ctx context.Context, job string, in json.RawMessage) (any, error) {
	switch job {
	case "echo":
		os.Stdout.WriteString("printed by a library\n")
		return Job(ctx, in, func(_ context.Context, n int) (int, error) { return n, nil })
	case "hang":
		<-ctx.Done()
		return nil, ctx.Err()
	case "panic":
		panic("as it must")
	}
	return nil, ErrUnknown
}

func (echo) Close() {}

func start(t *testing.T) *child {
	t.Helper()
	w, err := Start(WithProcesses(t.Context()), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w.(*child)
}

func TestChild(t *testing.T) {
	c := start(t)
	for n := range 2 {
		got := -1
		if err := c.Call(t.Context(), "echo", n, &got); err != nil || got != n {
			t.Fatalf("echo of %d = %d, %v", n, got, err)
		}
	}
	if err := c.Call(t.Context(), "juggle", nil, nil); err == nil || !strings.Contains(err.Error(), `unknown job "juggle"`) {
		t.Errorf("unknown job: %v", err)
	}
	if err := c.Call(t.Context(), "panic", nil, nil); err == nil || !strings.Contains(err.Error(), "panic: as it must") {
		t.Errorf("panic: %v", err)
	}
	c.Close()
	c.Close()
	if !c.cmd.ProcessState.Exited() && c.cmd.ProcessState.Sys() == nil {
		t.Error("the process did not end")
	}
	if err := c.Call(t.Context(), "echo", 1, nil); err == nil {
		t.Error("Call after Close: no error")
	}
}

func TestChild_cancel(t *testing.T) {
	c := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if err := c.Call(ctx, "hang", nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Call: %v; want context.Canceled", err)
	}
	if c.cmd.ProcessState == nil {
		t.Error("the process still runs")
	}
}

// A child ends when its parent has ended, even in the middle of a job.
func TestServe_parentEnds(t *testing.T) {
	in, parent := io.Pipe()
	done := make(chan error)
	var out bytes.Buffer
	go func() { done <- serve(t.Context(), echo{}, in, &out) }()
	if _, err := io.WriteString(parent, `{"job":"hang","in":{}}`+"\n"); err != nil {
		t.Fatal(err)
	}
	parent.Close()
	if err := <-done; err != nil {
		t.Errorf("serve = %v; want nil", err)
	}
}

func TestCommand(t *testing.T) {
	newHandler := func() Handler { return echo{} }
	cmd := NewCommand(newHandler)
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	cmd.SetArgs(nil)
	if err := cmd.Execute(); err == nil || !strings.Contains(err.Error(), "only by a comparison") {
		t.Errorf("child without a parent: %v", err)
	}
	root := &cobra.Command{Use: "root"}
	root.AddCommand(NewCommand(newHandler))
	t.Setenv(childEnv, "1")
	if got := Args(root, []string{"compare", "speed"}); len(got) != 1 || got[0] != childCommand {
		t.Errorf("Args = %v", got)
	}
	outer := &cobra.Command{Use: "outer"}
	outer.AddCommand(root)
	if got := strings.Join(Args(outer, nil), " "); got != "root child" {
		t.Errorf("Args below another command = %q", got)
	}
}

func TestLastWords(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", ""},
		{"one\ntwo\n\n", "two"},
		{"one\ntwo", "two"},
		{"log\npanic: it broke\n\ngoroutine 1 [running]:\nmain.main()\n", "panic: it broke"},
		{"fatal error: all goroutines are asleep\nmore\n", "fatal error: all goroutines are asleep"},
	} {
		var w lastWords
		for _, c := range []byte(tt.text) {
			w.Write([]byte{c})
		}
		if got := w.String(); got != tt.want {
			t.Errorf("last words of %q = %q; want %q", tt.text, got, tt.want)
		}
	}
}

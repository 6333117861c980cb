// Package worker runs measurements in child processes.
package worker

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
)

// What is measured in time or memory is measured in a child process for each
// contestant, so that no heap, collector or panic of one is another's. The child is
// this program once more, with the same arguments, and so has the same contestants.
// It is told by childEnv to be a child; it reads jobs from standard input and
// writes a reply to each to standard output, a line of JSON each.

// childEnv is the variable of the environment that makes the command be a child.
const childEnv = "CACHEPACT_CHILD"

// InChild reports whether this process is a child.
func InChild() bool { return os.Getenv(childEnv) != "" }

// replyPrefix begins a reply, which tells it from what a library prints.
const replyPrefix = "cachepact-reply: "

// A Worker does jobs for the comparison, one after the other.
type Worker interface {
	// Call does one job. in and out, which may be nil, must be what JSON can hold.
	// After an error that ends the worker, such as a context that is done, all
	// further calls fail.
	Call(ctx context.Context, job string, in, out any) error
	// Close ends the worker. It may be called twice.
	Close()
}

type ownProcesses struct{}

// WithProcesses says that the process is a program that ends with compare.Exit, so that it
// can be started again to be a child.
func WithProcesses(ctx context.Context) context.Context {
	return context.WithValue(ctx, ownProcesses{}, true)
}

// HasProcesses reports whether workers are processes of their own. In a process that
// only calls compare.Run they are not, as to start it again would do something else.
func HasProcesses(ctx context.Context) bool {
	return ctx.Value(ownProcesses{}) != nil
}

// Start starts a worker. If workers are not processes, the worker does its jobs with a new handler.
func Start(ctx context.Context, newHandler func() Handler) (Worker, error) {
	if HasProcesses(ctx) {
		c, err := startChild(ctx)
		if err != nil {
			return nil, fmt.Errorf("child: %w", err) // and no worker that is a nil child
		}
		return c, nil
	}
	return &inProcess{handler: newHandler()}, nil
}

// A Handler does the jobs of a worker.
type Handler interface {
	// Do does one job. It returns [ErrUnknown] for a job that it does not know.
	Do(ctx context.Context, job string, in json.RawMessage) (out any, err error)
	// Close releases what jobs have left open.
	Close()
}

// ErrUnknown means that a handler does not know a job.
var ErrUnknown = errors.New("unknown job")

// Handlers is a handler that passes each job to the first of its handlers that knows the job.
type Handlers []Handler

// Do implements [Handler].
func (all Handlers) Do(ctx context.Context, job string, in json.RawMessage) (any, error) {
	for _, s := range all {
		if out, err := s.Do(ctx, job, in); !errors.Is(err, ErrUnknown) {
			return out, err
		}
	}
	return nil, fmt.Errorf("%w %q", ErrUnknown, job)
}

// Close implements [Handler].
func (all Handlers) Close() {
	for _, s := range all {
		s.Close()
	}
}

// do does one job. It returns a panic as an error.
func do(ctx context.Context, s Handler, call jobCall) (reply jobReply) {
	var out any
	err := Guard(func() (err error) {
		out, err = s.Do(ctx, call.Job, call.In)
		return err
	})
	if err == nil {
		reply.Out, err = json.Marshal(out)
	}
	if err != nil {
		reply.Error = err.Error()
	}
	return reply
}

// Job decodes a job and does it.
func Job[In, Out any](ctx context.Context, data json.RawMessage, do func(context.Context, In) (Out, error)) (any, error) {
	var in In
	if err := json.Unmarshal(data, &in); err != nil {
		return nil, err
	}
	return do(ctx, in)
}

// A jobCall is what a child reads.
type jobCall struct {
	Job string          `json:"job"`
	In  json.RawMessage `json:"in"`
}

// A jobReply is what a child writes.
type jobReply struct {
	Out   json.RawMessage `json:"out,omitempty"`
	Error string          `json:"error,omitempty"`
}

// inProcess is a worker without a process of its own.
type inProcess struct {
	handler Handler
	dead    bool
}

func (w *inProcess) Call(ctx context.Context, job string, in, out any) error {
	if w.dead {
		return errEnded
	}
	data, err := json.Marshal(in)
	if err != nil {
		return err
	}
	done := make(chan jobReply, 1)
	go func() { done <- do(ctx, w.handler, jobCall{job, data}) }()
	select {
	case reply := <-done:
		return reply.decode(out)
	case <-ctx.Done():
		w.dead = true // the job may still use the handler
		return unanswered(ctx)
	}
}

func (w *inProcess) Close() {
	if !w.dead {
		w.handler.Close()
		w.dead = true
	}
}

// errEnded is the error of a worker that a failure has ended.
var errEnded = errors.New("the worker has ended")

// unanswered is the error of a call whose context is done.
func unanswered(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return errors.New("did not answer in time")
	}
	return ctx.Err()
}

func (r jobReply) decode(out any) error {
	if r.Error != "" {
		return errors.New(r.Error)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(r.Out, out)
}

// A child is a worker that is a process.
type child struct {
	cancel  context.CancelFunc
	cmd     *exec.Cmd
	in      io.WriteCloser
	replies chan jobReply // closed when the process has written its last
	stderr  *lastWords
	wait    func() error
}

func startChild(ctx context.Context) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	c := &child{cancel: cancel, replies: make(chan jobReply, 1), stderr: &lastWords{}}
	c.cmd = exec.CommandContext(ctx, self, os.Args[1:]...)
	c.cmd.Env = append(os.Environ(), childEnv+"=1")
	c.cmd.Stderr, c.cmd.WaitDelay = c.stderr, time.Second
	out, err := c.cmd.StdoutPipe()
	if err == nil {
		c.in, err = c.cmd.StdinPipe()
	}
	if err == nil {
		err = c.cmd.Start()
	}
	if err != nil {
		cancel()
		return nil, err
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		c.read(out)
	}()
	c.wait = sync.OnceValue(func() error {
		<-read // Wait closes the pipe
		return c.cmd.Wait()
	})
	return c, nil
}

// read passes replies on, and nothing else that the process prints.
func (c *child) read(out io.Reader) {
	defer close(c.replies)
	for r := bufio.NewReader(out); ; {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return
		}
		var reply jobReply
		if text, ok := bytes.CutPrefix(line, []byte(replyPrefix)); ok && json.Unmarshal(text, &reply) == nil {
			c.replies <- reply
		}
	}
}

func (c *child) Call(ctx context.Context, job string, in, out any) error {
	data, err := json.Marshal(in)
	if err != nil {
		return err
	}
	line, err := json.Marshal(jobCall{job, data})
	if err != nil {
		return err
	}
	go func() { _, _ = c.in.Write(append(line, '\n')) }() // of a dead process the replies tell
	select {
	case reply, ok := <-c.replies:
		if ok {
			return reply.decode(out)
		}
		return c.died()
	case <-ctx.Done():
		c.Close()
		return unanswered(ctx)
	}
}

// died returns why the process ended by itself.
func (c *child) died() error {
	stop := time.AfterFunc(time.Second, c.cancel) // should it only have closed its output
	err := c.wait()
	stop.Stop()
	c.cancel()
	words := c.stderr.String()
	switch {
	case words != "":
		return fmt.Errorf("the process ended: %s", words)
	case err != nil:
		return fmt.Errorf("the process ended: %w", err)
	}
	return errEnded
}

func (c *child) Close() {
	_ = c.in.Close() // on which the child ends
	c.cancel()
	go func() {
		for range c.replies { // let read end
		}
	}()
	_ = c.wait() // it was killed
}

// lastWords keeps the one line of what a process writes that says best why it ended.
type lastWords struct {
	mu   sync.Mutex
	line []byte // that is not yet complete
	said string
	why  bool // said is a panic's first line
}

// Write implements [io.Writer].
func (w *lastWords) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range p {
		if c == '\n' {
			w.end()
		} else if len(w.line) < 1<<10 {
			w.line = append(w.line, c)
		}
	}
	return len(p), nil
}

func (w *lastWords) end() {
	line := strings.TrimSpace(string(w.line))
	w.line = w.line[:0]
	if line == "" || w.why {
		return
	}
	w.said = line
	w.why = strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ")
}

// String returns the line.
func (w *lastWords) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.end()
	return w.said
}

// NewCommand returns the hidden command that a child runs.
func NewCommand(newHandler func() Handler) *cobra.Command {
	return &cobra.Command{
		Use:         childCommand,
		Hidden:      true,
		Annotations: map[string]string{childEnv: ""},
		Args:        cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !InChild() {
				return errors.New("child: is started only by a comparison")
			}
			out := os.Stdout
			os.Stdout = os.Stderr // for what a library prints
			return serve(cmd.Context(), newHandler(), os.Stdin, out)
		},
	}
}

// childCommand is the name of the hidden command.
const childCommand = "child"

// Args returns the arguments by which root runs as a child, or those given if
// the process is none.
func Args(root *cobra.Command, args []string) []string {
	if !InChild() {
		return args
	}
	if c := findChild(root); c != nil {
		args = nil
		for ; c != root; c = c.Parent() {
			args = append([]string{c.Name()}, args...)
		}
	}
	return args
}

func findChild(cmd *cobra.Command) *cobra.Command {
	if _, ok := cmd.Annotations[childEnv]; ok {
		return cmd
	}
	for _, c := range cmd.Commands() {
		if found := findChild(c); found != nil {
			return found
		}
	}
	return nil
}

// serve does the jobs that it reads from in until there are no more. It also returns
// in the middle of one when in or ctx ends, which is when the parent has.
func serve(ctx context.Context, s Handler, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	lines := make(chan []byte)
	go func() {
		for r := bufio.NewReader(in); ; {
			line, err := r.ReadBytes('\n')
			if err != nil {
				cancel(err)
				return
			}
			select {
			case lines <- line:
			case <-ctx.Done():
				return
			}
		}
	}()
	replies := make(chan jobReply)
	for {
		select {
		case line := <-lines:
			go func() {
				var call jobCall
				if err := json.Unmarshal(line, &call); err != nil {
					call.Job = "" // which is unknown
				}
				reply := do(ctx, s, call)
				select {
				case replies <- reply:
				case <-ctx.Done():
				}
			}()
		case reply := <-replies:
			if err := reply.write(out); err != nil {
				return err
			}
		case <-ctx.Done():
			if err := context.Cause(ctx); !errors.Is(err, io.EOF) {
				return err
			}
			return nil
		}
	}
}

func (r jobReply) write(out io.Writer) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s%s\n", replyPrefix, data)
	return err
}

// Guard turns a panic of f into an error.
func Guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return f()
}

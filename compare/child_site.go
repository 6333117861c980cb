package compare

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/cachepact/cachepact/compare/report"
)

// A site is where jobs are done: in a child, or in the process itself.
type site struct {
	contestants []Contestant
	run         speedRun // that is open, or nil
}

// newSite returns a site for jobs on the contestants and on the floors.
func newSite(contestants []Contestant) *site {
	return &site{contestants: append(floors(), contestants...)}
}

func (s *site) close() {
	if s.run != nil {
		_ = s.run.close() // nobody is there to be told
		s.run = nil
	}
}

// The jobs.
const (
	jobOpen    = "speed/open"     // speedJob to speedOpened
	jobSlice   = "speed/slice"    // sliceJob to speedCount
	jobLatency = "latency/closed" // latencyJob to []report.Latency
	jobOpenEnd = "latency/open"   // the same
	jobMemory  = "memory"         // memoryJob to memoryResult
	jobTTL     = "ttl"            // ttlJob to []report.TTLRow
)

// do does one job. A panic in it is an error.
func (s *site) do(ctx context.Context, call jobCall) (reply jobReply) {
	var out any
	err := guard(func() (err error) {
		out, err = s.dispatch(ctx, call)
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

func (s *site) dispatch(ctx context.Context, call jobCall) (any, error) {
	switch call.Job {
	case jobOpen:
		return job(ctx, call.In, s.open)
	case jobSlice:
		return job(ctx, call.In, func(ctx context.Context, j sliceJob) (speedCount, error) {
			if s.run == nil {
				return speedCount{}, errNotOpen
			}
			return s.run.slice(ctx, j)
		})
	case jobLatency, jobOpenEnd:
		return job(ctx, call.In, func(ctx context.Context, j latencyJob) ([]report.Latency, error) {
			switch {
			case s.run == nil:
				return nil, errNotOpen
			case call.Job == jobLatency:
				return s.run.closedLoop(ctx, j)
			}
			return s.run.openLoop(ctx, j)
		})
	case jobMemory:
		return job(ctx, call.In, s.memory)
	case jobTTL:
		return job(ctx, call.In, s.ttl)
	}
	return nil, fmt.Errorf("unknown job %q", call.Job)
}

var errNotOpen = fmt.Errorf("%s: expected it first", jobOpen)

func job[In, Out any](ctx context.Context, data json.RawMessage, do func(context.Context, In) (Out, error)) (any, error) {
	var in In
	if err := json.Unmarshal(data, &in); err != nil {
		return nil, err
	}
	return do(ctx, in)
}

// contestant returns the one of a name.
func (s *site) contestant(name string) (Contestant, error) {
	for _, c := range s.contestants {
		if c.Name == name {
			return c, nil
		}
	}
	return Contestant{}, fmt.Errorf("unknown contestant %q: the program that was started again has others", name)
}

// guard turns a panic of f into an error.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return f()
}

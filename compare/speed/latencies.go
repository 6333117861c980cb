package speed

import (
	"context"
	"path/filepath"
	"runtime"
	"time"

	"github.com/cachepact/cachepact/compare/internal/contest"
	"github.com/cachepact/cachepact/compare/internal/worker"
	"github.com/cachepact/cachepact/compare/report"
)

// openShares are the rates of the open loop, in terms of what the cache can do.
var openShares = []float64{0.5, 0.8}

// latencyMix is the mix of the requests of which those that hit are timed.
var latencyMix = report.Mix{Gets: 0.9, Puts: 0.1}

// latencies times operations of every contestant: those that hit and those that miss
// in a closed loop, and the workload in an open one.
func (s *comparison) latencies(ctx context.Context, capacity int) ([]report.Latency, error) {
	requests, err := s.latencyRequests()
	if err != nil {
		return nil, err
	}
	procs := runtime.GOMAXPROCS(0)
	job := openJob{Value: s.Value, Procs: procs, Goroutines: procs, Capacity: capacity}
	hit, miss, workload := job, job, job
	hit.Case, hit.Stream, hit.Capacity = CaseHit, filepath.Join(s.dir, "latency-hit"), 2*requests.distinct()
	miss.Case, miss.Stream = CaseMiss, filepath.Join(s.dir, "latency-miss")
	workload.Case, workload.Stream = CaseWorkload, filepath.Join(s.dir, CaseWorkload)
	s.Progress.Expect(len(s.Contestants))
	var all []report.Latency
	for _, c := range s.Contestants {
		s.Progress.Step(c.Name + ": latency")
		for _, l := range []struct {
			job  openJob
			name string
			loop string
		}{{hit, jobLatency, "closed"}, {miss, jobLatency, "closed"}, {workload, jobOpenEnd, "open"}} {
			rows, err := s.timeOf(ctx, c, l.job, l.name)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err != nil {
				rows = []report.Latency{{Loop: l.loop, Class: failedClass(l.job.Case), Failed: err.Error()}}
				s.Found(report.Finding{Name: c.Name, Check: report.CheckFailed, Where: "latency, case " + l.job.Case, Text: err.Error()})
			}
			for _, row := range rows {
				row.Name = c.Name
				all = append(all, row)
			}
		}
	}
	return all, nil
}

// failedClass is the class of a row that could not be measured.
func failedClass(name string) string {
	if name == CaseWorkload {
		return "all"
	}
	return name
}

// latencyRequests writes the streams of the closed loop, and returns that of the
// requests that hit.
func (s *comparison) latencyRequests() (stream, error) {
	workload, err := loadStream(filepath.Join(s.dir, CaseWorkload))
	if err != nil {
		return stream{}, err
	}
	hit := workload.hitStream(latencyMix, s.Seed)
	if err := hit.save(filepath.Join(s.dir, "latency-hit")); err != nil {
		return stream{}, err
	}
	return hit, missStream(s.missing()).save(filepath.Join(s.dir, "latency-miss"))
}

// timeOf times one contestant's operations in one case, in a process of its own.
func (s *comparison) timeOf(ctx context.Context, c contest.Contestant, job openJob, name string) ([]report.Latency, error) {
	job.Contestant = c.Name
	one := contender{race: race{openJob: job}, name: c.Name}
	var err error
	if one.w, err = worker.Start(ctx, func() worker.Handler { return NewHandler(s.Contestants) }); err != nil {
		return nil, err
	}
	defer one.end()
	if err := one.call(ctx, s.Patience, jobOpen, job, &one.opened); err != nil {
		return nil, err
	}
	warm := time.Duration(warmup) * s.Slice
	if err := one.call(ctx, s.Patience+warm, jobSlice, sliceJob{warm}, &count{}); err != nil {
		return nil, err
	}
	var rows []report.Latency
	err = one.call(ctx, s.Patience+20*s.Latency, name, latencyJob{Duration: s.Latency, Shares: openShares}, &rows)
	return rows, err
}

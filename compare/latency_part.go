package compare

import (
	"context"
	"path/filepath"
	"runtime"
	"time"

	"github.com/cachepact/cachepact/compare/report"
)

// openShares are the rates of the open loop, in terms of what the cache can do.
var openShares = []float64{0.5, 0.8}

// latencyMix is the mix of the requests of which those that hit are timed.
var latencyMix = report.Mix{Gets: 0.9, Puts: 0.1}

// latencies times operations of every contestant: those that hit and those that miss
// in a closed loop, and the workload in an open one.
func (o *speed) latencies(ctx context.Context, s *session, dir string, capacity int) ([]report.Latency, error) {
	requests, err := o.latencyRequests(s, dir)
	if err != nil {
		return nil, err
	}
	procs := runtime.GOMAXPROCS(0)
	job := speedJob{Value: s.value, Procs: procs, Goroutines: procs, Capacity: capacity}
	hit, miss, workload := job, job, job
	hit.Case, hit.Stream, hit.Capacity = caseHit, filepath.Join(dir, "latency-hit"), 2*requests.distinct()
	miss.Case, miss.Stream = caseMiss, filepath.Join(dir, "latency-miss")
	workload.Case, workload.Stream = caseWorkload, filepath.Join(dir, caseWorkload)
	s.progress.Expect(len(s.contestants))
	var all []report.Latency
	for _, c := range s.contestants {
		s.progress.Step(c.Name + ": latency")
		for _, l := range []struct {
			job  speedJob
			name string
			loop string
		}{{hit, jobLatency, "closed"}, {miss, jobLatency, "closed"}, {workload, jobOpenEnd, "open"}} {
			rows, err := o.timeOf(ctx, s, c, l.job, l.name)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err != nil {
				rows = []report.Latency{{Loop: l.loop, Class: failedClass(l.job.Case), Failed: err.Error()}}
				s.found(report.Finding{Name: c.Name, Check: report.CheckFailed, Where: "latency, case " + l.job.Case, Text: err.Error()})
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
	if name == caseWorkload {
		return "all"
	}
	return name
}

// latencyRequests writes the streams of the closed loop, and returns that of the
// requests that hit.
func (o *speed) latencyRequests(s *session, dir string) (stream, error) {
	workload, err := loadStream(filepath.Join(dir, caseWorkload))
	if err != nil {
		return stream{}, err
	}
	hit := workload.hitStream(latencyMix, s.seed)
	if err := hit.save(filepath.Join(dir, "latency-hit")); err != nil {
		return stream{}, err
	}
	return hit, missStream(o.missing()).save(filepath.Join(dir, "latency-miss"))
}

// timeOf times one contestant's operations in one case, in a process of its own.
func (o *speed) timeOf(ctx context.Context, s *session, c Contestant, job speedJob, name string) ([]report.Latency, error) {
	job.Contestant = c.Name
	one := contender{race: race{speedJob: job}, name: c.Name}
	var err error
	if one.w, err = startWorker(ctx, s.contestants); err != nil {
		return nil, err
	}
	defer one.end()
	if err := one.call(ctx, o.patience, jobOpen, job, &one.opened); err != nil {
		return nil, err
	}
	warm := time.Duration(o.warmup) * o.slice
	if err := one.call(ctx, o.patience+warm, jobSlice, sliceJob{warm}, &speedCount{}); err != nil {
		return nil, err
	}
	var rows []report.Latency
	err = one.call(ctx, o.patience+20*o.latency, name, latencyJob{Duration: o.latency, Shares: openShares}, &rows)
	return rows, err
}

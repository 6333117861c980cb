package conformance

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// A runner tests one subject.
type runner[K comparable, V any] struct {
	subject Subject[K, V]
	traits  backend.Traits
	has     features
	keys    Keys[K]
	values  Values[V]

	t                *testing.T // of the check that runs; nil without a test
	bubble           bool
	real             string        // why not the bubble
	minute           float64       // real nanoseconds that a fake minute takes
	limit            time.Duration // for one check, in real time
	rule             string        // of the check that runs
	zeroHoldsNothing bool          // with Options.Capacity == 0 the backend holds nothing, with another it does
	leaks            []string      // checks after which goroutines remained
	sizeFaults       []*fault      // of stats/size, in checks of other rules
	printed          *capture
	report           Report
	expected         int // Gets that a backend without admission would answer with a hit
	dropped          int // those of them that missed
}

// features are the optional interfaces a subject has.
type features struct {
	closer, syncer, ranger, entries, batcher, describer bool
}

func newRunner[K comparable, V any](t *testing.T, s Subject[K, V]) (*runner[K, V], error) {
	if s.New == nil {
		return nil, errors.New("conformance: Subject.New is required")
	}
	r := &runner[K, V]{subject: s, t: t, traits: s.Traits, limit: s.Timeout}
	if r.limit <= 0 {
		r.limit = 10 * time.Second
		if raceEnabled {
			r.limit = 30 * time.Second
		}
	}
	var err error
	if r.keys, err = keysOf(s.Keys); err != nil {
		return nil, err
	}
	if r.values, err = valuesOf(s.Values); err != nil {
		return nil, err
	}
	known := func(d Deviation) bool {
		return slices.ContainsFunc(checks[K, V](), func(c check[K, V]) bool { return d.Check == c.rule || d.Check == c.id() })
	}
	for _, name := range s.Only {
		if !slices.ContainsFunc(checks[K, V](), func(c check[K, V]) bool { return c.under(name) }) {
			return nil, fmt.Errorf("conformance: Subject.Only: no check, rule or group %q", name)
		}
	}
	for _, d := range s.Known {
		if !known(d) {
			return nil, fmt.Errorf("conformance: Subject.Known: no check %q", d.Check)
		}
		if d.Why == "" {
			return nil, fmt.Errorf("conformance: Subject.Known: %q has no Why", d.Check)
		}
	}
	r.printed = startCapture()
	if err := r.preflight(); err != nil {
		r.stop()
		return nil, err
	}
	return r, nil
}

func (r *runner[K, V]) stop() { r.printed.stop() }

// drained waits until there are no more goroutines than before, and reports whether that happened within two seconds.
func (r *runner[K, V]) drained(before int) bool {
	for wait := 50 * time.Microsecond; wait < min(time.Second, r.limit); wait *= 2 {
		if runtime.NumGoroutine() <= before {
			return true
		}
		time.Sleep(wait)
	}
	return runtime.NumGoroutine() <= before
}

// do runs one check and reports to t, if there is one.
func (r *runner[K, V]) do(t *testing.T, c check[K, V]) {
	if t != nil {
		t.Helper()
	}
	r.t, r.rule = t, c.rule
	res := Result{ID: c.rule, Case: c.name, Text: ruleText(c.rule), Outcome: Pass}
	start := time.Now()
	if c.skip != nil {
		if why := c.skip(r); why != "" {
			res.Outcome, res.Why = NotApplicable, why
		}
	}
	if res.Outcome != NotApplicable {
		r.judge(&res, r.try(c))
	}
	res.Millis = millis(time.Since(start))
	r.report.Checks = append(r.report.Checks, res)
	if t == nil {
		return
	}
	t.Attr("conformance.id", res.Name())
	t.Attr("conformance.outcome", string(res.Outcome))
	switch res.Outcome {
	case Fail:
		t.Error(res.Detail)
	case Deviates:
		t.Logf("known deviation: %s", res.Why)
	case Weak:
		t.Logf("weak: %s", res.Why)
	case NotApplicable:
		t.Skipf("n/a: %s", res.Why)
	}
}

// try runs c. It runs c again if a real-time check had no result because the machine was too slow.
func (r *runner[K, V]) try(c check[K, V]) *fault {
	printed, sizeFaults := r.printed.count(), len(r.sizeFaults)
	defer func() {
		for _, sizeFault := range r.sizeFaults[sizeFaults:] {
			sizeFault.hint = "seen in the check " + c.id()
		}
	}()
	var f *fault
	for scale := range 4 {
		if c.free != nil {
			f = asFault(c.free(r))
		} else {
			f = r.sessionAt(1<<scale, Options{Capacity: c.capacity}, c.run)
		}
		if f == nil || f.kind != unclear {
			break
		}
	}
	if f != nil && f.kind == leaked {
		r.leaks = append(r.leaks, c.id())
		f = nil
	}
	if f != nil && f.hint == "" && r.zeroHoldsNothing && c.capacity == 0 {
		f.hint = "Options.Capacity = 0 asks for ample room, but the backend stores nothing: " +
			"let New choose a capacity"
	}
	if f == nil && r.t != nil && r.t.Failed() {
		f = &fault{kind: raced, what: "the race detector reported a data race; its report is above"}
	}
	if f == nil && r.printed.count() != printed {
		f = &fault{
			what: "the backend wrote to standard output or standard error",
			want: "no output: a library must leave both to the program",
		}
	}
	return f
}

// judge turns the fault of a check into its outcome.
func (r *runner[K, V]) judge(res *Result, f *fault) {
	i := slices.IndexFunc(r.subject.Known, func(d Deviation) bool { return d.Check == res.ID || d.Check == res.Name() })
	switch {
	case f != nil && f.kind == unclear:
		res.Outcome, res.Why = Weak, f.what
	case f != nil && i >= 0:
		res.Outcome, res.Why, res.Link = Deviates, r.subject.Known[i].Why, r.subject.Known[i].Link
		res.Detail = f.message(res.Name(), res.Text)
	case f != nil:
		res.Outcome, res.Why = Fail, f.what
		res.Detail = f.message(res.Name(), res.Text)
	case i >= 0 && r.subject.Known[i].Check == res.Name():
		res.Outcome, res.Why = Fail, "it is listed in Subject.Known but passes: remove it from the list"
		res.Detail = res.Name() + ": " + res.Why
	}
}

// finish returns the report, with the checks in the order of the contract.
func (r *runner[K, V]) finish() Report {
	slices.SortStableFunc(r.report.Checks, func(a, b Result) int { return ruleRank(a.ID) - ruleRank(b.ID) })
	r.report.Expected, r.report.Dropped = r.expected, r.dropped
	return r.report
}

// session runs f with a new backend, in a bubble if the subject allows it. It returns the fault, or nil. It returns
// even if f hangs.
func (r *runner[K, V]) session(o Options, f func(p *probe[K, V])) *fault {
	return r.sessionAt(1, o, f)
}

func (r *runner[K, V]) sessionAt(scale int, o Options, f func(p *probe[K, V])) *fault {
	p := &probe[K, V]{r: r, rule: r.rule, ctx: context.Background(), scale: scale, opts: o, model: map[K]*cell[V]{}}
	p.lossy = o.Capacity > 0 && r.traits.Bound == backend.BoundApproximate // of one shard there may be too many keys
	p.hurry = new(atomic.Bool)
	defer time.AfterFunc(r.limit/3, func() { p.hurry.Store(true) }).Stop() // in real time
	done, overtime := make(chan struct{}), make(chan struct{})
	finished, t := false, r.t
	if t == nil {
		t = new(testing.T) // a fault is a value here and never fails a test
	}
	var crash any
	go func() {
		defer close(done)
		defer func() { crash = recover() }()
		if r.bubble {
			synctest.Test(t, func(*testing.T) {
				stop := make(chan struct{})
				defer close(stop)
				go guardTime(stop, overtime)
				p.live(f)
			})
		} else {
			p.live(f)
		}
		finished = true
	}()
	watchdog := time.NewTimer(r.limit)
	defer watchdog.Stop()
	select {
	case <-done:
	case <-overtime:
		if f := p.first.Load(); f != nil {
			return f
		}
		return &fault{kind: hung, what: "the backend deadlocked: no goroutine can continue", stack: stacks()}
	case <-watchdog.C:
		limit := r.limit
		r.limit = min(limit, max(limit/4, time.Second)) // a backend that hangs once probably hangs again
		if f := p.first.Load(); f != nil {
			return f
		}
		return overran(limit)
	}
	r.expected, r.dropped = r.expected+p.expected, r.dropped+p.dropped
	if p.sizeFault != nil {
		r.sizeFaults = append(r.sizeFaults, p.sizeFault)
	}
	switch text := fmt.Sprint(crash); {
	case p.fault != nil:
		return p.fault
	case crash != nil && strings.Contains(text, "blocked goroutines remain"):
		return &fault{kind: leaked, what: "goroutines remained after Close"}
	case crash != nil && strings.HasPrefix(text, "deadlock"):
		return p.newFault(hung, "the backend deadlocked: every goroutine waits for another", "")
	case crash != nil:
		return p.newFault(panicked, "panic: "+text, "")
	case !finished:
		return p.newFault(raced, "the race detector reported a data race; its report is on standard error", "")
	}
	return nil
}

// watched runs f, which calls the backend outside a session. It returns even if f panics or hangs.
func (r *runner[K, V]) watched(f func() error) error {
	done := make(chan error, 1)
	go func() {
		defer func() {
			if v := recover(); v != nil {
				done <- &fault{kind: panicked, what: fmt.Sprintf("panic: %v", v), stack: panicStack()}
			}
		}()
		done <- f()
	}()
	watchdog := time.NewTimer(r.limit)
	defer watchdog.Stop()
	select {
	case err := <-done:
		return err
	case <-watchdog.C:
		return overran(r.limit)
	}
}

// overran returns the fault of a check that exceeded limit.
func overran(limit time.Duration) *fault {
	return &fault{
		kind: hung, what: fmt.Sprintf("the backend hung: the check did not end within %v", limit), stack: stacks(),
	}
}

// guardTime stops the time of a bubble before it overflows, because an overflow ends the process. Time runs that far if
// everything in the bubble waits for ever.
func guardTime(stop <-chan struct{}, overtime chan<- struct{}) {
	end := time.NewTimer(time.Until(lastMoment.AddDate(1, 0, 0)))
	defer end.Stop()
	select {
	case <-stop:
	case <-end.C:
		close(overtime)
		var mu sync.Mutex
		mu.Lock()
		mu.Lock() // time stands still while a goroutine waits for a mutex
	}
}

// panicStack returns the stack of the recovered panic, from the panic to the suite's call of the backend.
func panicStack() string {
	all := string(debug.Stack())
	stack := all
	if i := strings.LastIndex(stack, "\npanic("); i >= 0 {
		stack = stack[i+1:]
	}
	own := reflect.TypeFor[fault]().PkgPath() + "."
	if i := strings.Index(stack, "\n"+own); i >= 0 {
		stack = stack[:i]
	}
	if strings.Count(stack, "\n") < 3 { // the panic began in the suite
		return all
	}
	return stack
}

var bubbleNumber = regexp.MustCompile(`^goroutine .*synctest bubble (\d+)`)

// stacks returns the stacks of the goroutines in the newest bubble, or of all if
// there is none.
func stacks() string {
	buf := make([]byte, 4<<20)
	buf = buf[:runtime.Stack(buf, true)]
	var newest []string
	last := 0
	all := strings.Split(string(buf), "\n\n")
	for _, g := range all {
		m := bubbleNumber.FindStringSubmatch(g)
		if m == nil {
			continue
		}
		n, _ := strconv.Atoi(m[1])
		if n > last {
			last, newest = n, nil
		}
		if n == last {
			newest = append(newest, g)
		}
	}
	if newest == nil {
		newest = all
	}
	return strings.Join(newest[:min(len(newest), 20)], "\n\n")
}

package conformance

import (
	"fmt"
	"io"
	"math"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// preflight opens a backend in real time, because some faults in a bubble end the process. It finds the backend's
// traits and optional interfaces, and whether the backend can run in a bubble.
func (r *runner[K, V]) preflight() error {
	r.report = Report{
		Schema: Schema, Subject: r.subject.Name, Key: reflect.TypeFor[K]().String(), Value: reflect.TypeFor[V]().String(),
		Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH, Race: raceEnabled, Only: r.subject.Only,
	}
	before := runtime.NumGoroutine()
	var newErr error
	fault := r.session(Options{}, func(p *probe[K, V]) {
		r.learn(p.b)
		if d, ok := backend.As[backend.Describer](p.b); ok {
			if r.subject.Traits != (backend.Traits{}) && r.subject.Traits != d.Traits() {
				newErr = fmt.Errorf("conformance: Subject.Traits is %+v, but the backend declares %+v",
					r.subject.Traits, d.Traits())
			}
			r.traits = d.Traits()
		}
		r.zeroHoldsNothing = true // unless holdsOne shows otherwise
		r.zeroHoldsNothing = !p.holdsOne()
	})
	if newErr != nil {
		return newErr
	}
	if fault != nil && fault.kind == newFailed {
		return fmt.Errorf("conformance: New failed: %s (Options.Capacity was 0, which asks for ample room)", fault.what)
	}
	holds := false
	if fault := r.session(Options{Capacity: 100}, func(p *probe[K, V]) {
		// Bound and Rejects may depend on whether New got a capacity.
		if d, ok := backend.As[backend.Describer](p.b); ok {
			r.traits.Bound = d.Traits().Bound
			r.traits.Rejects = r.traits.Rejects || d.Traits().Rejects
		}
		holds = p.holdsOne()
	}); fault != nil && fault.kind == newFailed {
		return fmt.Errorf("conformance: New with a capacity of 100 failed: %s", fault.what)
	}
	r.zeroHoldsNothing = r.zeroHoldsNothing && holds
	r.report.Traits = r.traits
	if !r.drained(before) && r.leaksEachTime() {
		r.leaks = append(r.leaks, "a first New, Put, Get and Close")
		r.real = "it leaves goroutines behind"
	}
	if r.subject.RealTime {
		r.real = "Subject.RealTime says so"
	}
	if r.real == "" {
		r.pilot()
	}
	r.bubble = r.real == ""
	r.report.Clock, r.report.ClockWhy = "bubble", r.real
	if !r.bubble {
		r.report.Clock = "real"
	}
	return nil
}

// holdsOne puts an entry and reports whether a Get hits.
func (p *probe[K, V]) holdsOne() bool {
	p.loose = true
	_ = p.b.Put(p.ctx, p.key(0), p.r.values.At(0), new(time.Hour))
	p.cell(p.key(0)).past = []V{p.r.values.At(0)}
	p.settle()
	_, hit, err := p.b.Get(p.ctx, p.key(0))
	return hit && err == nil
}

// leaksEachTime reports whether a further backend leaves a goroutine too. A goroutine that a package starts on first
// use, once for all backends, does not belong to the backend.
func (r *runner[K, V]) leaksEachTime() bool {
	defer func(bubble bool) { r.bubble = bubble }(r.bubble)
	r.bubble = false
	before := runtime.NumGoroutine()
	_ = r.session(Options{}, func(p *probe[K, V]) {
		p.loose = true
		_ = p.b.Put(p.ctx, r.keys.At(0), r.values.At(0), new(time.Hour))
		_, _, _ = p.b.Get(p.ctx, r.keys.At(0))
	})
	return !r.drained(before)
}

// pilot tries a bubble and measures the real cost of fake time.
func (r *runner[K, V]) pilot() {
	limit := r.limit
	r.limit = min(limit, 3*time.Second)
	defer func() { r.limit, r.bubble = limit, false }()
	r.bubble = true
	idle := func(d time.Duration) (*fault, time.Duration) {
		start := time.Now()
		f := r.session(Options{}, func(p *probe[K, V]) {
			p.loose = true
			_ = p.b.Put(p.ctx, r.keys.At(0), r.values.At(0), new(time.Hour))
			time.Sleep(d)
		})
		return f, time.Since(start)
	}
	fault, base := idle(0)
	// A longer fake time makes the measurement more exact. The loop ends as soon as the cost can be measured.
	for d := time.Minute; d < 20*365*24*time.Hour; d *= 8 {
		cost := time.Duration(math.MaxInt64)
		for range 4 { // the minimum, because other programs only add time
			if fault == nil && cost-base >= 5*time.Millisecond {
				var once time.Duration
				fault, once = idle(d)
				cost = min(cost, once)
			}
		}
		if r.minute = float64(cost) / d.Minutes(); fault != nil || cost-base >= 5*time.Millisecond {
			break
		}
	}
	switch {
	case fault == nil:
	case fault.kind == hung && r.leaksEachTime(): // other goroutines may have ended during the count
		r.leaks = append(r.leaks, "a New, Put, Get and Close")
		r.real = "it leaves goroutines behind"
	case fault.kind == hung:
		r.real = "its goroutines wait for something outside the process, so that time does not pass in a bubble"
	case fault.kind == leaked:
		r.leaks = append(r.leaks, "a New, Put and Close")
		r.real = "it leaves goroutines behind"
	}
}

func (r *runner[K, V]) learn(b backend.Backend[K, V]) {
	_, r.has.closer = backend.As[io.Closer](b)
	_, r.has.syncer = backend.As[backend.Syncer](b)
	_, r.has.ranger = backend.As[backend.Ranger[K, V]](b)
	_, r.has.entries = backend.As[backend.EntryGetter[K, V]](b)
	_, r.has.batcher = backend.As[backend.Batcher[K, V]](b)
	_, r.has.describer = backend.As[backend.Describer](b)
	t := reflect.TypeOf(b)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	name, _, _ := strings.Cut(t.String(), "[")
	r.report.Backend = name
	r.report.Variant = r.subject.Variant
	r.report.Module, r.report.Version = moduleOf(t.PkgPath())
	if m := r.subject.Module; m != "" {
		r.report.Module, r.report.Version, _ = strings.Cut(m, "@")
	}
}

// moduleOf returns the module of a package and its version.
func moduleOf(pkg string) (module, version string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "", ""
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path != "" && (pkg == m.Path || strings.HasPrefix(pkg, m.Path+"/")) && len(m.Path) > len(module) {
			module, version = m.Path, m.Version
		}
	}
	return module, version
}

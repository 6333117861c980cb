package conformance

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"
	"testing/synctest"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// A probe is a backend under observation. It records every operation, knows what
// each key may answer, and fails the check at the first answer that the contract
// does not allow, so that a check only has to say what to do.
//
// It also knows the subject's traits: where entries may be refused, a miss is
// counted instead of failed, and where expiry may be late, the probe waits.
type probe[K comparable, V any] struct {
	r     *runner[K, V]
	b     backend.Backend[K, V]
	ctx   context.Context
	opts  Options
	scale int          // of units of real time
	hurry *atomic.Bool // a third of the check's real time is over
	rule  string       // that the check is about
	fault *fault
	first atomic.Pointer[fault] // the fault before Close, which may hang because of it
	stray *fault                // of stats/size, in a check of another rule

	model map[K]*cell[V]
	order []K // the keys of model, as they came
	nvals int
	ops   []op[K, V] // the last ones
	lossy bool       // the check is about capacity: a miss is no fault
	loose bool       // many goroutines used the backend: any value once put is legal
	aside bool       // the check put so much past the model that walking it costs more than it can find

	counting bool // Gets that the check does not make would be counted

	expected, dropped int
	others            []*probe[K, V]
}

// A cell is what is known about one key.
type cell[V any] struct {
	has       bool
	val       V
	put0      time.Time // before and after the Put
	put1      time.Time
	ttl       time.Duration // 0: never
	ended     time.Time     // its deadline, if that is why it is gone
	admitted  bool          // a Get hit since the Put
	past      []V           // values put earlier, newest last
	earlier   time.Time     // the latest deadline of a Put before the last
	forgotten string        // why has is false
}

func (c *cell[V]) alive(now time.Time) bool {
	return c.has && (c.ttl == 0 || now.Before(c.put0.Add(c.ttl)))
}

func (c *cell[V]) dead(now time.Time, late time.Duration) bool {
	return !c.has || c.ttl != 0 && now.After(c.put1.Add(c.ttl).Add(late))
}

// live makes the backend, runs f, audits and closes.
func (p *probe[K, V]) live(f func(p *probe[K, V])) {
	p.guard(func() {
		p.open()
		f(p)
		for _, q := range append(p.others, p) {
			q.audit()
		}
	})
	p.first.Store(p.fault)
	for _, q := range append(p.others, p) {
		p.guard(q.shut)
		if p.stray == nil {
			p.stray = q.stray
		}
	}
}

// guard runs f and keeps the first fault.
func (p *probe[K, V]) guard(f func()) {
	defer func() {
		switch v := recover().(type) {
		case nil:
		case *fault:
			if p.fault == nil {
				p.fault = v
			}
		default:
			if p.fault == nil {
				p.fault = p.newFault(panicked, fmt.Sprintf("panic: %v", v), "")
				p.fault.stack = panicStack()
			}
		}
	}()
	f()
}

func (p *probe[K, V]) open() {
	b, err := p.r.subject.New(p.opts)
	if err != nil {
		panic(&fault{kind: newFailed, what: err.Error()})
	}
	if v := reflect.ValueOf(b); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		panic(&fault{kind: newFailed, what: "it returned a nil backend and no error"})
	}
	p.b = b
}

// another returns a second backend beside p's, empty and closed with it.
func (p *probe[K, V]) another() *probe[K, V] {
	q := &probe[K, V]{r: p.r, ctx: p.ctx, opts: p.opts, scale: p.scale, lossy: p.lossy, rule: p.rule, model: map[K]*cell[V]{}, nvals: p.nvals + 1000}
	q.open()
	p.others = append(p.others, q)
	return q
}

func (p *probe[K, V]) shut() {
	if p.b == nil {
		return
	}
	if err := backend.Close(p.b); err != nil {
		p.failf("Close() = %v", err)("nil")
	}
	p.b = nil
}

// audit looks once more at every key the check used.
func (p *probe[K, V]) audit() {
	if p.b == nil {
		return
	}
	p.settle()
	for _, k := range p.order[:min(len(p.order), 1000)] {
		if p.model[k] != nil {
			p.get(k)
		}
	}
	if most, size := p.atMost(), p.size(); !p.loose && size > most { // in this order: entries may expire meanwhile
		p.missized(fmt.Sprintf("at most %d: no more entries can be live", most), "Stats().Size = %d", size)
	}
	if p.r.has.ranger && !p.aside {
		p.all()
	}
}

// atMost returns how many entries can be counted now.
func (p *probe[K, V]) atMost() int64 {
	n, now := int64(0), time.Now()
	for _, c := range p.model {
		if !c.dead(now, p.lag()) || !c.ended.IsZero() && !now.After(c.ended.Add(p.lag())) {
			n++
		}
	}
	return n
}

// key returns the i'th key.
func (p *probe[K, V]) key(i int) K { return p.r.keys.At(i) }

// val returns a value that no earlier Put of the check used.
func (p *probe[K, V]) val() V {
	p.nvals++
	return p.r.values.At(p.nvals)
}

func (p *probe[K, V]) cell(k K) *cell[V] {
	c := p.model[k]
	if c == nil {
		c = &cell[V]{forgotten: "it was never put"}
		p.model[k] = c
		p.order = append(p.order, k)
	}
	return c
}

// put puts a fresh value that never expires, and returns it.
func (p *probe[K, V]) put(k K) V {
	v := p.val()
	p.putValue(k, v, nil)
	return v
}

// putTTL puts a fresh value with a TTL.
func (p *probe[K, V]) putTTL(k K, ttl time.Duration) V {
	v := p.val()
	p.putValue(k, v, &ttl)
	return v
}

// putValue puts v and fails the check if Put returns an error.
func (p *probe[K, V]) putValue(k K, v V, ttl *time.Duration) {
	if err := p.tryPut(k, v, ttl); err != nil {
		p.failf("Put returned the error %q", err)("nil")
	}
}

// tryPut puts v and returns Put's error. A Put that failed must have removed the
// earlier value.
func (p *probe[K, V]) tryPut(k K, v V, ttl *time.Duration) error {
	before := time.Now()
	err := p.b.Put(p.ctx, k, v, ttl)
	p.flushed(&err)
	o := op[K, V]{kind: opPut, key: k, val: v, err: err}
	if ttl != nil {
		o.ttl = new(*ttl)
	}
	p.note(o)
	c := p.cell(k)
	if c.has {
		c.past = append(c.past, c.val)
	}
	earlier := c.earlier
	if end := c.put1.Add(c.ttl); c.ttl > 0 && end.After(earlier) {
		earlier = end
	}
	*c = cell[V]{has: true, val: v, put0: before, put1: time.Now(), past: c.past, earlier: earlier}
	switch {
	case err != nil:
		c.has, c.forgotten = false, "the Put that should replace it failed"
	case ttl == nil:
	case *ttl <= 0:
		c.has, c.forgotten = false, endedAtOnce
		c.past = append(c.past, v)
	default:
		c.ttl = *ttl
	}
	return err
}

const endedAtOnce = "its TTL was not positive"

// get gets k and fails the check unless the answer is one that the contract
// allows.
func (p *probe[K, V]) get(k K) (V, bool) {
	before := time.Now()
	v, hit, err := p.b.Get(p.ctx, k)
	after := time.Now()
	p.note(op[K, V]{kind: opGet, key: k, val: v, hit: hit, err: err})
	if err != nil {
		p.failf("Get(%s) returned the error %q", show(k), err)("a hit or a miss, and no error")
	}
	c := p.cell(k)
	if hit {
		p.expected++
		c.admitted = true
	}
	switch {
	case !hit:
		p.missed(k, c, v, after)
	case p.loose:
		if !p.known(c, v) {
			p.wrong(k, c, v)("a value that was put under this key, or a miss")
		}
	case !c.has:
		p.wrong(k, c, v)("a miss: %s", c.forgotten)
	case c.dead(before, p.r.traits.Lateness):
		p.failf("Get(%s) = hit %s, %v after its deadline", show(k), show(v), before.Sub(c.put1.Add(c.ttl)))("a miss: its TTL of %v has passed%s", c.ttl, lateText(p.r.traits.Lateness))
	case !p.r.values.Equal(v, c.val):
		p.wrong(k, c, v)("hit %s", show(c.val))
	}
	return v, hit
}

func lateText(late time.Duration) string {
	if late == 0 {
		return ""
	}
	return fmt.Sprintf(", and so have the %v that it may be late", late)
}

func (p *probe[K, V]) missed(k K, c *cell[V], v V, now time.Time) {
	if !reflect.ValueOf(&v).Elem().IsZero() {
		p.failf("Get(%s) = %s, false", show(k), show(v))("the zero value with a miss")
	}
	if !p.loose && c.alive(now) {
		p.expected++
		switch {
		case p.lossy:
		case !p.r.traits.Refuses:
			p.lost(k, c, now)("hit %s", show(c.val))
		case p.roomy() && c.admitted:
			p.lost(k, c, now)("hit %s: what was not refused stays while nothing needs its room", show(c.val))
		default:
			p.dropped++
			if p.roomy() {
				p.insist(k, c)
			}
		}
	}
	ended := c.ended
	if c.has && c.ttl != 0 && !c.alive(now) {
		ended = c.put1.Add(c.ttl)
	}
	c.lose("it was dropped, and what was dropped must not come back")
	c.ended = ended // it may still be counted for a while
}

// roomy reports whether the subject has room for all that the check puts, so that
// an admission policy has no reason to refuse any of it.
func (p *probe[K, V]) roomy() bool { return p.opts.Capacity == 0 && !p.lossy && !p.loose }

// insist puts again what was refused, until it is kept or that is no admission
// policy's doing, and removes it.
func (p *probe[K, V]) insist(k K, c *cell[V]) {
	var ttl *time.Duration
	if c.ttl > 0 {
		ttl = new(c.ttl)
	}
	for range 5 {
		err := p.b.Put(p.ctx, k, c.val, ttl)
		p.flushed(&err)
		p.note(op[K, V]{kind: opPut, key: k, val: c.val, ttl: ttl, err: err})
		p.background()
		v, hit, getErr := p.b.Get(p.ctx, k)
		p.note(op[K, V]{kind: opGet, key: k, val: v, hit: hit, err: getErr})
		if hit || err != nil || getErr != nil {
			err := p.b.Invalidate(p.ctx, new(k))
			p.flushed(&err)
			p.note(op[K, V]{kind: opInvalidate, key: k, err: err})
			return
		}
	}
	p.failf("Get(%s) = miss, after each of five Puts", show(k))("hit %s: nothing needs room, so that an admission policy has no reason to refuse", show(c.val))
}

// survey finds out which entries were not refused, before something happens that
// must not remove them.
func (p *probe[K, V]) survey() {
	if p.surveyed() && !p.counting {
		p.look(func(c *cell[V]) bool { return !c.admitted })
	}
}

// surveyed reports whether entries may be refused, and which were can be found out
// by looking.
func (p *probe[K, V]) surveyed() bool {
	return p.r.traits.Refuses && p.roomy() && len(p.model) <= 64
}

// look gets the live entries that f names.
func (p *probe[K, V]) look(f func(c *cell[V]) bool) {
	for _, k := range p.order {
		if c := p.model[k]; c != nil && c.alive(time.Now()) && f(c) {
			p.get(k)
		}
	}
}

func (c *cell[V]) lose(why string) {
	if c.has {
		c.has, c.forgotten, c.past = false, why, append(c.past, c.val)
	}
	c.ended = time.Time{}
}

// lost fails the check because a live entry was not found, and looks for the
// cause.
func (p *probe[K, V]) lost(k K, c *cell[V], now time.Time) func(want string, args ...any) {
	f := p.newFault(broke, fmt.Sprintf("Get(%s) = miss", show(k)), "")
	p.background()
	if v, hit, err := p.b.Get(p.ctx, k); err == nil && hit {
		if p.r.values.Equal(v, c.val) {
			f.hint = "a moment later the value was there: the write is asynchronous. Wait for it in Put, or declare Traits.NeedsFlush and implement backend.Flusher"
		} else {
			f.hint = "a moment later an earlier value was there: the last write was rejected while the one before it was still queued"
		}
	} else if !c.earlier.IsZero() && now.After(c.earlier) {
		f.hint = "the TTL of an earlier Put of the key has ended: neither its deadline nor its timer may outlive the Put that replaces the entry, or its removal"
	} else if c.ttl != 0 {
		f.hint = fmt.Sprintf("%v of its TTL of %v had passed", now.Sub(c.put0), c.ttl)
	} else if err := p.b.Put(p.ctx, k, c.val, nil); err == nil {
		p.background()
		if _, hit, _ := p.b.Get(p.ctx, k); hit {
			f.hint = "a second Put of the same key was kept: the first was dropped, removed later, or refused"
		}
	}
	return func(want string, args ...any) {
		f.want = fmt.Sprintf(want, args...)
		panic(f)
	}
}

// wrong fails the check because of the value v, and says where it came from.
func (p *probe[K, V]) wrong(k K, c *cell[V], v V) func(want string, args ...any) {
	f := p.newFault(broke, fmt.Sprintf("Get(%s) = hit %s", show(k), show(v)), "")
	for _, old := range c.past {
		if p.r.values.Equal(v, old) {
			f.hint = "the value was put earlier under the same key and has been replaced or removed since"
		}
	}
	if n := len(c.past); !c.has && c.forgotten == endedAtOnce && n > 0 && p.same(v, c.past[n-1]) {
		f.hint = "a TTL of zero or less was taken for none, or for a default: such a Put must remove the entry"
	}
	for other, o := range p.model {
		if other != k && o.val1(p, v) && f.hint == "" {
			f.hint = fmt.Sprintf("the value belongs to the key %s: the two keys collide", show(other))
		}
	}
	return func(want string, args ...any) {
		f.want = fmt.Sprintf(want, args...)
		panic(f)
	}
}

// val1 reports whether v is or was the value of c.
func (c *cell[V]) val1(p interface{ same(a, b V) bool }, v V) bool {
	if c.has && p.same(c.val, v) {
		return true
	}
	for _, old := range c.past {
		if p.same(old, v) {
			return true
		}
	}
	return false
}

func (p *probe[K, V]) same(a, b V) bool { return p.r.values.Equal(a, b) }

func (p *probe[K, V]) known(c *cell[V], v V) bool { return c.val1(p, v) }

// hit gets k, which must be there unless an admission policy refused it.
func (p *probe[K, V]) hit(k K) {
	c := p.cell(k)
	if !c.has && !p.lossy && !p.r.traits.Refuses {
		panic("conformance: check expects a hit of a key it did not put")
	}
	p.get(k)
}

// miss gets k, which must not be there. If an entry may still be alive, it waits
// for its end.
func (p *probe[K, V]) miss(k K) {
	c := p.cell(k)
	if c.has && c.ttl == 0 {
		panic("conformance: check expects a miss of a key that is there")
	}
	for !c.dead(time.Now(), p.r.traits.Lateness) {
		p.sleep(max(time.Until(c.put1.Add(c.ttl).Add(p.r.traits.Lateness)), 0) + p.tick())
	}
	p.get(k)
}

// invalidate removes k.
func (p *probe[K, V]) invalidate(k K) {
	p.survey()
	given := k
	err := p.b.Invalidate(p.ctx, &given)
	p.flushed(&err)
	p.note(op[K, V]{kind: opInvalidate, key: k, err: err})
	if err != nil {
		p.failf("Invalidate(%s) = %v", show(k), err)("nil")
	}
	p.cell(k).lose("it was invalidated")
}

// clear removes every entry.
func (p *probe[K, V]) clear() {
	err := p.b.Invalidate(p.ctx, nil)
	p.flushed(&err)
	p.note(op[K, V]{kind: opClear, err: err})
	if err != nil {
		p.failf("Invalidate(nil) = %v", err)("nil")
	}
	for _, c := range p.model {
		c.lose("every entry was invalidated")
	}
}

func (p *probe[K, V]) flushed(err *error) {
	if !p.r.traits.NeedsFlush {
		return
	}
	if failed := backend.Flush(p.ctx, p.b); *err == nil { // what a Put that fails removes is a write, too
		*err = failed
	}
}

// stats returns Stats and fails the check on an error or a negative size.
func (p *probe[K, V]) stats() backend.Stats {
	s, err := p.b.Stats(p.ctx)
	p.note(op[K, V]{kind: opStats, size: s.Size, err: err})
	if err != nil {
		p.failf("Stats returned the error %q", err)("nil")
	}
	if s.Size < 0 {
		p.failf("Stats().Size = %d", s.Size)("0 or more")
	}
	return s
}

func (p *probe[K, V]) size() int64 { return p.stats().Size }

// wantSize checks Size against the number of live entries.
func (p *probe[K, V]) wantSize(want int64) {
	p.survey()
	got, exact := p.size(), !p.lossy && !p.r.traits.Refuses
	if got < want && p.surveyed() { // unless some were refused
		p.look(func(*cell[V]) bool { return true })
		exact = p.dropped == 0 && p.size() == got
	}
	if got > want || got < want && exact {
		p.missized(fmt.Sprint(want), "Stats().Size = %d", got)
	}
}

// missized fails a check of stats/size. In a check of another rule it only
// remembers the fault, for a check of that rule to report: one wrong number must
// not make every rule look broken.
func (p *probe[K, V]) missized(want, what string, args ...any) {
	f := p.newFault(broke, fmt.Sprintf(what, args...), want)
	if p.rule == "stats/size" {
		panic(f)
	}
	if p.stray == nil {
		p.stray = f
	}
}

// all lists the backend and fails the check if an entry may not be there.
func (p *probe[K, V]) all() map[K]V {
	seq, err := backend.All(p.b)
	if err != nil {
		p.failf("All returned the error %q", err)("nil: the backend implements Ranger")
	}
	got := map[K]V{}
	now := time.Now()
	for k, v := range seq {
		if _, twice := got[k]; twice {
			p.failf("All yielded %s twice", show(k))("each key once")
		}
		got[k] = v
		c := p.cell(k)
		switch {
		case p.loose:
		case !c.has:
			p.failf("All yielded %s", show(k))("not this key: %s", c.forgotten)
		case c.dead(now, p.r.traits.Lateness):
			p.failf("All yielded %s, which expired %v ago", show(k), now.Sub(c.put1.Add(c.ttl)))("only live entries")
		case !p.same(c.val, v):
			p.failf("All yielded %s with %s", show(k), show(v))("%s", show(c.val))
		}
	}
	return got
}

// settle lets buffered writes and background work finish.
func (p *probe[K, V]) settle() {
	if err := backend.Flush(p.ctx, p.b); err != nil {
		p.failf("Flush() = %v", err)("nil")
	}
	p.background()
}

// background lets other goroutines run until they wait.
func (p *probe[K, V]) background() {
	if p.r.bubble {
		synctest.Wait()
	} else {
		time.Sleep(time.Millisecond)
	}
}

// unit is the TTL with which checks work: any length in a bubble, short in real
// time.
func (p *probe[K, V]) unit() time.Duration {
	if p.r.bubble {
		return time.Minute + 4*p.lag()
	}
	return time.Duration(p.scale)*40*time.Millisecond + 2*p.lag()
}

// tick is the smallest step past a deadline.
func (p *probe[K, V]) tick() time.Duration {
	if p.r.bubble {
		return 1
	}
	return time.Millisecond
}

// affords reports whether the check may let d pass.
func (p *probe[K, V]) affords(d time.Duration) bool {
	if !p.r.bubble {
		return d <= 250*time.Millisecond
	}
	if d > time.Until(lastMoment) {
		return false
	}
	return p.r.minute*d.Minutes() < float64(50*time.Millisecond)
}

// lastMoment is before fake time overflows, which would end the process: the
// runtime counts it in nanoseconds since 1970.
var lastMoment = time.Date(2260, 1, 1, 0, 0, 0, 0, time.UTC)

// hurried reports whether the check should come to an end: the backend is slow,
// as one behind a network is.
func (p *probe[K, V]) hurried() bool { return p.hurry != nil && p.hurry.Load() }

// sleep lets d pass.
func (p *probe[K, V]) sleep(d time.Duration) {
	p.survey()
	p.note(op[K, V]{kind: opSleep, d: d})
	time.Sleep(d)
}

// nearDeadline sleeps until shortly before the deadline of k, to the nanosecond
// in a bubble.
func (p *probe[K, V]) nearDeadline(k K) {
	c := p.cell(k)
	deadline := c.put0.Add(c.ttl)
	if p.r.bubble {
		p.sleep(time.Until(deadline) - 1)
		return
	}
	p.sleep(max(time.Until(deadline)-c.ttl/4, 0))
}

// alive checks that k, whose deadline is near, is still there. In real time the
// answer may come too late to tell; then the check starts again, slower.
func (p *probe[K, V]) alive(k K) {
	p.get(k)
	if c := p.cell(k); !p.lossy && !p.r.traits.Refuses && !c.alive(time.Now()) {
		panic(&fault{kind: unclear, what: "the machine was too slow to look before a deadline in real time"})
	}
}

// note records an operation.
func (p *probe[K, V]) note(o op[K, V]) {
	const keep = 12
	if len(p.ops) == 2*keep {
		p.ops = append(p.ops[:0], p.ops[keep:]...)
	}
	p.ops = append(p.ops, o)
}

func (p *probe[K, V]) newFault(k kind, what, want string) *fault {
	f := &fault{kind: k, what: what, want: want}
	for _, o := range p.ops[max(0, len(p.ops)-12):] {
		f.done = append(f.done, o.String())
	}
	return f
}

// failf ends the check. What came back is given first, then what was due:
//
//	p.failf("Get = %v", v)("a miss")
func (p *probe[K, V]) failf(what string, args ...any) func(want string, args ...any) {
	f := p.newFault(broke, fmt.Sprintf(what, args...), "")
	return func(want string, args ...any) {
		f.want = fmt.Sprintf(want, args...)
		panic(f)
	}
}

// hinted ends the check like failf, with a hint.
func (p *probe[K, V]) hinted(hint, want, what string, args ...any) {
	f := p.newFault(broke, fmt.Sprintf(what, args...), want)
	f.hint = hint
	panic(f)
}

// show prints a key or value in a few characters.
func show(v any) string {
	s := literal(v)
	switch v := v.(type) {
	case string:
		s = fmt.Sprintf("%q", v[:min(len(v), 60)])
		if len(v) > 60 {
			s += fmt.Sprintf("… (%d bytes)", len(v))
		}
		return s
	case []byte:
		if v != nil {
			s = fmt.Sprintf("[]byte(%q)", v[:min(len(v), 60)])
		}
		if len(v) > 60 {
			s += fmt.Sprintf("… (%d bytes)", len(v))
		}
		return s
	}
	if len(s) > 120 {
		s = strings.ToValidUTF8(s[:120], "") + "…"
	}
	return s
}

// literal prints a value as Go code that has its type even where any is due.
func literal(v any) string {
	t := reflect.TypeOf(v)
	switch {
	case t == nil:
		return "nil"
	case t == reflect.TypeFor[int](), t == reflect.TypeFor[bool](), t == reflect.TypeFor[string]():
	case t.Kind() == reflect.Float64 || t.Kind() == reflect.Float32:
		return fmt.Sprintf("%T(%v)", v, v)
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Uintptr:
		return fmt.Sprintf("%T(%d)", v, v)
	case t.Kind() == reflect.String:
		return fmt.Sprintf("%T(%q)", v, v)
	}
	return fmt.Sprintf("%#v", v)
}

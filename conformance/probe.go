package conformance

import (
	"context"
	"fmt"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// A probe is a backend under test. It records every operation, knows the legal answers for each key, and fails the
// check at the first illegal answer. A check therefore only has to make calls.
//
// The probe also applies the subject's traits: if entries may be rejected, it counts a miss instead of failing; if
// entries may expire late, it waits.
type probe[K comparable, V any] struct {
	r         *runner[K, V]
	b         backend.Backend[K, V]
	ctx       context.Context
	opts      Options
	scale     int          // of units of real time
	hurry     *atomic.Bool // a third of the check's real time is over
	rule      string       // that the check is about
	fault     *fault
	first     atomic.Pointer[fault] // the fault before Close, because Close may then hang
	sizeFault *fault                // of stats/size, in a check of another rule

	model map[K]*cell[V]
	order []K // the keys of model in the order of their first use
	nvals int
	ops   []op[K, V] // the last operations
	lossy bool       // the check is about capacity, so a miss is legal
	loose bool       // many goroutines used the backend, so any earlier value is legal
	aside bool       // the check put so much past the model that walking it costs more than it can find

	counting bool // Gets that the check does not make would be counted

	expected, dropped int
	others            []*probe[K, V]
}

// A cell is the model of one key.
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

// renew records that a Put, which began at before, stored v.
func (c *cell[V]) renew(v V, before time.Time) {
	if c.has {
		c.past = append(c.past, c.val)
	}
	earlier := c.earlier
	if end := c.put1.Add(c.ttl); c.ttl > 0 && end.After(earlier) {
		earlier = end
	}
	*c = cell[V]{has: true, val: v, put0: before, put1: time.Now(), past: c.past, earlier: earlier}
}

// live opens the backend, runs f, audits the backend and closes it.
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
		if p.sizeFault == nil {
			p.sizeFault = q.sizeFault
		}
	}
}

// guard runs f and records the first fault.
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

// another returns a second, empty backend. It is closed together with the backend of p.
func (p *probe[K, V]) another() *probe[K, V] {
	q := &probe[K, V]{
		r: p.r, ctx: p.ctx, opts: p.opts, scale: p.scale, lossy: p.lossy, rule: p.rule,
		model: map[K]*cell[V]{}, nvals: p.nvals + 1000,
	}
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

// audit reads every key of the check once more.
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

// atMost returns the largest legal Size.
func (p *probe[K, V]) atMost() int64 {
	n, now := int64(0), time.Now()
	for _, c := range p.model {
		if !c.dead(now, p.lag()) || !c.ended.IsZero() && !now.After(c.ended.Add(p.lag())) {
			n++
		}
	}
	return n
}

// atLeast returns the smallest legal Size.
func (p *probe[K, V]) atLeast() int64 {
	if p.lossy || p.r.traits.Rejects {
		return 0
	}
	return p.liveEntries()
}

// liveEntries returns the number of entries that have not expired.
func (p *probe[K, V]) liveEntries() int64 {
	n, now := int64(0), time.Now()
	for _, c := range p.model {
		if c.alive(now) {
			n++
		}
	}
	return n
}

// key returns the i'th key.
func (p *probe[K, V]) key(i int) K { return p.r.keys.At(i) }

// val returns a value that the check has not put before.
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

// put puts a new value that never expires, and returns it.
func (p *probe[K, V]) put(k K) V {
	v := p.val()
	p.putValue(k, v, nil)
	return v
}

// putTTL puts a new value with a TTL.
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

// tryPut puts v and returns the error of Put. A Put that fails must remove the earlier value.
func (p *probe[K, V]) tryPut(k K, v V, ttl *time.Duration) error {
	before := time.Now()
	err := p.b.Put(p.ctx, k, v, ttl)
	p.synced(&err)
	o := op[K, V]{kind: opPut, key: k, val: v, err: err}
	if ttl != nil {
		o.ttl = new(*ttl)
	}
	p.note(o)
	c := p.cell(k)
	c.renew(v, before)
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

// hit gets k, which must be a hit unless an admission policy has rejected it.
func (p *probe[K, V]) hit(k K) {
	c := p.cell(k)
	if !c.has && !p.lossy && !p.r.traits.Rejects {
		panic("conformance: check expects a hit of a key it did not put")
	}
	p.get(k)
}

// miss gets k, which must be a miss. If the entry may still be live, miss waits for its end.
func (p *probe[K, V]) miss(k K) {
	c := p.cell(k)
	if c.has && c.ttl == 0 {
		panic("conformance: check expects a miss of a key that is there")
	}
	for !c.dead(time.Now(), p.r.traits.ExpiryLag) {
		p.sleep(max(time.Until(c.put1.Add(c.ttl).Add(p.r.traits.ExpiryLag)), 0) + p.tick())
	}
	p.get(k)
}

// invalidate removes k.
func (p *probe[K, V]) invalidate(k K) {
	p.survey()
	given := k
	err := p.b.Invalidate(p.ctx, &given)
	p.synced(&err)
	p.note(op[K, V]{kind: opInvalidate, key: k, err: err})
	if err != nil {
		p.failf("Invalidate(%s) = %v", show(k), err)("nil")
	}
	p.cell(k).lose("it was invalidated")
}

// clear removes every entry.
func (p *probe[K, V]) clear() {
	err := p.b.Invalidate(p.ctx, nil)
	p.synced(&err)
	p.note(op[K, V]{kind: opClear, err: err})
	if err != nil {
		p.failf("Invalidate(nil) = %v", err)("nil")
	}
	for _, c := range p.model {
		c.lose("every entry was invalidated")
	}
}

func (p *probe[K, V]) synced(err *error) {
	if !p.r.traits.NeedsSync {
		return
	}
	if failed := backend.Sync(p.ctx, p.b); *err == nil { // the removal by a failed Put is a write too
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
	got, exact := p.size(), !p.lossy && !p.r.traits.Rejects
	if got < want && p.surveyed() { // unless some Puts were rejected
		p.look(func(*cell[V]) bool { return true })
		exact = p.dropped == 0 && p.size() == got
	}
	if got < want && exact && !p.r.bubble && !p.loose && p.liveEntries() < want {
		panic(tooSlow("the machine, or Stats,", "count entries"))
	}
	if got > want || got < want && exact {
		p.missized(fmt.Sprint(want), "Stats().Size = %d", got)
	}
}

// missized fails a check of stats/size. In a check of another rule it records the fault, and a check of stats/size
// reports it. One wrong number then does not make every rule fail.
func (p *probe[K, V]) missized(want, what string, args ...any) {
	f := p.newFault(broke, fmt.Sprintf(what, args...), want)
	if p.rule == "stats/size" {
		panic(f)
	}
	if p.sizeFault == nil {
		p.sizeFault = f
	}
}

// all lists the backend and fails the check if a listed entry is illegal.
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
		case c.dead(now, p.r.traits.ExpiryLag):
			p.failf("All yielded %s, which expired %v ago", show(k), now.Sub(c.put1.Add(c.ttl)))("only live entries")
		case !p.same(c.val, v):
			p.failf("All yielded %s with %s", show(k), show(v))("%s", show(c.val))
		}
	}
	return got
}

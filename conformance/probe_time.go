package conformance

import (
	"testing/synctest"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// settle lets buffered writes and background work finish.
func (p *probe[K, V]) settle() {
	if err := backend.Sync(p.ctx, p.b); err != nil {
		p.failf("Sync() = %v", err)("nil")
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

// unit is the usual TTL of a check. It is short in real time.
func (p *probe[K, V]) unit() time.Duration {
	if p.r.bubble {
		return time.Minute + 4*p.lag()
	}
	return time.Duration(p.scale)*40*time.Millisecond + 2*p.lag()
}

// tick is the shortest sleep after which a deadline has surely passed.
func (p *probe[K, V]) tick() time.Duration {
	if p.r.bubble {
		return 1
	}
	return time.Millisecond
}

// affords reports whether the check may sleep for d.
func (p *probe[K, V]) affords(d time.Duration) bool {
	if !p.r.bubble {
		return d <= 250*time.Millisecond
	}
	if d > time.Until(lastMoment) {
		return false
	}
	return p.r.minute*d.Minutes() < float64(50*time.Millisecond)
}

// lastMoment is before the fake time overflows. An overflow would end the process,
// because the runtime counts nanoseconds since 1970 in an int64.
var lastMoment = time.Date(2260, 1, 1, 0, 0, 0, 0, time.UTC)

// hurried reports whether the check should end soon, because the backend is slow.
func (p *probe[K, V]) hurried() bool { return p.hurry != nil && p.hurry.Load() }

// sleep sleeps for d and records it.
func (p *probe[K, V]) sleep(d time.Duration) {
	p.survey()
	p.note(op[K, V]{kind: opSleep, d: d})
	time.Sleep(d)
}

// nearDeadline sleeps until shortly before the deadline of k: in a bubble, until
// one nanosecond before it.
func (p *probe[K, V]) nearDeadline(k K) {
	c := p.cell(k)
	deadline := c.put0.Add(c.ttl)
	if p.r.bubble {
		p.sleep(time.Until(deadline) - 1)
		return
	}
	p.sleep(max(time.Until(deadline)-c.ttl/4, 0))
}

// alive checks that a Get of k hits shortly before its deadline. In real time the
// answer may come after the deadline. The check then runs again with longer TTLs.
func (p *probe[K, V]) alive(k K) {
	p.get(k)
	if c := p.cell(k); !p.lossy && !p.r.traits.Rejects && !c.alive(time.Now()) {
		panic(tooSlow("the machine", "look"))
	}
}

// tooSlow is the fault of a check in real time that has no result, because a
// deadline passed too early.
func tooSlow(who, what string) *fault {
	return &fault{kind: unclear, what: who + " was too slow to " + what + " before a deadline in real time"}
}

package conformance

import (
	"fmt"
	"reflect"
	"time"
)

// get gets k and fails the check if the contract does not allow the answer.
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
	case c.dead(before, p.r.traits.ExpiryLag):
		p.failf("Get(%s) = hit %s, %v after its deadline", show(k), show(v), before.Sub(c.put1.Add(c.ttl)))(
			"a miss: its TTL of %v has passed%s", c.ttl, lateText(p.r.traits.ExpiryLag))
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
		case !p.r.traits.Rejects:
			p.lost(k, c, now)("hit %s", show(c.val))
		case p.holdsAll() && c.admitted:
			p.lost(k, c, now)("hit %s: an entry that was not rejected stays while the backend is not full", show(c.val))
		default:
			p.dropped++
			if p.holdsAll() {
				p.insist(k, c)
			}
		}
	}
	ended := c.ended
	if c.has && c.ttl != 0 && !c.alive(now) {
		ended = c.put1.Add(c.ttl)
	}
	c.lose("the entry was lost, and a lost entry must not come back")
	c.ended = ended // Size may include it for a while
}

// holdsAll reports whether the capacity is larger than the number of entries of the check. An admission policy then
// has no reason to reject a Put.
func (p *probe[K, V]) holdsAll() bool { return p.opts.Capacity == 0 && !p.lossy && !p.loose }

// insist puts a rejected entry again until the backend keeps it, and then removes it. It fails if the backend rejects
// the entry too often.
func (p *probe[K, V]) insist(k K, c *cell[V]) {
	var ttl *time.Duration
	if c.ttl > 0 {
		ttl = new(c.ttl)
	}
	for range 5 {
		err := p.b.Put(p.ctx, k, c.val, ttl)
		p.synced(&err)
		p.note(op[K, V]{kind: opPut, key: k, val: c.val, ttl: ttl, err: err})
		p.background()
		v, hit, getErr := p.b.Get(p.ctx, k)
		p.note(op[K, V]{kind: opGet, key: k, val: v, hit: hit, err: getErr})
		if hit || err != nil || getErr != nil {
			err := p.b.Invalidate(p.ctx, new(k))
			p.synced(&err)
			p.note(op[K, V]{kind: opInvalidate, key: k, err: err})
			return
		}
	}
	p.failf("Get(%s) = miss, after each of five Puts", show(k))(
		"hit %s: the backend is not full, so an admission policy has no reason to reject", show(c.val))
}

// survey reads all entries to learn which were rejected, before calls that must not remove entries.
func (p *probe[K, V]) survey() {
	if p.surveyed() && !p.counting {
		p.look(func(c *cell[V]) bool { return !c.admitted })
	}
}

// surveyed reports whether entries may be rejected, and whether reads can tell which were.
func (p *probe[K, V]) surveyed() bool {
	return p.r.traits.Rejects && p.holdsAll() && len(p.model) <= 64
}

// look gets the live entries that f selects.
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

// lost fails the check because a Get of a live entry missed, and looks for the cause.
func (p *probe[K, V]) lost(k K, c *cell[V], now time.Time) func(want string, args ...any) {
	f := p.newFault(broke, fmt.Sprintf("Get(%s) = miss", show(k)), "")
	p.background()
	if v, hit, err := p.b.Get(p.ctx, k); err == nil && hit {
		if p.r.values.Equal(v, c.val) {
			f.hint = "a second Get, a moment later, hit with the value: the write is asynchronous. " +
				"Wait for it in Put, or declare Traits.NeedsSync and implement backend.Syncer"
		} else {
			f.hint = "a second Get, a moment later, hit with an earlier value: " +
				"the library rejected the last write while the write before it was still queued"
		}
	} else if !c.earlier.IsZero() && now.After(c.earlier) {
		f.hint = "the TTL of an earlier Put of the key has ended: " +
			"forget the deadline and the timer of an entry when it is overwritten or removed"
	} else if c.ttl != 0 {
		f.hint = fmt.Sprintf("%v of its TTL of %v had passed", now.Sub(c.put0), c.ttl)
	} else if err := p.b.Put(p.ctx, k, c.val, nil); err == nil {
		p.background()
		if _, hit, _ := p.b.Get(p.ctx, k); hit {
			f.hint = "a second Put of the same key was stored: the first was dropped, removed later, or rejected"
		}
	}
	return func(want string, args ...any) {
		f.want = fmt.Sprintf(want, args...)
		panic(f)
	}
}

// wrong fails the check because of the wrong value v, and says which Put it came from.
func (p *probe[K, V]) wrong(k K, c *cell[V], v V) func(want string, args ...any) {
	f := p.newFault(broke, fmt.Sprintf("Get(%s) = hit %s", show(k), show(v)), "")
	for _, old := range c.past {
		if p.r.values.Equal(v, old) {
			f.hint = "the value was put earlier under the same key and has been replaced or removed since"
		}
	}
	if n := len(c.past); !c.has && c.forgotten == endedAtOnce && n > 0 && p.same(v, c.past[n-1]) {
		f.hint = "the backend treats a TTL of zero or less as no TTL or as a default: such a Put must remove the entry"
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

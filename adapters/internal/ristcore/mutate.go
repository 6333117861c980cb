package ristcore

import (
	"github.com/cachepact/cachepact/adapters/internal/expiry"
	"github.com/cachepact/cachepact/backend"
)

// replace gives e a new payload, unless e has been dropped. The caller is inside through lane.
func (g *generation[K, V]) replace(e *Entry[K, V], value V, deadline int64, lane *lane) bool {
	old := e.payload.Load()
	if old == nil {
		return false
	}
	p := &payload[V]{value, deadline}
	for !e.payload.CompareAndSwap(old, p) {
		if old = e.payload.Load(); old == nil {
			return false
		}
	}
	if at := due(deadline); at < e.due.Load() {
		g.advance(e)
	}
	if g.cache.release && e.payload.Load() != &e.first && g.gate.rowOf(e.hash).onlyCaller(lane) {
		// Without this the entry would keep its first value in memory. No call reads that value now, and no later
		// call can find it.
		var zero V
		e.first.value = zero
	}
	return true
}

// advance moves e forward in the heap if its deadline is earlier than its due time there.
func (g *generation[K, V]) advance(e *Entry[K, V]) {
	s := g.stripeOf(e.hash)
	s.index.Lock()
	defer s.index.Unlock()
	p := e.payload.Load()
	if p == nil {
		return
	}
	if at := due(p.deadline); at < e.due.Load() {
		g.lower(at) // before another Put can see the new due time and skip this
		s.schedule(e, at)
	}
}

// insert adds an entry for a key that had none when the caller looked. The caller found old, which may be nil, when
// the stripe had had this many inserts.
func (g *generation[K, V]) insert(
	key K, hash uint64, value V, deadline int64, moment *expiry.Reading, old *Entry[K, V], inserts uint64, lane *lane,
) {
	c := g.cache
	if at := g.soonest.Load(); at != never && at <= moment.Now() && g.size() >= c.capacity {
		g.expire() // otherwise the library would evict live entries
	}
	s := g.stripeOf(hash)
	s.insert.Lock()
	if s.inserts.Load() != inserts {
		old = g.peek(hash)
		if old != nil && old.key == key && g.replace(old, value, deadline, lane) {
			s.insert.Unlock()
			return
		}
	}
	if old != nil && g.end(s, old) {
		c.evictions.Add(1) // the entry of another key with the same hash
	}
	e := &Entry[K, V]{key: key, hash: hash, at: -1}
	e.first.value, e.first.deadline = value, deadline
	e.payload.Store(&e.first)
	e.due.Store(never)
	if deadline != expiry.Never {
		s.index.Lock()
		g.lower(deadline)
		s.schedule(e, deadline)
		s.index.Unlock()
	}
	s.cells.add(e)
	s.live++
	sent := g.sent.Add(1) // before a Get can find e, because Invalidate skips a generation to which nothing was sent
	s.bucketOf(hash).link(e, &g.marks)
	s.inserts.Add(1)
	g.send(e)
	e.order = g.sent.Load() // at most this many inserts are in the buffer up to e
	s.insert.Unlock()
	g.backlog.throttle(sent)
	if sent%c.step == 0 {
		g.prune()
	}
}

// end drops e and removes it from the library. It reports whether e was live. The caller holds insert.
func (g *generation[K, V]) end(s *stripe[K, V], e *Entry[K, V]) (live bool) {
	p := s.drop(e)
	if p == nil {
		return false // the code that dropped e makes sure that the library does not keep it
	}
	s.live--
	g.del(e)
	return !g.cache.clock.Expired(p.deadline)
}

// del removes a dropped entry from the library. The caller holds insert.
func (g *generation[K, V]) del(e *Entry[K, V]) {
	if e.order > g.backlog.applied.Load() {
		g.wait()
	}
	g.lib.Del(e)
}

// remove drops the entry of key.
func (c *Cache[K, V]) remove(op string, key K) error {
	if err := c.keys.Check(key); err != nil {
		return c.fail(op, err)
	}
	hash := c.hash(key)
	g, lane := c.enter(hash)
	if lane == nil {
		return c.fail(op, backend.ErrClosed)
	}
	defer lane.leave()
	s := g.stripeOf(hash)
	s.insert.Lock()
	defer s.insert.Unlock()
	if e := g.peek(hash); e != nil && e.key == key {
		g.end(s, e)
	}
	return nil
}

// expire removes all expired entries. It looks at entries only if one is due.
func (g *generation[K, V]) expire() {
	g.sweep.Lock()
	defer g.sweep.Unlock()
	at := g.soonest.Load()
	if at == never {
		return
	}
	now := g.cache.clock.Now()
	if at > now {
		return
	}
	// An entry that is added to a stripe after the loop has passed it lowers soonest again.
	g.soonest.Store(never)
	for i := range g.stripe {
		s := &g.stripe[i]
		if s.next() <= now {
			g.expireStripe(s, now)
		}
		g.lower(s.next())
	}
}

func (g *generation[K, V]) expireStripe(s *stripe[K, V], now int64) {
	s.insert.Lock()
	defer s.insert.Unlock()
	expired := s.expire(now)
	g.cache.expirations.Add(uint64(len(expired)))
	for _, e := range expired {
		// The library may have evicted e without having called the hook yet. Another entry may have the hash by now.
		if g.peek(e.hash) == e {
			g.del(e)
		}
	}
}

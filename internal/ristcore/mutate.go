package ristcore

import "github.com/cachepact/cachepact/backend"

// Applying is the library's Cost hook: the library is about to insert e, and has
// done with the entry before. It returns the cost of e.
func (c *Cache[K, V]) Applying(e *Entry[K, V]) int64 {
	if before := c.last; before != nil {
		s := c.stripeOf(before.hash)
		s.index.Lock()
		s.unlink(before)
		s.index.Unlock()
	}
	c.last = e
	return 1
}

// Evicted is the library's hook for an entry that it has removed.
func (c *Cache[K, V]) Evicted(e *Entry[K, V]) {
	if p, _ := c.stripeOf(e.hash).drop(e); p == nil {
		return
	} else if c.clock.Expired(p.deadline) {
		c.expirations.Add(1)
	} else {
		c.evictions.Add(1)
	}
}

// Rejected is the library's hook for an entry that it has not taken.
func (c *Cache[K, V]) Rejected(e *Entry[K, V]) {
	if p, _ := c.stripeOf(e.hash).drop(e); p != nil {
		c.rejections.Add(1)
	}
}

// find returns the entry of a hash, or nil.
func (c *Cache[K, V]) find(hash uint64) *Entry[K, V] {
	if e := c.stripeOf(hash).find(hash); e != nil {
		return e
	}
	return c.lib.Peek(hash)
}

// replace gives e a new payload, unless e has been dropped.
func (c *Cache[K, V]) replace(e *Entry[K, V], p *payload[V]) bool {
	for {
		old := e.payload.Load()
		if old == nil {
			return false
		}
		if e.payload.CompareAndSwap(old, p) {
			break
		}
	}
	if due(p.deadline) < e.due.Load() {
		c.advance(e)
	}
	return true
}

// advance moves e forward in the heap if its deadline is before its place there.
func (c *Cache[K, V]) advance(e *Entry[K, V]) {
	s := c.stripeOf(e.hash)
	s.index.Lock()
	defer s.index.Unlock()
	if e.at < 0 {
		return
	}
	if at := due(e.payload.Load().deadline); at < e.due.Load() {
		c.lower(at) // before a Put can see due, and skip this
		e.due.Store(at)
		s.up(int(e.at))
	}
}

// insert adds an entry for a key that had none when the caller looked: it found
// old, if anything, after so many inserts into the stripe.
func (c *Cache[K, V]) insert(key K, hash uint64, p *payload[V], old *Entry[K, V], inserts uint64) {
	if at := c.soonest.Load(); at != never && at <= c.clock.Now() && c.size() >= c.capacity {
		c.expire() // rather than have the library evict what is live
	}
	s := c.stripeOf(hash)
	s.insert.Lock()
	if s.inserts.Load() != inserts {
		old = c.find(hash)
		if old != nil && old.key == key && c.replace(old, p) {
			s.insert.Unlock()
			return
		}
	}
	if old != nil {
		// It is over, or is that of another key with the same hash.
		if p := c.end(old); p != nil && !c.clock.Expired(p.deadline) {
			c.evictions.Add(1)
		}
	}
	e := &Entry[K, V]{key: key, hash: hash}
	e.payload.Store(p)
	e.due.Store(due(p.deadline))
	s.index.Lock()
	s.add(e)
	s.link(e)
	c.lower(due(p.deadline))
	s.index.Unlock()
	s.inserts.Add(1)
	for !c.lib.Set(e) {
		c.lib.Wait()
	}
	s.insert.Unlock()
	if c.inserts.Add(1)%c.slack == 0 {
		c.lib.Wait()
	}
}

// remove ends the entry of key.
func (c *Cache[K, V]) remove(what string, key K) error {
	if err := c.keys.Check(key); err != nil {
		return c.fail(what, err)
	}
	hash := c.hash(key)
	lane := c.gate.enter(hash)
	if lane == nil {
		return c.fail(what, backend.ErrClosed)
	}
	defer lane.leave()
	s := c.stripeOf(hash)
	s.insert.Lock()
	defer s.insert.Unlock()
	if e := c.find(hash); e != nil && e.key == key {
		c.end(e)
	}
	return nil
}

// end drops e, removes it from the library and returns its payload. The caller
// holds insert.
func (c *Cache[K, V]) end(e *Entry[K, V]) *payload[V] {
	p, pending := c.stripeOf(e.hash).drop(e)
	if pending {
		c.lib.Wait()
	}
	c.lib.Del(e)
	return p
}

// expire removes what has expired. It looks at entries only when one is due.
func (c *Cache[K, V]) expire() {
	c.sweep.Lock()
	defer c.sweep.Unlock()
	at := c.soonest.Load()
	if at == never {
		return
	}
	now := c.clock.Now()
	if at > now {
		return
	}
	// What is added to a stripe after it was looked at lowers soonest after this.
	c.soonest.Store(never)
	for i := range c.stripe {
		s := &c.stripe[i]
		if s.next() <= now {
			c.expireStripe(s, now)
		}
		c.lower(s.next())
	}
}

func (c *Cache[K, V]) expireStripe(s *stripe[K, V], now int64) {
	s.insert.Lock()
	defer s.insert.Unlock()
	expired, pending := s.expire(now)
	c.expirations.Add(uint64(len(expired)))
	if pending {
		c.lib.Wait()
	}
	for _, e := range expired {
		c.lib.Del(e)
	}
}

// lower makes soonest no later than at.
func (c *Cache[K, V]) lower(at int64) {
	for {
		if soonest := c.soonest.Load(); soonest <= at || c.soonest.CompareAndSwap(soonest, at) {
			return
		}
	}
}

func (c *Cache[K, V]) stripeOf(hash uint64) *stripe[K, V] { return &c.stripe[hash%stripes] }

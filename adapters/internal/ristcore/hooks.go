package ristcore

// Hooks are what the library tells. It calls them on goroutines of its own, one at
// a time.
type Hooks[K comparable, V any] struct {
	g *generation[K, V]
}

// Applying is the library's Cost hook: the library is about to insert an entry, and
// has done with those before. It returns the cost of the entry.
func (h Hooks[K, V]) Applying(*Entry[K, V]) int64 {
	h.g.backlog.apply()
	return 1
}

// Evicted is the library's hook for an entry that it has removed.
func (h Hooks[K, V]) Evicted(e *Entry[K, V]) {
	c := h.g.cache
	if p := h.drop(e); p == nil {
		return
	} else if c.clock.Expired(p.deadline) {
		c.expirations.Add(1)
	} else {
		c.evictions.Add(1)
	}
}

// Rejected is the library's hook for an entry that it has not taken.
func (h Hooks[K, V]) Rejected(e *Entry[K, V]) {
	if h.drop(e) != nil {
		h.g.cache.rejections.Add(1)
	}
}

func (h Hooks[K, V]) drop(e *Entry[K, V]) *payload[V] {
	if h.g.retired.Load() {
		return nil // the library is being emptied, and nobody will look
	}
	p := h.g.stripeOf(e.hash).drop(e)
	if p != nil {
		h.g.dropped.Add(1)
	}
	return p
}

package zoo

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

// copied is a hash table of 4096 small maps that are copied for each write and
// swapped in, so that readers never wait. A full one drops an entry at random.
type copied struct {
	mu     sync.Mutex // of writers
	tables [4096]atomic.Pointer[map[string]item]
	room   int
	count  atomic.Int64
	closed atomic.Bool
	loads  atomic.Uint64
}

func newCopied(o conformance.Options) cache {
	c := &copied{room: o.Capacity}
	c.empty()
	return c
}

func (c *copied) empty() {
	for i := range c.tables {
		c.tables[i].Store(&map[string]item{})
	}
}

func (c *copied) table(key string) *atomic.Pointer[map[string]item] {
	h := uint32(2166136261)
	for i := range len(key) {
		h = (h ^ uint32(key[i])) * 16777619
	}
	return &c.tables[(h^h>>16)%4096]
}

func (c *copied) Get(_ context.Context, key string) ([]byte, bool, error) {
	if c.closed.Load() {
		return nil, false, fail("get", backend.ErrClosed)
	}
	value, hit := c.find(key)
	return value, hit, nil
}

func (c *copied) find(key string) ([]byte, bool) {
	it, ok := (*c.table(key).Load())[key]
	if !ok || past(it.deadline) {
		return nil, false
	}
	c.loads.Add(1)
	return it.value, true
}

// edit changes the table of key.
func (c *copied) edit(key string, f func(m map[string]item)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.table(key)
	m := maps.Clone(*t.Load())
	before := len(m)
	f(m)
	t.Store(&m)
	c.count.Add(int64(len(m) - before))
}

func (c *copied) Put(ctx context.Context, key string, value []byte, ttl *time.Duration) error {
	if c.closed.Load() {
		return fail("put", backend.ErrClosed)
	}
	if over(ttl) {
		c.edit(key, func(m map[string]item) { delete(m, key) })
		return nil
	}
	it := item{value: value, deadline: until(ttl)}
	c.edit(key, func(m map[string]item) {
		_, had := m[key]
		m[key] = it
		if c.room > 0 && !had {
			c.makeRoom(key, m)
		}
	})
	return nil
}

// makeRoom drops an entry other than key if there are too many. It is called
// under the lock, before the entry is counted.
func (c *copied) makeRoom(key string, m map[string]item) {
	if c.count.Load() < int64(c.room) {
		return
	}
	for i := range c.tables {
		t := &c.tables[i]
		if t == c.table(key) {
			continue
		}
		if old := *t.Load(); len(old) > 0 {
			less := maps.Clone(old)
			for k := range less {
				delete(less, k)
				break
			}
			t.Store(&less)
			c.count.Add(-1)
			return
		}
	}
	for k := range m {
		if k != key {
			delete(m, k)
			return
		}
	}
}

func (c *copied) Invalidate(_ context.Context, key *string) error {
	switch {
	case c.closed.Load():
		return fail("invalidate", backend.ErrClosed)
	case key != nil:
		c.edit(*key, func(m map[string]item) { delete(m, *key) })
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.empty()
	c.count.Store(0)
	return nil
}

func (c *copied) Stats(context.Context) (backend.Stats, error) {
	if c.closed.Load() {
		return backend.Stats{}, fail("stats", backend.ErrClosed)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n := int64(0)
	for i := range c.tables {
		for _, it := range *c.tables[i].Load() {
			if !past(it.deadline) {
				n++
			}
		}
	}
	counters := map[string]uint64{backend.CounterHits: c.loads.Load()}
	return backend.Stats{Size: n, Counters: counters}, nil
}

func (c *copied) Close() error {
	c.closed.Store(true)
	return nil
}

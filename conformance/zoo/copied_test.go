package zoo

import (
	"context"
	"maps"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

// copied is a hash table of 4096 small maps that are copied for each write and
// swapped in, so that readers never wait. A full one drops an entry at random.
type copied struct {
	bug    bug
	mu     sync.Mutex // of writers
	tables [4096]atomic.Pointer[map[string]item]
	room   int
	count  atomic.Int64
	epoch  atomic.Uint64
	closed atomic.Bool
	absent sync.Map // negative cache, of one bug
	flight sync.Map // of another
	loads  atomic.Uint64
}

var copiedBugs = map[bug]string{
	"writers take no lock":               "concurrent/key hit/put hit/keys concurrent/race stats/size",
	"misses are remembered, racily":      "hit/put",
	"gets share one flight":              "concurrent/key",
	"the room is kept by hope":           "stats/size",
	"clear is an epoch of eight bits":    "invalidate/nil",
	"hits are counted for the dead":      "stats/counters",
	"an overwrite is a miss counted":     "stats/counters",
	"stats hand out their own map":       "stats/size",
	"declared shared, but copied":        "hit/values",
	"the error names the key":            "error/text",
	"the error is of another kind":       "close/after",
	"a cancelled put is half done":       "ctx/done",
	"Invalidate of the empty key is all": "invalidate/zerokey",
}

func newCopied(b bug, o conformance.Options) cache {
	c := &copied{bug: b, room: o.Capacity}
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

type call struct {
	done  chan struct{}
	value []byte
	hit   bool
}

func (c *copied) Get(_ context.Context, key string) ([]byte, bool, error) {
	if c.closed.Load() {
		switch c.bug {
		case "the error names the key":
			return nil, false, fail("get "+key, backend.ErrClosed)
		case "the error is of another kind":
			return nil, false, fail("get", errCrossed)
		}
		return nil, false, fail("get", backend.ErrClosed)
	}
	if c.bug == "gets share one flight" {
		mine := &call{done: make(chan struct{})}
		other, shared := c.flight.LoadOrStore(key, mine)
		if shared {
			<-other.(*call).done
			return other.(*call).value, other.(*call).hit, nil
		}
		mine.value, mine.hit = c.find(key)
		runtime.Gosched()
		c.flight.Delete(key)
		close(mine.done)
		return mine.value, mine.hit, nil
	}
	if _, known := c.absent.Load(key); known {
		return nil, false, nil
	}
	value, hit := c.find(key)
	if !hit && c.bug == "misses are remembered, racily" {
		runtime.Gosched()
		c.absent.Store(key, true)
	}
	if c.bug == "declared shared, but copied" && value != nil {
		value = append([]byte{}, value...)
	}
	return value, hit, nil
}

func (c *copied) find(key string) ([]byte, bool) {
	it, ok := (*c.table(key).Load())[key]
	if !ok || past(it.deadline) || c.bug == "clear is an epoch of eight bits" && byte(it.born) != byte(c.epoch.Load()) {
		if ok && c.bug == "hits are counted for the dead" {
			c.loads.Add(1)
		}
		return nil, false
	}
	c.loads.Add(1)
	return it.value, true
}

// edit changes the table of key.
func (c *copied) edit(key string, f func(m map[string]item)) {
	if c.bug != "writers take no lock" {
		c.mu.Lock()
		defer c.mu.Unlock()
	}
	t := c.table(key)
	m := maps.Clone(*t.Load())
	before := len(m)
	f(m)
	if c.bug == "writers take no lock" {
		runtime.Gosched()
	}
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
	if c.bug == "a cancelled put is half done" && ctx.Err() != nil {
		c.edit("half", func(m map[string]item) { m["half"] = item{value: value, deadline: never} })
		return fail("put", ctx.Err())
	}
	it := item{value: value, deadline: until(ttl), born: int64(c.epoch.Load())}
	c.edit(key, func(m map[string]item) {
		old, had := m[key]
		if had && !past(old.deadline) && c.bug == "an overwrite is a miss counted" {
			c.loads.Add(1)
		}
		m[key] = it
		if c.room > 0 && !had {
			c.makeRoom(key, m)
		}
	})
	c.absent.Delete(key)
	return nil
}

// makeRoom drops an entry other than key if there are too many. It is called
// under the lock, before the entry is counted.
func (c *copied) makeRoom(key string, m map[string]item) {
	if c.count.Load() < int64(c.room) {
		return
	}
	if c.bug == "the room is kept by hope" {
		for k := range m { // its own table only
			if k != key {
				delete(m, k)
				return
			}
		}
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
	case key != nil && (*key != "" || c.bug != "Invalidate of the empty key is all"):
		c.edit(*key, func(m map[string]item) { delete(m, *key) })
		return nil
	case c.bug == "clear is an epoch of eight bits":
		c.epoch.Add(1)
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.empty()
	c.count.Store(0)
	return nil
}

var sharedCounters = map[string]uint64{}

func (c *copied) Stats(context.Context) (backend.Stats, error) {
	if c.closed.Load() {
		return backend.Stats{}, fail("stats", backend.ErrClosed)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n := int64(0)
	for i := range c.tables {
		for _, it := range *c.tables[i].Load() {
			if !past(it.deadline) && (c.bug != "clear is an epoch of eight bits" || byte(it.born) == byte(c.epoch.Load())) {
				n++
			}
		}
	}
	counters := map[string]uint64{backend.CounterHits: c.loads.Load()}
	if c.bug == "stats hand out their own map" {
		counters = sharedCounters
		counters[backend.CounterHits]++
	}
	return backend.Stats{Size: n, Counters: counters}, nil
}

func (c *copied) Close() error {
	c.closed.Store(true)
	return nil
}

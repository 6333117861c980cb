package zoo

import (
	"bytes"
	"container/list"
	"context"
	"hash/crc32"
	"hash/maphash"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

// sharded is an LRU in sixteen shards, each with a lock and a share of the
// capacity. Dead entries go when they are met.
type sharded struct {
	bug    bug
	seed   maphash.Seed
	shards [16]shard
	closed atomic.Bool
	size   atomic.Int64
}

type shard struct {
	mu    sync.Mutex
	m     map[string]*list.Element
	order list.List
	room  int
}

type node struct {
	key      string
	value    []byte
	deadline int64
}

var shardedBugs = map[bug]string{
	"clear leaves the last shard":             "invalidate/nil",
	"clear leaves entries with TTL":           "invalidate/nil",
	"size counts overwrites":                  "stats/size",
	"size counts what expired":                "stats/size",
	"size drops twice on expiry":              "stats/size",
	"keys by CRC-32":                          "hit/keys",
	"keys of equal length and ends":           "hit/keys",
	"keys cut at 255":                         "hit/keys",
	"get deletes the dead without a recheck":  "ttl/overwrite",
	"one entry per shard":                     "stats/size",
	"get hands out its slice":                 "hit/values",
	"put keeps the slice only when it is new": "hit/values",
	"overwrite in place":                      "hit/values hit/overwrite",
	"update keeps the longer TTL":             "ttl/overwrite",
	"TTL in milliseconds, rounded down":       "ttl/range",
	"TTL in milliseconds, rounded up":         "ttl/range",
	"TTL in 32 bits of milliseconds":          "ttl/range",
	"TTL over 30 days is a date":              "ttl/range",
	"an invalid put empties nothing":          "ttl/zero",
	"stats touch every entry":                 "stats/size",
	"lock order":                              "concurrent/race",
	"close twice":                             "close/idempotent",
	"stats work on":                           "close/after",
}

func newSharded(b bug, o conformance.Options) cache {
	o.Capacity *= 2
	return newTight(b, o)
}

// newTight gives each shard its share and no more, so that one evicts while
// others have room.
func newTight(b bug, o conformance.Options) cache {
	s := &sharded{bug: b, seed: maphash.MakeSeed()}
	for i := range s.shards {
		s.shards[i].m = map[string]*list.Element{}
		if o.Capacity > 0 {
			s.shards[i].room = (o.Capacity + len(s.shards) - 1) / len(s.shards)
		}
		if b == "one entry per shard" && o.Capacity > 0 {
			s.shards[i].room = 1
		}
	}
	if b == "stats touch every entry" {
		return &impatient{sharded: s}
	}
	return s
}

// impatient drops its oldest entry with every look at the numbers.
type impatient struct {
	*sharded
	looks int
}

func (s *impatient) Stats(ctx context.Context) (backend.Stats, error) {
	st, err := s.sharded.Stats(ctx)
	if s.looks++; s.looks%16 == 15 {
		for i := range s.shards {
			if e := s.shards[i].order.Back(); e != nil {
				s.shards[i].drop(e)
				break
			}
		}
	}
	return st, err
}

func (s *sharded) name(key string) string {
	switch n := len(key); {
	case s.bug == "keys by CRC-32":
		h := crc32.ChecksumIEEE([]byte(key))
		return string([]byte{byte(h), byte(h >> 8), byte(h >> 16), byte(h >> 24)})
	case s.bug == "keys of equal length and ends" && n > 64:
		return key[:32] + string(rune(n)) + key[n-32:]
	case s.bug == "keys cut at 255":
		return key[:min(n, 255)]
	}
	return key
}

func (s *sharded) shard(key string) *shard {
	sh := &s.shards[maphash.String(s.seed, key)%16]
	sh.mu.Lock()
	return sh
}

func (sh *shard) drop(e *list.Element) {
	delete(sh.m, sh.order.Remove(e).(*node).key)
}

func (s *sharded) Get(_ context.Context, key string) ([]byte, bool, error) {
	if s.closed.Load() {
		return nil, false, fail("get", backend.ErrClosed)
	}
	key = s.name(key)
	sh := s.shard(key)
	defer sh.mu.Unlock()
	e := sh.m[key]
	if e == nil {
		return nil, false, nil
	}
	n := e.Value.(*node)
	if past(n.deadline) {
		if s.bug == "get deletes the dead without a recheck" {
			sh.mu.Unlock()
			runtime.Gosched()
			sh.mu.Lock()
			if e = sh.m[key]; e == nil {
				return nil, false, nil
			}
		}
		sh.drop(e)
		s.size.Add(-1)
		if s.bug == "size drops twice on expiry" {
			s.size.Add(-1)
		}
		return nil, false, nil
	}
	sh.order.MoveToFront(e)
	if s.bug == "get hands out its slice" {
		return n.value, true, nil
	}
	return bytes.Clone(n.value), true, nil
}

func (s *sharded) Put(_ context.Context, key string, value []byte, ttl *time.Duration) error {
	if s.closed.Load() {
		return fail("put", backend.ErrClosed)
	}
	key = s.name(key)
	deadline := until(ttl)
	if ttl != nil {
		switch s.bug {
		case "TTL in milliseconds, rounded down":
			deadline -= int64(*ttl % time.Millisecond)
		case "TTL in milliseconds, rounded up":
			deadline = until(new((*ttl + 999999) / 1e6 * 1e6))
		case "TTL in 32 bits of milliseconds":
			deadline = time.Now().UnixNano() + int64(int32(ttl.Milliseconds()))*1e6 + int64(*ttl%time.Millisecond)
		case "TTL over 30 days is a date":
			if *ttl > 30*24*time.Hour {
				deadline = int64(*ttl)
			}
		}
	}
	sh := s.shard(key)
	defer sh.mu.Unlock()
	e := sh.m[key]
	if over(ttl) {
		if e != nil && s.bug != "an invalid put empties nothing" {
			sh.drop(e)
			s.size.Add(-1)
		}
		return nil
	}
	if e != nil {
		n := e.Value.(*node)
		if s.bug == "update keeps the longer TTL" {
			deadline = max(deadline, n.deadline)
		}
		if s.bug == "overwrite in place" && len(value) <= len(n.value) && value != nil {
			copy(n.value, value)
			n.deadline = deadline
			return nil
		}
		n.value, n.deadline = bytes.Clone(value), deadline
		sh.order.MoveToFront(e)
		if s.bug == "size counts overwrites" {
			s.size.Add(1)
		}
		return nil
	}
	if sh.room > 0 && len(sh.m) >= sh.room {
		sh.drop(sh.order.Back())
		s.size.Add(-1)
	}
	n := &node{key, bytes.Clone(value), deadline}
	if s.bug == "put keeps the slice only when it is new" {
		n.value = value
	}
	sh.m[key] = sh.order.PushFront(n)
	s.size.Add(1)
	return nil
}

func (s *sharded) Invalidate(_ context.Context, key *string) error {
	if s.closed.Load() {
		return fail("invalidate", backend.ErrClosed)
	}
	if key != nil {
		name := s.name(*key)
		sh := s.shard(name)
		defer sh.mu.Unlock()
		if e := sh.m[name]; e != nil {
			sh.drop(e)
			s.size.Add(-1)
		}
		return nil
	}
	for i := range s.shards {
		if i == 15 && s.bug == "clear leaves the last shard" {
			break
		}
		sh := &s.shards[15-i]
		sh.mu.Lock()
		if s.bug == "lock order" && i == 0 {
			runtime.Gosched()
			s.shards[0].mu.Lock()
			s.shards[0].mu.Unlock() //nolint:staticcheck // an empty critical section waits for others
		}
		for _, e := range sh.m {
			if s.bug == "clear leaves entries with TTL" && e.Value.(*node).deadline != never {
				continue
			}
			sh.drop(e)
			s.size.Add(-1)
		}
		sh.mu.Unlock()
	}
	return nil
}

func (s *sharded) Stats(context.Context) (backend.Stats, error) {
	if s.closed.Load() && s.bug != "stats work on" {
		return backend.Stats{}, fail("stats", backend.ErrClosed)
	}
	if s.bug == "size counts overwrites" || s.bug == "size drops twice on expiry" || s.bug == "size counts what expired" {
		return backend.Stats{Size: max(s.size.Load(), 0)}, nil
	}
	n := 0
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.Lock()
		if s.bug == "lock order" && i == 0 {
			runtime.Gosched()
			s.shards[15].mu.Lock()
			s.shards[15].mu.Unlock() //nolint:staticcheck // an empty critical section waits for others
		}
		for _, e := range sh.m {
			if !past(e.Value.(*node).deadline) {
				n++
			}
		}
		sh.mu.Unlock()
	}
	return backend.Stats{Size: int64(n)}, nil
}

func (s *sharded) Close() error {
	if s.closed.Swap(true) && s.bug == "close twice" {
		return fail("close", backend.ErrClosed)
	}
	return nil
}

package zoo

import (
	"bytes"
	"container/list"
	"context"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

// sharded is an LRU in sixteen shards, each with a lock and a share of the
// capacity. Dead entries go when they are met.
type sharded struct {
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

func newSharded(o conformance.Options) cache {
	o.Capacity *= 2
	return newTight(o)
}

// newTight gives each shard its share and no more, so that one evicts while
// others have room.
func newTight(o conformance.Options) cache {
	s := &sharded{seed: maphash.MakeSeed()}
	for i := range s.shards {
		s.shards[i].m = map[string]*list.Element{}
		if o.Capacity > 0 {
			s.shards[i].room = (o.Capacity + len(s.shards) - 1) / len(s.shards)
		}
	}
	return s
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
	sh := s.shard(key)
	defer sh.mu.Unlock()
	e := sh.m[key]
	if e == nil {
		return nil, false, nil
	}
	n := e.Value.(*node)
	if past(n.deadline) {
		sh.drop(e)
		s.size.Add(-1)
		return nil, false, nil
	}
	sh.order.MoveToFront(e)
	return bytes.Clone(n.value), true, nil
}

func (s *sharded) Put(_ context.Context, key string, value []byte, ttl *time.Duration) error {
	if s.closed.Load() {
		return fail("put", backend.ErrClosed)
	}
	deadline := until(ttl)
	sh := s.shard(key)
	defer sh.mu.Unlock()
	e := sh.m[key]
	if over(ttl) {
		if e != nil {
			sh.drop(e)
			s.size.Add(-1)
		}
		return nil
	}
	if e != nil {
		n := e.Value.(*node)
		n.value, n.deadline = bytes.Clone(value), deadline
		sh.order.MoveToFront(e)
		return nil
	}
	if sh.room > 0 && len(sh.m) >= sh.room {
		sh.drop(sh.order.Back())
		s.size.Add(-1)
	}
	n := &node{key, bytes.Clone(value), deadline}
	sh.m[key] = sh.order.PushFront(n)
	s.size.Add(1)
	return nil
}

func (s *sharded) Invalidate(_ context.Context, key *string) error {
	if s.closed.Load() {
		return fail("invalidate", backend.ErrClosed)
	}
	if key != nil {
		name := *key
		sh := s.shard(name)
		defer sh.mu.Unlock()
		if e := sh.m[name]; e != nil {
			sh.drop(e)
			s.size.Add(-1)
		}
		return nil
	}
	for i := range s.shards {
		sh := &s.shards[15-i]
		sh.mu.Lock()
		for _, e := range sh.m {
			sh.drop(e)
			s.size.Add(-1)
		}
		sh.mu.Unlock()
	}
	return nil
}

func (s *sharded) Stats(context.Context) (backend.Stats, error) {
	if s.closed.Load() {
		return backend.Stats{}, fail("stats", backend.ErrClosed)
	}
	n := 0
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.Lock()
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
	s.closed.Store(true)
	return nil
}

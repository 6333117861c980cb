package main

import (
	"container/list"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// sieve is a cache with the SIEVE policy (Zhang et al., SIEVE is Simpler than LRU,
// NSDI 2024). A hand moves from the oldest entry to the newest. It evicts the
// first entry that was not read since the hand last passed it.
type sieve struct {
	mu       sync.Mutex
	capacity int
	entries  map[uint64]*list.Element
	order    *list.List // of *entry, newest first
	hand     *list.Element
}

type entry struct {
	key, value uint64
	deadline   time.Time // zero: never expires
	visited    bool
}

func (e *entry) live() bool { return e.deadline.IsZero() || time.Now().Before(e.deadline) }

func newSieve(capacity int) (*sieve, error) {
	if capacity < 1 {
		return nil, fmt.Errorf("sieve: new: capacity %d: expected at least 1", capacity)
	}
	return &sieve{capacity: capacity, entries: map[uint64]*list.Element{}, order: list.New()}, nil
}

func (s *sieve) Get(_ context.Context, key uint64) (value uint64, hit bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.entries[key]
	if !ok || !at.Value.(*entry).live() {
		return 0, false, nil
	}
	e := at.Value.(*entry)
	e.visited = true
	return e.value, true, nil
}

func (s *sieve) Put(_ context.Context, key, value uint64, ttl *time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := &entry{key: key, value: value}
	at, ok := s.entries[key]
	switch {
	case ttl != nil && *ttl <= 0:
		s.remove(at)
		return nil
	case ttl != nil:
		e.deadline = time.Now().Add(*ttl)
	}
	if ok {
		e.visited = true
		at.Value = e
		return nil
	}
	if len(s.entries) >= s.capacity {
		s.evict()
	}
	s.entries[key] = s.order.PushFront(e)
	return nil
}

func (s *sieve) Invalidate(_ context.Context, key *uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if key != nil {
		s.remove(s.entries[*key])
		return nil
	}
	clear(s.entries)
	s.order.Init()
	s.hand = nil
	return nil
}

func (s *sieve) Stats(context.Context) (backend.Stats, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, at := range s.entries {
		if !at.Value.(*entry).live() {
			s.remove(at)
		}
	}
	return backend.Stats{Size: int64(len(s.entries))}, nil
}

// Traits declares that the cache stores values without copying them.
func (s *sieve) Traits() backend.Traits { return backend.Traits{Values: backend.ByReference} }

func (s *sieve) evict() {
	for {
		if s.hand == nil {
			s.hand = s.order.Back()
		}
		e := s.hand.Value.(*entry)
		if !e.visited || !e.live() {
			s.remove(s.hand)
			return
		}
		e.visited = false
		s.hand = s.hand.Prev()
	}
}

func (s *sieve) remove(at *list.Element) {
	if at == nil {
		return
	}
	if at == s.hand {
		s.hand = at.Prev()
	}
	delete(s.entries, at.Value.(*entry).key)
	s.order.Remove(at)
}

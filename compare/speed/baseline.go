package speed

import (
	"context"
	"sync"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/compare/internal/contest"
)

// The floors are no caches to choose, but what a cache's times are to be seen
// against: what the measurement itself costs, and what a map under a lock does.

// Their names no adapter has, so that no list can name them.
const (
	floorNothing = "(nothing)"
	floorMap     = "(map and mutex)"
)

func baselines() []contest.Contestant {
	return []contest.Contestant{
		{
			Name: floorNothing,
			New: func(contest.Options) (backend.Backend[uint64, uint64], error) {
				return &nothing[uint64]{}, nil
			},
			NewBytes: func(contest.Options) (backend.Backend[uint64, []byte], error) {
				return &nothing[[]byte]{}, nil
			},
		},
		{Name: floorMap, New: newLockedMap[uint64], NewBytes: newLockedMap[[]byte]},
	}
}

// nothing answers every Get alike.
type nothing[V any] struct {
	hit bool
}

// always makes every Get hit, or miss.
func (n *nothing[V]) always(hit bool) { n.hit = hit }

func (n *nothing[V]) Get(context.Context, uint64) (value V, hit bool, err error) {
	return value, n.hit, nil
}
func (*nothing[V]) Put(context.Context, uint64, V, *time.Duration) error { return nil }
func (*nothing[V]) Invalidate(context.Context, *uint64) error            { return nil }
func (*nothing[V]) Stats(context.Context) (backend.Stats, error)         { return backend.Stats{}, nil }

// lockedMap evicts in the order of arrival, which costs the least. It knows no TTL.
type lockedMap[V any] struct {
	mu      sync.Mutex
	entries map[uint64]V
	ring    []uint64
	next    int
}

func newLockedMap[V any](o contest.Options) (backend.Backend[uint64, V], error) { //nolint:unparam // it is a contest.Contestant's New
	return &lockedMap[V]{entries: make(map[uint64]V, o.Capacity), ring: make([]uint64, 0, o.Capacity)}, nil
}

func (m *lockedMap[V]) Get(_ context.Context, key uint64) (V, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	value, hit := m.entries[key]
	return value, hit, nil
}

func (m *lockedMap[V]) Put(_ context.Context, key uint64, value V, _ *time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.entries[key]; !ok {
		if len(m.ring) < cap(m.ring) {
			m.ring = append(m.ring, key)
		} else {
			delete(m.entries, m.ring[m.next])
			m.ring[m.next] = key
			m.next = (m.next + 1) % len(m.ring)
		}
	}
	m.entries[key] = value
	return nil
}

func (m *lockedMap[V]) Invalidate(_ context.Context, key *uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if key == nil {
		clear(m.entries)
		m.ring, m.next = m.ring[:0], 0
		return nil
	}
	delete(m.entries, *key)
	return nil
}

func (m *lockedMap[V]) Stats(context.Context) (backend.Stats, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return backend.Stats{Size: int64(len(m.entries))}, nil
}

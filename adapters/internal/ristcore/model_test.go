package ristcore

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// A model is a map that the cache must agree with while the library drops entries at random steps.
type model struct {
	*fixture
	rnd     *rand.Rand
	entries map[int]modelValue

	hits, misses, collided uint64
	early                  bool // an insert came before there was a library
}

type modelValue struct {
	n        int
	deadline time.Time
}

// Random operations agree with the model. Most keys share a hash, and the test controls every step of the library.
func TestModel(t *testing.T) {
	for seed := range uint64(100) {
		synctest.Test(t, func(t *testing.T) {
			m := &model{fixture: open(t), rnd: rand.New(rand.NewPCG(seed, 0)), entries: map[int]modelValue{}}
			m.delay = time.Nanosecond
			m.hash = func(key int) uint64 { return gather(key % 5 * 3) } // one stripe, few buckets
			for n := range 2000 {
				if !m.library(m.rnd.IntN(100)) {
					m.step(n, m.rnd.IntN(100))
				}
				if t.Failed() {
					t.Fatalf("seed %d, step %d", seed, n)
				}
			}
			full := slices.ContainsFunc(m.all(), func(f *fake) bool { return f.full })
			if !full || !m.early {
				t.Errorf("the queue was full: %t, an insert came before the library: %t; want both", full, m.early)
			}
			err := m.Close()
			for i, f := range m.all() {
				if err != nil || !f.closed.Load() {
					t.Errorf("Close() = %v, library %d closed %t", err, i, f.closed.Load())
				}
			}
		})
	}
}

// library makes the library do something, for some values of op. It reports whether it did.
func (m *model) library(op int) bool {
	g := m.now.Load()
	if !g.ready.Load() {
		g.opening.Lock()
		m.early = m.early || len(g.early) > 0
		g.opening.Unlock()
		return false
	}
	all := m.all()
	f := all[slices.IndexFunc(all, func(f *fake) bool { return f.h.g == g })]
	f.onDrop = func(key int) { delete(m.entries, key) }
	switch {
	case op < 4:
		f.evict()
	case op < 6:
		f.reject = true
	case op < 14 && len(f.queue) > 0:
		f.apply()
	default:
		return false
	}
	return true
}

func (m *model) live(key int) (modelValue, bool) {
	v, ok := m.entries[key]
	return v, ok && (v.deadline.IsZero() || time.Now().Before(v.deadline))
}

// set stores a value in the model. It evicts the other key with the same hash.
func (m *model) set(key int, v modelValue) {
	other := (key + 5) % 10
	if _, ok := m.live(other); ok {
		m.collided++
	}
	delete(m.entries, other)
	m.entries[key] = v
}

// step calls one method of the cache, with the value n.
func (m *model) step(n, op int) {
	key := m.rnd.IntN(10)
	switch {
	case op < 35:
		m.set(key, modelValue{n: n})
		m.put(key, n)
	case op < 52:
		ttl := time.Duration(m.rnd.IntN(10)-1) * time.Second
		delete(m.entries, key)
		if ttl > 0 {
			m.set(key, modelValue{n, time.Now().Add(ttl)})
		}
		if err := m.Put(context.Background(), key, n, &ttl); err != nil {
			m.t.Error(err)
		}
	case op < 75:
		if want, ok := m.live(key); ok {
			m.fixture.hits(key, want.n)
			m.hits++
		} else {
			m.fixture.misses(key)
			m.misses++
		}
	case op < 87:
		m.invalidate(&key)
		delete(m.entries, key)
	case op < 88:
		m.invalidate(nil)
		clear(m.entries)
	case op < 93:
		time.Sleep(time.Duration(m.rnd.IntN(4000)) * time.Millisecond)
	case op < 94:
		m.prune()
	default:
		m.compare()
	}
}

// compare compares Stats and All with the model.
func (m *model) compare() {
	s, err := m.Stats(context.Background()) // may make the library apply inserts and reject one
	want := map[int]int{}
	for key := range m.entries {
		if v, ok := m.live(key); ok {
			want[key] = v.n
		}
	}
	evictions, rejects := m.collided, uint64(0)
	for _, f := range m.all() {
		evictions, rejects = evictions+f.evictions, rejects+f.rejects
	}
	for name, want := range map[string]uint64{
		backend.CounterHits: m.hits, backend.CounterMisses: m.misses,
		backend.CounterEvictions: evictions, backend.CounterRejections: rejects,
	} {
		if got := s.Counters[name]; got != want {
			m.t.Errorf("%d %s, want %d", got, name, want)
		}
	}
	if err != nil || s.Size != int64(len(want)) {
		m.t.Errorf("Stats = %+v, %v; want %d entries", s, err, len(want))
	}
	got := map[int]int{}
	for key, value := range m.All() {
		if _, twice := got[key]; twice {
			m.t.Errorf("All yields %d twice", key)
		}
		got[key] = value
	}
	if !maps.Equal(got, want) {
		m.t.Errorf("All yields %v, want %v", got, want)
	}
}

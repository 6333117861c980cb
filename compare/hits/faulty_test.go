package hits

import (
	"context"
	"testing"
	"time"

	"github.com/cachepact/cachepact/adapters/golanglru"
	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/compare/internal/contest"
	"github.com/cachepact/cachepact/compare/internal/load"
	"github.com/cachepact/cachepact/compare/report"
	"github.com/cachepact/cachepact/compare/trace"
)

// deaf does not invalidate.
type deaf struct {
	*golanglru.Backend[uint64, uint64]
}

func (deaf) Invalidate(context.Context, *uint64) error { return nil }

// lossy drops every third Put, and may say so.
type lossy struct {
	*golanglru.Backend[uint64, uint64]
	puts, lost uint64
	says       bool
}

func (l *lossy) Put(ctx context.Context, key, value uint64, ttl *time.Duration) error {
	if l.puts++; l.puts%3 == 0 {
		l.lost++
		return backend.InvalidateKey(ctx, l.Backend, key)
	}
	return l.Backend.Put(ctx, key, value, ttl)
}

func (l *lossy) Traits() backend.Traits { return backend.Traits{Rejects: l.says} }

func (l *lossy) Stats(ctx context.Context) (backend.Stats, error) {
	s, err := l.Backend.Stats(ctx)
	s.Counters = nil
	if l.says {
		s.Counters = map[string]uint64{backend.CounterRejections: l.lost}
	}
	return s, err
}

// buffering drops every third Put that is not synced before the next.
type buffering struct {
	lossy
	synced bool
}

func (b *buffering) Put(ctx context.Context, key, value uint64, ttl *time.Duration) error {
	if b.synced {
		b.puts = 0
	}
	b.synced = false
	return b.lossy.Put(ctx, key, value, ttl)
}

func (b *buffering) Sync(context.Context) error { b.synced = true; return nil }

func (b *buffering) Traits() backend.Traits { return backend.Traits{Rejects: true} }

// miscounting has counters that are half of what they should be.
type miscounting struct {
	*golanglru.Backend[uint64, uint64]
	gets uint64
}

func (m *miscounting) Get(ctx context.Context, key uint64) (uint64, bool, error) {
	m.gets++
	return m.Backend.Get(ctx, key)
}

func (m *miscounting) Stats(ctx context.Context) (backend.Stats, error) {
	s, err := m.Backend.Stats(ctx)
	s.Counters = map[string]uint64{backend.CounterHits: m.gets / 4, backend.CounterMisses: m.gets / 4}
	return s, err
}

// TestFindings_Faulty has a faulty cache for each of the other checks.
func TestFindings_Faulty(t *testing.T) {
	l, err := load.FromWorkload("zipf:keys=2000,requests=30000,writes=0.05,ttl=1s-3s,rate=1000", trace.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		open func(*golanglru.Backend[uint64, uint64]) backend.Backend[uint64, uint64]
		want map[string]bool
	}{
		{"none", func(b *golanglru.Backend[uint64, uint64]) backend.Backend[uint64, uint64] { return b }, nil},
		{"deaf", func(b *golanglru.Backend[uint64, uint64]) backend.Backend[uint64, uint64] { return deaf{b} }, map[string]bool{report.CheckStale: true, report.CheckOPT: true}},
		{"lossy", func(b *golanglru.Backend[uint64, uint64]) backend.Backend[uint64, uint64] {
			return &lossy{Backend: b}
		}, map[string]bool{report.CheckDropped: true}},
		{"lossy, and says so", func(b *golanglru.Backend[uint64, uint64]) backend.Backend[uint64, uint64] {
			return &lossy{Backend: b, says: true}
		}, nil},
		{"buffering", func(b *golanglru.Backend[uint64, uint64]) backend.Backend[uint64, uint64] {
			return &buffering{lossy: lossy{Backend: b}}
		}, map[string]bool{report.CheckDropped: true}},
		{"miscounting", func(b *golanglru.Backend[uint64, uint64]) backend.Backend[uint64, uint64] {
			return &miscounting{Backend: b}
		}, map[string]bool{report.CheckMix: true}},
	} {
		r, err := measureHits(t, l, []contest.Contestant{{Name: "x", New: func(o contest.Options) (backend.Backend[uint64, uint64], error) {
			b, err := golanglru.New[uint64, uint64](o.Capacity)
			return tt.open(b), err
		}}}, 200)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]bool{}
		for _, f := range r.Findings {
			got[f.Check] = true
		}
		for check := range tt.want {
			if !got[check] && check != report.CheckOPT {
				t.Errorf("%s: findings %v; want %s", tt.name, r.Findings, check)
			}
		}
		for check := range got {
			if !tt.want[check] {
				t.Errorf("%s: %s found, %v", tt.name, check, r.Findings)
			}
		}
	}
}

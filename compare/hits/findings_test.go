package hits

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cachepact/cachepact/adapters/golanglru"
	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/compare/internal/contest"
	"github.com/cachepact/cachepact/compare/internal/load"
	"github.com/cachepact/cachepact/compare/report"
	"github.com/cachepact/cachepact/compare/trace"
)

// A fake is an exact LRU with a defect.
type fake struct {
	*golanglru.Backend[uint64, uint64]
	get   func(key, value uint64, hit bool) (uint64, bool, error)
	put   func(key, value uint64) error
	bound backend.Bound
}

func (f fake) Get(ctx context.Context, key uint64) (uint64, bool, error) {
	v, hit, err := f.Backend.Get(ctx, key)
	if f.get == nil || err != nil {
		return v, hit, err
	}
	return f.get(key, v, hit)
}

func (f fake) Put(ctx context.Context, key, value uint64, ttl *time.Duration) error {
	if f.put != nil {
		if err := f.put(key, value); err != nil {
			return err
		}
	}
	return f.Backend.Put(ctx, key, value, ttl)
}

func (f fake) Traits() backend.Traits { return backend.Traits{Bound: f.bound} }

// A buffered fake has a Sync.
type buffered struct {
	fake
	flush func()
}

func (b buffered) Sync(context.Context) error { b.flush(); return nil }

func TestFindings(t *testing.T) {
	l, err := load.FromWorkload("zipf:keys=1000,requests=5000", trace.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	lru := func(entries int) *golanglru.Backend[uint64, uint64] {
		b, err := golanglru.New[uint64, uint64](entries)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	boom := errors.New("boom")
	tests := []struct {
		name   string
		make   func(contest.Options) (backend.Backend[uint64, uint64], error)
		lru    bool
		want   string // in a finding; empty: there is none
		ranked bool
	}{
		{name: "none", ranked: true, lru: true, make: func(o contest.Options) (backend.Backend[uint64, uint64], error) {
			return lru(o.Capacity), nil
		}},
		{name: "another value", want: "values returned were not the last written", make: func(o contest.Options) (backend.Backend[uint64, uint64], error) {
			n := 0
			return fake{Backend: lru(o.Capacity), get: func(_, v uint64, hit bool) (uint64, bool, error) {
				if n++; hit && n%100 == 0 {
					v++
				}
				return v, hit, nil
			}}, nil
		}},
		{name: "an earlier value", want: "values returned were not the last written", make: func(o contest.Options) (backend.Backend[uint64, uint64], error) {
			first := map[uint64]uint64{}
			return fake{Backend: lru(o.Capacity), put: func(k, v uint64) error {
				if _, ok := first[k]; !ok {
					first[k] = v
				}
				return nil
			}, get: func(k, _ uint64, hit bool) (uint64, bool, error) {
				return first[k], hit, nil
			}}, nil
		}},
		{name: "a hit of what was never put", want: "values returned were not the last written", make: func(o contest.Options) (backend.Backend[uint64, uint64], error) {
			return fake{Backend: lru(o.Capacity), get: func(_, v uint64, _ bool) (uint64, bool, error) {
				return v, true, nil
			}}, nil
		}},
		{name: "too large", want: "held 300 live entries at a capacity of 50", make: func(o contest.Options) (backend.Backend[uint64, uint64], error) {
			return lru(300), nil
		}},
		{name: "above OPT", want: "hit ratio above OPT's", make: func(o contest.Options) (backend.Backend[uint64, uint64], error) {
			return lru(300), nil
		}},
		{name: "not LRU", lru: true, want: "hits where an exact LRU has", ranked: true, make: func(o contest.Options) (backend.Backend[uint64, uint64], error) {
			return lru(o.Capacity - 1), nil
		}},
		{name: "no bound", make: func(contest.Options) (backend.Backend[uint64, uint64], error) {
			return fake{Backend: lru(1000), bound: backend.BoundNone}, nil
		}},
		{name: "New fails", want: "failed: boom", make: func(contest.Options) (backend.Backend[uint64, uint64], error) {
			return nil, boom
		}},
		{name: "Get fails", want: "failed: boom", make: func(o contest.Options) (backend.Backend[uint64, uint64], error) {
			return fake{Backend: lru(o.Capacity), get: func(uint64, uint64, bool) (uint64, bool, error) {
				return 0, false, boom
			}}, nil
		}},
		{name: "Put fails", want: "failed: boom", make: func(o contest.Options) (backend.Backend[uint64, uint64], error) {
			return fake{Backend: lru(o.Capacity), put: func(uint64, uint64) error { return boom }}, nil
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := measureHits(t, l, []contest.Contestant{{Name: "x", LRU: tt.lru, New: tt.make}}, 50)
			if err != nil {
				t.Fatal(err)
			}
			table := r.Hits.Tables[0]
			var all []string
			for _, f := range r.Findings {
				all = append(all, f.Text)
			}
			if got := strings.Join(all, "; "); !strings.Contains(got, tt.want) || tt.want == "" && got != "" {
				t.Errorf("findings %q; want one with %q", got, tt.want)
			}
			if got := table.Rows[0].Ranked; got != tt.ranked {
				t.Errorf("Ranked = %v; want %v", got, tt.ranked)
			}
		})
	}
}

// TestPaces shows a cache that buffers at both paces, and flushes at one.
func TestPaces(t *testing.T) {
	l, err := load.FromWorkload("uniform:keys=100,requests=1000", trace.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	flushes := 0
	r, err := measureHits(t, l, []contest.Contestant{{Name: "x", New: func(o contest.Options) (backend.Backend[uint64, uint64], error) {
		b, err := golanglru.New[uint64, uint64](o.Capacity)
		return buffered{fake{Backend: b}, func() { flushes++ }}, err
	}}}, 10)
	if err != nil {
		t.Fatal(err)
	}
	rows := r.Hits.Tables[0].Rows
	if len(rows) != 2 || rows[0].Pace != report.Flat || rows[1].Pace != report.Settled {
		t.Fatalf("rows %v; want x flat, x settled", rows)
	}
	if int64(flushes) != 2*rows[1].Misses || rows[1].Runs != 2 {
		t.Errorf("%d flushes in %d runs; want one for each of %d misses in two runs", flushes, rows[1].Runs, rows[1].Misses)
	}
}

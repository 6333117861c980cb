package zoo

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

// metered counts calls and passes everything on, and so has Unwrap.
type metered struct {
	cache
	calls atomic.Int64
}

func (m *metered) Unwrap() cache { return m.cache }
func (m *metered) Get(ctx context.Context, key string) ([]byte, bool, error) {
	m.calls.Add(1)
	return m.cache.Get(ctx, key)
}

// prefixed keeps its entries under a prefix of another cache, which it has for
// itself. It changes keys, and so has no Unwrap.
type prefixed struct {
	in cache
}

func newDecorated(o conformance.Options) cache {
	p := &prefixed{in: newInner(o)}
	return &metered{cache: p}
}

func (p *prefixed) name(key string) string {
	switch {
	}
	return "tenant/" + key
}

func (p *prefixed) lost(err error) error {
	return err
}

func (p *prefixed) Get(ctx context.Context, key string) ([]byte, bool, error) {
	v, hit, err := p.in.Get(ctx, p.name(key))
	return v, hit, p.lost(err)
}

func (p *prefixed) Put(ctx context.Context, key string, value []byte, ttl *time.Duration) error {
	return p.lost(p.in.Put(ctx, p.name(key), value, ttl))
}

func (p *prefixed) Invalidate(ctx context.Context, key *string) error {
	if key == nil {
		return p.in.Invalidate(ctx, nil)
	}
	return p.in.Invalidate(ctx, new(p.name(*key)))
}

func (p *prefixed) Stats(ctx context.Context) (backend.Stats, error) { return p.in.Stats(ctx) }
func (p *prefixed) Close() error {
	return backend.Close(p.in)
}

func (m *metered) Close() error { return backend.Close(m.cache) }

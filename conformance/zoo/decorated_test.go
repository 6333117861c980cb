package zoo

import (
	"context"
	"strings"
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
	in  cache
	bug bug
}

var decoratedBugs = map[bug]string{
	"does not close":                         "close/after",
	"the nil key becomes the prefix":         "invalidate/nil",
	"slashes between prefix and key are one": "hit/keys",
	"prefix of the long ones is cut":         "hit/keys",
	"an error of the inner is lost":          "close/after",
}

func newDecorated(b bug, o conformance.Options) cache {
	p := &prefixed{in: newInner(o), bug: b}
	return &metered{cache: p}
}

func (p *prefixed) name(key string) string {
	switch {
	case p.bug == "slashes between prefix and key are one":
		return "tenant/" + strings.TrimLeft(key, "/")
	case p.bug == "prefix of the long ones is cut" && len(key) > 1000:
		return key[len(key)-1000:]
	}
	return "tenant/" + key
}

func (p *prefixed) lost(err error) error {
	if p.bug == "an error of the inner is lost" {
		return nil
	}
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
		if p.bug == "the nil key becomes the prefix" {
			return p.in.Invalidate(ctx, new(p.name("")))
		}
		return p.in.Invalidate(ctx, nil)
	}
	return p.in.Invalidate(ctx, new(p.name(*key)))
}

func (p *prefixed) Stats(ctx context.Context) (backend.Stats, error) { return p.in.Stats(ctx) }

func (p *prefixed) Close() error {
	if p.bug == "does not close" {
		return nil
	}
	return backend.Close(p.in)
}

func (m *metered) Close() error { return backend.Close(m.cache) }

// Package naive holds the raw libraries as they are used without an adapter: what
// their READMEs show, in the dozen lines that anyone would write to get a cache
// with Get, Put, Invalidate and Stats. The conformance matrix has a column for
// each, which shows what the adapters repair.
//
// There are only tests here, so that no program links any of it.
package naive

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/VictoriaMetrics/fastcache"
	"github.com/Yiling-J/theine-go"
	"github.com/allegro/bigcache/v3"
	"github.com/coocood/freecache"
	"github.com/dgraph-io/ristretto"
	ristretto2 "github.com/dgraph-io/ristretto/v2"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/maypok86/otter/v2"
	gocache "github.com/patrickmn/go-cache"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

type Ristretto struct{ *ristretto.Cache }

func newRistretto(o conformance.Options) (backend.Backend[string, []byte], error) {
	c, err := ristretto.NewCache(&ristretto.Config{
		NumCounters: 1e5, MaxCost: int64(cmp.Or(o.Capacity, 1<<30)), BufferItems: 64, Metrics: true,
	})
	return Ristretto{c}, err
}

func (r Ristretto) Get(_ context.Context, key string) ([]byte, bool, error) {
	value, ok := r.Cache.Get(key)
	if !ok {
		return nil, false, nil
	}
	return value.([]byte), true, nil
}

func (r Ristretto) Put(_ context.Context, key string, value []byte, ttl *time.Duration) error {
	if ttl == nil {
		r.Set(key, value, 1)
	} else {
		r.SetWithTTL(key, value, 1, *ttl)
	}
	return nil
}

func (r Ristretto) Invalidate(_ context.Context, key *string) error {
	if key == nil {
		r.Clear()
	} else {
		r.Del(*key)
	}
	return nil
}

func (r Ristretto) Stats(context.Context) (backend.Stats, error) {
	return backend.Stats{Size: int64(r.Metrics.KeysAdded() - r.Metrics.KeysEvicted())}, nil
}

func (r Ristretto) Close() error {
	r.Cache.Close()
	return nil
}

type Ristretto2 struct {
	*ristretto2.Cache[string, []byte]
}

func newRistretto2(o conformance.Options) (backend.Backend[string, []byte], error) {
	c, err := ristretto2.NewCache(&ristretto2.Config[string, []byte]{
		NumCounters: 1e5, MaxCost: int64(cmp.Or(o.Capacity, 1<<30)), BufferItems: 64, Metrics: true,
	})
	return Ristretto2{c}, err
}

func (r Ristretto2) Get(_ context.Context, key string) ([]byte, bool, error) {
	value, ok := r.Cache.Get(key)
	return value, ok, nil
}

func (r Ristretto2) Put(_ context.Context, key string, value []byte, ttl *time.Duration) error {
	if ttl == nil {
		r.Set(key, value, 1)
	} else {
		r.SetWithTTL(key, value, 1, *ttl)
	}
	return nil
}

func (r Ristretto2) Invalidate(_ context.Context, key *string) error {
	if key == nil {
		r.Clear()
	} else {
		r.Del(*key)
	}
	return nil
}

func (r Ristretto2) Stats(context.Context) (backend.Stats, error) {
	return backend.Stats{Size: int64(r.Metrics.KeysAdded() - r.Metrics.KeysEvicted())}, nil
}

func (r Ristretto2) Close() error {
	r.Cache.Close()
	return nil
}

type GoCache struct{ *gocache.Cache }

func newGoCache(conformance.Options) (backend.Backend[string, []byte], error) {
	return GoCache{gocache.New(5*time.Minute, 0)}, nil
}

func (g GoCache) Get(_ context.Context, key string) ([]byte, bool, error) {
	value, ok := g.Cache.Get(key)
	if !ok {
		return nil, false, nil
	}
	return value.([]byte), true, nil
}

func (g GoCache) Put(_ context.Context, key string, value []byte, ttl *time.Duration) error {
	if ttl == nil {
		g.Set(key, value, gocache.DefaultExpiration)
	} else {
		g.Set(key, value, *ttl)
	}
	return nil
}

func (g GoCache) Invalidate(_ context.Context, key *string) error {
	if key == nil {
		g.Flush()
	} else {
		g.Delete(*key)
	}
	return nil
}

func (g GoCache) Stats(context.Context) (backend.Stats, error) {
	return backend.Stats{Size: int64(g.ItemCount())}, nil
}

// BigCache has one lifetime for all entries.
type BigCache struct{ *bigcache.BigCache }

func newBigCache(conformance.Options) (backend.Backend[string, []byte], error) {
	config := bigcache.DefaultConfig(10 * time.Minute)
	config.Verbose = false
	config.CleanWindow = 5 * time.Minute
	config.Shards, config.MaxEntriesInWindow = 16, 10_000 // the defaults take 300 MB
	c, err := bigcache.New(context.Background(), config)
	return BigCache{c}, err
}

func (b BigCache) Get(_ context.Context, key string) ([]byte, bool, error) {
	value, err := b.BigCache.Get(key)
	if errors.Is(err, bigcache.ErrEntryNotFound) {
		return nil, false, nil
	}
	return value, err == nil, err
}

func (b BigCache) Put(_ context.Context, key string, value []byte, _ *time.Duration) error {
	return b.Set(key, value)
}

func (b BigCache) Invalidate(_ context.Context, key *string) error {
	if key == nil {
		return b.Reset()
	}
	return b.Delete(*key)
}

func (b BigCache) Stats(context.Context) (backend.Stats, error) {
	return backend.Stats{Size: int64(b.Len())}, nil
}

// LRU has no lifetimes.
type LRU struct{ *lru.Cache[string, []byte] }

func newLRU(o conformance.Options) (backend.Backend[string, []byte], error) {
	c, err := lru.New[string, []byte](cmp.Or(o.Capacity, 1<<17))
	return LRU{c}, err
}

func (l LRU) Get(_ context.Context, key string) ([]byte, bool, error) {
	value, ok := l.Cache.Get(key)
	return value, ok, nil
}

func (l LRU) Put(_ context.Context, key string, value []byte, _ *time.Duration) error {
	l.Add(key, value)
	return nil
}

func (l LRU) Invalidate(_ context.Context, key *string) error {
	if key == nil {
		l.Purge()
	} else {
		l.Remove(*key)
	}
	return nil
}

func (l LRU) Stats(context.Context) (backend.Stats, error) {
	return backend.Stats{Size: int64(l.Len())}, nil
}

type FreeCache struct{ *freecache.Cache }

func newFreeCache(conformance.Options) (backend.Backend[string, []byte], error) {
	return FreeCache{freecache.NewCache(64 << 20)}, nil
}

func (f FreeCache) Get(_ context.Context, key string) ([]byte, bool, error) {
	value, err := f.Cache.Get([]byte(key))
	if errors.Is(err, freecache.ErrNotFound) {
		return nil, false, nil
	}
	return value, err == nil, err
}

func (f FreeCache) Put(_ context.Context, key string, value []byte, ttl *time.Duration) error {
	seconds := 0
	if ttl != nil {
		seconds = int(ttl.Seconds())
	}
	return f.Set([]byte(key), value, seconds)
}

func (f FreeCache) Invalidate(_ context.Context, key *string) error {
	if key == nil {
		f.Clear()
	} else {
		f.Del([]byte(*key))
	}
	return nil
}

func (f FreeCache) Stats(context.Context) (backend.Stats, error) {
	return backend.Stats{Size: f.EntryCount()}, nil
}

// FastCache has no lifetimes.
type FastCache struct{ *fastcache.Cache }

func newFastCache(conformance.Options) (backend.Backend[string, []byte], error) {
	return FastCache{fastcache.New(64 << 20)}, nil
}

func (f FastCache) Get(_ context.Context, key string) ([]byte, bool, error) {
	value, ok := f.HasGet(nil, []byte(key))
	return value, ok, nil
}

func (f FastCache) Put(_ context.Context, key string, value []byte, _ *time.Duration) error {
	f.Set([]byte(key), value)
	return nil
}

func (f FastCache) Invalidate(_ context.Context, key *string) error {
	if key == nil {
		f.Reset()
	} else {
		f.Del([]byte(*key))
	}
	return nil
}

func (f FastCache) Stats(context.Context) (backend.Stats, error) {
	var s fastcache.Stats
	f.UpdateStats(&s)
	return backend.Stats{Size: int64(s.EntriesCount)}, nil
}

func (f FastCache) Close() error {
	f.Reset() // or its memory is lost
	return nil
}

// Otter has one calculator of lifetimes: an entry gets its own after it has been
// written.
type Otter struct{ *otter.Cache[string, []byte] }

func newOtter(o conformance.Options) (backend.Backend[string, []byte], error) {
	c, err := otter.New(&otter.Options[string, []byte]{
		MaximumSize: cmp.Or(o.Capacity, 1<<17), ExpiryCalculator: otter.ExpiryWriting[string, []byte](time.Hour),
	})
	return Otter{c}, err
}

func (o Otter) Get(_ context.Context, key string) ([]byte, bool, error) {
	value, ok := o.GetIfPresent(key)
	return value, ok, nil
}

func (o Otter) Put(_ context.Context, key string, value []byte, ttl *time.Duration) error {
	o.Set(key, value)
	if ttl != nil {
		o.SetExpiresAfter(key, *ttl)
	}
	return nil
}

func (o Otter) Invalidate(_ context.Context, key *string) error {
	if key == nil {
		o.InvalidateAll()
	} else {
		o.Cache.Invalidate(*key)
	}
	return nil
}

func (o Otter) Stats(context.Context) (backend.Stats, error) {
	return backend.Stats{Size: int64(o.EstimatedSize())}, nil
}

func (o Otter) Close() error {
	o.StopAllGoroutines()
	return nil
}

// Theine has no way to remove all.
type Theine struct{ *theine.Cache[string, []byte] }

func newTheine(o conformance.Options) (backend.Backend[string, []byte], error) {
	c, err := theine.NewBuilder[string, []byte](int64(cmp.Or(o.Capacity, 1<<17))).Build()
	return Theine{c}, err
}

func (t Theine) Get(_ context.Context, key string) ([]byte, bool, error) {
	value, ok := t.Cache.Get(key)
	return value, ok, nil
}

func (t Theine) Put(_ context.Context, key string, value []byte, ttl *time.Duration) error {
	if ttl == nil {
		t.Set(key, value, 1)
	} else {
		t.SetWithTTL(key, value, 1, *ttl)
	}
	return nil
}

func (t Theine) Invalidate(_ context.Context, key *string) error {
	if key != nil {
		t.Delete(*key)
		return nil
	}
	var keys []string
	t.Range(func(key string, _ []byte) bool {
		keys = append(keys, key)
		return true
	})
	for _, key := range keys {
		t.Delete(key)
	}
	return nil
}

func (t Theine) Stats(context.Context) (backend.Stats, error) {
	return backend.Stats{Size: int64(t.Len())}, nil
}

func (t Theine) Close() error {
	t.Cache.Close()
	return nil
}

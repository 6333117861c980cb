// Package naive tests the raw libraries as programs use them without an adapter: as their READMEs show, in the few
// lines that a cache with Get, Put, Invalidate and Stats needs. The conformance matrix has a column for each library,
// which shows the rules that the adapter repairs.
//
// The package has only tests, so no program links it.
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

// calls is a backend that calls a library.
type calls struct {
	get    func(key string) ([]byte, bool, error)
	put    func(key string, value []byte, ttl *time.Duration) error
	remove func(key string) error
	clear  func() error
	size   func() int64
}

func (c calls) Get(_ context.Context, key string) ([]byte, bool, error) { return c.get(key) }

func (c calls) Put(_ context.Context, key string, value []byte, ttl *time.Duration) error {
	return c.put(key, value, ttl)
}

func (c calls) Invalidate(_ context.Context, key *string) error {
	if key == nil {
		return c.clear()
	}
	return c.remove(*key)
}

func (c calls) Stats(context.Context) (backend.Stats, error) {
	return backend.Stats{Size: c.size()}, nil
}

// closing is a backend of a library that has something to close.
type closing struct {
	calls
	close func() error
}

func (c closing) Close() error { return c.close() }

// hit returns the results of Get, whose error is nil.
func hit(value []byte, ok bool) ([]byte, bool, error) { return value, ok, nil }

// hitAny is hit for libraries whose values have the type any.
func hitAny(value any, ok bool) ([]byte, bool, error) {
	bytes, _ := value.([]byte)
	return bytes, ok, nil
}

// hitUnless is hit for libraries that report a miss as an error.
func hitUnless(miss error, value []byte, err error) ([]byte, bool, error) {
	if errors.Is(err, miss) {
		return nil, false, nil
	}
	return value, err == nil, err
}

// done is f with a nil error.
func done(f func()) func() error {
	return func() error {
		f()
		return nil
	}
}

type backendOf = backend.Backend[string, []byte]

// The types give the columns of the matrix their names.
type (
	Ristretto  struct{ closing }
	Ristretto2 struct{ closing }
	GoCache    struct{ calls }
	BigCache   struct{ closing }
	LRU        struct{ calls }
	FreeCache  struct{ calls }
	FastCache  struct{ closing }
	Otter      struct{ closing }
	Theine     struct{ closing }
)

func newRistretto(o conformance.Options) (backendOf, error) {
	c, err := ristretto.NewCache(&ristretto.Config{
		NumCounters: 1e5, MaxCost: int64(cmp.Or(o.Capacity, 1<<30)), BufferItems: 64, Metrics: true,
	})
	return Ristretto{closing{calls{
		get: func(key string) ([]byte, bool, error) { return hitAny(c.Get(key)) },
		put: func(key string, value []byte, ttl *time.Duration) error {
			if ttl == nil {
				c.Set(key, value, 1)
			} else {
				c.SetWithTTL(key, value, 1, *ttl)
			}
			return nil
		},
		remove: func(key string) error { c.Del(key); return nil },
		clear:  done(c.Clear),
		size:   func() int64 { return int64(c.Metrics.KeysAdded() - c.Metrics.KeysEvicted()) },
	}, done(c.Close)}}, err
}

func newRistretto2(o conformance.Options) (backendOf, error) {
	c, err := ristretto2.NewCache(&ristretto2.Config[string, []byte]{
		NumCounters: 1e5, MaxCost: int64(cmp.Or(o.Capacity, 1<<30)), BufferItems: 64, Metrics: true,
	})
	return Ristretto2{closing{calls{
		get: func(key string) ([]byte, bool, error) { return hit(c.Get(key)) },
		put: func(key string, value []byte, ttl *time.Duration) error {
			if ttl == nil {
				c.Set(key, value, 1)
			} else {
				c.SetWithTTL(key, value, 1, *ttl)
			}
			return nil
		},
		remove: func(key string) error { c.Del(key); return nil },
		clear:  done(c.Clear),
		size:   func() int64 { return int64(c.Metrics.KeysAdded() - c.Metrics.KeysEvicted()) },
	}, done(c.Close)}}, err
}

func newGoCache(conformance.Options) (backendOf, error) {
	c := gocache.New(5*time.Minute, 0)
	return GoCache{calls{
		get: func(key string) ([]byte, bool, error) { return hitAny(c.Get(key)) },
		put: func(key string, value []byte, ttl *time.Duration) error {
			if ttl == nil {
				c.Set(key, value, gocache.DefaultExpiration)
			} else {
				c.Set(key, value, *ttl)
			}
			return nil
		},
		remove: func(key string) error { c.Delete(key); return nil },
		clear:  done(c.Flush),
		size:   func() int64 { return int64(c.ItemCount()) },
	}}, nil
}

// newBigCache gives all entries the same lifetime, because the library has no other.
func newBigCache(conformance.Options) (backendOf, error) {
	config := bigcache.DefaultConfig(10 * time.Minute)
	config.Verbose = false
	config.CleanWindow = 5 * time.Minute
	config.Shards, config.MaxEntriesInWindow = 16, 10_000 // the defaults take 300 MB
	c, err := bigcache.New(context.Background(), config)
	return BigCache{closing{calls{
		get: func(key string) ([]byte, bool, error) {
			value, err := c.Get(key)
			return hitUnless(bigcache.ErrEntryNotFound, value, err)
		},
		put:    func(key string, value []byte, _ *time.Duration) error { return c.Set(key, value) },
		remove: c.Delete,
		clear:  c.Reset,
		size:   func() int64 { return int64(c.Len()) },
	}, c.Close}}, err
}

// newLRU ignores TTLs, which the library does not have.
func newLRU(o conformance.Options) (backendOf, error) {
	c, err := lru.New[string, []byte](cmp.Or(o.Capacity, 1<<17))
	return LRU{calls{
		get:    func(key string) ([]byte, bool, error) { return hit(c.Get(key)) },
		put:    func(key string, value []byte, _ *time.Duration) error { c.Add(key, value); return nil },
		remove: func(key string) error { c.Remove(key); return nil },
		clear:  done(c.Purge),
		size:   func() int64 { return int64(c.Len()) },
	}}, err
}

func newFreeCache(conformance.Options) (backendOf, error) {
	c := freecache.NewCache(64 << 20)
	return FreeCache{calls{
		get: func(key string) ([]byte, bool, error) {
			value, err := c.Get([]byte(key))
			return hitUnless(freecache.ErrNotFound, value, err)
		},
		put: func(key string, value []byte, ttl *time.Duration) error {
			seconds := 0
			if ttl != nil {
				seconds = int(ttl.Seconds())
			}
			return c.Set([]byte(key), value, seconds)
		},
		remove: func(key string) error { c.Del([]byte(key)); return nil },
		clear:  done(c.Clear),
		size:   c.EntryCount,
	}}, nil
}

// newFastCache ignores TTLs, which the library does not have.
func newFastCache(conformance.Options) (backendOf, error) {
	c := fastcache.New(64 << 20)
	return FastCache{closing{calls{
		get:    func(key string) ([]byte, bool, error) { return hit(c.HasGet(nil, []byte(key))) },
		put:    func(key string, value []byte, _ *time.Duration) error { c.Set([]byte(key), value); return nil },
		remove: func(key string) error { c.Del([]byte(key)); return nil },
		clear:  done(c.Reset),
		size: func() int64 {
			var s fastcache.Stats
			c.UpdateStats(&s)
			return int64(s.EntriesCount)
		},
	}, done(c.Reset)}}, nil // without Reset the memory is lost
}

// newOtter gives an entry its lifetime after it was put, because the library has one calculator for all entries.
func newOtter(o conformance.Options) (backendOf, error) {
	c, err := otter.New(&otter.Options[string, []byte]{
		MaximumSize: cmp.Or(o.Capacity, 1<<17), ExpiryCalculator: otter.ExpiryWriting[string, []byte](time.Hour),
	})
	return Otter{closing{calls{
		get: func(key string) ([]byte, bool, error) { return hit(c.GetIfPresent(key)) },
		put: func(key string, value []byte, ttl *time.Duration) error {
			c.Set(key, value)
			if ttl != nil {
				c.SetExpiresAfter(key, *ttl)
			}
			return nil
		},
		remove: func(key string) error { c.Invalidate(key); return nil },
		clear:  done(c.InvalidateAll),
		size:   func() int64 { return int64(c.EstimatedSize()) },
	}, done(func() { c.StopAllGoroutines() })}}, err
}

func newTheine(o conformance.Options) (backendOf, error) {
	c, err := theine.NewBuilder[string, []byte](int64(cmp.Or(o.Capacity, 1<<17))).Build()
	return Theine{closing{calls{
		get: func(key string) ([]byte, bool, error) { return hit(c.Get(key)) },
		put: func(key string, value []byte, ttl *time.Duration) error {
			if ttl == nil {
				c.Set(key, value, 1)
			} else {
				c.SetWithTTL(key, value, 1, *ttl)
			}
			return nil
		},
		remove: func(key string) error { c.Delete(key); return nil },
		clear: func() error { // the library cannot remove all entries
			var keys []string
			c.Range(func(key string, _ []byte) bool {
				keys = append(keys, key)
				return true
			})
			for _, key := range keys {
				c.Delete(key)
			}
			return nil
		},
		size: func() int64 { return int64(c.Len()) },
	}, done(c.Close)}}, err
}

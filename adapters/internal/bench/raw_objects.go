package main

import (
	"encoding/binary"
	"hash/maphash"
	"time"

	"github.com/Yiling-J/theine-go"
	"github.com/dgraph-io/ristretto"
	ristretto2 "github.com/dgraph-io/ristretto/v2"
	"github.com/elastic/go-freelru"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/jellydator/ttlcache/v3"
	"github.com/maypok86/otter/v2"
	gocache "github.com/patrickmn/go-cache"
)

type rawLRU[K keyType, V any] struct{ c *lru.Cache[K, V] }

func openLRU[K keyType, V any](o capacities) (raw[K, V], error) {
	c, err := lru.New[K, V](o.entries)
	return rawLRU[K, V]{c}, err
}

func (r rawLRU[K, V]) Get(key K) (V, bool) { return r.c.Get(key) }
func (r rawLRU[K, V]) Put(key K, value V)  { r.c.Add(key, value) }
func (r rawLRU[K, V]) Remove(key K)        { r.c.Remove(key) }

type rawFreeLRU[K keyType, V any] struct{ c *freelru.SyncedLRU[K, V] }

// openFreeLRU hashes keys as the adapter does, because the library leaves the hash function to the program.
func openFreeLRU[K keyType, V any](o capacities) (raw[K, V], error) {
	seed := maphash.MakeSeed()
	hash := func(key K) uint32 { return uint32(maphash.Comparable(seed, key)) }
	c, err := freelru.NewSynced[K, V](uint32(o.entries), hash)
	return rawFreeLRU[K, V]{c}, err
}

func (r rawFreeLRU[K, V]) Get(key K) (V, bool) { return r.c.Get(key) }
func (r rawFreeLRU[K, V]) Put(key K, value V)  { r.c.Add(key, value) }
func (r rawFreeLRU[K, V]) Remove(key K)        { r.c.Remove(key) }

func (r rawFreeLRU[K, V]) PutTTL(key K, value V, ttl time.Duration) {
	r.c.AddWithLifetime(key, value, ttl)
}

type rawGoCache[K keyType, V any] struct{ c *gocache.Cache }

func openGoCache[K keyType, V any](capacities) (raw[K, V], error) {
	return rawGoCache[K, V]{gocache.New(gocache.NoExpiration, 0)}, nil
}

// text returns key as a string: the eight bytes of a number.
func text[K keyType](buf *[8]byte, key K) string {
	switch key := any(key).(type) {
	case string:
		return key
	case uint64:
		binary.LittleEndian.PutUint64(buf[:], key)
	}
	return string(buf[:])
}

func (r rawGoCache[K, V]) Get(key K) (value V, ok bool) {
	v, ok := r.c.Get(text(new([8]byte), key))
	if ok {
		value = v.(V)
	}
	return value, ok
}

func (r rawGoCache[K, V]) Remove(key K) { r.c.Delete(text(new([8]byte), key)) }

func (r rawGoCache[K, V]) Put(key K, value V) {
	r.c.Set(text(new([8]byte), key), value, gocache.NoExpiration)
}

func (r rawGoCache[K, V]) PutTTL(key K, value V, ttl time.Duration) {
	r.c.Set(text(new([8]byte), key), value, ttl)
}

type rawTTLCache[K keyType, V any] struct{ c *ttlcache.Cache[K, V] }

func openTTLCache[K keyType, V any](o capacities) (raw[K, V], error) {
	return rawTTLCache[K, V]{ttlcache.New(
		ttlcache.WithCapacity[K, V](uint64(o.entries)),
		ttlcache.WithDisableTouchOnHit[K, V](),
	)}, nil
}

func (r rawTTLCache[K, V]) Get(key K) (value V, ok bool) {
	item := r.c.Get(key)
	if item == nil {
		return value, false
	}
	return item.Value(), true
}

func (r rawTTLCache[K, V]) Put(key K, value V)                       { r.c.Set(key, value, ttlcache.NoTTL) }
func (r rawTTLCache[K, V]) PutTTL(key K, value V, ttl time.Duration) { r.c.Set(key, value, ttl) }
func (r rawTTLCache[K, V]) Remove(key K)                             { r.c.Delete(key) }

type rawOtter[K keyType, V any] struct{ c *otter.Cache[K, V] }

// openOtter gives every entry the same TTL, if there is one. The library has no call that puts an entry with a TTL.
func openOtter[K keyType, V any](o capacities) (raw[K, V], error) {
	options := &otter.Options[K, V]{MaximumSize: o.entries}
	if o.ttl > 0 {
		options.ExpiryCalculator = otter.ExpiryWriting[K, V](o.ttl)
	}
	c, err := otter.New(options)
	return rawOtter[K, V]{c}, err
}

func (r rawOtter[K, V]) Get(key K) (V, bool)                    { return r.c.GetIfPresent(key) }
func (r rawOtter[K, V]) Put(key K, value V)                     { r.c.Set(key, value) }
func (r rawOtter[K, V]) PutTTL(key K, value V, _ time.Duration) { r.c.Set(key, value) }
func (r rawOtter[K, V]) Remove(key K)                           { r.c.Invalidate(key) }
func (r rawOtter[K, V]) Close()                                 { r.c.StopAllGoroutines() }

type rawTheine[K keyType, V any] struct{ c *theine.Cache[K, V] }

func openTheine[K keyType, V any](o capacities) (raw[K, V], error) {
	c, err := theine.NewBuilder[K, V](int64(o.entries)).Build()
	return rawTheine[K, V]{c}, err
}

func (r rawTheine[K, V]) Get(key K) (V, bool) { return r.c.Get(key) }
func (r rawTheine[K, V]) Put(key K, value V)  { r.c.Set(key, value, 1) }
func (r rawTheine[K, V]) Remove(key K)        { r.c.Delete(key) }
func (r rawTheine[K, V]) Close()              { r.c.Close() }

func (r rawTheine[K, V]) PutTTL(key K, value V, ttl time.Duration) {
	r.c.SetWithTTL(key, value, 1, ttl)
}

type rawRistretto[K keyType, V any] struct{ *ristretto.Cache }

func openRistretto[K keyType, V any](o capacities) (raw[K, V], error) {
	c, err := ristretto.NewCache(&ristretto.Config{
		NumCounters: 10 * int64(o.entries), MaxCost: int64(o.entries), BufferItems: 64, IgnoreInternalCost: true,
	})
	return rawRistretto[K, V]{c}, err
}

func (r rawRistretto[K, V]) Get(key K) (value V, ok bool) {
	v, ok := r.Cache.Get(key)
	if ok {
		value = v.(V)
	}
	return value, ok
}

func (r rawRistretto[K, V]) Put(key K, value V) { r.Set(key, value, 1) }
func (r rawRistretto[K, V]) Remove(key K)       { r.Del(key) }

func (r rawRistretto[K, V]) PutTTL(key K, value V, ttl time.Duration) {
	r.SetWithTTL(key, value, 1, ttl)
}

type rawRistretto2[K keyType, V any] struct{ *ristretto2.Cache[K, V] }

func openRistretto2[K keyType, V any](o capacities) (raw[K, V], error) {
	c, err := ristretto2.NewCache(&ristretto2.Config[K, V]{
		NumCounters: 10 * int64(o.entries), MaxCost: int64(o.entries), BufferItems: 64, IgnoreInternalCost: true,
	})
	return rawRistretto2[K, V]{c}, err
}

func (r rawRistretto2[K, V]) Put(key K, value V) { r.Set(key, value, 1) }
func (r rawRistretto2[K, V]) Remove(key K)       { r.Del(key) }

func (r rawRistretto2[K, V]) PutTTL(key K, value V, ttl time.Duration) {
	r.SetWithTTL(key, value, 1, ttl)
}

package freecache

import (
	"fmt"

	"github.com/cespare/xxhash/v2"
	"github.com/coocood/freecache"

	"github.com/cachepact/cachepact/adapters/internal/bytecache"
	"github.com/cachepact/cachepact/adapters/internal/expiry"
	"github.com/cachepact/cachepact/backend"
)

// get returns a live entry's value and deadline.
func (b *Backend[K, V]) get(key K) (V, int64, bool, error) {
	if name, ok := b.coder.RawKey(key); ok {
		return b.getName(name)
	}
	// The library does not keep the name.
	var room [bytecache.Small]byte
	name, err := b.coder.AppendKey(room[:0], key)
	if err != nil {
		var zero V
		return zero, 0, false, wrap("get", err)
	}
	return b.getName(b.coder.Shown(name))
}

func (b *Backend[K, V]) getName(name string) (value V, deadline int64, hit bool, err error) {
	cache := b.cache.Load()
	if cache == nil {
		return value, 0, false, wrap("get", backend.ErrClosed)
	}
	if len(name) > b.coder.Limits.Key {
		return value, 0, false, wrap("get", b.coder.Limits.CheckKey(name))
	}
	var room [bytecache.Small]byte
	var entry []byte
	switch b.coder.Read() {
	case bytecache.ReadSmall:
		var small []byte
		small, err = cache.GetWithBuf(bytecache.Bytes(name), room[:0])
		entry = bytecache.Bytes(bytecache.Unescaped(small))
	case bytecache.ReadOwned:
		entry, err = cache.Get(bytecache.Bytes(name))
	case bytecache.ReadSpare:
		buf := bytecache.GetBuffer()
		defer buf.Release()
		entry, err = cache.GetWithBuf(bytecache.Bytes(name), buf.Spare)
		if cap(entry) > cap(buf.Spare) {
			buf.Spare = entry
		}
	}
	if err != nil {
		if err == freecache.ErrNotFound { //nolint:errorlint // never wrapped, and errors.Is takes a fifth of a miss
			return value, 0, false, nil
		}
		return value, 0, false, wrap("get", err) // unreachable: there is no other error
	}
	deadline, data := bytecache.Split(entry)
	if b.coder.Clock.Expired(deadline) {
		b.counters.expired.Add(1)
		return value, 0, false, nil
	}
	if value, err = b.coder.ValueOwned(data); err != nil {
		return value, 0, false, wrap("get", err)
	}
	b.counters.hits.Add()
	return value, deadline, true, nil
}

// segment returns the place of the name's segment in the library, and of its
// lock here (cache.go, hashFunc and segmentAndOpVal). Whoever holds that lock has
// the segment to himself, as far as writing goes.
func segment(name []byte) uint64 { return xxhash.Sum64(name) % segments }

// store is the [bytecache.Store] of a backend.
type store[K comparable, V any] Backend[K, V]

// Set stores an entry.
func (b *store[K, V]) Set(name string, entry []byte, deadline int64, _ expiry.Reading) error {
	cache := b.cache.Load()
	if cache == nil {
		return backend.ErrClosed
	}
	key := bytecache.Bytes(name)
	lock := b.stripes.Of(segment(key))
	lock.Lock()
	defer lock.Unlock()
	if err := cache.Set(key, entry, 0); err != nil {
		return fmt.Errorf("%w: %w", backend.ErrTooLarge, err) // unreachable: the limits leave room
	}
	b.soonest.Add(deadline)
	return nil
}

// Remove removes the entry of name.
func (b *store[K, V]) Remove(name string) error {
	cache := b.cache.Load()
	if cache == nil {
		return backend.ErrClosed
	}
	key := bytecache.Bytes(name)
	lock := b.stripes.Of(segment(key))
	lock.Lock()
	defer lock.Unlock()
	cache.Del(key)
	return nil
}

// sweep removes the expired entries if there can be any.
func (b *Backend[K, V]) sweep(cache *freecache.Cache) {
	if !b.soonest.Due(b.coder.Clock) {
		return
	}
	b.sweeping.Lock()
	defer b.sweeping.Unlock()
	if !b.soonest.Due(b.coder.Clock) {
		return // another sweep has been faster
	}
	now := b.coder.Clock.Now()
	b.soonest.Reset()
	b.walk(cache, func(e *freecache.Entry) (expired bool) {
		deadline, _ := bytecache.Split(e.Value)
		if deadline != expiry.Never && deadline <= now {
			return true
		}
		b.soonest.Add(deadline)
		return false
	})
}

// walk calls f for each entry, and removes those of which f says that they have
// expired. It holds the lock of one segment at a time, during which nothing moves
// there: the library's iterator, which counts its way through the entries, would
// leave out one and come to another twice.
func (b *Backend[K, V]) walk(cache *freecache.Cache, f func(*freecache.Entry) bool) {
	held := -1
	var expired [][]byte
	leave := func() {
		if held < 0 {
			return
		}
		for _, name := range expired {
			if cache.Del(name) {
				b.counters.expirations.Add(1)
			}
		}
		expired = expired[:0]
		b.stripes.Of(uint64(held)).Unlock()
	}
	it := cache.NewIterator()
	for {
		before := *it
		e := it.Next()
		if e == nil {
			leave()
			return
		}
		if s := int(segment(e.Key)); s != held {
			leave()
			held = s
			b.stripes.Of(uint64(held)).Lock()
			*it = before // and again, now that nothing moves
			continue
		}
		if f(e) {
			expired = append(expired, e.Key)
		}
	}
}

package bigcache

import (
	"fmt"

	"github.com/allegro/bigcache/v3"

	"github.com/cachepact/cachepact/adapters/internal/bytecache"
	"github.com/cachepact/cachepact/adapters/internal/expiry"
	"github.com/cachepact/cachepact/backend"
)

// get returns a live entry's value and deadline.
func (b *Backend[K, V]) get(key K) (V, int64, bool, error) {
	if name, ok := b.coder.RawKey(key); ok {
		return b.getName(name)
	}
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
	entry, err := cache.Get(name) // a copy
	if err != nil {
		if err == bigcache.ErrEntryNotFound { //nolint:errorlint // never wrapped, and errors.Is takes a fifth of a miss
			b.counters.misses.Add()
			return value, 0, false, nil
		}
		return value, 0, false, wrap("get", err)
	}
	deadline, data := bytecache.Split(entry)
	if b.coder.Clock.Expired(deadline) {
		b.counters.misses.Add()
		return value, 0, false, nil
	}
	if value, err = b.coder.ValueOwned(data); err != nil {
		return value, 0, false, wrap("get", err)
	}
	b.counters.hits.Add()
	return value, deadline, true, nil
}

// store is the [bytecache.Store] of a backend.
type store[K comparable, V any] Backend[K, V]

// Set stores an entry.
func (b *store[K, V]) Set(name string, entry []byte, deadline int64, _ expiry.Reading) error {
	cache := b.cache.Load()
	if cache == nil {
		return backend.ErrClosed
	}
	lock := b.stripes.Of(b.hasher.Sum64(name))
	lock.Lock()
	defer lock.Unlock()
	if err := cache.Set(name, entry); err != nil {
		return fmt.Errorf("%w: %w", backend.ErrTooLarge, err) // unreachable: the limits leave room
	}
	b.soonest.Add(deadline)
	return nil
}

// Remove removes the entry of name, and not that of another key with its hash.
func (b *store[K, V]) Remove(name string) error {
	cache := b.cache.Load()
	if cache == nil {
		return backend.ErrClosed
	}
	(*Backend[K, V])(b).removeIf(cache, name, func([]byte) bool { return true })
	return nil
}

// removeIf removes the entry of name if cond says so, and reports whether it
// did. Nobody writes the key meanwhile, nor another of its hash, which is all
// that the library's Delete looks at.
func (b *Backend[K, V]) removeIf(cache *bigcache.BigCache, name string, cond func(entry []byte) bool) bool {
	lock := b.stripes.Of(b.hasher.Sum64(name))
	lock.Lock()
	defer lock.Unlock()
	entry, ok := peek(cache, name)
	return ok && cond(entry) && cache.Delete(name) == nil
}

// peek returns a copy of the entry of name.
func peek(cache *bigcache.BigCache, name string) ([]byte, bool) {
	entry, err := cache.Get(name)
	return entry, err == nil
}

// sweep removes the expired entries if there can be any.
func (b *Backend[K, V]) sweep(cache *bigcache.BigCache) {
	if !b.soonest.Due(b.coder.Clock) {
		return
	}
	b.sweeping.Lock()
	defer b.sweeping.Unlock()
	if !b.soonest.Due(b.coder.Clock) {
		return // another sweep has been faster
	}
	now := b.coder.Clock.Now()
	expired := func(entry []byte) bool {
		deadline, _ := bytecache.Split(entry)
		return deadline != expiry.Never && deadline <= now
	}
	b.soonest.Reset()
	for it := cache.Iterator(); it.SetNext(); {
		info, err := it.Value()
		switch {
		case err != nil:
		case !expired(info.Value()):
			deadline, _ := bytecache.Split(info.Value())
			b.soonest.Add(deadline)
		case b.removeIf(cache, info.Key(), expired):
			b.counters.expirations.Add(1)
		}
	}
}

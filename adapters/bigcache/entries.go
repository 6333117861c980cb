package bigcache

import (
	"errors"
	"fmt"

	"github.com/allegro/bigcache/v3"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/internal/bytecache"
	"github.com/cachepact/cachepact/internal/clock"
)

// get returns a live entry's value and deadline.
func (b *Backend[K, V]) get(key K) (value V, deadline int64, hit bool, err error) {
	cache := b.cache.Load()
	if cache == nil {
		return value, 0, false, wrap("get", backend.ErrClosed)
	}
	name, ok := b.coder.RawKey(key)
	if !ok {
		buf := bytecache.GetBuffer()
		defer buf.Release()
		if name, err = b.coder.Key(buf, key); err != nil {
			return value, 0, false, wrap("get", err)
		}
	}
	if err := b.limits.checkKey(name); err != nil {
		return value, 0, false, wrap("get", err)
	}
	entry, err := cache.Get(name) // a copy
	if err != nil {
		if errors.Is(err, bigcache.ErrEntryNotFound) {
			return value, 0, false, nil
		}
		return value, 0, false, wrap("get", err)
	}
	deadline = bytecache.Deadline(entry)
	if b.coder.Clock.Expired(deadline) {
		b.counters.expired.Add(1)
		return value, 0, false, nil
	}
	if value, err = b.coder.ValueOwned(entry); err != nil {
		b.counters.peekHits.Add(1)
		return value, 0, false, wrap("get", err)
	}
	return value, deadline, true, nil
}

// set stores an entry.
func (b *Backend[K, V]) set(cache *bigcache.BigCache, name string, entry []byte, deadline int64) error {
	lock := b.stripes.Of(b.hasher.Sum64(name))
	lock.Lock()
	defer lock.Unlock()
	if err := cache.Set(name, entry); err != nil {
		return fmt.Errorf("%w: %w", backend.ErrTooLarge, err) // unreachable: the limits leave room
	}
	b.soonest.Add(deadline)
	return nil
}

// remove removes the entry of name, and not that of another key with its hash.
func (b *Backend[K, V]) remove(cache *bigcache.BigCache, name string) {
	b.removeIf(cache, name, func([]byte) bool { return true })
}

// removeIf removes the entry of name if cond says so, and reports whether it
// did. Nobody writes the key meanwhile, nor another of its hash, which is all
// that the library's Delete looks at.
func (b *Backend[K, V]) removeIf(cache *bigcache.BigCache, name string, cond func(entry []byte) bool) bool {
	lock := b.stripes.Of(b.hasher.Sum64(name))
	lock.Lock()
	defer lock.Unlock()
	entry, ok := b.peek(cache, name)
	return ok && cond(entry) && cache.Delete(name) == nil
}

// peek returns a copy of the entry of name. It is not counted.
func (b *Backend[K, V]) peek(cache *bigcache.BigCache, name string) ([]byte, bool) {
	entry, err := cache.Get(name)
	if err != nil {
		b.counters.peekMisses.Add(1)
		return nil, false
	}
	b.counters.peekHits.Add(1)
	return entry, true
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
		deadline := bytecache.Deadline(entry)
		return deadline != clock.Never && deadline <= now
	}
	b.soonest.Reset()
	for it := cache.Iterator(); it.SetNext(); {
		info, err := it.Value()
		switch {
		case err != nil:
		case !expired(info.Value()):
			b.soonest.Add(bytecache.Deadline(info.Value()))
		case b.removeIf(cache, info.Key(), expired):
			b.counters.expirations.Add(1)
		}
	}
}

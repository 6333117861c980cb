package fastcache

import (
	"encoding/binary"

	"github.com/VictoriaMetrics/fastcache"

	"github.com/cachepact/cachepact/adapters/internal/bytecache"
	"github.com/cachepact/cachepact/adapters/internal/expiry"
	"github.com/cachepact/cachepact/backend"
)

// An entry begins with its mark, if there are rings.
const markSize = 4

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
	if len(name) > MaxKey {
		return value, 0, false, wrap("get", b.coder.Limits.CheckKey(name))
	}
	var room [bytecache.Small]byte
	var entry []byte
	switch b.coder.Read() {
	case bytecache.ReadSmall:
		var small []byte
		small, hit = cache.HasGet(room[:0], bytecache.Bytes(name))
		entry = bytecache.Bytes(bytecache.Unescaped(small))
	case bytecache.ReadOwned:
		entry, hit = cache.HasGet(nil, bytecache.Bytes(name))
	case bytecache.ReadSpare:
		buf := bytecache.GetBuffer()
		defer buf.Release()
		entry, hit = cache.HasGet(buf.Spare[:0], bytecache.Bytes(name))
		buf.Spare = entry
	}
	if !hit {
		return value, 0, false, nil
	}
	deadline, data := bytecache.Split(entry[len(b.coder.Lead):])
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

// store is the [bytecache.Store] of a backend.
type store[K comparable, V any] Backend[K, V]

// Set stores an entry, and its mark in it.
func (b *store[K, V]) Set(name string, entry []byte, deadline int64, moment expiry.Reading) error {
	key := bytecache.Bytes(name)
	if b.rings == nil {
		return b.setLoose(key, entry)
	}
	r := b.rings.of(key)
	r.mu.Lock()
	defer r.mu.Unlock()
	cache := b.cache.Load()
	if cache == nil {
		return backend.ErrClosed // or the chunk would be lost
	}
	b.leave(r, cache, key, &moment)
	mark := r.add(entryHead+len(key)+len(entry), deadline, &moment)
	binary.LittleEndian.PutUint32(entry, mark)
	cache.Set(key, entry)
	return nil
}

// Remove removes the entry of name, and not that of another key with its hash,
// which is all that the library's Del looks at.
func (b *store[K, V]) Remove(name string) error {
	key := bytecache.Bytes(name)
	if b.rings == nil {
		return b.removeLoose(key)
	}
	r := b.rings.of(key)
	r.mu.Lock()
	defer r.mu.Unlock()
	cache := b.cache.Load()
	if cache == nil {
		return backend.ErrClosed
	}
	moment := b.coder.Clock.Reading()
	if b.leave(r, cache, key, &moment) {
		cache.Del(key)
	}
	return nil
}

// leave takes the entry of key out of the account, if there is one, and reports
// whether the library has it.
func (b *store[K, V]) leave(r *ring, cache *fastcache.Cache, key []byte, moment *expiry.Reading) bool {
	if b.coder.Read() == bytecache.ReadSmall {
		var room [bytecache.Small]byte
		entry, ok := cache.HasGet(room[:0], key)
		return r.leave(entry, ok, moment)
	}
	buf := bytecache.GetBuffer()
	defer buf.Release()
	entry, ok := cache.HasGet(buf.Spare[:0], key)
	buf.Spare = entry
	return r.leave(entry, ok, moment)
}

// setLoose stores an entry without an account.
func (b *store[K, V]) setLoose(key, entry []byte) error {
	cache := b.cache.Load()
	if cache == nil {
		return backend.ErrClosed
	}
	cache.Set(key, entry)
	if b.cache.Load() == nil {
		cache.Reset() // Close may have given back the chunks before there was this one
	}
	return nil
}

// removeLoose is Remove without an account.
func (b *store[K, V]) removeLoose(key []byte) error {
	add := &b.counters.add
	add.Lock()
	defer add.Unlock()
	cache := b.cache.Load()
	if cache == nil {
		return backend.ErrClosed
	}
	if cache.Has(key) {
		cache.Del(key)
	} else {
		add.misses--
	}
	return nil
}

// removeAll removes all entries.
func (b *Backend[K, V]) removeAll(forGood bool) error {
	if b.rings != nil {
		b.rings.lock()
		defer b.rings.unlock()
	}
	b.counters.add.Lock()
	defer b.counters.add.Unlock()
	cache := b.cache.Load()
	if cache == nil {
		return backend.ErrClosed
	}
	if forGood {
		b.cache.Store(nil)
	}
	b.counters.add.misses += int64(counted(cache).Misses)
	cache.Reset()
	if b.rings != nil {
		b.rings.reset()
	}
	return nil
}

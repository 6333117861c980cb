package fastcache

import (
	"encoding/binary"

	"github.com/VictoriaMetrics/fastcache"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/internal/bytecache"
)

// An entry begins with its mark in a ring.
const markSize = 4

var noMark [markSize]byte

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
	return b.getName(bytecache.Unescaped(name))
}

func (b *Backend[K, V]) getName(name string) (value V, deadline int64, hit bool, err error) {
	cache := b.cache.Load()
	if cache == nil {
		return value, 0, false, wrap("get", backend.ErrClosed)
	}
	if len(name) > MaxKey {
		return value, 0, false, wrap("get", limits.CheckKey(name))
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
	deadline, data := bytecache.Split(entry[markSize:])
	if b.coder.Clock.Expired(deadline) {
		b.counters.expired.Add(1)
		return value, 0, false, nil
	}
	if value, err = b.coder.ValueOwned(data); err != nil {
		b.counters.undecoded.Add(1)
		return value, 0, false, wrap("get", err)
	}
	return value, deadline, true, nil
}

// name returns the bytes of key, if it can be one.
func (b *Backend[K, V]) name(buf *bytecache.Buffer, key K) (string, error) {
	if b.cache.Load() == nil {
		return "", backend.ErrClosed
	}
	name, err := b.coder.Key(buf, key)
	if err == nil {
		err = limits.CheckKey(name)
	}
	return name, err
}

// set stores an entry, whose mark is not known yet.
func (b *Backend[K, V]) set(buf *bytecache.Buffer, name string, entry []byte, deadline int64) error {
	key := bytecache.Bytes(name)
	r := b.rings.of(key)
	r.mu.Lock()
	defer r.mu.Unlock()
	cache := b.cache.Load()
	if cache == nil {
		return backend.ErrClosed // or the chunk would be lost
	}
	b.leave(r, cache, buf, key)
	mark := r.add(entryHead+len(key)+len(entry), deadline, b.coder.Clock)
	binary.LittleEndian.PutUint32(entry, mark)
	cache.Set(key, entry)
	return nil
}

// remove removes the entry of name, and not that of another key with its hash,
// which is all that the library's Del looks at.
func (b *Backend[K, V]) remove(buf *bytecache.Buffer, name string) error {
	key := bytecache.Bytes(name)
	r := b.rings.of(key)
	r.mu.Lock()
	defer r.mu.Unlock()
	cache := b.cache.Load()
	if cache == nil {
		return backend.ErrClosed
	}
	if b.leave(r, cache, buf, key) {
		cache.Del(key)
	}
	return nil
}

// leave takes the entry of key out of the account, if there is one, and reports
// whether the library has it.
func (b *Backend[K, V]) leave(r *ring, cache *fastcache.Cache, buf *bytecache.Buffer, key []byte) bool {
	entry, ok := cache.HasGet(buf.Spare[:0], key)
	buf.Spare = entry
	if !ok {
		r.peekMisses++
		return false
	}
	r.peekHits++
	r.remove(binary.LittleEndian.Uint32(entry), b.coder.Clock)
	return true
}

// removeAll removes all entries.
func (b *Backend[K, V]) removeAll(forGood bool) error {
	b.rings.lock()
	defer b.rings.unlock()
	cache := b.cache.Load()
	if cache == nil {
		return backend.ErrClosed
	}
	if forGood {
		b.cache.Store(nil)
	}
	b.counters.keep(cache)
	cache.Reset()
	for i := range b.rings {
		b.rings[i].reset()
	}
	return nil
}

package fastcache

import (
	"encoding/binary"
	"sync"
	"sync/atomic"

	"github.com/VictoriaMetrics/fastcache"

	"github.com/cachepact/cachepact/adapters/internal/bytecache"
	"github.com/cachepact/cachepact/adapters/internal/expiry"
	"github.com/cachepact/cachepact/backend"
)

// library is a [bytecache.Library].
type library struct {
	cache atomic.Pointer[fastcache.Cache] // nil after Close
	rings *rings                          // nil with LooseSize
	clock expiry.Clock
	small bool // entries have at most bytecache.Small bytes

	misses rising
	// past is added to the library's count of misses: the misses that it counted before it was reset, less the misses
	// of the adapter's own reads if there are no rings.
	past struct {
		sync.Mutex
		misses int64
	}
}

func newLibrary(maxBytes int, clock expiry.Clock, small, loose bool) *library {
	l := &library{clock: clock, small: small}
	if !loose {
		l.rings = newRings(maxBytes)
	}
	l.cache.Store(fastcache.New(maxBytes))
	return l
}

// An entry begins with its mark, if there are rings.
const markSize = 4

func (l *library) Get(name string, buf []byte) (entry []byte, hit bool, err error) {
	cache := l.cache.Load()
	if cache == nil {
		return nil, false, backend.ErrClosed
	}
	entry, hit = cache.HasGet(buf, bytecache.Bytes(name))
	return entry, hit, nil
}

// Set writes the mark into the entry and stores the entry.
func (l *library) Set(name string, entry []byte, deadline int64, moment expiry.Reading) error {
	key := bytecache.Bytes(name)
	if l.rings == nil {
		return l.setLoose(key, entry)
	}
	r := l.rings.of(key)
	r.mu.Lock()
	defer r.mu.Unlock()
	cache := l.cache.Load() // under the lock: Close could not free a chunk that is taken after it
	if cache == nil {
		return backend.ErrClosed
	}
	l.forget(r, cache, key, &moment)
	mark := r.add(entryHead+len(key)+len(entry), deadline, &moment)
	binary.LittleEndian.PutUint32(entry, mark)
	cache.Set(key, entry)
	return nil
}

// Remove removes the entry of name but not that of another key with the same hash. The library's Del compares only
// hashes.
func (l *library) Remove(name string) error {
	key := bytecache.Bytes(name)
	if l.rings == nil {
		return l.removeLoose(key)
	}
	r := l.rings.of(key)
	r.mu.Lock()
	defer r.mu.Unlock()
	cache := l.cache.Load()
	if cache == nil {
		return backend.ErrClosed
	}
	moment := l.clock.Reading()
	if l.forget(r, cache, key, &moment) {
		cache.Del(key)
	}
	return nil
}

// forget removes the entry of key from its ring. It reports whether the library has an entry.
func (l *library) forget(r *ring, cache *fastcache.Cache, key []byte, moment *expiry.Reading) bool {
	if l.small {
		var scratch [bytecache.Small]byte
		entry, ok := cache.HasGet(scratch[:0], key)
		return r.forget(entry, ok, moment)
	}
	buf := bytecache.GetBuffer()
	defer buf.Release()
	entry, ok := cache.HasGet(buf.Spare[:0], key)
	buf.Spare = entry
	return r.forget(entry, ok, moment)
}

func (l *library) setLoose(key, entry []byte) error {
	cache := l.cache.Load()
	if cache == nil {
		return backend.ErrClosed
	}
	cache.Set(key, entry)
	if l.cache.Load() == nil {
		cache.Reset() // Set may have taken a chunk after Close had freed all
	}
	return nil
}

func (l *library) removeLoose(key []byte) error {
	l.past.Lock()
	defer l.past.Unlock()
	cache := l.cache.Load()
	if cache == nil {
		return backend.ErrClosed
	}
	if cache.Has(key) {
		cache.Del(key)
	} else {
		l.past.misses--
	}
	return nil
}

func (l *library) Clear() error { return l.removeAll(false) }
func (l *library) Close() error { return l.removeAll(true) }

func (l *library) removeAll(forGood bool) error {
	if l.rings != nil {
		l.rings.lock()
		defer l.rings.unlock()
	}
	l.past.Lock()
	defer l.past.Unlock()
	cache := l.cache.Load()
	if cache == nil {
		return backend.ErrClosed
	}
	if forGood {
		l.cache.Store(nil)
	}
	l.past.misses += int64(counted(cache).Misses)
	cache.Reset()
	if l.rings != nil {
		l.rings.reset()
	}
	return nil
}

func (l *library) Stats() (backend.Stats, error) {
	cache := l.cache.Load()
	if cache == nil {
		return backend.Stats{}, backend.ErrClosed
	}
	l.past.Lock()
	s := counted(cache)
	misses := int64(s.Misses) + l.past.misses
	l.past.Unlock()

	size, counters := int64(s.EntriesCount), map[string]uint64{}
	if l.rings != nil {
		// The rings count the misses of the adapter's own reads. They are read after the library's count, so that
		// they contain all own misses that the library has counted.
		account := l.rings.sum(l.clock.Now())
		size, misses = int64(account.count), misses-int64(account.misses)
		counters[backend.CounterEvictions] = account.evictions
		counters[backend.CounterExpirations] = account.expirations
	}
	counters[backend.CounterMisses] = l.misses.raise(misses)
	return backend.Stats{Size: size, Counters: counters}, nil
}

func counted(cache *fastcache.Cache) (s fastcache.Stats) {
	cache.UpdateStats(&s)
	return s
}

// A rising number never falls, although its parts are read at different times.
type rising struct{ most atomic.Uint64 }

// raise makes r at least n, which may be negative, and returns r. r is exact after the last change if n is never too
// large. So a caller must read a number that it subtracts after the number that it subtracts it from.
func (r *rising) raise(n int64) uint64 {
	for {
		most := r.most.Load()
		if n <= 0 || uint64(n) <= most {
			return most
		}
		if r.most.CompareAndSwap(most, uint64(n)) {
			return uint64(n)
		}
	}
}

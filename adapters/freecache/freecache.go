// Package freecache is a [backend.Backend] over github.com/coocood/freecache. The library stores entries as bytes in
// 256 rings of a fixed size, which the garbage collector need not scan.
//
// # Same as the library
//
// Eviction: approximately the least recently used entry goes first. All memory is taken when the cache is made.
//
// # Different from the library
//
//   - Values of any type are encoded; byte slices and strings are stored as they are. See [Options]. Nil and empty
//     slices are kept apart.
//   - Keys are of any comparable type.
//   - A TTL is exact to the nanosecond, and steps of the wall clock do not change it. The library's TTLs are in
//     seconds, and the first second is cut short. An expired entry is never returned, counted or listed. It keeps its
//     memory until Stats is called or the library evicts it.
//   - A key and a value together have at most 1/1024 of the cache's bytes: see [backend.Traits.MaxKey], a quarter of
//     that, and [backend.Traits.MaxValue]. A larger entry is an error, and the key's earlier entry is removed. The
//     library would keep the earlier entry.
//   - A size below [MinBytes] is an error. The library would take MinBytes instead.
package freecache

import (
	"fmt"
	"iter"
	"math"
	"sync"
	"sync/atomic"

	"github.com/cespare/xxhash/v2"
	"github.com/coocood/freecache"

	"github.com/cachepact/cachepact/adapters/internal/bytecache"
	"github.com/cachepact/cachepact/adapters/internal/codec"
	"github.com/cachepact/cachepact/adapters/internal/expiry"
	"github.com/cachepact/cachepact/backend"
)

// Backend is a [backend.Backend] over the library's cache. It also has the methods of [backend.Ranger],
// [backend.EntryGetter], [backend.Describer] and [io.Closer]. Values are copied.
//
//   - Invalidate with a nil key takes time in proportion to the cache's bytes, not to its entries.
//   - Stats counts hits, misses and expirations. It looks at entries only if one may have expired since the last
//     call.
//   - Close frees the memory.
type Backend[K comparable, V any] struct {
	*core[K, V]
}

// core is unexported, so that users do not see the embedded field.
type core[K comparable, V any] = bytecache.Backend[K, V]

var _ backend.Ranger[string, any] = (*Backend[string, any])(nil)

// Options are the adapter's own options.
type Options[V any] struct {
	// Codec encodes the values. If it is nil, byte slices and strings are stored as they are, numbers and booleans in
	// a few bytes, and everything else as CBOR. New fails, and names the field, if CBOR would change a part of a V.
	Codec Codec[V]
}

// A Codec turns values into bytes and back.
type Codec[V any] = codec.Codec[V]

// CBOR returns a codec for CBOR. It takes any V and loses what github.com/fxamacker/cbor/v2 loses.
func CBOR[V any]() Codec[V] { return codec.CBOR[V]() }

// JSON returns a codec for JSON. It takes any V and loses what [encoding/json] loses.
func JSON[V any]() Codec[V] { return codec.JSON[V]() }

// Gob returns a codec for [encoding/gob]. It takes any V and loses what that package loses.
func Gob[V any]() Codec[V] { return codec.Gob[V]() }

const (
	// MinBytes is the smallest size: the library's minBufSize (cache.go).
	MinBytes = 512 << 10
	// MaxBytes is the largest size: 512 GB where an int can hold it. The library stores entry sizes in 32 bits.
	MaxBytes = min(1<<39, math.MaxInt)

	segments  = 256
	entryHead = 24 // bytes that the library stores with a key and a value
	maxKey    = math.MaxUint16
)

// New returns an empty backend of this many bytes, which the library takes at once. The caller must call Close.
//
// New fails if maxBytes is less than [MinBytes] or more than [MaxBytes], if a K cannot be a key, or if there is no
// codec and the default codec cannot carry every V.
func New[K comparable, V any](maxBytes int, o Options[V]) (*Backend[K, V], error) {
	if maxBytes < MinBytes || maxBytes > MaxBytes {
		return nil, fmt.Errorf("freecache: new: size %d: want %d to %d bytes", maxBytes, MinBytes, MaxBytes)
	}
	// The library rejects an entry of more than a quarter of a segment (segment.go).
	space := maxBytes/segments/4 - entryHead - bytecache.Header
	key := min(maxKey, space/4)
	clock := expiry.NewClock()
	b, err := bytecache.New[K](bytecache.Config{
		Name: "freecache", Clock: clock, Limits: bytecache.Limits{Key: key, Value: space - key},
		Bound: backend.BoundApproximate,
	}, o.Codec, func(bool) (bytecache.Library, error) {
		l := &library{sweeper: bytecache.Sweeper{Clock: clock}}
		l.cache.Store(freecache.NewCacheCustomTimer(maxBytes, seconds{clock}))
		return l, nil
	})
	if err != nil {
		return nil, err
	}
	return &Backend[K, V]{b}, nil
}

// All implements [backend.Ranger]. It lists the keys at once and reads each entry before it yields it. It skips
// entries that the codec cannot decode.
func (b *Backend[K, V]) All() iter.Seq2[K, V] { return bytecache.All(b.core) }

// seconds is the library's clock. The library gets no TTLs, and so uses it only to find entries that were not used
// lately. Every call reads it. The monotonic clock takes half the time of the wall clock.
type seconds struct{ expiry.Clock }

func (s seconds) Now() uint32 { return uint32(s.Clock.Now() / 1e9) }

// library is a [bytecache.Lister].
type library struct {
	cache   atomic.Pointer[freecache.Cache] // nil after Close
	locks   bytecache.Locks                 // a writer of a key holds one
	sweeper bytecache.Sweeper

	expirations atomic.Uint64
	past        struct {
		sync.Mutex
		misses int64 // counted before a Clear, which resets the library's counter
	}
}

// segment returns the number of the name's segment in the library (cache.go, hashFunc and segmentAndOpVal), and of
// its lock here. No other goroutine writes to the segment while the lock is held.
func segment(name []byte) uint64 { return xxhash.Sum64(name) % segments }

func (l *library) Get(name string, buf []byte) (entry []byte, hit bool, err error) {
	cache := l.cache.Load()
	if cache == nil {
		return nil, false, backend.ErrClosed
	}
	entry, err = cache.GetWithBuf(bytecache.Bytes(name), buf)
	if err == freecache.ErrNotFound { //nolint:errorlint // never wrapped; errors.Is takes a fifth of a miss's time
		return nil, false, nil
	}
	return entry, err == nil, err
}

func (l *library) Set(name string, entry []byte, deadline int64, _ expiry.Reading) error {
	cache := l.cache.Load()
	if cache == nil {
		return backend.ErrClosed
	}
	key := bytecache.Bytes(name)
	lock := l.locks.Of(segment(key))
	lock.Lock()
	defer lock.Unlock()
	if err := cache.Set(key, entry, 0); err != nil {
		return fmt.Errorf("%w: %w", backend.ErrTooLarge, err) // unreachable: the limits are lower
	}
	l.sweeper.Add(deadline)
	return nil
}

func (l *library) Remove(name string) error {
	cache := l.cache.Load()
	if cache == nil {
		return backend.ErrClosed
	}
	key := bytecache.Bytes(name)
	lock := l.locks.Of(segment(key))
	lock.Lock()
	defer lock.Unlock()
	cache.Del(key)
	return nil
}

// Clear needs no lock of a segment: the library empties each segment under its own lock, so that an entry whose Put
// has returned is removed from its segment.
func (l *library) Clear() error {
	cache := l.cache.Load()
	if cache == nil {
		return backend.ErrClosed
	}
	l.past.Lock()
	defer l.past.Unlock()
	l.past.misses += cache.MissCount()
	cache.Clear()
	return nil
}

func (l *library) Stats() (backend.Stats, error) {
	cache := l.cache.Load()
	if cache == nil {
		return backend.Stats{}, backend.ErrClosed
	}
	l.sweeper.Sweep(func(expired func(entry []byte) bool) {
		l.walk(cache, func(e *freecache.Entry) bool { return expired(e.Value) })
	})
	l.past.Lock()
	defer l.past.Unlock()
	return backend.Stats{Size: cache.EntryCount(), Counters: map[string]uint64{
		backend.CounterMisses:      uint64(l.past.misses + cache.MissCount()),
		backend.CounterExpirations: l.expirations.Load(),
	}}, nil
}

func (l *library) Names() (names []string) {
	if cache := l.cache.Load(); cache != nil {
		l.walk(cache, func(e *freecache.Entry) bool {
			names = append(names, string(e.Key))
			return false
		})
	}
	return names
}

func (l *library) Peek(name string) (entry []byte, hit bool) {
	cache := l.cache.Load()
	if cache == nil {
		return nil, false
	}
	entry, err := cache.Peek(bytecache.Bytes(name))
	return entry, err == nil
}

func (l *library) Close() error {
	l.cache.Store(nil)
	return nil
}

// walk calls expired for each entry, and removes the entries for which it returns true. It locks one segment at a
// time, so that no entry moves there. The library's iterator is only an index: without the lock it could skip an
// entry or return one twice.
func (l *library) walk(cache *freecache.Cache, expired func(*freecache.Entry) bool) {
	locked := -1
	var names [][]byte // of expired entries in the locked segment
	unlock := func() {
		if locked < 0 {
			return
		}
		for _, name := range names {
			if cache.Del(name) {
				l.expirations.Add(1)
			}
		}
		names = names[:0]
		l.locks.Of(uint64(locked)).Unlock()
	}
	it := cache.NewIterator()
	for {
		before := *it
		e := it.Next()
		if e == nil {
			unlock()
			return
		}
		switch s := int(segment(e.Key)); {
		case s > locked:
			unlock()
			locked = s
			l.locks.Of(uint64(locked)).Lock()
			*it = before // read the entry again under the lock
		case s < locked: // a Put after unlock has moved entries of the segment before
		case expired(e):
			names = append(names, e.Key)
		}
	}
}

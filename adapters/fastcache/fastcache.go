// Package fastcache is a [backend.Backend] over github.com/VictoriaMetrics/fastcache. The library stores entries as
// bytes outside of the Go heap, in 512 rings of 64 KB chunks.
//
// # Same as the library
//
// Eviction: the oldest write goes first. Memory is taken when it is needed.
//
// # Different from the library
//
//   - Values of any type are encoded; byte slices and strings are stored as they are. See [Options]. Nil and empty
//     slices are kept apart.
//   - Keys are of any comparable type. A key has at most [MaxKey] bytes, and an encoded value at most [MaxValue]. A
//     larger entry is an error, and the key's earlier entry is removed. The library would drop the write without an
//     error and keep the earlier entry.
//   - Each entry has its own TTL, exact to the nanosecond. An expired entry is never returned or counted. It keeps
//     its memory until it is the oldest write.
//   - Size is the number of live entries. The library counts evicted entries too.
//   - Invalidate of a key does not remove another key whose hash collides. A Put still does, as in the library, and
//     Size is then one too large until the bytes of the removed entry are the oldest.
//   - A size below [MinBytes] is an error. The library would take MinBytes instead.
//   - Close gives the memory to the next cache of the program, not to the system. The garbage collector frees nothing.
//   - There is no All, because the library cannot list its entries.
//
// # What it costs
//
// To count live entries, the adapter computes which entries the library evicts, and a Put first looks for an earlier
// entry of its key. This takes about 19 bytes for each entry, and a Put over an entry takes three times the library's
// time. New fails if the program is linked with a version of the library that lays out entries differently.
// [Options].LooseSize avoids all this.
package fastcache

import (
	"errors"
	"fmt"
	"math"

	"github.com/cachepact/cachepact/adapters/internal/bytecache"
	"github.com/cachepact/cachepact/adapters/internal/codec"
	"github.com/cachepact/cachepact/adapters/internal/expiry"
	"github.com/cachepact/cachepact/backend"
)

// Backend is a [backend.Backend] over the library's cache. It also has the methods of [backend.EntryGetter],
// [backend.Describer] and [io.Closer]. Values are copied.
//
//   - Invalidate with a nil key takes time in proportion to the number of 64 KB chunks in use. Gets do not wait for
//     it. Puts wait unless [Options].LooseSize is set, and calls that remove a key wait in any case.
//   - Stats counts hits and misses, and evictions and expirations unless LooseSize is set. It looks at the entries of
//     a ring only if one may have expired since the last call.
//   - Close gives back the memory. A program that forgets to call it leaks the memory.
type Backend[K comparable, V any] struct {
	*core[K, V]
}

// core is unexported, so that users do not see the embedded field.
type core[K comparable, V any] = bytecache.Backend[K, V]

var _ backend.Backend[string, any] = (*Backend[string, any])(nil)

// Options are the adapter's own options.
type Options[V any] struct {
	// Codec encodes the values. If it is nil, byte slices and strings are stored as they are, numbers and booleans in
	// a few bytes, and everything else as CBOR. New fails, and names the field, if CBOR would change a part of a V.
	Codec Codec[V]

	// LooseSize makes Size the library's own count. It includes evicted entries until the library writes to their
	// ring from its start again, and expired entries. This breaks the rule stats/size. Stats does not count evictions
	// and expirations. A Put over an entry takes about half the time, and an entry takes 7 bytes less.
	LooseSize bool
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
	// MinBytes is the smallest size: one chunk for each of the library's rings.
	MinBytes = buckets * chunk
	// MaxBytes is the largest size: half of what the library can address.
	MaxBytes = min(1<<48, math.MaxInt)

	// MaxKey is the size of the largest key in bytes.
	MaxKey = 8 << 10
	// MaxValue is the size of the largest encoded value in bytes: the rest of a chunk.
	MaxValue = chunk - 1 - entryHead - markSize - bytecache.Header - MaxKey
)

var errLayout = fmt.Errorf("this version of the library lays out entries differently: "+
	"set LooseSize, or use the version in this module's go.mod: %w", errors.ErrUnsupported)

// New returns an empty backend of this many bytes. The library rounds them up to a multiple of [MinBytes] and takes
// them when they are needed. The caller must call Close.
//
// New fails if maxBytes is less than MinBytes or more than [MaxBytes], if a K cannot be a key, or if there is no
// codec and the default codec cannot carry every V.
func New[K comparable, V any](maxBytes int, o Options[V]) (*Backend[K, V], error) {
	if maxBytes < MinBytes || maxBytes > MaxBytes {
		return nil, fmt.Errorf("fastcache: new: size %d: want %d to %d bytes", maxBytes, MinBytes, MaxBytes)
	}
	if !o.LooseSize && !layoutKnown() {
		return nil, fmt.Errorf("fastcache: new: %w", errLayout)
	}
	config := bytecache.Config{
		Name: "fastcache", Clock: expiry.NewClock(), Limits: bytecache.Limits{Key: MaxKey, Value: MaxValue},
		Bound: backend.BoundApproximate, Lead: markSize,
	}
	if o.LooseSize {
		config.Lead = 0
	}
	b, err := bytecache.New[K](config, o.Codec, func(small bool) (bytecache.Library, error) {
		return newLibrary(maxBytes, config.Clock, small, o.LooseSize), nil
	})
	if err != nil {
		return nil, err
	}
	return &Backend[K, V]{b}, nil
}

package bigcache

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"time"

	"github.com/allegro/bigcache/v3"

	"github.com/cachepact/cachepact/adapters/internal/bytecache"
	"github.com/cachepact/cachepact/adapters/internal/codec"
	"github.com/cachepact/cachepact/adapters/internal/expiry"
	"github.com/cachepact/cachepact/backend"
)

// Config is the library's configuration.
type Config = bigcache.Config

// NewConfig returns a configuration for a cache of at most this many megabytes. Shards have 4 MB or more, and an
// entry may have half a shard. If hardMaxMB is 0, there is no bound. The library's DefaultConfig allocates 325 MB
// at once; this configuration allocates memory when it is needed.
func NewConfig(hardMaxMB int) Config {
	shards := 256
	for shards > 1 && hardMaxMB > 0 && hardMaxMB/shards < 4 {
		shards /= 2
	}
	for shards < maxShards && hardMaxMB/shards >= maxShardMB {
		shards *= 2
	}
	return Config{Shards: shards, HardMaxCacheSize: hardMaxMB}
}

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
	maxShards = 1 << 16
	// A shard stores positions in 32 bits, and the library does not check that they fit.
	maxShardMB = 4095
	minShard   = 1 << 10

	// The library stores a key's length and its own 18 bytes in 16 bits.
	maxKey    = math.MaxUint16 - entryHead
	entryHead = 18 // bytes that the library stores with a key and a value
	queueHead = 5  // bytes that the library's queue adds at most
)

// complete checks c, sets the fields that the adapter needs, and returns the adapter's own configuration.
func complete(c *Config) (bytecache.Config, error) {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(c.LifeWindow == 0, "LifeWindow %v: the adapter takes lifetimes from Put; use 0", c.LifeWindow)
	check(c.CleanWindow == 0, "CleanWindow %v: the adapter finds expired entries itself; use 0", c.CleanWindow)
	check(!c.Verbose, "Verbose true: the library would print keys; use false")
	check(!c.StatsEnabled, "StatsEnabled true: nothing could read the library's counts of each key; use false")
	check(c.OnRemove == nil && c.OnRemoveWithMetadata == nil && c.OnRemoveWithReason == nil,
		"OnRemove: a callback would get encoded entries and could deadlock the cache; leave it nil")
	check(c.Shards > 0 && c.Shards&(c.Shards-1) == 0 && c.Shards <= maxShards,
		"Shards %d: want a power of two up to %d", c.Shards, maxShards)
	check(c.HardMaxCacheSize >= 0, "HardMaxCacheSize %d: want 0 or more", c.HardMaxCacheSize)
	check(c.MaxEntriesInWindow >= 0 && c.MaxEntriesInWindow <= math.MaxInt32,
		"MaxEntriesInWindow %d: want 0 to %d", c.MaxEntriesInWindow, math.MaxInt32)
	check(c.MaxEntrySize >= 0, "MaxEntrySize %d: want 0 or more", c.MaxEntrySize)
	if len(errs) > 0 {
		return bytecache.Config{}, errors.Join(errs...)
	}

	bound, most := backend.BoundApproximate, min(maxShardMB*c.Shards, math.MaxInt>>20)
	if c.HardMaxCacheSize == 0 {
		bound, c.HardMaxCacheSize = backend.BoundNone, most
	}
	check(c.HardMaxCacheSize <= most,
		"HardMaxCacheSize %d: want at most %d for %d shards", c.HardMaxCacheSize, most, c.Shards)
	shard := min(c.HardMaxCacheSize, most) << 20 / c.Shards
	check(shard >= minShard, "HardMaxCacheSize %d: each of %d shards has only %d bytes; want at least %d",
		c.HardMaxCacheSize, c.Shards, shard, minShard)
	check(c.MaxEntrySize <= shard, "MaxEntrySize %d: want at most %d, the bytes of a shard", c.MaxEntrySize, shard)
	start := int64(max(c.MaxEntriesInWindow/c.Shards, 10)) * int64(c.MaxEntrySize)
	check(start <= math.MaxInt, "MaxEntriesInWindow %d times MaxEntrySize %d: too large for an int",
		c.MaxEntriesInWindow, c.MaxEntrySize)
	if len(errs) > 0 {
		return bytecache.Config{}, errors.Join(errs...)
	}

	// A queue does not grow if its size and the entry together exceed the shard. So an entry is sure to fit if it
	// fits in half a shard, or in the queue's initial size.
	space := max(int(min(start, int64(shard))), shard/2) - 1 - queueHead - entryHead - bytecache.Header
	key := min(maxKey, space/2)

	c.LifeWindow = math.MaxInt64 * time.Nanosecond
	if c.Hasher == nil {
		c.Hasher = seeded{maphash.MakeSeed()}
	} else {
		c.Hasher = nonzero{c.Hasher}
	}
	return bytecache.Config{
		Name: "bigcache", Clock: expiry.NewClock(), Limits: bytecache.Limits{Key: key, Value: space - key},
		Bound: bound, NewMemory: true,
	}, nil
}

// The library reads a hash of zero as a removed entry. So no Hasher returns zero.

type seeded struct{ seed maphash.Seed }

func (h seeded) Sum64(key string) uint64 {
	if len(key) == 8 {
		// Most keys of eight bytes are numbers that the caller has just written. On amd64 maphash.String reads 16
		// bytes at once, and so waits until the write has finished.
		return max(1, maphash.Comparable(h.seed, binary.LittleEndian.Uint64(bytecache.Bytes(key))))
	}
	return max(1, maphash.String(h.seed, key))
}

type nonzero struct{ bigcache.Hasher }

func (h nonzero) Sum64(key string) uint64 { return max(1, h.Hasher.Sum64(key)) }

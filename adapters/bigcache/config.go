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
	"github.com/cachepact/cachepact/backend"
)

// Options is what the adapter adds to the library's configuration.
type Options[V any] struct {
	// Codec encodes the values. If it is nil, byte slices and strings are stored
	// as they are, numbers and booleans in a few bytes, and everything else as
	// CBOR; New then fails, naming the field, for a V of which a part would come
	// back changed.
	Codec Codec[V]
}

// A Codec turns values into bytes and back.
type Codec[V any] = codec.Codec[V]

// CBOR returns a codec that writes CBOR. It takes any V and loses what
// github.com/fxamacker/cbor/v2 loses.
func CBOR[V any]() Codec[V] { return codec.CBOR[V]() }

// JSON returns a codec that writes JSON. It takes any V and loses what
// [encoding/json] loses.
func JSON[V any]() Codec[V] { return codec.JSON[V]() }

// Gob returns a codec that writes [encoding/gob]. It takes any V and loses what
// that package loses.
func Gob[V any]() Codec[V] { return codec.Gob[V]() }

// Config is the library's configuration.
type Config = bigcache.Config

// NewConfig returns a configuration for a cache of at most so many megabytes, in
// shards of 4 MB or more. A key and its value have at most half a shard. With 0
// there is no bound. Unlike the library's DefaultConfig, which takes 300 MB at
// once, it takes memory as it is needed.
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

// limits are the largest key and value, and what bounds the cache.
type limits struct {
	bytecache.Limits
	bound backend.Bound
}

const (
	maxShards = 1 << 16
	// A shard finds entries by 32-bit positions and does not notice when one is
	// larger.
	maxShardMB = 4095
	minShard   = 1 << 10

	// The library counts a key's length and its own 18 bytes in 16 bits.
	maxKey    = math.MaxUint16 - entryHead
	entryHead = 18 // what the library stores with key and value
	queueHead = 5  // at most, what its queue adds
)

// complete checks c and fills in what the adapter needs.
func complete(c *Config) (limits, error) {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(c.LifeWindow == 0, "LifeWindow %v: lifetimes are given to Put, leave it zero", c.LifeWindow)
	check(c.CleanWindow == 0, "CleanWindow %v: expired entries are found by their own deadlines, leave it zero", c.CleanWindow)
	check(!c.Verbose, "Verbose: the library would print keys, leave it false")
	check(!c.StatsEnabled, "StatsEnabled: nothing could read what the library counts for each key, leave it false")
	check(c.OnRemove == nil && c.OnRemoveWithMetadata == nil && c.OnRemoveWithReason == nil,
		"OnRemove: a callback would see encoded entries and could lock up the cache, leave it nil")
	check(c.Shards > 0 && c.Shards&(c.Shards-1) == 0 && c.Shards <= maxShards, "Shards %d: want a power of two up to %d", c.Shards, maxShards)
	check(c.HardMaxCacheSize >= 0, "HardMaxCacheSize %d is negative", c.HardMaxCacheSize)
	check(c.MaxEntriesInWindow >= 0 && c.MaxEntriesInWindow <= math.MaxInt32, "MaxEntriesInWindow %d: want 0 to %d", c.MaxEntriesInWindow, math.MaxInt32)
	check(c.MaxEntrySize >= 0, "MaxEntrySize %d is negative", c.MaxEntrySize)
	if len(errs) > 0 {
		return limits{}, errors.Join(errs...)
	}

	lim := limits{bound: backend.BoundApproximate}
	most := min(maxShardMB*c.Shards, math.MaxInt>>20)
	if c.HardMaxCacheSize == 0 {
		lim.bound = backend.BoundNone
		c.HardMaxCacheSize = most
	}
	check(c.HardMaxCacheSize <= most, "HardMaxCacheSize %d: want at most %d for %d shards", c.HardMaxCacheSize, most, c.Shards)
	shard := min(c.HardMaxCacheSize, most) << 20 / c.Shards
	check(shard >= minShard, "HardMaxCacheSize %d: %d bytes in each of %d shards are too few, want at least %d", c.HardMaxCacheSize, shard, c.Shards, minShard)
	check(c.MaxEntrySize <= shard, "MaxEntrySize %d: a shard has only %d bytes", c.MaxEntrySize, shard)
	start := int64(max(c.MaxEntriesInWindow/c.Shards, 10)) * int64(c.MaxEntrySize)
	check(start <= math.MaxInt, "MaxEntriesInWindow %d times MaxEntrySize %d: too large", c.MaxEntriesInWindow, c.MaxEntrySize)
	if len(errs) > 0 {
		return limits{}, errors.Join(errs...)
	}

	// A queue refuses to grow if what it has and the entry together exceed the
	// shard, so only half a shard is sure to fit, or what it has from the start.
	room := max(int(min(start, int64(shard))), shard/2) - 1 - queueHead - entryHead - bytecache.Header
	lim.Key = min(maxKey, room/2)
	lim.Value = room - lim.Key

	c.LifeWindow = math.MaxInt64 * time.Nanosecond
	if c.Hasher == nil {
		c.Hasher = seeded{maphash.MakeSeed()}
	} else {
		c.Hasher = nonzero{c.Hasher}
	}
	return lim, nil
}

// The library takes a hash of zero for a removed entry.

type seeded struct{ seed maphash.Seed }

func (h seeded) Sum64(key string) uint64 {
	if len(key) == 8 {
		// Most often a number that has just been written: on amd64 maphash.String
		// reads 16 bytes at once, and waits until the write is over.
		return max(1, maphash.Comparable(h.seed, binary.LittleEndian.Uint64(bytecache.Bytes(key))))
	}
	return max(1, maphash.String(h.seed, key))
}

type nonzero struct{ bigcache.Hasher }

func (h nonzero) Sum64(key string) uint64 { return max(1, h.Hasher.Sum64(key)) }

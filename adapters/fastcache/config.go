package fastcache

import (
	"errors"
	"fmt"
	"math"

	"github.com/cachepact/cachepact/adapters/internal/bytecache"
	"github.com/cachepact/cachepact/adapters/internal/codec"
)

// Options is what the adapter adds to the library's configuration.
type Options[V any] struct {
	// Codec encodes the values. If it is nil, byte slices and strings are stored
	// as they are, numbers and booleans in a few bytes, and everything else as
	// CBOR; New then fails, naming the field, for a V of which a part would come
	// back changed.
	Codec Codec[V]

	// LooseSize makes Size what the library counts: what it has evicted is counted
	// until its ring begins anew, and what has expired until it has been evicted and
	// that. It is not what the contract says of Size (stats/size), nor do Stats
	// count evictions and expirations. But no account is kept, so that a Put over an
	// entry takes about half the time, and an entry 7 bytes less.
	LooseSize bool
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

const (
	// MinBytes is a chunk for each of the library's rings: less would be taken
	// for as much.
	MinBytes = buckets * chunk
	// MaxBytes is the largest size, half of what the library can address.
	MaxBytes = min(1<<48, math.MaxInt)

	// MaxKey is the largest key in bytes.
	MaxKey = 8 << 10
	// MaxValue is the largest encoded value in bytes: what a chunk has left.
	MaxValue = chunk - 1 - entryHead - markSize - bytecache.Header - MaxKey
)

var limits = bytecache.Limits{Key: MaxKey, Value: MaxValue}

var errLayout = fmt.Errorf("the version of the library that is linked lays out entries in a way that is not known: %w", errors.ErrUnsupported)

func check(maxBytes int) error {
	if maxBytes < MinBytes || maxBytes > MaxBytes {
		return fmt.Errorf("size %d: want %d to %d bytes", maxBytes, MinBytes, MaxBytes)
	}
	return nil
}

package freecache

import (
	"fmt"
	"math"

	"github.com/cachepact/cachepact/adapters/internal/bytecache"
	"github.com/cachepact/cachepact/adapters/internal/codec"
	"github.com/cachepact/cachepact/adapters/internal/expiry"
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

const (
	// MinBytes is the library's minBufSize (cache.go), in bytes: less would be
	// taken for as much.
	MinBytes = 512 << 10
	// MaxBytes is the largest size in bytes, 512 GB where an int is that large.
	// Beyond it the library's 32-bit sizes of entries would come into reach.
	MaxBytes = min(1<<39, math.MaxInt)

	segments  = 256
	entryHead = 24 // what the library stores with key and value
	maxKey    = math.MaxUint16
)

// limitsOf returns the limits of a cache of size bytes. The library refuses an
// entry of more than a quarter of a segment (segment.go).
func limitsOf(size int) (bytecache.Limits, error) {
	if size < MinBytes || size > MaxBytes {
		return bytecache.Limits{}, fmt.Errorf("size %d: want %d to %d bytes", size, MinBytes, MaxBytes)
	}
	room := size/segments/4 - entryHead - bytecache.Header
	key := min(maxKey, room/4)
	return bytecache.Limits{Key: key, Value: room - key}, nil
}

// seconds is the library's clock. It only tells which entries have been used of
// late, because the library is given no lifetimes, and is read by every call:
// the monotonic clock takes half the time of the wall clock.
type seconds struct{ expiry.Clock }

func (s seconds) Now() uint32 { return uint32(s.Clock.Now() / 1e9) }

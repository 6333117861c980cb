package compare

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// sizes knows how large the value of each key is.
type sizes struct {
	byID []uint32 // nil: all are alike
	mean int
}

// stampSize is what a value needs to say whose it is.
const stampSize = 8

// valueSizes returns the sizes of the values of l: value if it is not zero.
func valueSizes(l *load, value int) (sizes, error) {
	if value > 0 {
		return sizes{mean: max(value, stampSize)}, nil
	}
	if l.sizes == nil {
		return sizes{}, errNoSizes
	}
	return sizes{byID: l.sizes, mean: max(int(l.meanSize()), stampSize)}, nil
}

// of returns the size of the values of a key, at least that of a stamp.
func (s sizes) of(id uint32) int {
	if s.byID == nil || int(id) >= len(s.byID) || s.byID[id] == 0 {
		return s.mean
	}
	return max(int(s.byID[id]), stampSize)
}

// sized makes a cache of byte slices look like one of stamps: a value is its stamp,
// and zeros up to the size that the values of its key have.
type sized struct {
	backend.Backend[uint64, []byte]
	sizes sizes
	share bool   // the cache keeps the slice
	buf   []byte // if it does not
}

// newSized returns a view of b.
func newSized(b backend.Backend[uint64, []byte], s sizes) backend.Backend[uint64, uint64] {
	v := &sized{Backend: b, sizes: s, share: backend.TraitsOf(b).Values == backend.ByReference}
	if f, ok := backend.As[backend.Flusher](b); ok {
		return &sizedFlusher{v, f}
	}
	return v
}

func (s *sized) Get(ctx context.Context, key uint64) (uint64, bool, error) {
	v, hit, err := s.Backend.Get(ctx, key)
	if !hit || err != nil {
		return 0, false, err
	}
	if len(v) < stampSize {
		return 0, true, nil
	}
	stamp := binary.LittleEndian.Uint64(v)
	if len(v) != s.sizes.of(uint32(stamp>>32)) {
		return ^stamp, true, nil // not what was put
	}
	return stamp, true, nil
}

func (s *sized) Put(ctx context.Context, key, stamp uint64, ttl *time.Duration) error {
	n := s.sizes.of(uint32(stamp >> 32))
	if s.share || n > len(s.buf) {
		s.buf = make([]byte, n)
	}
	binary.LittleEndian.PutUint64(s.buf, stamp)
	return s.Backend.Put(ctx, key, s.buf[:n], ttl)
}

// Close implements [io.Closer].
func (s *sized) Close() error { return backend.Close(s.Backend) }

// Traits implements [backend.Describer].
func (s *sized) Traits() backend.Traits { return backend.TraitsOf(s.Backend) }

type sizedFlusher struct {
	*sized
	backend.Flusher
}

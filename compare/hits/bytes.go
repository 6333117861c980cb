package hits

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"runtime"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/compare/internal/contest"
	"github.com/cachepact/cachepact/compare/internal/load"
)

// sizes knows how large the value of each key is.
type sizes struct {
	byID []uint32 // nil: all are alike
	mean int
}

// stampSize is what a value needs to say whose it is.
const stampSize = 8

// valueSizes returns the sizes of the values of l: value if it is not zero.
func valueSizes(l *load.Load, value int) (sizes, error) {
	if value > 0 {
		return sizes{mean: max(value, stampSize)}, nil
	}
	if l.Sizes == nil {
		return sizes{}, load.ErrNoSizes
	}
	return sizes{byID: l.Sizes, mean: max(int(l.MeanSize()), stampSize)}, nil
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
	if f, ok := backend.As[backend.Syncer](b); ok {
		return &sizedSyncer{v, f}
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

type sizedSyncer struct {
	*sized
	backend.Syncer
}

// bytesPerEntry measures what an entry of the contestant takes on the heap, all in
// all, in a cache of the options: by filling it and looking at the heap before and
// after. What is not on the heap is not seen.
func bytesPerEntry(ctx context.Context, c contest.Contestant, o contest.Options) (float64, error) {
	if c.NewBytes == nil {
		n, err := heapPerEntry(ctx, o, c.New, func() uint64 { return 0 })
		return n + float64(max(0, o.Value-stampSize)), err
	}
	return heapPerEntry(ctx, o, c.NewBytes, func() []byte { return make([]byte, o.Value) })
}

func heapPerEntry[V any](ctx context.Context, o contest.Options, open func(contest.Options) (backend.Backend[uint64, V], error), value func() V) (perEntry float64, err error) {
	before := heapInUse()
	b, err := open(o)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, backend.Close(b)) }()
	for key := range uint64(o.Capacity) {
		if err := b.Put(ctx, key*0x9e3779b97f4a7c15, value(), nil); err != nil {
			return 0, err
		}
		if key%64 == 63 {
			if err := cmp.Or(ctx.Err(), backend.Sync(ctx, b)); err != nil {
				return 0, err
			}
		}
	}
	if err := backend.Sync(ctx, b); err != nil {
		return 0, err
	}
	grown := heapInUse() - before
	s, err := b.Stats(ctx)
	if err != nil || s.Size == 0 {
		return 0, cmp.Or(err, errHoldsNothing)
	}
	return max(1, float64(grown)/float64(s.Size)), nil
}

var errHoldsNothing = errors.New("it holds nothing of what was put")

func heapInUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

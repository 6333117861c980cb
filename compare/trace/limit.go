package trace

import (
	"errors"
	"fmt"
	"io"
	"math"
)

// Limits selects requests of a trace. The zero Limits selects all of them.
type Limits struct {
	// Skip is the number of requests that are left out at the beginning.
	Skip int64
	// Max is the largest number of requests that are read after those, or 0 for all.
	Max int64
	// Sample is the share of the keys whose requests are taken, chosen by hash, or 0
	// for all. A cache with a capacity scaled by the share has about the same hit ratio
	// (Waldspurger, Park, Garthwaite and Ahmad, Efficient MRC construction with SHARDS,
	// FAST 2015).
	Sample float64
}

// Check returns an error if a limit is out of range.
func (l Limits) Check() error {
	switch {
	case l.Skip < 0:
		return fmt.Errorf("trace: skip %d: expected 0 or more", l.Skip)
	case l.Max < 0:
		return fmt.Errorf("trace: max requests %d: expected 0 or more", l.Max)
	case !(l.Sample >= 0 && l.Sample <= 1): // also true for NaN
		return fmt.Errorf("trace: sample %v: expected a share from 0 to 1", l.Sample)
	}
	return nil
}

func (l Limits) String() string {
	return fmt.Sprintf("skip %d, max requests %d, sample %v", l.Skip, l.Max, l.Sample)
}

// Limit returns the requests of s within the limits. It fails if a limit is out of range. Its Read fails if the limits
// leave no request.
func Limit(s Source, l Limits) (Source, error) {
	if err := l.Check(); err != nil {
		return nil, err
	}
	if l == (Limits{}) {
		return s, nil
	}
	lim := &limited{src: s, limits: l, skip: l.Skip, left: l.Max, threshold: math.MaxUint64}
	if l.Max == 0 {
		lim.left = math.MaxInt64
	}
	if l.Sample > 0 && l.Sample < 1 {
		lim.threshold = uint64(l.Sample * (1 << 64))
	}
	return lim, nil
}

type limited struct {
	src        Source
	limits     Limits
	skip, left int64
	threshold  uint64 // of the hashes of keys that are taken
	taken      bool   // something was
}

func (l *limited) Read(batch []Request) (int, error) {
	for {
		n, err := 0, io.EOF
		if l.left > 0 {
			n, err = l.src.Read(batch[:min(int64(len(batch)), max(l.skip, l.left))])
		}
		part := batch[:n]
		skipped := min(l.skip, int64(n))
		l.skip -= skipped
		part = part[skipped:]
		part = part[:min(l.left, int64(len(part)))]
		l.left -= int64(len(part))
		kept := 0
		for _, q := range part {
			if scatter(q.Key) <= l.threshold {
				batch[kept] = q
				kept++
			}
		}
		l.taken = l.taken || kept > 0
		if errors.Is(err, io.EOF) && !l.taken {
			err = fmt.Errorf("nothing to read within the limits (%v): expected at least one request", l.limits)
		}
		if kept > 0 && errors.Is(err, io.EOF) {
			err = nil // the next call returns it
		}
		if kept > 0 || err != nil {
			return kept, err
		}
	}
}

// scatter hashes a key. It is a bijection whose result is independent of the key, even if the key is a hash. It
// multiplies and shifts like the finalizers of common hashes, with a number of its own.
func scatter(x uint64) uint64 {
	x = (x ^ x>>32 ^ 0x6a09e667f3bcc909) * 0xd6e8feb86659fd93
	x = (x ^ x>>32) * 0xd6e8feb86659fd93
	return x ^ x>>32
}

package policy

import (
	"math"

	"github.com/cachepact/cachepact/compare/trace"
)

// SHARDS estimates the hits of LRU at every capacity from the requests for a
// sample of the keys, in memory that is bounded whatever the number of requests and
// keys: C. Waldspurger, N. Park, A. Garthwaite and I. Ahmad, Efficient MRC
// construction with SHARDS, FAST 2015.
//
// A key is sampled if its hash is below a threshold. How deep it is among the
// sampled keys is how deep it is among all, times the rate. When there are too many
// keys the rate is halved, what was counted weighs half, and depths are half as
// deep: the paper's fixed-size variant in larger steps. At the end the difference
// between the Gets sampled and those expected counts as hits at capacity 1 (its
// SHARDS-adj), which is what keeps a popular key that is or is not in the sample
// from shifting the curve.
type SHARDS struct {
	most    int
	rate    float64
	ids     map[uint64]uint32 // by hash
	free    []uint32
	stack   *stack
	hits    []float64 // by depth among the sampled keys
	gets    float64
	sampled float64 // gets
}

// NewSHARDS samples keys at a rate above 0 and up to 1, and at half, a quarter and
// so on of it when that would be more than most keys.
func NewSHARDS(rate float64, most int) *SHARDS {
	s := &SHARDS{most: most, rate: rate, ids: map[uint64]uint32{}, stack: newStack(most + 1), hits: make([]float64, most+2)}
	for id := range most + 1 {
		s.free = append(s.free, uint32(most-id))
	}
	return s
}

// Rate returns the share of the keys that is sampled.
func (s *SHARDS) Rate() float64 { return s.rate }

// Request counts a request. An Update counts for nothing.
func (s *SHARDS) Request(key uint64, op trace.Op) {
	if op == trace.Get {
		s.gets++
	}
	hash := spread(key)
	if op == trace.Update || !s.takes(hash) {
		return
	}
	id, known := s.ids[hash]
	switch {
	case op == trace.Delete:
		if known {
			s.stack.remove(id)
		}
		return
	case !known:
		last := len(s.free) - 1
		id, s.free = s.free[last], s.free[:last]
		s.ids[hash] = id
	}
	depth := s.stack.push(id)
	if op == trace.Get {
		s.sampled++
		if depth != infinite {
			s.hits[depth]++
		}
	}
	for len(s.ids) > s.most {
		s.halve()
	}
}

func (s *SHARDS) takes(hash uint64) bool {
	return float64(hash>>11) < s.rate*(1<<53)
}

func (s *SHARDS) halve() {
	s.rate /= 2
	for hash, id := range s.ids {
		if !s.takes(hash) {
			s.stack.drop(id)
			s.free = append(s.free, id)
			delete(s.ids, hash)
		}
	}
	half := make([]float64, len(s.hits))
	for depth, n := range s.hits {
		half[(depth+1)/2] += n / 2
	}
	s.hits = half
	s.sampled /= 2
}

// MissRatio estimates the share of the Gets that an LRU of a capacity misses.
func (s *SHARDS) MissRatio(capacity int) float64 {
	if s.gets == 0 {
		return 0
	}
	expected := s.gets * s.rate
	hits := expected - s.sampled
	for _, n := range s.hits[:min(int(math.Round(float64(capacity)*s.rate))+1, len(s.hits))] {
		hits += n
	}
	return min(max(1-hits/expected, 0), 1)
}

// spread is a bijection whose result tells nothing of the key: the finalizer of
// SplitMix64 (Steele, Lea and Flood, Fast splittable pseudorandom number
// generators, OOPSLA 2014). It is not the one by which a trace is sampled, so that
// a sample can be sampled.
func spread(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

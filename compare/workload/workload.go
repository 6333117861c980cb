// Package workload generates requests to a cache.
//
// The description of a workload is a kind and its parameters:
//
//	zipf:s=0.99,keys=100000,requests=1000000,seed=1
//
// Missing parameters have defaults, and the same text always gives the same
// requests. See [Kinds] for the kinds. All kinds have these parameters:
//
//	keys=100000       number of keys
//	requests=1000000  number of requests
//	seed=1            seed of the random numbers
//	writes=0.1        share of requests that are sets
//	deletes=0.01      share of requests that are deletes
//	size=100-1000     size of a key's value, in bytes
//	ttl=10s-1h        TTL of a key
//	rate=1000         requests per second of the workload's own time
//
// A size or TTL is one value, a range of equally likely values, or
// lognormal:MEDIAN:SIGMA. All requests for a key have the same size and TTL.
// Whether a request is a write does not depend on its key, and the keys are the
// same with and without writes.
package workload

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/cachepact/cachepact/compare/trace"
)

// A Workload is a stream of requests that can be generated again and again.
type Workload struct {
	name            string
	requests        uint64
	seed            uint64
	writes, deletes float64
	size, ttl       distribution
	rate            float64
	start           start
}

// A start begins a stream of numbers of keys. It draws them from rng.
type start func(rng *rand.Rand) func() uint64

// Parse reads the description of a workload.
func Parse(spec string) (*Workload, error) {
	name, list, _ := strings.Cut(spec, ":")
	for _, k := range kinds {
		if k.name == name {
			w, err := k.parse(list)
			if err != nil {
				return nil, fmt.Errorf("workload: %s: %w", name, err)
			}
			return w, nil
		}
	}
	return nil, fmt.Errorf("workload: unknown kind %q: expected one of %s", name, strings.Join(names(), ", "))
}

func (k kind) parse(list string) (*Workload, error) {
	p, err := newParams(list)
	if err != nil {
		return nil, err
	}
	w := &Workload{}
	keys := p.whole("keys", 100_000, 1, 1<<32-2)
	w.requests = p.whole("requests", 1_000_000, 1, 1<<50)
	w.seed = p.whole("seed", 1, 0, 1<<64-1)
	common := p.shown()
	w.writes = p.optional("writes", 1)
	w.deletes = p.optional("deletes", 1)
	if w.writes+w.deletes > 1 {
		p.fail("writes=%v,deletes=%v: expected no more than 1 together", w.writes, w.deletes)
	}
	w.size = p.distribution("size", parseBytes)
	w.ttl = p.distribution("ttl", parseTTL)
	w.rate = p.optional("rate", 1e9)
	common = append(common, p.shown()...)
	w.start = k.build(p, keys, w.requests)
	if err := p.finish(); err != nil {
		return nil, err
	}
	// The kind's own parameters come first, because readers look for them.
	w.name = k.name + ":" + strings.Join(append(p.shown(), common...), ",")
	return w, nil
}

// String returns the description of w with every parameter.
func (w *Workload) String() string { return w.name }

// Open returns the requests from the beginning.
func (w *Workload) Open() trace.Source {
	return &source{
		Workload: w,
		next:     w.start(rand.New(rand.NewPCG(w.seed, 0))),
		ops:      rand.New(rand.NewPCG(w.seed, 1)),
	}
}

type source struct {
	*Workload
	next func() uint64
	ops  *rand.Rand
	done uint64
}

// Read implements [trace.Source].
func (s *source) Read(batch []trace.Request) (int, error) {
	if s.done == s.requests {
		return 0, io.EOF
	}
	n := int(min(s.requests-s.done, uint64(len(batch))))
	for i := range n {
		key := spread(s.next() + s.seed<<32)
		q := trace.Request{Key: key, Op: s.op()}
		if s.size != nil {
			q.Size = int64(s.size(spread(key ^ 1)))
		}
		if s.ttl != nil {
			q.TTL = time.Duration(s.ttl(spread(key ^ 2)))
		}
		if s.rate > 0 {
			q.Time = time.Duration(float64(s.done) / s.rate * 1e9)
		}
		batch[i] = q
		s.done++
	}
	return n, nil
}

func (s *source) op() trace.Op {
	if s.writes+s.deletes == 0 {
		return trace.Get
	}
	switch u := s.ops.Float64(); {
	case u < s.writes:
		return trace.Set
	case u < s.writes+s.deletes:
		return trace.Delete
	}
	return trace.Get
}

// spread is a bijection that scatters neighbouring numbers, so the bits of a key do not depend on its popularity. It is
// the finalizer of SplitMix64 (Steele, Lea and Flood, Fast splittable pseudorandom number generators, OOPSLA 2014).
func spread(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

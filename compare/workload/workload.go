// Package workload generates requests to a cache.
//
// A workload is written as a kind and its parameters:
//
//	zipf:s=0.99,keys=100000,requests=1000000,seed=1
//
// What is left out has a default, and the same text always gives the same
// requests.
package workload

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strings"

	"github.com/cachepact/cachepact/compare/trace"
)

// A Workload is a stream of requests that can be generated any number of times.
type Workload struct {
	name     string
	requests uint64
	seed     uint64
	start    func(*rand.Rand) func() uint64
}

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
	return nil, fmt.Errorf("workload: unknown kind %q: expected one of %s", name, strings.Join(Kinds(), ", "))
}

// String returns the description of w with every parameter.
func (w *Workload) String() string { return w.name }

// Open returns the requests from the first on.
func (w *Workload) Open() trace.Source {
	rng := rand.New(rand.NewPCG(w.seed, 0))
	return &source{left: w.requests, next: w.start(rng)}
}

type source struct {
	left uint64
	next func() uint64
}

// Read implements [trace.Source].
func (s *source) Read(batch []trace.Request) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	n := int(min(s.left, uint64(len(batch))))
	for i := range n {
		batch[i] = trace.Request{Key: spread(s.next())}
	}
	s.left -= uint64(n)
	return n, nil
}

// spread is a bijection that makes neighbouring numbers unlike each other, so
// that the popularity of a key says nothing about its bits. It is the finalizer
// of SplitMix64 (Steele, Lea and Flood, Fast splittable pseudorandom number
// generators, OOPSLA 2014).
func spread(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

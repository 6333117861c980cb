package workload

import (
	"math/rand/v2"
)

// A kind is a family of workloads.
type kind struct {
	name string
	doc  string
	// build takes what is the kind's own from the parameters and returns how to
	// start drawing ranks from 0 to keys-1.
	build func(p *params, keys uint64) func(*rand.Rand) func() uint64
}

var kinds = []kind{
	{"zipf", "the k-th most popular key is asked for in proportion to k^-s", func(p *params, keys uint64) func(*rand.Rand) func() uint64 {
		z := newZipf(p.float("s", 0.99, 1e-3, 100), keys)
		return func(rng *rand.Rand) func() uint64 {
			return func() uint64 { return z.draw(rng) - 1 }
		}
	}},
	{"uniform", "every key is asked for alike", func(_ *params, keys uint64) func(*rand.Rand) func() uint64 {
		return func(rng *rand.Rand) func() uint64 {
			return func() uint64 { return rng.Uint64N(keys) }
		}
	}},
}

// Kinds returns the names of the kinds.
func Kinds() []string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.name)
	}
	return names
}

func (k kind) parse(list string) (*Workload, error) {
	p, err := newParams(list)
	if err != nil {
		return nil, err
	}
	w := &Workload{}
	// A kind's own parameter comes first in its full name, as it is what one
	// looks for.
	keys := p.value("keys", 100_000, 1, 1<<32-2)
	w.start = k.build(p, keys)
	p.show("keys", keys)
	w.requests = p.value("requests", 1_000_000, 1, 1<<50)
	p.show("requests", w.requests)
	w.seed = p.value("seed", 1, 0, 1<<64-1)
	p.show("seed", w.seed)
	if err := p.finish(); err != nil {
		return nil, err
	}
	w.name = k.name + ":" + p.shown()
	return w, nil
}

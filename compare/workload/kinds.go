package workload

import (
	"math"
	"math/rand/v2"
)

// A kind is a family of workloads.
type kind struct {
	name string
	doc  string
	// build reads the kind's own parameters and returns a function that starts drawing
	// numbers of keys.
	build func(p *params, keys, requests uint64) start
}

// A Kind describes a family of workloads.
type Kind struct {
	Name     string
	Doc      string // what it is like
	Standard string // a description with every parameter's default
}

// Kinds returns the kinds.
func Kinds() []Kind {
	var all []Kind
	for _, k := range kinds {
		w, err := k.parse("")
		if err != nil {
			panic(err) // the defaults are in their ranges
		}
		all = append(all, Kind{k.name, k.doc, w.String()})
	}
	return all
}

func names() []string {
	var all []string
	for _, k := range kinds {
		all = append(all, k.name)
	}
	return all
}

var kinds = []kind{
	{"zipf", "the k-th most popular key is asked for in proportion to 1/k^s", buildZipf},
	{"ycsb-scrambled", "what YCSB calls zipfian: 10^10 items by zipf, hashed onto the keys, and so far less skewed", buildYCSB},
	{"uniform", "every key is asked for alike", buildUniform},
	{"hotspot", "a share of the keys, hot, gets a share of the requests, ops", buildHotspot},
	{"loop", "all keys in turn, again and again: the worst case of LRU", buildLoop},
	{"scan", "zipf over a share of the keys, hot; after every so many requests, length others in turn", buildScan},
	{"shift", "zipf, but in each of the phases other keys are the popular ones", buildShift},
	{"latest", "a share of the requests, new, is for a key never asked for; the others prefer the newest by zipf", buildLatest},
	{"one-hit", "a share of the requests, once, is for a key that is not asked for again; the others are zipf", buildOneHit},
}

// exponent reads the parameter s, which most kinds have.
func exponent(p *params) float64 {
	return p.own("s", 0.99, 1e-3, 100)
}

func buildZipf(p *params, keys, _ uint64) start {
	z := newZipf(exponent(p), keys)
	return func(rng *rand.Rand) func() uint64 {
		return func() uint64 { return z.draw(rng) - 1 }
	}
}

func buildYCSB(p *params, keys, _ uint64) start {
	g := newGray(p.own("s", 0.99, 1e-3, 0.999), 1e10)
	return func(rng *rand.Rand) func() uint64 {
		return func() uint64 { return fnv(g.draw(rng)) % keys }
	}
}

// fnv is FNV-1a of the eight bytes of x, the least significant first.
func fnv(x uint64) uint64 {
	hash := uint64(14695981039346656037)
	for range 8 {
		hash = (hash ^ x&0xff) * 1099511628211
		x >>= 8
	}
	return hash
}

func buildUniform(_ *params, keys, _ uint64) start {
	return func(rng *rand.Rand) func() uint64 {
		return func() uint64 { return rng.Uint64N(keys) }
	}
}

func buildHotspot(p *params, keys, _ uint64) start {
	hot := part(p.own("hot", 0.2, 0, 1), keys)
	ops := p.number("ops", 0.8, 0, 1)
	return func(rng *rand.Rand) func() uint64 {
		return func() uint64 {
			if hot == keys || rng.Float64() < ops {
				return rng.Uint64N(hot)
			}
			return hot + rng.Uint64N(keys-hot)
		}
	}
}

// part returns a share of the keys, at least one key.
func part(share float64, keys uint64) uint64 {
	return max(1, uint64(math.Round(share*float64(keys))))
}

func buildLoop(_ *params, keys, _ uint64) start {
	return func(*rand.Rand) func() uint64 {
		n := uint64(0)
		return func() uint64 {
			n++
			return (n - 1) % keys
		}
	}
}

func buildScan(p *params, keys, _ uint64) start {
	s := exponent(p)
	hot := part(p.number("hot", 0.1, 0, 1), keys)
	z := newZipf(s, hot)
	every := p.whole("every", 10_000, 1, 1<<50)
	length := p.whole("length", 5_000, 1, 1<<50)
	if hot == keys {
		length = 0 // there is nothing to scan
	}
	return func(rng *rand.Rand) func() uint64 {
		n, scanned := uint64(0), uint64(0)
		return func() uint64 {
			at := n % (every + length)
			n++
			if at < every {
				return z.draw(rng) - 1
			}
			scanned++
			return hot + (scanned-1)%(keys-hot)
		}
	}
}

func buildShift(p *params, keys, requests uint64) start {
	z := newZipf(exponent(p), keys)
	phases := p.whole("phases", 10, 1, 1<<32)
	length := max(1, requests/phases)
	return func(rng *rand.Rand) func() uint64 {
		n := uint64(0)
		return func() uint64 {
			phase := n / length
			n++
			return (z.draw(rng) - 1 + spread(phase)%keys) % keys
		}
	}
}

func buildLatest(p *params, keys, _ uint64) start {
	z := newZipf(exponent(p), keys)
	fresh := p.number("new", 0.05, 0, 1)
	return func(rng *rand.Rand) func() uint64 {
		newest := keys - 1
		return func() uint64 {
			if rng.Float64() < fresh {
				newest++
				return newest
			}
			return newest - (z.draw(rng) - 1)
		}
	}
}

func buildOneHit(p *params, keys, _ uint64) start {
	once := p.own("once", 0.5, 0, 1)
	z := newZipf(p.number("s", 0.99, 1e-3, 100), keys)
	return func(rng *rand.Rand) func() uint64 {
		next := keys
		return func() uint64 {
			if rng.Float64() < once {
				next++
				return next - 1
			}
			return z.draw(rng) - 1
		}
	}
}

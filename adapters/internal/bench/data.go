package main

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"slices"
)

// The sizes of the caches and of the work. Tests make them smaller.
var (
	capacity = 1 << 16 // entries
	hotKeys  = 1 << 14 // present keys, in scenarios without eviction
	freshRun = 1 << 15 // new keys that are made at a time
	mixKeys  = 1 << 17
	mixSteps = 1 << 17
)

// A record is the struct that is measured as a value.
type record struct {
	ID    uint64
	Name  string
	Score float64
	Tags  []string
}

// data has the keys and values of the experiments of one pair of types.
type data[K keyType, V any] struct {
	hot, absent []K
	values      []V // as many as hot keys, all different
	mixes       map[int][]op[K]
	fresh       uint64 // number of new keys that have been made
}

// The numbers from which keys are made: hot keys from 0, and the others from these on.
const (
	firstAbsent = 1 << 40
	firstFresh  = 1 << 41
	firstMixed  = 1 << 42
)

func newData[K keyType, V any](valueOf func(i int) V) *data[K, V] {
	d := &data[K, V]{
		hot:    keysFrom(make([]K, hotKeys), 0),
		absent: keysFrom(make([]K, hotKeys), firstAbsent),
		values: make([]V, hotKeys),
		mixes:  map[int][]op[K]{},
	}
	for i := range d.values {
		d.values[i] = valueOf(i)
	}
	return d
}

// newKeys fills keys with keys that were not used before.
func (d *data[K, V]) newKeys(keys []K) []K {
	keysFrom(keys, firstFresh+d.fresh)
	d.fresh += uint64(len(keys))
	return keys
}

// scatter is the output function of SplitMix64 (Steele, Lea and Flood, Fast splittable pseudorandom number generators,
// 2014). It is one to one. Keys in an arithmetic progression would favour a library with a weak hash function, which
// would visit its shards and buckets in an order that the processor predicts.
func scatter(x uint64) uint64 {
	x *= 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// keyLen is the length of a string key.
const keyLen = 16

// keysFrom fills keys with the keys of the numbers from first on. Different numbers have different keys.
func keysFrom[K keyType](keys []K, first uint64) []K {
	switch keys := any(keys).(type) {
	case []uint64:
		for i := range keys {
			keys[i] = scatter(first + uint64(i))
		}
	case []string:
		all := make([]byte, 0, keyLen*len(keys))
		for i := range keys {
			all = hex.AppendEncode(all, binary.BigEndian.AppendUint64(nil, scatter(first+uint64(i))))
		}
		text := string(all) // one string, so that the keys lie together as numbers do
		for i := range keys {
			keys[i] = text[i*keyLen:][:keyLen]
		}
	}
	return keys
}

// mix returns Gets and Puts. The given percentage are Puts. Keys have a Zipf distribution with exponent 0.99.
func (d *data[K, V]) mix(writes int) []op[K] {
	if d.mixes[writes] != nil {
		return d.mixes[writes]
	}
	keys, sums := keysFrom(make([]K, mixKeys), firstMixed), make([]float64, mixKeys)
	sum := 0.0
	for i := range sums {
		sum += math.Pow(float64(i+1), -0.99)
		sums[i] = sum
	}
	rng, ops := rand.New(rand.NewPCG(1, uint64(writes))), make([]op[K], mixSteps)
	for i := range ops {
		at, _ := slices.BinarySearch(sums, rng.Float64()*sum)
		ops[i] = op[K]{key: keys[at], value: int32(i % hotKeys)}
		if rng.IntN(100) < writes {
			ops[i].kind = put
		}
	}
	d.mixes[writes] = ops
	return ops
}

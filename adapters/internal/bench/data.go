package bench

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/cachepact/cachepact/compare/trace"
	"github.com/cachepact/cachepact/compare/workload"
)

// Sizes of the caches and of what is done with them.
const (
	capacity = 1 << 16 // entries
	hotKeys  = 1 << 14 // that are there in cases without eviction
	freshRun = 1 << 15 // new keys that are made at a time
	mixKeys  = 1 << 17
	mixSteps = 1 << 17
	mixRoom  = mixKeys / 16
)

// A Record is the struct that is measured as a value.
type Record struct {
	ID    uint64
	Name  string
	Score float64
	Tags  []string
}

// data is what the experiments of one key and value type work with.
type data[K Key, V any] struct {
	hot, absent []K
	values      []V // twice as many as hot keys, all different
	mixes       map[int]func() (mix[K], error)
	fresh       uint64 // new keys that have been made
}

// The numbers of keys: hot ones from 0, absent ones and new ones from these.
const (
	firstAbsent = 1 << 40
	firstFresh  = 1 << 41
)

func newData[K Key, V any](valueOf func(i int) V) *data[K, V] {
	d := &data[K, V]{
		hot:    keysFrom(make([]K, hotKeys), 0),
		absent: keysFrom(make([]K, hotKeys), firstAbsent),
		values: make([]V, 2*hotKeys),
		mixes:  map[int]func() (mix[K], error){},
	}
	for i := range d.values {
		d.values[i] = valueOf(i)
	}
	for _, writes := range []int{0, 10, 50} {
		d.mixes[writes] = sync.OnceValues(func() (mix[K], error) { return mixOf[K](writes) })
	}
	return d
}

// newKeys fills keys with keys that were not used before.
func (d *data[K, V]) newKeys(keys []K) []K {
	keysFrom(keys, firstFresh+d.fresh)
	d.fresh += uint64(len(keys))
	return keys
}

// scatter returns another number for each, one that tells nothing of where in a
// sequence it is: the output function of SplitMix64 (Steele, Lea and Flood, Fast
// splittable pseudorandom number generators, 2014). Keys in an arithmetic
// progression would be to the advantage of a library that hardly hashes: it comes
// to its shards and buckets in a progression, too, which the processor foresees.
func scatter(x uint64) uint64 {
	x *= 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// keysFrom fills keys with those of the numbers from first on. Different numbers
// have different keys that are unlike each other.
func keysFrom[K Key](keys []K, first uint64) []K {
	switch keys := any(keys).(type) {
	case []uint64:
		for i := range keys {
			keys[i] = scatter(first + uint64(i))
		}
	case []string:
		all := make([]byte, 0, keyLen*len(keys))
		for i := range keys {
			all = appendHex(all, scatter(first+uint64(i)))
		}
		cut(keys, string(all))
	}
	return keys
}

// keyLen is the length of a string key.
const keyLen = 16

func appendHex(dst []byte, x uint64) []byte {
	return hex.AppendEncode(dst, binary.BigEndian.AppendUint64(nil, x))
}

func cut(keys []string, all string) {
	for i := range keys {
		keys[i] = all[i*keyLen:][:keyLen]
	}
}

// A mix is a stream of operations.
type mix[K Key] []step[K]

// mixOf returns steps of which writes in a hundred write, on keys by a Zipf
// distribution of 0.99.
func mixOf[K Key](writes int) (steps mix[K], err error) {
	w, err := workload.Parse(fmt.Sprintf("zipf:s=0.99,keys=%d,requests=%d,writes=%v", mixKeys, mixSteps, float64(writes)/100))
	if err != nil {
		return nil, err
	}
	keys, source := map[uint64]K{}, w.Open()
	for requests := make([]trace.Request, 1024); ; {
		n, err := source.Read(requests)
		for _, q := range requests[:n] {
			if _, ok := keys[q.Key]; !ok {
				keys[q.Key] = keyOf[K](q.Key)
			}
			steps = append(steps, step[K]{keys[q.Key], q.Op == trace.Set})
		}
		if errors.Is(err, io.EOF) {
			return steps, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// keyOf returns the key that x stands for.
func keyOf[K Key](x uint64) (key K) {
	switch p := any(&key).(type) {
	case *uint64:
		*p = x
	case *string:
		*p = string(appendHex(nil, x))
	}
	return key
}

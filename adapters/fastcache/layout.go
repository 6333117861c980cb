package fastcache

import (
	"encoding/binary"
	"sync"

	"github.com/VictoriaMetrics/fastcache"

	"github.com/cachepact/cachepact/adapters/internal/expiry"
)

// layoutKnown reports whether the library evicts what a ring says that it does.
// It finds out once, in a fraction of a millisecond.
var layoutKnown = sync.OnceValue(func() bool {
	rs := newRings(2 * MinBytes)
	cache := fastcache.New(2 * MinBytes)
	defer cache.Reset()
	return rs[0].agrees(cache)
})

// agrees fills the first bucket of cache a few times and reports whether r, its
// ring, knows at any time what is left.
func (r *ring) agrees(cache *fastcache.Cache) bool {
	const keys = 24
	moment := expiry.NewClock().Reading()
	names, marks := namesIn(0, keys), make([]uint32, keys)
	value := make([]byte, chunk)
	for i := range 5 * keys {
		if cache.Has(names[i%keys]) {
			r.remove(marks[i%keys], &moment)
		}
		n := 7000 + 1571*i%5000
		marks[i%keys] = r.add(entryHead+len(names[i%keys])+n, expiry.Never, &moment)
		cache.Set(names[i%keys], value[:n])
		live := 0
		for k := range min(i+1, keys) {
			has := cache.Has(names[k])
			if left := marks[k]-r.first < r.last-r.first; has != left {
				return false
			}
			if has {
				live++
			}
		}
		if live != r.count {
			return false
		}
	}
	return r.evictions > keys
}

// namesIn returns n keys of bucket b.
func namesIn(b uint64, n int) [][]byte {
	var names [][]byte
	for i := uint64(0); len(names) < n; i++ {
		if name := binary.LittleEndian.AppendUint64(nil, i); bucket(name) == b {
			names = append(names, name)
		}
	}
	return names
}

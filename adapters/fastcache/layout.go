package fastcache

import (
	"encoding/binary"
	"sync"

	"github.com/VictoriaMetrics/fastcache"

	"github.com/cachepact/cachepact/internal/clock"
)

// layoutKnown reports whether the library evicts what a ring says that it does.
// It finds out once, in a fraction of a millisecond.
var layoutKnown = sync.OnceValue(func() bool {
	const chunks, keys = 2, 24
	cache := fastcache.New(chunks * MinBytes)
	defer cache.Reset()
	c := clock.New()
	var rs rings
	rs.init(chunks * MinBytes)
	r := &rs[0]
	names := namesIn(0, keys)
	marks := make([]uint32, keys)
	value := make([]byte, chunk)
	for i := range 5 * keys {
		k := i % keys
		if cache.Has(names[k]) {
			r.remove(marks[k], c)
		}
		n := 7000 + 1571*i%5000
		marks[k] = r.add(entryHead+len(names[k])+n, clock.Never, c)
		cache.Set(names[k], value[:n])
		live := 0
		for k := range names {
			mirrored := marks[k]-r.first < r.last-r.first && i >= k && r.isLive(r.slot(marks[k]))
			if cache.Has(names[k]) != mirrored {
				return false
			}
			if mirrored {
				live++
			}
		}
		if live != r.count {
			return false
		}
	}
	return r.evictions > keys
})

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

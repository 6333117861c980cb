package bench

import (
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"

	"github.com/cachepact/cachepact/backend"
)

// A Footprint is what a cache of small entries takes.
type Footprint struct {
	Entries int   `json:"entries"` // that a Get finds
	Heap    int64 `json:"heap"`    // bytes, of which those off Go's heap are estimated
	RSS     int64 `json:"rss"`     // bytes, or 0 where the system does not tell
}

// PerEntry returns the bytes that each entry takes.
func (f Footprint) PerEntry() float64 { return float64(f.Heap) / float64(f.Entries) }

const (
	million   = 1_000_000
	byteRoom  = 32 << 20 // of caches that count bytes: about a million small entries
	byteFill  = 5 * million / 2
	smallSize = 8
)

// Libraries returns the names of the libraries.
func Libraries() (names []string) {
	for _, l := range libraries[uint64, int]() {
		names = append(names, l.name)
	}
	return names
}

func find(name string) (library[uint64, int], error) {
	all := libraries[uint64, int]()
	i := slices.IndexFunc(all, func(l library[uint64, int]) bool { return l.name == name })
	if i < 0 {
		return library[uint64, int]{}, fmt.Errorf("bench: no library %q", name)
	}
	return all[i], nil
}

// MeasureFootprint fills a cache with a million entries of a uint64 and an int, or
// one that counts bytes until it evicts, and returns what it takes. Nothing else
// may run in the process, and nothing should have run before.
func MeasureFootprint(name string, impl Impl) (Footprint, error) {
	l, err := find(name)
	if err != nil {
		return Footprint{}, err
	}
	f, n := facts[name], million
	o := Options{Capacity: million + million/8, Bytes: byteRoom}
	if f.Bytes {
		n = byteFill
	}
	keys := keysFrom(make([]uint64, n), 0)
	values := make([]int, batch)
	for i := range values {
		values[i] = million + i
	}
	heap, rss := inUse()
	c, err := l.open(impl, o)
	if err != nil {
		return Footprint{}, fmt.Errorf("bench: %s, %s: %w", name, impl, err)
	}
	print, err := footprint(c, keys, values)
	print.Heap -= heap
	print.RSS -= rss
	if f.OffHeap {
		print.Heap += byteRoom
	}
	return print, errors.Join(err, c.close())
}

// footprint fills c and returns what is in use then.
func footprint(c driver[uint64, int], keys []uint64, values []int) (f Footprint, err error) {
	if err := fill(c, keys, values); err != nil {
		return f, err
	}
	f.Heap, f.RSS = inUse()
	f.Entries, err = c.gets(keys)
	if f.Entries == 0 {
		err = errors.Join(err, errors.New("bench: the cache is empty"))
	}
	runtime.KeepAlive(keys)
	runtime.KeepAlive(values)
	return f, err
}

func fill(c driver[uint64, int], keys []uint64, values []int) error {
	for some := range slices.Chunk(keys, batch) {
		if err := errors.Join(c.puts(some, values, nil), c.settle(true)); err != nil {
			return err
		}
	}
	return c.settle(false)
}

// inUse returns the bytes that live on the heap and those the process has in
// memory.
func inUse() (heap, rss int64) {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc), residentSet()
}

// residentSet returns the resident bytes of the process as Linux tells them, or 0.
func residentSet() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var size, resident int64
	if _, err := fmt.Sscan(string(text), &size, &resident); err != nil {
		return 0
	}
	return resident * int64(os.Getpagesize())
}

// MemoryBound returns how many bytes an adapter may add to an entry of library, or
// infinity. The byte caches have eight for the deadline; an int is as long encoded
// as raw.
func MemoryBound(library string) float64 {
	switch library {
	case "golanglru", "gocache":
		return 24
	case "otter", "theine":
		return 40
	case "ristretto", "ristretto2":
		return 120
	case "bigcache", "freecache", "fastcache", looseFast:
		return 8
	}
	return math.Inf(1)
}

// openMillion opens the library's adapter with room for a million entries.
func openMillion(l library[uint64, int]) (backend.Backend[uint64, int], error) {
	return l.adapter(Options{Capacity: million + million/8, Bytes: 4 * byteRoom})
}

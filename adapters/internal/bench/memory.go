package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"

	"github.com/cachepact/cachepact/adapters"
)

// A footprint is the memory of a cache of small entries.
type footprint struct {
	Entries int   `json:"entries"` // that a Get finds
	Heap    int64 `json:"heap"`    // bytes; includes the capacity of a cache that is not in Go's heap
	RSS     int64 `json:"rss"`     // bytes, or 0 if the system does not tell
}

func (f footprint) perEntry() float64 { return float64(f.Heap) / float64(f.Entries) }

const (
	byteBound = 32 << 20 // of caches that are bounded by bytes: about a million small entries
	byteFill  = 5 * million / 2
)

// memoryReport is the JSON form of a report of memory. The slices have one element for each library.
type memoryReport struct {
	Libraries []string    `json:"libraries"`
	Raw       []footprint `json:"raw"`
	Adapter   []footprint `json:"adapter"`
}

// reportMemory measures each cache in a process of its own, because earlier work leaves garbage.
func reportMemory(ctx context.Context, o options) (all memoryReport, err error) {
	self, err := os.Executable()
	if err != nil {
		return all, err
	}
	measure := func(library string, i impl) (f footprint, err error) {
		cmd := exec.CommandContext(ctx, self, "-footprint", library+":"+string(i))
		cmd.Stderr = os.Stderr
		text, err := cmd.Output()
		if err != nil {
			return f, fmt.Errorf("%s, %s: %w", library, i, err)
		}
		return f, json.Unmarshal(text, &f)
	}
	for _, library := range libraryNames() {
		if !o.lib.selects(library) {
			continue
		}
		raw, err := measure(library, rawImpl)
		if err != nil {
			return all, err
		}
		adapter, err := measure(library, adapterImpl)
		if err != nil {
			return all, err
		}
		all.Libraries = append(all.Libraries, library)
		all.Raw, all.Adapter = append(all.Raw, raw), append(all.Adapter, adapter)
	}
	if len(all.Libraries) == 0 {
		return all, errors.New("the flags select no library")
	}
	printMemory(os.Stdout, all)
	return all, nil
}

// printFootprint measures the memory of "library:impl" and prints it as JSON.
func printFootprint(name string) error {
	library, i, _ := strings.Cut(name, ":")
	f, err := measureFootprint(library, impl(i))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return json.NewEncoder(os.Stdout).Encode(f)
}

// measureFootprint fills a cache with a million entries of a uint64 and an int, or until it evicts if it is bounded by
// bytes. Nothing else may run in the process. It returns the zero footprint if there is no raw peer.
func measureFootprint(name string, i impl) (f footprint, err error) {
	l, err := find(name)
	if err != nil {
		return f, err
	}
	n := million
	if l.Bound == adapters.Bytes {
		n = byteFill
	}
	d := &data[uint64, int]{values: make([]int, hotKeys)}
	for i := range d.values {
		d.values[i] = million + i
	}
	keys := keysFrom(make([]uint64, n), 0)
	heap, rss := memoryInUse()
	w := work[uint64, int]{data: d}
	w.driver, err = l.open(i, capacities{entries: million + million/8, bytes: byteBound})
	if errors.Is(err, errNone) {
		return f, nil
	}
	if err != nil {
		return f, err
	}
	for some := range slices.Chunk(keys, batch) {
		err = errors.Join(err, w.load(some))
	}
	w.buf = nil
	f.Heap, f.RSS = memoryInUse()
	f.Heap, f.RSS = f.Heap-heap, f.RSS-rss
	if l.peer.offHeap {
		f.Heap += byteBound
	}
	f.Entries, _ = w.present(keys)
	if f.Entries == 0 {
		err = errors.Join(err, errors.New("the cache is empty"))
	}
	runtime.KeepAlive(d)
	return f, errors.Join(err, w.close())
}

// memoryInUse returns the bytes of live objects on the heap, and the resident bytes of the process.
func memoryInUse() (heap, rss int64) {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return int64(m.HeapAlloc), 0
	}
	var size, resident int64
	if _, err := fmt.Sscan(string(text), &size, &resident); err != nil {
		return int64(m.HeapAlloc), 0
	}
	return int64(m.HeapAlloc), resident * int64(os.Getpagesize())
}

// Package policy replays requests through exact cache policies: the reference
// lines of a comparison.
//
// Every function takes the requests as positions in a table of distinct keys,
// the number of those keys, and a capacity in entries, and returns the number of
// hits of a cache that is asked for each key in turn and stores what it misses.
//
// LRU and FIFO are what their names say. [OPT] is Belady's algorithm (A study of
// replacement algorithms for a virtual-storage computer, IBM Systems Journal
// 5(2), 1966): no policy that must store what it misses has more hits.
// [OPTBypass] may also refuse to store, as caches with an admission policy do: no
// cache of that capacity has more hits.
package policy

// FIFO evicts what was stored first.
func FIFO(ids []uint32, distinct, capacity int) (hits int) {
	queue := make([]uint32, 0, min(capacity, distinct))
	in := make([]bool, distinct)
	oldest := 0
	for _, id := range ids {
		if in[id] {
			hits++
			continue
		}
		in[id] = true
		if len(queue) < cap(queue) {
			queue = append(queue, id)
			continue
		}
		in[queue[oldest]] = false
		queue[oldest] = id
		oldest = (oldest + 1) % len(queue)
	}
	return hits
}

// LRU evicts what was not asked for the longest time.
func LRU(ids []uint32, distinct, capacity int) (hits int) {
	// The keys that are in are a ring through one more element, the root, from
	// the most recent to the least.
	root := uint32(distinct)
	next := make([]uint32, distinct+1)
	prev := make([]uint32, distinct+1)
	in := make([]bool, distinct)
	next[root], prev[root] = root, root
	size := 0
	unlink := func(id uint32) {
		next[prev[id]], prev[next[id]] = next[id], prev[id]
	}
	for _, id := range ids {
		switch {
		case in[id]:
			hits++
			unlink(id)
		case size == capacity:
			in[prev[root]] = false
			unlink(prev[root])
		default:
			size++
		}
		in[id] = true
		next[id], prev[id] = next[root], root
		prev[next[root]], next[root] = id, id
	}
	return hits
}

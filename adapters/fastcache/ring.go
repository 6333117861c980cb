package fastcache

import (
	"encoding/binary"
	"sync"

	"github.com/VictoriaMetrics/fastcache"
	"github.com/cespare/xxhash/v2"

	"github.com/cachepact/cachepact/adapters/internal/expiry"
)

// The library lays out entries as follows (fastcache.go of v1.13.0). The hash of a key selects one of 512 buckets. A
// bucket writes its entries one after the other into chunks of 64 KB, each entry with 4 bytes before it. An entry
// that would reach the end of its chunk goes to the start of the next chunk; the first chunk follows the last. An
// entry is evicted as soon as a later entry ends beyond the place where it begins.
const (
	buckets   = 512
	chunk     = 64 << 10
	entryHead = 4
)

// bucket returns the number of a key's bucket.
func bucket(name []byte) uint64 { return xxhash.Sum64(name) % buckets }

// A ring records the entries of a bucket, because the library cannot say which of them it has evicted. Each entry has
// a mark: its number in the order of writing. The entry contains the mark, so that a Put finds the record of the
// entry that it overwrites.
//
// A ring takes 2 bytes and a bit for each entry in the bucket, and 8 bytes more if the bucket has had an entry with a
// TTL.
type ring struct {
	mu sync.Mutex // locked to write a key of the bucket

	size        uint64 // bytes of all chunks
	head, tail  cursor // ends of the newest entry and of the entry before the oldest that is left
	first, last uint32 // marks of the oldest entry that is left and of the next entry
	start       int    // index of the oldest entry in sizes, live and deadlines
	sizes       []uint16
	live        []uint64 // one bit for each entry
	deadlines   []int64  // nil until an entry has a deadline

	soonest int64 // no entry expires earlier
	account
}

// An account is the number of live entries of a ring, and what happened to others.
type account struct {
	count                  int
	evictions, expirations uint64
	misses                 uint64 // of the adapter's own reads
}

// A cursor is a place in a bucket.
type cursor struct{ turn, at uint64 }

// step returns where an entry of n bytes begins that is written after c, and where it ends.
func (r *ring) step(c cursor, n uint64) (begin, end cursor) {
	if next := (c.at + n) / chunk; next > c.at/chunk {
		c.at = next * chunk
		if c.at >= r.size {
			c = cursor{c.turn + 1, 0}
		}
	}
	return c, cursor{c.turn, c.at + n}
}

// add records a new entry of n bytes and the eviction of the entries that it overwrites. It returns the mark of the
// entry.
func (r *ring) add(n int, deadline int64, moment *expiry.Reading) uint32 {
	_, r.head = r.step(r.head, uint64(n))
	for r.first != r.last {
		begin, end := r.step(r.tail, uint64(r.sizes[r.start]))
		if begin.turn == r.head.turn || begin.turn+1 == r.head.turn && begin.at >= r.head.at {
			break
		}
		r.tail = end
		r.dropFirst(moment)
	}
	if r.first == r.last {
		r.tail = cursor{r.head.turn, r.head.at - uint64(n)} // a step from here leads to the new entry
	}
	if int(r.last-r.first) == len(r.sizes) {
		r.grow()
	}
	if deadline != expiry.Never && r.deadlines == nil {
		r.deadlines = make([]int64, len(r.sizes))
	}
	i := r.index(r.last)
	r.sizes[i] = uint16(n)
	r.live[i/64] |= 1 << (i % 64)
	if r.deadlines != nil {
		r.deadlines[i] = deadline
	}
	if deadline != expiry.Never && (r.soonest == expiry.Never || deadline < r.soonest) {
		r.soonest = deadline
	}
	r.count++
	r.last++
	return r.last - 1
}

func (r *ring) dropFirst(moment *expiry.Reading) {
	if i := r.start; r.isLive(i) {
		if r.deadlines != nil && moment.Expired(r.deadlines[i]) {
			r.expirations++
		} else {
			r.evictions++
		}
		r.drop(i)
	}
	r.first++
	if r.start++; r.start == len(r.sizes) {
		r.start = 0
	}
}

// forget records the removal of an entry that the library has returned, or a miss of the adapter's own if ok is
// false.
func (r *ring) forget(entry []byte, ok bool, moment *expiry.Reading) bool {
	if !ok {
		r.misses++
		return false
	}
	r.remove(binary.LittleEndian.Uint32(entry), moment)
	return true
}

// remove records the removal of the entry with a mark. The entry is not live if a sweep has found it expired.
func (r *ring) remove(mark uint32, moment *expiry.Reading) {
	if mark-r.first >= r.last-r.first {
		return // unreachable: the library has the entry
	}
	if i := r.index(mark); r.isLive(i) {
		if r.deadlines != nil && moment.Expired(r.deadlines[i]) {
			r.expirations++
		}
		r.drop(i)
	}
}

// sweep records the entries that have expired at now.
func (r *ring) sweep(now int64) {
	if r.soonest == expiry.Never || r.soonest > now {
		return
	}
	r.soonest = expiry.Never
	for mark := r.first; mark != r.last; mark++ {
		i := r.index(mark)
		deadline := r.deadlines[i]
		switch {
		case deadline == expiry.Never || !r.isLive(i):
		case deadline <= now:
			r.expirations++
			r.drop(i)
		case r.soonest == expiry.Never || deadline < r.soonest:
			r.soonest = deadline
		}
	}
}

// index returns the index in sizes of the entry with a mark.
func (r *ring) index(mark uint32) int {
	i := r.start + int(mark-r.first)
	if i >= len(r.sizes) {
		i -= len(r.sizes)
	}
	return i
}

func (r *ring) isLive(i int) bool { return r.live[i/64]&(1<<(i%64)) != 0 }

func (r *ring) drop(i int) {
	r.live[i/64] &^= 1 << (i % 64)
	r.count--
}

// grow makes room for a quarter more entries.
func (r *ring) grow() {
	size := len(r.sizes) + max(64, len(r.sizes)/4)
	sizes, live := make([]uint16, size), make([]uint64, (size+63)/64)
	var deadlines []int64
	if r.deadlines != nil {
		deadlines = make([]int64, size)
	}
	for n := range int(r.last - r.first) {
		i := r.index(r.first + uint32(n))
		sizes[n] = r.sizes[i]
		if r.isLive(i) {
			live[n/64] |= 1 << (n % 64)
		}
		if deadlines != nil {
			deadlines[n] = r.deadlines[i]
		}
	}
	r.start, r.sizes, r.live, r.deadlines = 0, sizes, live, deadlines
}

// reset records the removal of all entries.
func (r *ring) reset() {
	r.head, r.tail = cursor{}, cursor{}
	r.first, r.last, r.start = 0, 0, 0
	r.sizes, r.live, r.deadlines = nil, nil, nil
	r.count, r.soonest = 0, expiry.Never
}

// rings are the rings of all buckets.
type rings [buckets]ring

func newRings(maxBytes int) *rings {
	rs := new(rings)
	perBucket := (uint64(maxBytes) + buckets - 1) / buckets
	for i := range rs {
		rs[i].size = (perBucket + chunk - 1) / chunk * chunk
	}
	return rs
}

// of returns the ring of a key.
func (rs *rings) of(name []byte) *ring { return &rs[bucket(name)] }

func (rs *rings) lock() {
	for i := range rs {
		rs[i].mu.Lock()
	}
}

func (rs *rings) unlock() {
	for i := range rs {
		rs[i].mu.Unlock()
	}
}

func (rs *rings) reset() {
	for i := range rs {
		rs[i].reset()
	}
}

// sum sweeps all rings and returns the sum of their accounts.
func (rs *rings) sum(now int64) (total account) {
	for i := range rs {
		r := &rs[i]
		r.mu.Lock()
		r.sweep(now)
		total.count += r.count
		total.evictions += r.evictions
		total.expirations += r.expirations
		total.misses += r.misses
		r.mu.Unlock()
	}
	return total
}

// layoutKnown reports whether the linked version of the library evicts the entries that a ring computes. It tests
// that once, in a fraction of a millisecond.
var layoutKnown = sync.OnceValue(func() bool {
	rs := newRings(2 * MinBytes)
	cache := fastcache.New(2 * MinBytes)
	defer cache.Reset()
	return rs[0].agrees(cache)
})

// agrees fills the first bucket of cache a few times. It reports whether r, its ring, always knows the entries left.
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

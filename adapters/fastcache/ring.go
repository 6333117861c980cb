package fastcache

import (
	"encoding/binary"
	"sync"

	"github.com/cespare/xxhash/v2"

	"github.com/cachepact/cachepact/adapters/internal/expiry"
)

// How the library lays out entries (fastcache.go of v1.13.0): a key belongs to
// one of 512 buckets by its hash. The entries of a bucket are written one after
// the other into chunks of 64 KB, each with 4 bytes before it. One that reaches
// the end of its chunk goes to the start of the next chunk, and after the last to
// that of the first. An entry is gone as soon as a later one ends beyond the
// place where it begins.
const (
	buckets   = 512
	chunk     = 64 << 10
	entryHead = 4
)

// bucket returns that of a key.
func bucket(name []byte) uint64 { return xxhash.Sum64(name) % buckets }

// A ring keeps account of the entries of a bucket, because the library cannot
// say which are left. It knows them by the order in which they were written: an
// entry has a mark, its number in that order, which can be told when the key is
// found again.
//
// It takes 2 bytes and a bit for each entry in the bucket, and 8 more in each
// bucket that has had an entry with a TTL.
type ring struct {
	mu sync.Mutex // held by whoever writes a key of the bucket

	size        uint64 // of all chunks
	head, tail  cursor // where the last entry ends, and the one before the first that is left
	first, last uint32 // the marks of the first that is left and the next to come
	start       int    // where the first that is left is in:
	sizes       []uint16
	live        []uint64 // a bit each
	deadlines   []int64  // nil until one is needed

	soonest int64 // before which none expires
	account
}

// An account is what there is in a ring, and has been.
type account struct {
	count                  int // the live entries
	evictions, expirations uint64
	misses                 uint64 // of the adapter's own reads
}

// A cursor is a place in a bucket.
type cursor struct{ turn, at uint64 }

// step returns where an entry of n bytes begins that comes after c, and where it
// ends.
func (r *ring) step(c cursor, n uint64) (begin, end cursor) {
	if next := (c.at + n) / chunk; next > c.at/chunk {
		c.at = next * chunk
		if c.at >= r.size {
			c = cursor{c.turn + 1, 0}
		}
	}
	return c, cursor{c.turn, c.at + n}
}

// add takes account of a new entry of n bytes, and of those that it overwrites.
// It returns the mark of the entry.
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
		r.tail = r.before(n)
	}
	if int(r.last-r.first) == len(r.sizes) {
		r.grow()
	}
	if deadline != expiry.Never && r.deadlines == nil {
		r.deadlines = make([]int64, len(r.sizes))
	}
	i := r.slot(r.last)
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

// before returns a place after which the last entry, of n bytes, is where it is.
func (r *ring) before(n int) cursor { return cursor{r.head.turn, r.head.at - uint64(n)} }

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

// leave takes account of the removal of an entry that the library has, if ok.
func (r *ring) leave(entry []byte, ok bool, moment *expiry.Reading) bool {
	if !ok {
		r.misses++
		return false
	}
	r.remove(binary.LittleEndian.Uint32(entry), moment)
	return true
}

// remove takes account of the removal of the entry with that mark. It is not
// live any more if it has been found expired.
func (r *ring) remove(mark uint32, moment *expiry.Reading) {
	if mark-r.first >= r.last-r.first {
		return // unreachable: the library found it
	}
	if i := r.slot(mark); r.isLive(i) {
		if r.deadlines != nil && moment.Expired(r.deadlines[i]) {
			r.expirations++
		}
		r.drop(i)
	}
}

// sweep takes account of the entries that have expired by now.
func (r *ring) sweep(now int64) {
	if r.soonest == expiry.Never || r.soonest > now {
		return
	}
	r.soonest = expiry.Never
	for mark := r.first; mark != r.last; mark++ {
		i := r.slot(mark)
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

// slot returns where the entry with that mark is in sizes.
func (r *ring) slot(mark uint32) int {
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
		i := r.slot(r.first + uint32(n))
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

// reset takes account of the removal of all entries.
func (r *ring) reset() {
	r.head, r.tail = cursor{}, cursor{}
	r.first, r.last, r.start = 0, 0, 0
	r.sizes, r.live, r.deadlines = nil, nil, nil
	r.count, r.soonest = 0, expiry.Never
}

// rings are those of all buckets.
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

// sum returns what there is in all rings, of which it removes what has expired by
// now.
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

func (rs *rings) reset() {
	for i := range rs {
		rs[i].reset()
	}
}

func (rs *rings) unlock() {
	for i := range rs {
		rs[i].mu.Unlock()
	}
}

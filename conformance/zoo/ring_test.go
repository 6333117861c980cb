package zoo

import (
	"context"
	"encoding/binary"
	"sync"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

// ring keeps encoded entries one after the other in a buffer that is written in a
// circle, with an index by hash whose chains compare keys. What is overwritten in
// the circle is gone.
type ring struct {
	mu     sync.RWMutex
	closed bool
	log    [][]byte // encoded entries
	next   int
	index  map[uint32][]int
}

func newRing(o conformance.Options) cache {
	n := o.Capacity
	if n == 0 {
		n = 20_000
	}
	n += n / 4
	return &ring{log: make([][]byte, n), index: map[uint32][]int{}}
}

func hash(key string) uint32 {
	h := uint32(2166136261)
	for i := range len(key) {
		h = (h ^ uint32(key[i])) * 16777619
	}
	return h
}

// An entry is encoded as deadline, key length, whether the value is nil, key,
// value.
func (r *ring) encode(key string, value []byte, deadline int64) []byte {
	e := binary.BigEndian.AppendUint64(nil, uint64(deadline))
	e = binary.BigEndian.AppendUint16(e, uint16(len(key)))
	e = append(e, 0)
	if value == nil {
		e[10] = 1
	}
	return append(append(e, key...), value...)
}

func (r *ring) decode(e []byte) (key string, value []byte, deadline int64) {
	n := 11 + int(binary.BigEndian.Uint16(e[8:]))
	key = string(e[11:n])
	if e[10] == 0 {
		value = append([]byte{}, e[n:]...)
	}
	return key, value, int64(binary.BigEndian.Uint64(e))
}

// find returns the place of key, or -1.
func (r *ring) find(key string) int {
	for _, i := range r.index[hash(key)] {
		n := 11 + int(binary.BigEndian.Uint16(r.log[i][8:]))
		if string(r.log[i][11:n]) == key {
			return i
		}
	}
	return -1
}

func (r *ring) drop(i int) {
	if i < 0 || r.log[i] == nil {
		return
	}
	key, _, _ := r.decode(r.log[i])
	h := hash(key)
	for j, x := range r.index[h] {
		if x == i {
			r.index[h] = append(r.index[h][:j:j], r.index[h][j+1:]...)
			break
		}
	}
	if len(r.index[h]) == 0 {
		delete(r.index, h)
	}
	r.log[i] = nil
}

func (r *ring) check(what string, key *string) error {
	if r.closed {
		return fail(what, backend.ErrClosed)
	}
	if len(*key) < 1<<16 {
		return nil
	}
	return fail(what, backend.ErrTooLarge)
}

func (r *ring) Get(_ context.Context, key string) ([]byte, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.check("get", &key); err != nil {
		return nil, false, err
	}
	i := r.find(key)
	if i < 0 {
		return nil, false, nil
	}
	_, value, deadline := r.decode(r.log[i])
	if past(deadline) {
		r.drop(i)
		return nil, false, nil
	}
	return value, true, nil
}

func (r *ring) Put(_ context.Context, key string, value []byte, ttl *time.Duration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.check("put", &key); err != nil {
		return err
	}
	limit := 3 << 20
	if len(value) > limit {
		r.drop(r.find(key))
		return fail("put", backend.ErrTooLarge)
	}
	old := r.find(key)
	r.drop(old)
	if over(ttl) {
		return nil
	}
	deadline := until(ttl)
	r.write(r.encode(key, value, deadline))
	return nil
}

func (r *ring) write(e []byte) {
	r.drop(r.next)
	r.log[r.next] = e
	key, _, _ := r.decode(e)
	r.index[hash(key)] = append(r.index[hash(key)], r.next)
	r.next = (r.next + 1) % len(r.log)
}

func (r *ring) Invalidate(_ context.Context, key *string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if key == nil {
		if r.closed {
			return fail("invalidate", backend.ErrClosed)
		}
		clear(r.log)
		clear(r.index)
		return nil
	}
	k := *key
	if err := r.check("invalidate", &k); err != nil {
		return err
	}
	r.drop(r.find(k))
	return nil
}

func (r *ring) Stats(context.Context) (backend.Stats, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return backend.Stats{}, fail("stats", backend.ErrClosed)
	}
	n := int64(0)
	for _, chain := range r.index {
		for _, i := range chain {
			if !past(int64(binary.BigEndian.Uint64(r.log[i]))) {
				n++
			}
		}
	}
	return backend.Stats{Size: n}, nil
}

func (r *ring) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	return nil
}

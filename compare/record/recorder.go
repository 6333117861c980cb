package record

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cachepact/cachepact/compare/internal/recording"
)

// An op is an operation that waits to be written.
type op struct {
	key  uint64
	at   int64 // by the recorder's clock
	ttl  time.Duration
	size uint32
	kind recording.Kind
}

// shards is the number of shards, a power of two. All operations on a key use one shard, which keeps their order.
const shards = 8

// interval is the longest time for which an operation waits to be written.
const interval = time.Second

// now returns the nanoseconds since the recorder was made.
func (r *recorder) now() int64 { return int64(time.Since(r.began)) }

// A recorder accepts operations from any number of goroutines and writes them on one goroutine.
type recorder struct {
	began time.Time
	shard [shards]shard

	some, many, stop, done chan struct{}
	closing                sync.Once

	out     *rotation
	encoder recording.Encoder
	block   []byte
	left    uint64 // operations left out, which no file says yet

	written, dropped atomic.Uint64
	bytes            atomic.Int64
	mu               sync.Mutex
	err              error
}

type shard struct {
	mu      sync.Mutex
	ops     []op // not more than its capacity
	dropped uint64

	spare []op // the recorder's, which swaps it with ops
	_     [48]byte
}

// newRecorder returns a recorder that buffers a number of operations.
func newRecorder(out *rotation, buffer int) (*recorder, error) {
	r := &recorder{
		began: time.Now(), out: out,
		some: make(chan struct{}, 1), many: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
	}
	if err := r.begin(); err != nil {
		return nil, err
	}
	each := buffer / shards
	for i := range r.shard {
		r.shard[i].ops, r.shard[i].spare = make([]op, 0, each), make([]op, 0, each)
	}
	go r.run()
	return r, nil
}

// add records o with the current time. It never waits for the file.
func (r *recorder) add(o op) {
	o.at = r.now()
	s := &r.shard[o.key%shards]
	s.mu.Lock()
	n, half := len(s.ops), cap(s.ops)/2
	if n < cap(s.ops) {
		s.ops = append(s.ops, o)
	} else {
		s.dropped++
	}
	s.mu.Unlock()
	switch n {
	case 0:
		wake(r.some)
	case half:
		wake(r.many)
	}
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run writes operations: soon if there are many, otherwise after the interval. It does nothing while there are none.
func (r *recorder) run() {
	defer close(r.done)
	for {
		select {
		case <-r.some:
		case <-r.stop:
			r.drain()
			r.keep(r.out.close())
			return
		}
		due := time.NewTimer(interval)
		select {
		case <-r.many:
		case <-due.C:
		case <-r.stop:
		}
		due.Stop()
		r.drain()
	}
}

func (r *recorder) wait() { <-r.done }

// close writes the remaining operations.
func (r *recorder) close() {
	r.closing.Do(func() { close(r.stop) })
	r.wait()
}

// drain writes all waiting operations in the order of time.
func (r *recorder) drain() {
	var heads [shards][]op
	var dropped uint64
	for i := range r.shard {
		s := &r.shard[i]
		s.mu.Lock()
		heads[i] = s.ops
		s.ops, s.spare = s.spare[:0], s.ops
		dropped += s.dropped
		s.dropped = 0
		s.mu.Unlock()
	}
	r.dropped.Add(dropped)
	r.left += dropped
	for {
		first := -1
		for i, ops := range heads {
			if len(ops) > 0 && (first < 0 || ops[0].at < heads[first][0].at) {
				first = i
			}
		}
		if first < 0 {
			break
		}
		o := heads[first][0]
		heads[first] = heads[first][1:]
		if r.encoder.Len() == 0 && r.out.full() { // a block has the hashes of one file
			r.keep(r.begin())
		}
		r.encoder.Add(recording.Op{
			Key: o.key, Time: time.Duration(o.at - r.out.start), TTL: o.ttl, Size: int64(o.size), Kind: o.kind,
		})
		if r.encoder.Len() == recording.MaxOps {
			r.write()
		}
	}
	if r.encoder.Len() > 0 || r.left > 0 {
		r.write()
	}
	r.keep(r.out.sync(r.now()))
}

// write writes the block.
func (r *recorder) write() {
	n := uint64(r.encoder.Len())
	r.block = r.encoder.AppendBlock(r.block[:0], r.left)
	if err := r.out.write(r.block); err != nil {
		r.keep(err)
		r.dropped.Add(n)
		r.left += n
	} else {
		r.left = 0
		r.written.Add(n)
		r.bytes.Add(int64(len(r.block)))
	}
}

// begin begins a file.
func (r *recorder) begin() error {
	r.encoder.Reset()
	err := r.out.next(r.now())
	r.encoder.Hash = r.out.secret.hash
	if err == nil {
		r.bytes.Add(int64(recording.HeaderSize))
	}
	return err
}

// keep keeps the first error.
func (r *recorder) keep(err error) {
	if err == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = fmt.Errorf("record: write: %w", err)
	}
}

func (r *recorder) status() Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := Status{Written: r.written.Load(), Dropped: r.dropped.Load(), Bytes: r.bytes.Load(), Err: r.err}
	for i := range r.shard {
		r.shard[i].mu.Lock()
		s.Dropped += r.shard[i].dropped
		r.shard[i].mu.Unlock()
	}
	return s
}

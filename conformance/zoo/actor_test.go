package zoo

import (
	"bytes"
	"container/heap"
	"context"
	"sync"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

// actor is a goroutine that owns a map and a heap of deadlines, and does what it
// is sent. The oldest entry makes room for a new one.
type actor struct {
	ask     chan func()
	quit    chan struct{}
	done    chan struct{}
	once    sync.Once
	room    int
	m       map[string]*record
	due     queue
	arrived []*record // in the order of arrival
}

type record struct {
	key      string
	value    []byte
	deadline int64
	at       int // in the heap, or -1
}

type queue []*record

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].deadline < q[j].deadline }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i]; q[i].at, q[j].at = i, j }
func (q *queue) Push(x any)        { r := x.(*record); r.at = len(*q); *q = append(*q, r) }
func (q *queue) Pop() any {
	old := *q
	r := old[len(old)-1]
	*q, r.at = old[:len(old)-1], -1
	return r
}

func newActor(o conformance.Options) cache {
	a := &actor{ask: make(chan func()), quit: make(chan struct{}), done: make(chan struct{}), room: o.Capacity, m: map[string]*record{}}
	go a.live()
	return a
}

func (a *actor) live() {
	defer close(a.done)
	for {
		var alarm <-chan time.Time
		if len(a.due) > 0 {
			alarm = time.After(time.Until(time.Unix(0, a.due[0].deadline)))
		}
		select {
		case f := <-a.ask:
			f()
		case <-alarm:
			a.expire()
		case <-a.quit:
			return
		}
	}
}

func (a *actor) expire() {
	for len(a.due) > 0 && past(a.due[0].deadline) {
		r := a.due[0]
		a.remove(r)
	}
}

func (a *actor) remove(r *record) {
	if r == nil {
		return
	}
	delete(a.m, r.key)
	if r.at >= 0 {
		heap.Remove(&a.due, r.at)
	}
	for i, x := range a.arrived {
		if x == r {
			a.arrived = append(a.arrived[:i], a.arrived[i+1:]...)
			break
		}
	}
}

// do has the actor run f. It returns the context's error, or ErrClosed.
func (a *actor) do(ctx context.Context, what string, f func()) error {
	if err := ctx.Err(); err != nil {
		return fail(what, err)
	}
	ran := make(chan struct{})
	select {
	case <-a.done:
		return fail(what, backend.ErrClosed)
	default:
	}
	select {
	case a.ask <- func() { f(); close(ran) }:
		<-ran
		return nil
	case <-a.done:
		return fail(what, backend.ErrClosed)
	case <-ctx.Done():
		return fail(what, ctx.Err())
	}
}

func (a *actor) Get(ctx context.Context, key string) (value []byte, hit bool, err error) {
	err = a.do(ctx, "get", func() {
		a.expire()
		if r := a.m[key]; r != nil {
			value, hit = bytes.Clone(r.value), true
		}
	})
	return value, hit, err
}

func (a *actor) Put(ctx context.Context, key string, value []byte, ttl *time.Duration) error {
	value, deadline, dead := bytes.Clone(value), until(ttl), over(ttl)
	put := func() { a.put(key, value, deadline, dead) }
	return a.do(ctx, "put", put)
}

func (a *actor) put(key string, value []byte, deadline int64, dead bool) {
	a.expire()
	old := a.m[key]
	if dead {
		a.remove(old)
		return
	}
	if a.room > 0 && old == nil && len(a.m) >= a.room && len(a.arrived) > 0 {
		a.remove(a.arrived[0])
	}
	a.remove(a.m[key])
	r := &record{key, value, deadline, -1}
	a.m[key] = r
	if a.room > 0 {
		a.arrived = append(a.arrived, r)
	}
	if deadline != never {
		heap.Push(&a.due, r)
	}
}

func (a *actor) Invalidate(ctx context.Context, key *string) error {
	if key != nil {
		k := *key
		return a.do(ctx, "invalidate", func() { a.remove(a.m[k]) })
	}
	return a.do(ctx, "invalidate", func() {
		clear(a.m)
		a.arrived = nil
		a.due = nil
	})
}

func (a *actor) Stats(ctx context.Context) (s backend.Stats, err error) {
	err = a.do(ctx, "stats", func() {
		a.expire()
		s.Size = int64(len(a.m))
	})
	return s, err
}

func (a *actor) Close() error {
	a.once.Do(func() { close(a.quit) })
	<-a.done
	return nil
}

package zoo

import (
	"context"
	"encoding/gob"
	"net"
	"sync"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

// remote talks to a server, here in the same process, over pipes that live in a
// bubble or over loopback TCP. Each call has a connection to itself.
type remote struct {
	dial   func(context.Context) (net.Conn, error)
	server *server
	closed chan struct{}
	once   sync.Once
	idle   chan *wire // connections to use again
}

type wire struct {
	net.Conn
	enc *gob.Encoder
	dec *gob.Decoder
}

type request struct {
	Op       string
	Key      string
	All      bool
	Value    []byte
	Nil      bool
	Deadline int64
	Dead     bool
}

type reply struct {
	Value    []byte
	Nil, Hit bool
	Size     int64
}

// server is the other side.
type server struct {
	mu    sync.Mutex
	m     map[string]item
	conns sync.WaitGroup
}

func (s *server) serve(c net.Conn) {
	defer s.conns.Done()
	defer c.Close()
	enc, dec := gob.NewEncoder(c), gob.NewDecoder(c)
	for {
		var q request
		if dec.Decode(&q) != nil {
			return
		}
		if enc.Encode(s.answer(q)) != nil {
			return
		}
	}
}

func (s *server) answer(q request) (a reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch q.Op {
	case "get":
		it, ok := s.m[q.Key]
		if ok && !past(it.deadline) {
			a = reply{Value: it.value, Nil: it.value == nil, Hit: true}
		}
	case "put":
		if q.Dead {
			delete(s.m, q.Key)
			break
		}
		if q.Value == nil && !q.Nil {
			q.Value = []byte{} // gob makes nil of it
		}
		s.m[q.Key] = item{value: q.Value, deadline: q.Deadline}
	case "invalidate":
		if delete(s.m, q.Key); q.All {
			clear(s.m)
		}
	case "stats":
		for _, it := range s.m {
			if !past(it.deadline) {
				a.Size++
			}
		}
	}
	return a
}

func newPiped(_ conformance.Options) cache {
	s := &server{m: map[string]item{}}
	return newRemote(s, func(context.Context) (net.Conn, error) {
		near, far := net.Pipe()
		s.conns.Add(1)
		go s.serve(far)
		return near, nil
	})
}

func newRemote(s *server, dial func(context.Context) (net.Conn, error)) *remote {
	return &remote{server: s, dial: dial, closed: make(chan struct{}), idle: make(chan *wire, 4)}
}

// listening ends its listener with the client.
type listening struct {
	*remote
	l    net.Listener
	done chan struct{}
}

func newDialed(_ conformance.Options) cache {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	s := &server{m: map[string]item{}}
	var dialer net.Dialer
	r := newRemote(s, func(ctx context.Context) (net.Conn, error) { return dialer.DialContext(ctx, "tcp", l.Addr().String()) })
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.conns.Add(1)
			go s.serve(c)
		}
	}()
	return listening{r, l, done}
}

func (l listening) Close() error {
	l.once.Do(func() { close(l.closed) }) // before the calls under way see the listener go
	_ = l.l.Close()
	<-l.done
	return l.remote.Close()
}

func (r *remote) conn(ctx context.Context) (*wire, error) {
	select {
	case w := <-r.idle:
		return w, nil
	default:
	}
	c, err := r.dial(ctx)
	if err != nil {
		return nil, err
	}
	return &wire{c, gob.NewEncoder(c), gob.NewDecoder(c)}, nil
}

func (r *remote) call(ctx context.Context, q request) (a reply, err error) {
	select {
	case <-r.closed:
		return a, fail(q.Op, backend.ErrClosed)
	default:
	}
	w, err := r.conn(ctx)
	if err != nil {
		return a, r.because(ctx, q.Op, err)
	}
	stop := context.AfterFunc(ctx, func() { w.SetDeadline(time.Unix(1, 0)) })
	if err = w.enc.Encode(q); err == nil {
		err = w.dec.Decode(&a)
	}
	if !stop() || err != nil { // half a message may be on its way
		w.Close()
		if err == nil {
			return a, nil
		}
		return reply{}, r.because(ctx, q.Op, err)
	}
	select {
	case <-r.closed:
		w.Close()
	default:
		select {
		case r.idle <- w:
		default:
			w.Close()
		}
	}
	select {
	case <-r.closed: // meanwhile
		r.drain()
	default:
	}
	return a, nil
}

// because says why a call failed.
func (r *remote) because(ctx context.Context, what string, err error) error {
	if cause := ctx.Err(); cause != nil {
		return fail(what, cause)
	}
	select {
	case <-r.closed:
		return fail(what, backend.ErrClosed)
	default:
		return fail(what, err)
	}
}

func (r *remote) drain() {
	for {
		select {
		case w := <-r.idle:
			w.Close()
		default:
			return
		}
	}
}

func (r *remote) name(key string) string {
	return key
}

func (r *remote) Get(ctx context.Context, key string) ([]byte, bool, error) {
	a, err := r.call(ctx, request{Op: "get", Key: r.name(key)})
	if err != nil || !a.Hit {
		return nil, false, err
	}
	if a.Value == nil && !a.Nil {
		a.Value = []byte{}
	}
	return a.Value, true, nil
}

func (r *remote) Put(ctx context.Context, key string, value []byte, ttl *time.Duration) error {
	deadline := until(ttl)
	_, err := r.call(ctx, request{Op: "put", Key: r.name(key), Value: value, Nil: value == nil, Deadline: deadline, Dead: over(ttl)})
	return err
}

func (r *remote) Invalidate(ctx context.Context, key *string) error {
	q := request{Op: "invalidate", All: key == nil}
	if key != nil {
		q.Key = r.name(*key)
		q.All = false
	}
	_, err := r.call(ctx, q)
	return err
}

func (r *remote) Stats(ctx context.Context) (backend.Stats, error) {
	a, err := r.call(ctx, request{Op: "stats"})
	return backend.Stats{Size: a.Size}, err
}

func (r *remote) Close() error {
	r.once.Do(func() { close(r.closed) })
	r.drain()
	r.server.conns.Wait()
	return nil
}

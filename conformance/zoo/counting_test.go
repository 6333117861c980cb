package zoo

import (
	"context"
	"sync"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/backend/memory"
	"github.com/cachepact/cachepact/conformance"
)

// newInner returns a correct cache to put another around.
func newInner(o conformance.Options) cache {
	in, err := memory.New[string, []byte](memory.Options{Capacity: o.Capacity})
	if err != nil {
		panic(err)
	}
	return in
}

// doorkept keeps the first key out when it first comes, and every twentieth
// after it, as a filter of what is asked for only once may.
type doorkept struct {
	cache
	mu    sync.Mutex
	known map[string]bool
}

func newDoorkept(o conformance.Options) cache {
	return &doorkept{cache: newInner(o), known: map[string]bool{}}
}

func (d *doorkept) Put(ctx context.Context, key string, value []byte, ttl *time.Duration) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.known[key] {
		if len(d.known)%20 == 0 {
			ttl = new(time.Duration) // which removes the key, and fails if the cache is closed
		}
		d.known[key] = true
	}
	return d.cache.Put(ctx, key, value, ttl)
}

func (d *doorkept) Close() error { return backend.Close(d.cache) }

// tallied counts on a goroutine of its own, which can be behind.
type tallied struct {
	cache
	seen      chan bool
	done      chan struct{}
	life      sync.RWMutex
	closed    bool
	mu        sync.Mutex
	hit, miss uint64
}

func newTallied(o conformance.Options) cache {
	t := &tallied{cache: newInner(o), seen: make(chan bool, 1<<14), done: make(chan struct{})}
	go func() {
		defer close(t.done)
		for hit := range t.seen {
			t.mu.Lock()
			if hit {
				t.hit++
			} else {
				t.miss++
			}
			t.mu.Unlock()
		}
	}()
	return t
}

func (t *tallied) Get(ctx context.Context, key string) ([]byte, bool, error) {
	t.life.RLock()
	defer t.life.RUnlock()
	v, hit, err := t.cache.Get(ctx, key)
	if err == nil && !t.closed {
		t.seen <- hit
	}
	return v, hit, err
}

func (t *tallied) Stats(ctx context.Context) (backend.Stats, error) {
	s, err := t.cache.Stats(ctx)
	if err == nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		s.Counters = map[string]uint64{backend.CounterHits: t.hit, backend.CounterMisses: t.miss}
	}
	return s, err
}

func (t *tallied) Close() error {
	t.life.Lock()
	defer t.life.Unlock()
	if !t.closed {
		t.closed = true
		close(t.seen)
		<-t.done
	}
	return backend.Close(t.cache)
}

// weighed takes long over its Stats, one at a time.
type weighed struct {
	cache
	mu sync.Mutex
}

func newWeighed(o conformance.Options) cache { return &weighed{cache: newInner(o)} }
func (w *weighed) Stats(ctx context.Context) (backend.Stats, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	time.Sleep(40 * time.Millisecond)
	return w.cache.Stats(ctx)
}

func (w *weighed) Close() error { return backend.Close(w.cache) }

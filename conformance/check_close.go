package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"strings"
	"sync"

	"github.com/cachepact/cachepact/backend"
)

// close closes the backend. It fails the check if Close returns an error.
func (p *probe[K, V]) close() {
	if err := backend.Close(p.b); err != nil {
		p.failf("Close() = error %q", err)("nil")
	}
}

// closedCalls checks every method of a closed backend.
func (p *probe[K, V]) closedCalls() {
	k := p.key(0)
	v, hit, err := p.b.Get(p.ctx, k)
	if hit || !reflect.ValueOf(&v).Elem().IsZero() {
		p.failf("Get after Close = %s, %v", show(v), hit)("the zero value and false")
	}
	_, statsErr := p.b.Stats(p.ctx)
	for what, err := range map[string]error{
		"Get": err, "Stats": statsErr,
		"Put":             p.b.Put(p.ctx, k, p.val(), nil),
		"Put with a TTL":  p.b.Put(p.ctx, k, p.val(), new(p.unit())),
		"Put with TTL 0":  p.b.Put(p.ctx, k, p.val(), new(0*p.unit())),
		"Invalidate":      p.b.Invalidate(p.ctx, &k),
		"Invalidate(nil)": p.b.Invalidate(p.ctx, nil),
	} {
		if !errors.Is(err, backend.ErrClosed) {
			p.failf("%s after Close = error %v", what, err)("an error that wraps ErrClosed")
		}
	}
	if p.r.has.entries {
		if e, hit, err := backend.GetEntry(p.ctx, p.b, k); hit || !errors.Is(err, backend.ErrClosed) || !reflect.ValueOf(&e).Elem().IsZero() {
			p.failf("GetEntry after Close = hit %v, error %v", hit, err)(
				"the zero Entry, false and an error that wraps ErrClosed")
		}
	}
	if p.r.has.syncer {
		if err := backend.Sync(p.ctx, p.b); !errors.Is(err, backend.ErrClosed) {
			p.failf("Sync after Close = error %v", err)("an error that wraps ErrClosed")
		}
	}
	if p.r.has.batcher {
		if _, err := backend.GetMany(p.ctx, p.b, []K{k}); !errors.Is(err, backend.ErrClosed) {
			p.failf("GetMany after Close = error %v", err)("an error that wraps ErrClosed")
		}
		if err := backend.PutMany(p.ctx, p.b, []backend.Item[K, V]{{Key: k, Value: p.val()}}); !errors.Is(err, backend.ErrClosed) {
			p.failf("PutMany after Close = error %v", err)("an error that wraps ErrClosed")
		}
	}
	if seq, err := backend.All(p.b); err == nil {
		for range seq {
			p.failf("All yields an entry after Close")("nothing")
		}
	}
	clear(p.model)
}

// endedGoroutines checks in real time that all goroutines of the backend have ended when Close returns. A goroutine
// that has just ended may still be counted for a moment, so the check fails only if a goroutine remains in most of the
// tries.
func (r *runner[K, V]) endedGoroutines() error {
	const tries = 10
	late := 0
	for range tries {
		before := runtime.NumGoroutine()
		b, err := r.subject.New(Options{})
		if err != nil {
			return fmt.Errorf("conformance: new: %w", err)
		}
		k := r.keys.At(0)
		if _, ok := backend.As[io.Closer](b); ok {
			_ = b.Put(context.Background(), k, r.values.At(0), nil)
			_ = backend.Close(b)
		}
		for range 100 {
			runtime.Gosched()
		}
		if runtime.NumGoroutine() > before {
			late++
			if !r.drained(before) {
				return nil // the goroutine never ends: another check reports it
			}
		}
	}
	if late == tries {
		return &fault{
			what: "goroutines of the backend still ran when Close had returned, though they ended soon after",
			want: "Close returns once every goroutine of the backend has ended",
			hint: "wait for them in Close, with a sync.WaitGroup",
		}
	}
	return nil
}

func checkCloseIdempotentTwice[K comparable, V any](p *probe[K, V]) {
	p.put(p.key(0))
	for range 3 {
		p.close()
	}
	p.b = nil
}

func checkCloseIdempotentUnused[K comparable, V any](p *probe[K, V]) {
	p.close()
	p.close()
	p.b = nil
}

func checkCloseIdempotentConcurrent[K comparable, V any](r *runner[K, V]) error {
	for range 10 {
		if f := r.session(Options{}, func(p *probe[K, V]) {
			for i := range min(50, p.r.keys.N) {
				p.put(p.key(i))
			}
			parallel(func() {
				var wg sync.WaitGroup
				var mu sync.Mutex
				for range 6 {
					wg.Go(func() { p.guard1(&mu, p.close) })
				}
				wg.Wait()
			})
			p.b = nil
		}); f != nil {
			return f
		}
	}
	return nil
}

func checkCloseIdempotentOften[K comparable, V any](p *probe[K, V]) {
	for range 30 {
		q := p.another()
		q.put(q.key(0))
		q.hit(q.key(0))
		q.close()
		q.b = nil
		p.others = p.others[:0]
	}
	p.put(p.key(0))
	p.hit(p.key(0))
}

func checkCloseIdempotentWithPendingWork[K comparable, V any](p *probe[K, V]) {
	for i := range min(500, p.r.keys.N) {
		if i%2 == 0 {
			p.put(p.key(i))
		} else {
			p.putTTL(p.key(i), p.unit())
		}
	}
	p.invalidate(p.key(0))
	p.close()
	p.b = nil
	p.sleep(3 * p.unit()) // a timer that Close did not stop would fire now
}

func checkCloseIdempotentEndedWhenItReturns[K comparable, V any](r *runner[K, V]) error {
	return r.watched(r.endedGoroutines)
}

func checkCloseIdempotentNoGoroutineLeft[K comparable, V any](r *runner[K, V]) error {
	if len(r.leaks) == 0 {
		return nil
	}
	f := &fault{
		what: "goroutines remained after: " + strings.Join(r.leaks, "; "),
		want: "every goroutine of the backend has ended when Close returns",
	}
	if !r.has.closer {
		f.hint = "the backend starts goroutines but has no Close() error that ends them"
	}
	return f
}

func checkCloseAfterEveryMethod[K comparable, V any](p *probe[K, V]) {
	p.put(p.key(0))
	p.settle()
	p.close()
	p.closedCalls()
	p.close()
	p.closedCalls()
	p.b = nil
}

func checkCloseAfterUnsettled[K comparable, V any](p *probe[K, V]) {
	for i := range min(50, p.r.keys.N) {
		p.put(p.key(i))
	}
	p.close()
	p.background()
	p.closedCalls()
	p.b = nil
}

func checkCloseAfterEmpty[K comparable, V any](p *probe[K, V]) {
	p.close()
	p.closedCalls()
	p.b = nil
}

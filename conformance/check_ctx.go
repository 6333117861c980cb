package conformance

import (
	"context"
	"errors"
	"time"
)

func checkCtxDoneBeforeTheCall[K comparable, V any](p *probe[K, V]) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	p.withContext(ctx, context.Canceled)
	ctx, cancel = context.WithDeadline(context.Background(), time.Now().Add(-time.Second))
	defer cancel()
	p.withContext(ctx, context.DeadlineExceeded)
}

func checkCtxDoneAfterTheCall[K comparable, V any](p *probe[K, V]) {
	n := min(4, p.r.keys.N)
	for i := range n {
		ctx, cancel := context.WithTimeout(context.Background(), p.unit())
		v := p.val()
		err := p.b.Put(ctx, p.key(i), v, nil)
		p.synced(&err)
		if err != nil {
			p.failf("Put with a context that has a deadline = error %q", err)("nil")
		}
		*p.cell(p.key(i)) = cell[V]{has: true, val: v, put0: time.Now(), put1: time.Now()}
		if _, _, err := p.b.Get(ctx, p.key(i)); err != nil {
			p.failf("Get with a context that has a deadline = error %q", err)("a hit or a miss")
		}
		if i%2 == 0 {
			cancel() // the context ends after the call, but the entry stays
		} else {
			defer cancel()
		}
		p.hit(p.key(i))
	}
	p.sleep(2 * p.unit())
	for i := range n {
		p.hit(p.key(i))
		p.put(p.key(i))
		p.hit(p.key(i))
	}
}

func checkCtxDoneDuringTheCall[K comparable, V any](p *probe[K, V]) {
	p.put(p.key(0))
	k := p.key(0)
	for what, call := range map[string]func(ctx context.Context) error{
		"Get":             func(ctx context.Context) error { _, _, err := p.b.Get(ctx, k); return err },
		"Put":             func(ctx context.Context) error { return p.b.Put(ctx, k, p.r.values.At(1), nil) },
		"Invalidate":      func(ctx context.Context) error { return p.b.Invalidate(ctx, &k) },
		"Invalidate(nil)": func(ctx context.Context) error { return p.b.Invalidate(ctx, nil) },
		"Stats":           func(ctx context.Context) error { _, err := p.b.Stats(ctx); return err },
	} {
		const timeout = time.Millisecond
		slack := 100 * time.Millisecond // fake time does not pass during work
		if !p.r.bubble {
			slack = 2 * time.Second
		}
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		start := time.Now()
		err := call(ctx)
		took := time.Since(start)
		cancel()
		if took > timeout+slack {
			p.failf("%s with a context that ends after %v took %v", what, timeout, took)(
				"an answer, or the context's error, promptly")
		}
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			p.failf("%s with a context that ends during the call = error %q", what, err)(
				"nil, or an error that wraps %q", context.DeadlineExceeded)
		}
	}
	p.loose = true
	p.cell(k).past = append(p.cell(k).past, p.r.values.At(1))
	p.clear()
	p.loose = false
	p.put(k) // and the next call works
	p.hit(k)
}

func checkCtxDoneOtherValues[K comparable, V any](p *probe[K, V]) {
	type private struct{}
	ctx := context.WithValue(context.Background(), private{}, secret)
	v := p.val()
	err := p.b.Put(ctx, p.key(0), v, nil)
	p.synced(&err)
	if err != nil {
		p.failf("Put with a context that holds a value = error %q", err)("nil")
	}
	p.cell(p.key(0)).lose("")
	*p.cell(p.key(0)) = cell[V]{has: true, val: v, put0: time.Now(), put1: time.Now()}
	p.hit(p.key(0))
}

package ristcore

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Close waits for the calls inside. It sleeps while it waits; otherwise the bubble's time would not pass.
func TestCloseWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := open(t)
		done := make(chan error, 1)
		x.fake.onGet = func() {
			go func() { done <- x.Close() }()
			time.Sleep(time.Hour)
			if x.fake.closed.Load() {
				t.Error("the library was closed during a Get")
			}
		}
		if _, _, err := x.Get(context.Background(), 0); err != nil {
			t.Errorf("Get: %v", err)
		}
		if err := <-done; err != nil || !x.fake.closed.Load() {
			t.Errorf("Close() = %v, library closed %t", err, x.fake.closed.Load())
		}
	})
}

// Invalidate(nil) does not wait for calls. The calls inside use the old library, which is closed after they have
// left.
func TestInvalidateAllWhileInside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := open(t)
		defer x.Close()
		x.put(1, 1)
		x.fake.onGet = func() {
			start := time.Now()
			for range maxRetired { // the last call does not wait, because the other libraries are closed
				x.invalidate(nil)
				x.put(2, 2)
				synctest.Wait()
			}
			time.Sleep(time.Hour)
			if x.fake.closed.Load() || time.Since(start) != time.Hour {
				t.Errorf("after %v the library in use is closed: %t", time.Since(start), x.fake.closed.Load())
			}
		}
		x.hits(1, 1) // a Get that started before Invalidate
		synctest.Wait()
		if !x.fake.closed.Load() {
			t.Error("the old library is not closed")
		}
		x.misses(1)
	})
}

// When shut returns, no call is inside. It returns although calls try to enter meanwhile.
func TestGateShut(t *testing.T) {
	for range 500 {
		var g gate
		var inside atomic.Int64
		var calls sync.WaitGroup
		for n := range uint64(8) {
			calls.Go(func() {
				for {
					l := g.laneOf(n % 3)
					if !l.enter() {
						return
					}
					inside.Add(1)
					inside.Add(-1)
					if n%2 == 0 {
						l.hit()
					} else {
						l.miss()
					}
				}
			})
		}
		g.shut()
		if n := inside.Load(); n != 0 {
			t.Fatalf("%d calls are inside a gate that is shut", n)
		}
		before, _ := g.counts()
		calls.Wait()
		if after, _ := g.counts(); before != after {
			t.Fatalf("%d hits when the gate was shut, and %d later", before, after)
		}
	}
}

package ristcore

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Close waits for the calls that it finds, and sleeps while it does: in the bubble
// time would stand still otherwise.
func TestCloseWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		c, shelf := open(t)
		f := shelf.last()
		done := make(chan error, 1)
		f.found = func() {
			go func() { done <- c.Close() }()
			time.Sleep(time.Hour)
			if f.closed.Load() {
				t.Error("the library was closed during a Get")
			}
		}
		if _, _, err := c.Get(ctx, 0); err != nil {
			t.Errorf("Get: %v", err)
		}
		if err := <-done; err != nil || !f.closed.Load() {
			t.Errorf("Close() = %v, library closed %t", err, f.closed.Load())
		}
	})
}

// Invalidate of all keys waits for no call, and what the calls that it finds do is
// done in the old library, which is closed after them.
func TestInvalidateAllWhileInside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		c, shelf := open(t)
		defer c.Close()
		if err := c.Put(ctx, 1, 1, nil); err != nil {
			t.Fatal(err)
		}
		f := shelf.last()
		f.found = func() {
			start := time.Now()
			for range maxRetired { // the last finds the others closed, and waits for none
				if err := c.Invalidate(ctx, nil); err != nil {
					t.Error(err)
				}
				if err := c.Put(ctx, 2, 2, nil); err != nil {
					t.Error(err)
				}
				synctest.Wait()
			}
			time.Sleep(time.Hour)
			if f.closed.Load() || time.Since(start) != time.Hour {
				t.Errorf("after %v the library that is in use is closed: %t", time.Since(start), f.closed.Load())
			}
		}
		if _, hit, err := c.Get(ctx, 1); !hit || err != nil {
			t.Errorf("Get, begun before = %t, %v, want a hit", hit, err)
		}
		synctest.Wait()
		if !f.closed.Load() {
			t.Error("the old library is not closed")
		}
		if _, hit, err := c.Get(ctx, 1); hit || err != nil {
			t.Errorf("Get, begun after = %t, %v, want a miss", hit, err)
		}
	})
}

// Once a gate is shut nobody is inside, and whoever shuts it is not left waiting.
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
			t.Fatalf("%d are inside a gate that is shut", n)
		}
		before, _ := g.counts()
		calls.Wait()
		if after, _ := g.counts(); before != after {
			t.Fatalf("%d hits when the gate was shut, and %d later", before, after)
		}
	}
}

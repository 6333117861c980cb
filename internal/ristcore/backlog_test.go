package ristcore

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
)

// Whoever awaits inserts sleeps until so many are applied, and no longer.
func TestBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b backlog
		b.init()
		var woken []uint64
		for _, n := range []uint64{2, 5, 3, 0, 5} {
			go func() {
				b.await(n)
				b.lock.Lock()
				defer b.lock.Unlock()
				woken = append(woken, n)
			}()
			synctest.Wait()
		}
		for i, want := range [][]uint64{{0}, {0}, {0, 2}, {0, 2, 3}, {0, 2, 3}, {0, 2, 3, 5, 5}} {
			b.apply() // the first is not known to be applied before the second comes
			synctest.Wait()
			if !slices.Equal(woken, want) {
				t.Fatalf("after %d inserts those woke that awaited %d, want %d", i+1, woken, want)
			}
		}
	})
}

// idle is a library that applies an insert when the test says so, and keeps none.
type idle struct {
	nothing[int, int]
	sets int
}

func (i *idle) Set(*Entry[int, int]) bool { i.sets++; return true }

// The library gets at most two steps behind, and a Put goes on when it is less than
// one behind.
func TestPutWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		var lib idle
		var apply func()
		c, err := New("idle", 1000, func(h Hooks[int, int]) (Library[int, int], error) {
			apply = func() { h.Applying(nil) }
			return &lib, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		step, done := int(c.step), 0
		go func() {
			for ; done < 4*step; done++ {
				if err := c.Put(ctx, done, done, nil); err != nil {
					t.Errorf("Put: %v", err)
				}
			}
		}()
		for applied := 0; applied <= 4*step; applied++ {
			synctest.Wait()
			full := max(0, applied-1) / step // steps that are known to be applied
			if want := min(4, full+2) * step; lib.sets != want {
				t.Fatalf("%d inserts when %d have begun to be applied, want %d", lib.sets, applied, want)
			}
			apply()
		}
		synctest.Wait()
		if done != 4*step {
			t.Errorf("%d Puts returned, want %d", done, 4*step)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

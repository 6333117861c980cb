package ristcore

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// An insert that is more than two steps ahead sleeps until the library has applied a step.
func TestBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b backlog
		b.init(2)
		var lock sync.Mutex
		var woken []uint64
		for _, n := range []uint64{1, 4, 5, 6, 9, 7} {
			go func() {
				b.throttle(n)
				lock.Lock()
				defer lock.Unlock()
				woken = append(woken, n)
			}()
			synctest.Wait()
		}
		for i, want := range [][]uint64{
			{1, 4}, {1, 4}, {1, 4, 5, 6}, {1, 4, 5, 6}, {1, 4, 5, 6, 7}, {1, 4, 5, 6, 7}, {1, 4, 5, 6, 7, 9},
		} {
			b.apply() // the call for an insert shows that the insert before is applied
			synctest.Wait()
			slices.Sort(woken)
			if !slices.Equal(woken, want) {
				t.Errorf("after %d inserts %d go on, want %d", i+1, woken, want)
			}
		}
	})
}

// idle is a library that applies an insert when the test says so, and keeps no entry.
type idle struct {
	noLibrary[int, int]
	sets atomic.Int64
}

func (i *idle) Set(*Entry[int, int]) bool { i.sets.Add(1); return true }

// Puts wait when the library is two steps and one insert of each writer behind. They go on when it is one step
// behind.
func TestPutWaits(t *testing.T) {
	for _, writers := range []int{1, 5} {
		testPutWaits(t, writers)
	}
}

func testPutWaits(t *testing.T, writers int) {
	synctest.Test(t, func(t *testing.T) {
		var lib idle
		var apply func()
		c, err := newCache("idle", 1000, func(h Hooks[int, int]) (Library[int, int], error) {
			apply = func() { h.Applying(nil) }
			return &lib, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		step := int(c.step)
		all := 4 * step
		var next, done atomic.Int64
		for range writers {
			go func() {
				for key := int(next.Add(1)); key <= all; key = int(next.Add(1)) {
					if err := c.Put(context.Background(), key, key, nil); err != nil {
						t.Errorf("Put: %v", err)
					}
					done.Add(1)
				}
			}()
		}
		for applied := 0; applied <= all; applied++ {
			synctest.Wait()
			full := max(0, applied-1) / step // the steps that are certainly applied
			want := min(all, (full+2)*step+writers)
			if sets := int(lib.sets.Load()); sets != want {
				t.Errorf("%d inserts by %d writers when %d have begun to be applied, want %d", sets, writers, applied, want)
			}
			apply()
		}
		synctest.Wait()
		if n := int(done.Load()); n != all {
			t.Errorf("%d Puts returned, want %d", n, all)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

package ristcore

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// An entry that is not pending keeps no other in memory.
func TestPruneUnlinks(t *testing.T) {
	var (
		b bucket[int, int]
		m marks
	)
	entries := make([]*Entry[int, int], 4)
	for i := range entries {
		entries[i] = &Entry[int, int]{key: i, order: uint64(i + 1)}
		b.link(entries[i], &m)
	}
	b.prune(3, &m)
	for i, e := range entries {
		if e.older.Load() != nil {
			t.Errorf("entry %d keeps another", i)
		}
	}
	if b.find(0) != entries[3] {
		t.Error("the pending entry is not found")
	}
}

// After a prune the marks are those of what is pending, in this bucket and others.
func TestPruneMarks(t *testing.T) {
	const each = 16 // groups of hashes in a bucket
	var (
		b [2]bucket[int, int]
		m marks
	)
	hash := func(n int) uint64 { return uint64(n) << (64 - markBits - 6) * unspread }
	for n := range 2 * each {
		b[n/each].link(&Entry[int, int]{hash: hash(n), order: uint64(n % each)}, &m)
	}
	pending := func(n int) bool { return true }
	check := func(when string) {
		t.Helper()
		for n := range 2 * each {
			if word, bit := m.of(hash(n)); word.Load()&bit != 0 != pending(n) {
				t.Errorf("%s: group %d is marked: %t", when, n, !pending(n))
			}
		}
	}
	check("at first")
	b[1].prune(each/2-1, &m)
	pending = func(n int) bool { return n < each || n >= each+each/2 }
	check("half of a bucket is pruned")
	b[1].prune(each, &m)
	pending = func(n int) bool { return n < each }
	check("all of it is")
}

// While the early inserts are handed to a new library it may apply some. They are
// found all the same, although nobody asks the library yet.
func TestPruneWhileOpening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		c, shelf := open(t)
		c.step = 1
		resume := make(chan struct{})
		shelf.delay, shelf.stall = time.Second, func(key int) {
			if key == 3 {
				<-resume
			}
		}
		if err := errors.Join(c.Put(ctx, 0, 0, nil), c.Invalidate(ctx, nil), c.Put(ctx, 1, 1, nil), c.Put(ctx, 2, 2, nil)); err != nil {
			t.Fatal(err)
		}
		done := make(chan error)
		go func() { done <- c.Put(ctx, 3, 3, nil) }() // more than two steps ahead
		time.Sleep(2 * time.Second)
		synctest.Wait()
		f := shelf.last()
		for len(f.queue) > 0 {
			f.apply()
		}
		if err := <-done; err != nil { // it has gone on, and looked at what is applied
			t.Fatal(err)
		}
		for key := 1; key <= 3; key++ {
			if v, hit, err := c.Get(ctx, key); v != key || !hit || err != nil {
				t.Errorf("Get(%d) = %d, %v, %v, want a hit", key, v, hit, err)
			}
		}
		if err := backend.InvalidateKey(ctx, c, 1); err != nil {
			t.Fatal(err)
		}
		close(resume)
		synctest.Wait()
		if _, hit, err := c.Get(ctx, 1); hit || err != nil {
			t.Errorf("Get of what was removed = %v, %v, want a miss", hit, err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

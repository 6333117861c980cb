package ristcore

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// An entry that is not pending keeps no other entry in memory.
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

// After a prune the marks are those of the pending entries, in this bucket and in others.
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
	check := func(when string, pending func(n int) bool) {
		t.Helper()
		for n := range 2 * each {
			if word, bit := m.of(hash(n)); word.Load()&bit != 0 != pending(n) {
				t.Errorf("%s: group %d is marked: %t", when, n, !pending(n))
			}
		}
	}
	check("at first", func(int) bool { return true })
	b[1].prune(each/2-1, &m)
	check("after half of a bucket is pruned", func(n int) bool { return n < each || n >= each+each/2 })
	b[1].prune(each, &m)
	check("after all of the bucket is pruned", func(n int) bool { return n < each })
}

// While a new library gets the early inserts, it may apply some of them. Get finds these although it does not ask the
// library yet.
func TestPruneWhileOpening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := open(t)
		x.step = 1
		resume := make(chan struct{})
		x.delay, x.onSet = time.Second, func(key int) {
			if key == 3 {
				<-resume
			}
		}
		x.put(0, 0)
		x.invalidate(nil)
		x.put(1, 1)
		x.put(2, 2)
		done := make(chan error)
		go func() { done <- x.Put(context.Background(), 3, 3, nil) }() // more than two steps ahead
		time.Sleep(2 * time.Second)
		synctest.Wait()
		for f := x.last(); len(f.queue) > 0; {
			f.apply()
		}
		if err := <-done; err != nil { // this Put has pruned
			t.Fatal(err)
		}
		for key := 1; key <= 3; key++ {
			x.hits(key, key)
		}
		x.invalidate(new(1))
		close(resume)
		synctest.Wait()
		x.misses(1)
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
}

package spread

import (
	"sync"
	"testing"
)

func TestTally(t *testing.T) {
	var tally Tally
	var adds sync.WaitGroup
	const goroutines, each = 8, 10_000
	for range goroutines {
		adds.Go(func() {
			for range each {
				tally.Add()
			}
		})
	}
	for last := uint64(0); last < goroutines*each; {
		n := tally.Sum()
		if n < last || n > goroutines*each {
			t.Fatalf("Sum = %d after %d, of %d", n, last, goroutines*each)
		}
		last = n
	}
	adds.Wait()
	if n := tally.Sum(); n != goroutines*each {
		t.Errorf("Sum = %d, want %d", n, goroutines*each)
	}
}

// TestOwn checks that goroutines that run at the same time get different numbers.
func TestOwn(t *testing.T) {
	const goroutines, bits = 256, 4
	var lanes [1 << bits]int
	var lock sync.Mutex
	var all sync.WaitGroup
	var ready, leave sync.WaitGroup
	ready.Add(goroutines)
	leave.Add(1)
	for range goroutines {
		all.Go(func() {
			n := Own(bits)
			lock.Lock()
			lanes[n]++
			lock.Unlock()
			ready.Done()
			leave.Wait() // so that no two goroutines have the same stack
		})
	}
	ready.Wait()
	leave.Done()
	all.Wait()
	for n, count := range lanes {
		if count == 0 || count > goroutines/4 {
			t.Errorf("Own returns %d to %d of %d goroutines", n, count, goroutines)
		}
	}
}

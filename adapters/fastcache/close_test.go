package fastcache

import (
	"sync"
	"testing"
)

// A Put that Close overtakes leaves no chunk behind.
func TestCloseDuringPut(t *testing.T) {
	for _, loose := range []bool{false, true} {
		for range 300 {
			b, err := New[int](MinBytes, Options[int]{LooseSize: loose})
			if err != nil {
				t.Fatal(err)
			}
			cache := b.cache.Load()
			var puts sync.WaitGroup
			begun := make(chan struct{}, 2)
			for g := range 2 {
				puts.Go(func() {
					for i := 0; b.Put(t.Context(), 2*i+g, i, nil) == nil; i++ {
						if i == 100 {
							begun <- struct{}{}
						}
					}
				})
			}
			<-begun
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			puts.Wait()
			if s := counted(cache); s.BytesSize != 0 || s.EntriesCount != 0 {
				t.Fatalf("%d bytes and %d entries are left after Close, with LooseSize %v", s.BytesSize, s.EntriesCount, loose)
			}
		}
	}
}

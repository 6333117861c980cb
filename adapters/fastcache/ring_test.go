package fastcache

import (
	"math/rand/v2"
	"testing"

	"github.com/VictoriaMetrics/fastcache"
)

// A library that lays out entries in another way would be found out.
func TestAgrees(t *testing.T) {
	for turns, want := range map[uint64]bool{1: false, 2: true, 3: false} {
		rs := newRings(2 * MinBytes)
		rs[0].size = turns * chunk
		cache := fastcache.New(2 * MinBytes)
		if got := rs[0].agrees(cache); got != want {
			t.Errorf("a ring of %d chunks agrees with a bucket of 2: %v", turns, got)
		}
		cache.Reset()
	}
	if !layoutKnown() {
		t.Error("the library's layout is not known")
	}
}

// Whatever is put and removed, a ring knows how many entries the library has.
func TestRing(t *testing.T) {
	const keys = 600
	r := rand.New(rand.NewPCG(7, 7))
	for _, sizes := range []int{20, 300, 5_000, MaxValue} {
		for chunks := 1; chunks <= 3; chunks++ {
			b, err := New[uint64](chunks*MinBytes, Options[[]byte]{})
			if err != nil {
				t.Fatal(err)
			}
			names := make([]uint64, 0, keys)
			for i := uint64(0); len(names) < keys; i++ {
				if name, _ := b.coder.AppendKey(nil, i); bucket(name) == 7 {
					names = append(names, i)
				}
			}
			// Thrice what fits.
			for written := 0; written < 3*chunks*chunk; {
				k := names[r.IntN(keys)]
				if r.IntN(8) == 0 {
					if err := b.Invalidate(t.Context(), &k); err != nil {
						t.Fatal(err)
					}
					continue
				}
				n := r.IntN(sizes + 1)
				written += n + 20
				if err := b.Put(t.Context(), k, make([]byte, n), nil); err != nil {
					t.Fatal(err)
				}
				if r.IntN(20) > 0 && sizes < 1000 {
					continue
				}
				left := 0
				for _, k := range names {
					name, _ := b.coder.AppendKey(nil, k)
					if b.cache.Load().Has(name) {
						left++
					}
				}
				if got := b.rings[7].count; got != left {
					t.Fatalf("%d chunks, values up to %d: the ring counts %d entries, the library has %d", chunks, sizes, got, left)
				}
			}
			if r := &b.rings[7]; r.evictions == 0 && sizes > 1000 || len(r.sizes) > 2*int(r.last-r.first)+128 {
				t.Errorf("%d chunks, values up to %d: %d evictions, room for %d of %d entries", chunks, sizes, r.evictions, len(r.sizes), r.last-r.first)
			}
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

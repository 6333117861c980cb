package fastcache

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/VictoriaMetrics/fastcache"

	"github.com/cachepact/cachepact/adapters/internal/bytecache"
	"github.com/cachepact/cachepact/adapters/internal/expiry"
)

// A Put that runs while the cache is closed leaves no chunk behind.
func TestCloseDuringPut(t *testing.T) {
	rounds := 300
	if testing.Short() {
		rounds = 50
	}
	for _, loose := range []bool{false, true} {
		for range rounds {
			l := newLibrary(MinBytes, expiry.NewClock(), true, loose)
			cache := l.cache.Load()
			var puts sync.WaitGroup
			begun := make(chan struct{}, 2)
			for g := range uint64(2) {
				puts.Go(func() {
					for i := uint64(0); put(l, 2*i+g, make([]byte, 12)) == nil; i++ {
						if i == 100 {
							begun <- struct{}{}
						}
					}
				})
			}
			<-begun
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			puts.Wait()
			if s := counted(cache); s.BytesSize != 0 || s.EntriesCount != 0 {
				t.Fatalf("%d bytes and %d entries are left after Close, with LooseSize %v", s.BytesSize, s.EntriesCount, loose)
			}
		}
	}
}

func put(l *library, key uint64, entry []byte) error {
	name := string(binary.LittleEndian.AppendUint64(nil, key))
	return l.Set(name, entry, expiry.Never, l.clock.Reading())
}

// A ring does not agree with a library that lays out entries differently.
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

// A ring knows how many entries the library has, whatever is put and removed.
func TestRing(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for _, most := range []int{20, 300, 5_000, MaxValue} {
		for chunks := 1; chunks <= 3; chunks++ {
			testRing(t, r, most, chunks)
		}
	}
}

// testRing writes values of up to most bytes to one bucket, three times as many as fit.
func testRing(t *testing.T, r *rand.Rand, most, chunks int) {
	l := newLibrary(chunks*MinBytes, expiry.NewClock(), false, false)
	defer func() { _ = l.Close() }()
	names := namesIn(7, 600)
	for written := 0; written < 3*chunks*chunk; {
		name := string(names[r.IntN(len(names))])
		if r.IntN(8) == 0 {
			if err := l.Remove(name); err != nil {
				t.Fatal(err)
			}
			continue
		}
		n := r.IntN(most + 1)
		written += n + 20
		if err := l.Set(name, make([]byte, markSize+bytecache.Header+n), expiry.Never, l.clock.Reading()); err != nil {
			t.Fatal(err)
		}
		if r.IntN(20) > 0 && most < 1000 {
			continue
		}
		left := 0
		for _, name := range names {
			if l.cache.Load().Has(name) {
				left++
			}
		}
		if got := l.rings[7].count; got != left {
			t.Fatalf("%d chunks, values up to %d: the ring counts %d entries, the library has %d", chunks, most, got, left)
		}
	}
	ring := &l.rings[7]
	left := int(ring.last - ring.first)
	if ring.evictions == 0 && most > 1000 || len(ring.sizes) > 2*left+128 {
		t.Errorf("%d chunks, values up to %d: %d evictions, room for %d of %d entries",
			chunks, most, ring.evictions, len(ring.sizes), left)
	}
}

func TestRising(t *testing.T) {
	var c rising
	for _, step := range []struct {
		n    int64
		want uint64
	}{{3, 3}, {2, 3}, {-1, 3}, {7, 7}, {0, 7}} {
		if got := c.raise(step.n); got != step.want {
			t.Errorf("raise(%d) = %d, want %d", step.n, got, step.want)
		}
	}
}

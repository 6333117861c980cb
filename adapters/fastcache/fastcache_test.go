package fastcache_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/cachepact/cachepact/adapters/fastcache"
	"github.com/cachepact/cachepact/adapters/internal/adaptertest"
	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

func TestConformance(t *testing.T) { adaptertest.Run(t, open, open, open, open) }

// LooseSize changes Size and nothing else.
func TestConformance_LooseSize(t *testing.T) {
	adaptertest.Deviating(t, "LooseSize", openLoose, conformance.Deviation{
		Check: "stats/size",
		Why:   "with Options.LooseSize it counts what the library counts: also what has expired or been evicted",
	})
}

func open[K comparable, V any](conformance.Options) (backend.Backend[K, V], error) {
	return fastcache.New[K](fastcache.MinBytes, fastcache.Options[V]{})
}

func openLoose[K comparable, V any](conformance.Options) (backend.Backend[K, V], error) {
	return fastcache.New[K](fastcache.MinBytes, fastcache.Options[V]{LooseSize: true})
}

func must[K comparable, V any](t *testing.T, loose bool) backend.Backend[K, V] {
	t.Helper()
	b, err := fastcache.New[K](fastcache.MinBytes, fastcache.Options[V]{LooseSize: loose})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func exact[K comparable, V any](t *testing.T) backend.Backend[K, V] { return must[K, V](t, false) }

// both runs a test with and without LooseSize.
func both(t *testing.T, test func(t *testing.T, loose bool)) {
	for name, loose := range map[string]bool{"exact": false, "loose": true} {
		t.Run(name, func(t *testing.T) { test(t, loose) })
	}
}

var shared = adaptertest.ByteCache{
	Name: "fastcache",
	Ints: exact[int, int], Texts: exact[uint64, string], Numbers: exact[string, int], Blobs: exact[string, []byte],
	Failing: func() (backend.Backend[string, string], error) {
		return fastcache.New[string](fastcache.MinBytes, fastcache.Options[string]{Codec: adaptertest.FailingCodec{}})
	},
	NewError: func(c adaptertest.Codec) error {
		b, err := fastcache.New[int](fastcache.MinBytes, fastcache.Options[adaptertest.Secret]{Codec: c})
		if err == nil {
			err = b.Close()
		}
		return err
	},
	Codecs: []adaptertest.Codec{
		fastcache.CBOR[adaptertest.Secret](), fastcache.JSON[adaptertest.Secret](), fastcache.Gob[adaptertest.Secret](),
	},
	PointerKeys: func() error {
		_, err := fastcache.New[*int](fastcache.MinBytes, fastcache.Options[int]{})
		return err
	},
}

func TestShared(t *testing.T) { shared.Run(t) }

func TestNew_Size(t *testing.T) {
	adaptertest.Sizes(t, "fastcache", fastcache.MinBytes, func(maxBytes int) error {
		_, err := fastcache.New[string](maxBytes, fastcache.Options[int]{})
		return err
	})
}

func TestLimits(t *testing.T) {
	both(t, func(t *testing.T, loose bool) { adaptertest.Limits(t, must[string, []byte](t, loose)) })
}

func TestSize(t *testing.T) { adaptertest.Sized(t, exact[int, []byte], 3000, 20_000) }

func TestCollision(t *testing.T) {
	first, second := collision()
	if first == second || xxhash.Sum64String(first) != xxhash.Sum64String(second) {
		t.Fatal("the keys do not collide")
	}
	both(t, func(t *testing.T, loose bool) {
		adaptertest.Collision(t, must[string, string](t, loose), first, second)
	})
}

// collision returns two keys with the same xxhash. The hash of 64 bytes adds words 0 and 4 to one of its four sums,
// one after the other. So word 4 can cancel any change of word 0.
func collision() (string, string) {
	const p1, p2 = 11400714785074694791, 14029467366897019727
	inverse := uint64(p2) // of p2 modulo 2^64, by Newton's method
	for range 6 {
		inverse *= 2 - p2*inverse
	}
	round := func(sum, word uint64) uint64 { return bits.RotateLeft64(sum+word*p2, 31) * p1 }
	p := uint64(p1)
	first := p + p2 // the sum before any word
	key := func(word0, word4 uint64) string {
		b := make([]byte, 64)
		binary.LittleEndian.PutUint64(b, word0)
		binary.LittleEndian.PutUint64(b[32:], word4)
		return string(b)
	}
	return key(1, 0), key(2, (round(first, 1)-round(first, 2))*inverse)
}

// Close gives back the chunks although Puts run meanwhile. The next cache uses them again.
func TestClose_GivesBack(t *testing.T) { both(t, testCloseGivesBack) }

func testCloseGivesBack(t *testing.T, loose bool) {
	resident := func() (pages int) {
		var size int
		text, err := os.ReadFile("/proc/self/statm")
		if err != nil {
			t.Skip(err)
		}
		runtime.GC()
		if _, err := fmt.Sscan(string(text), &size, &pages); err != nil {
			t.Skip(err)
		}
		return pages * os.Getpagesize() >> 20
	}
	ctx, value := t.Context(), make([]byte, 30_000)
	var before int
	for round := range 11 {
		if round == 1 {
			before = resident() // after the first
		}
		b := must[int, []byte](t, loose)
		var wg sync.WaitGroup
		for g := range 2 {
			wg.Go(func() {
				for i := 0; b.Put(ctx, 2*i+g, value, nil) == nil; i++ {
					if i == 2000 {
						_ = backend.Close(b)
					}
				}
			})
		}
		wg.Wait()
	}
	if grown := resident() - before; grown > 128 {
		t.Errorf("ten caches of 32 MB, one after the other, have left %d MB", grown)
	}
}

// whileRunning calls look until all of the goroutines have returned, and at least once.
func whileRunning(look func(), n int, run func(i int)) {
	var running sync.WaitGroup
	for i := range n {
		running.Go(func() { run(i) })
	}
	done := make(chan struct{})
	go func() { running.Wait(); close(done) }()
	for {
		look()
		select {
		case <-done:
			return
		default:
		}
	}
}

// Stats never counts the reads that the adapter makes for itself.
func TestCounters_OwnReads(t *testing.T) { both(t, testCountersOwnReads) }

func testCountersOwnReads(t *testing.T, loose bool) {
	ctx, b := t.Context(), must[int, int](t, loose)
	whileRunning(func() {
		s, err := b.Stats(ctx)
		hits, misses := s.Counters[backend.CounterHits], s.Counters[backend.CounterMisses]
		if err != nil || hits != 0 || misses != 0 {
			t.Errorf("%d hits, %d misses, %v, but there was no Get", hits, misses, err)
		}
	}, 2, func(g int) {
		for i := range 20_000 {
			if i%2 == 0 {
				_ = b.Put(ctx, g, i, nil)
			}
			_ = backend.InvalidateKey(ctx, b, g) // every second time there is no entry
		}
	})
}

// Calls of Stats while Gets run do not make the final counts wrong.
func TestCounters_Exact(t *testing.T) { both(t, testCountersExact) }

func testCountersExact(t *testing.T, loose bool) {
	const clients, gets = 4, 30_000
	ctx, b := t.Context(), must[int, int](t, loose)
	if err := errors.Join(b.Put(ctx, 0, 0, nil), b.Put(ctx, 1, 1, new(time.Duration(1)))); err != nil {
		t.Fatal(err)
	}
	whileRunning(func() {
		if _, err := b.Stats(ctx); err != nil {
			t.Error(err)
		}
	}, clients, func(int) {
		for i := range gets { // first the live entry, then in turn the expired entry and an absent key
			_, _, _ = b.Get(ctx, min(i/(gets/3), 1+i%2))
		}
	})
	s, err := b.Stats(ctx)
	hits, misses := s.Counters[backend.CounterHits], s.Counters[backend.CounterMisses]
	if want := uint64(clients * gets / 3); err != nil || hits != want || hits+misses != clients*gets {
		t.Errorf("%d hits, %d misses, %v, want %d hits of %d", hits, misses, err, want, clients*gets)
	}
}

// Size is exact after concurrent writes, removals, expirations and calls of Invalidate(nil).
func TestSize_Concurrent(t *testing.T) {
	const keys = 2000
	ctx, b := t.Context(), exact[int, int](t)
	size := func(most int64) int64 {
		s, err := b.Stats(ctx)
		if err != nil || s.Size < 0 || s.Size > most {
			t.Errorf("Stats = %+v, %v", s, err)
		}
		return s.Size
	}
	whileRunning(func() {}, 4, func(g int) {
		for i := range 5 * keys {
			k := (i*7 + g) % keys
			switch i % 10 {
			case 0:
				_ = backend.InvalidateKey(ctx, b, k)
			case 1:
				_ = b.Put(ctx, k, i, new(time.Duration(i%1000)*time.Microsecond))
			case 2:
				size(keys)
			case 3:
				if i%1000 == 3 {
					_ = backend.InvalidateAll(ctx, b)
				}
			default:
				_ = b.Put(ctx, k, i, nil)
			}
		}
	})
	time.Sleep(2 * time.Millisecond)
	live := int64(0)
	for i := range keys {
		if _, hit, _ := b.Get(ctx, i); hit {
			live++
		}
	}
	if got := size(keys); got != live {
		t.Errorf("Size = %d, want %d", got, live)
	}
}

type User struct {
	Name  string
	Roles []string
}

func Example() {
	ctx := context.Background()
	b, err := fastcache.New[int](64<<20, fastcache.Options[User]{}) // 64 MB
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()

	fmt.Println(b.Put(ctx, 7, User{"Ada", []string{"admin"}}, new(5*time.Minute)))
	fmt.Println(b.Get(ctx, 7))
	fmt.Println(backend.InvalidateKey(ctx, b, 7))
	// Output:
	// <nil>
	// {Ada [admin]} true <nil>
	// <nil>
}

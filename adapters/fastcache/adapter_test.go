package fastcache_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/cachepact/cachepact/adapters/fastcache"
	"github.com/cachepact/cachepact/adapters/internal/adaptertest"
	"github.com/cachepact/cachepact/backend"
)

func open[K comparable, V any](t *testing.T) *fastcache.Backend[K, V] {
	t.Helper()
	return openSized[K, V](t, false)
}

func openSized[K comparable, V any](t *testing.T, loose bool) *fastcache.Backend[K, V] {
	t.Helper()
	b, err := fastcache.New[K](fastcache.MinBytes, fastcache.Options[V]{LooseSize: loose})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// sized runs a test with and without LooseSize.
func sized(t *testing.T, test func(t *testing.T, loose bool)) {
	for name, loose := range map[string]bool{"exact": false, "loose": true} {
		t.Run(name, func(t *testing.T) { test(t, loose) })
	}
}

func TestNew_Refuses(t *testing.T) {
	for _, size := range []int{math.MinInt, -1, 0, 1, fastcache.MinBytes - 1, math.MaxInt} {
		if b, err := fastcache.New[string](size, fastcache.Options[int]{}); err == nil || !strings.HasPrefix(err.Error(), "fastcache: new: size") {
			t.Errorf("New(%d) = %v, %v, want an error that names the size", size, b, err)
		}
	}
	if _, err := fastcache.New[*int](fastcache.MinBytes, fastcache.Options[int]{}); !errors.Is(err, backend.ErrKey) {
		t.Errorf("New with pointers for keys = %v, want ErrKey", err)
	}
	type secret struct {
		token string //nolint:unused // New looks at it
	}
	if _, err := fastcache.New[int](fastcache.MinBytes, fastcache.Options[secret]{}); err == nil || !strings.Contains(err.Error(), "secret.token") {
		t.Errorf("New with an unexported field = %v, want an error that names it", err)
	}
	for _, codec := range []fastcache.Codec[secret]{fastcache.JSON[secret](), fastcache.Gob[secret](), fastcache.CBOR[secret]()} {
		if _, err := fastcache.New[int](fastcache.MinBytes, fastcache.Options[secret]{Codec: codec}); err != nil {
			t.Errorf("New with %T = %v", codec, err)
		}
	}
}

// What the limits allow is stored, with a TTL too. What they do not allow
// removes nothing but the key's own, which the library would go on serving.
func TestLimits(t *testing.T) { sized(t, testLimits) }

func testLimits(t *testing.T, loose bool) {
	ctx := t.Context()
	b := openSized[string, []byte](t, loose)
	key, value := strings.Repeat("k", fastcache.MaxKey), make([]byte, fastcache.MaxValue)
	for range 10 {
		for _, ttl := range []*time.Duration{nil, new(time.Hour)} {
			value[len(value)-1]++
			if err := b.Put(ctx, key, value, ttl); err != nil {
				t.Fatal(err)
			}
			if got, hit, err := b.Get(ctx, key); !hit || err != nil || string(got) != string(value) {
				t.Fatalf("Get of the largest = %d bytes, %v, %v", len(got), hit, err)
			}
		}
	}
	adaptertest.TooLarge(t, b)
}

// collision returns two keys with one xxhash. The hash of 64 bytes takes its
// words 0 and 4 into one of its four sums, one after the other, so the second can
// make up for any change of the first.
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

// Of two keys with one hash the later stays, and nothing done to the earlier one
// touches it.
func TestCollision(t *testing.T) { sized(t, testCollision) }

func testCollision(t *testing.T, loose bool) {
	ctx := t.Context()
	a, c := collision()
	if a == c || xxhash.Sum64String(a) != xxhash.Sum64String(c) {
		t.Fatal("the keys do not collide")
	}
	b := openSized[string, string](t, loose)
	check := func(key, want string) {
		t.Helper()
		if got, hit, err := b.Get(ctx, key); got != want || hit != (want != "") || err != nil {
			t.Errorf("Get = %q, %v, %v, want %q", got, hit, err, want)
		}
	}
	if err := errors.Join(b.Put(ctx, a, "a", nil), b.Put(ctx, c, "c", nil)); err != nil {
		t.Fatal(err)
	}
	check(a, "")
	check(c, "c")
	if err := backend.InvalidateKey(ctx, b, a); err != nil {
		t.Fatal(err)
	}
	if err := b.Put(ctx, a, "zero", new(time.Duration)); err != nil {
		t.Fatal(err)
	}
	if err := b.Put(ctx, a, strings.Repeat("x", fastcache.MaxValue+1), nil); !errors.Is(err, backend.ErrTooLarge) {
		t.Errorf("Put of too much = %v, want ErrTooLarge", err)
	}
	check(c, "c")
	if err := backend.InvalidateKey(ctx, b, c); err != nil {
		t.Fatal(err)
	}
	check(c, "")
	if err := backend.InvalidateAll(ctx, b); err != nil {
		t.Fatal(err)
	}
	if s, err := b.Stats(ctx); err != nil || s.Size != 0 {
		t.Errorf("Stats = %+v, %v, want none", s, err)
	}
}

// Size is what a Get would return, whatever is evicted, expires or is removed.
func TestSize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		b := open[int, []byte](t)
		const keys = 3000
		for round := range 4 {
			for i := range keys {
				var ttl *time.Duration
				if i%3 == round%3 {
					ttl = new(time.Duration(i%7+1) * time.Minute)
				}
				if err := b.Put(ctx, i, make([]byte, i*7919%20_000), ttl); err != nil {
					t.Fatal(err)
				}
			}
			for range 3 {
				time.Sleep(2 * time.Minute)
				s, err := b.Stats(ctx)
				live := int64(0)
				for i := range keys {
					if _, hit, _ := b.Get(ctx, i); hit {
						live++
					}
				}
				if err != nil || s.Size != live || live == 0 || live == keys || s.Counters[backend.CounterEvictions] == 0 || s.Counters[backend.CounterExpirations] == 0 {
					t.Errorf("Stats = %+v, %v, want %d live, some evicted and some expired", s, err, live)
				}
			}
		}
	})
}

func TestCounters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		b := open[int, int](t)
		for i := range 100 {
			if err := errors.Join(b.Put(ctx, i, i, new(time.Minute)), b.Put(ctx, i+100, i, nil), b.Put(ctx, i+100, i, nil)); err != nil {
				t.Fatal(err)
			}
		}
		get := func() {
			for i := range 200 {
				if _, _, err := b.Get(ctx, i); err != nil {
					t.Fatal(err)
				}
			}
		}
		check := func(size int64, hits, misses, expirations uint64) {
			t.Helper()
			want := map[string]uint64{
				backend.CounterHits: hits, backend.CounterMisses: misses,
				backend.CounterExpirations: expirations, backend.CounterEvictions: 0,
			}
			if s, err := b.Stats(ctx); err != nil || s.Size != size || fmt.Sprint(s.Counters) != fmt.Sprint(want) {
				t.Errorf("Stats = %+v, %v, want %d live and %v", s, err, size, want)
			}
		}
		get()
		check(200, 200, 0, 0)
		time.Sleep(time.Hour)
		for i := range 10 { // over the expired, and of them
			if err := errors.Join(b.Put(ctx, i, i, nil), backend.InvalidateKey(ctx, b, i+10)); err != nil {
				t.Fatal(err)
			}
		}
		get()
		check(110, 310, 90, 100)
		if err := backend.InvalidateAll(ctx, b); err != nil {
			t.Fatal(err)
		}
		check(0, 310, 90, 100)
		get()
		check(0, 310, 290, 100)
	})
}

func TestCodec(t *testing.T) {
	b, err := fastcache.New[string](fastcache.MinBytes, fastcache.Options[string]{Codec: adaptertest.Fickle{}})
	if err != nil {
		t.Fatal(err)
	}
	adaptertest.CodecFails(t, b)
}

// Close gives back the chunks, though others put meanwhile: the next cache takes
// them again.
func TestClose_GivesBack(t *testing.T) { sized(t, testCloseGivesBack) }

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
	ctx := t.Context()
	value := make([]byte, 30_000)
	var before int
	for round := range 11 {
		if round == 1 {
			before = resident() // after the first
		}
		b := openSized[int, []byte](t, loose)
		var wg sync.WaitGroup
		for g := range 2 {
			wg.Go(func() {
				for i := 0; ; i++ {
					if err := b.Put(ctx, 2*i+g, value, nil); err != nil {
						return
					}
					if i == 2000 {
						_ = b.Close()
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

// The reads that the adapter makes for itself are not counted, whenever Stats looks.
func TestCounters_Concurrent(t *testing.T) { sized(t, testCountersConcurrent) }

func testCountersConcurrent(t *testing.T, loose bool) {
	ctx := t.Context()
	b := openSized[int, int](t, loose)
	var removes sync.WaitGroup
	for g := range 2 {
		removes.Go(func() {
			for i := range 20_000 {
				if i%2 == 0 {
					_ = b.Put(ctx, g, i, nil)
				}
				_ = backend.InvalidateKey(ctx, b, g) // is there, and is not
			}
		})
	}
	done := make(chan struct{})
	go func() { removes.Wait(); close(done) }()
	for looking := true; looking; {
		select {
		case <-done:
			looking = false
		default:
		}
		s, err := b.Stats(ctx)
		if hits, misses := s.Counters[backend.CounterHits], s.Counters[backend.CounterMisses]; err != nil || hits != 0 || misses != 0 {
			t.Fatalf("%d hits, %d misses, %v, and there was no Get", hits, misses, err)
		}
	}
}

// What Stats sees while Gets are under way spoils nothing: in the end each is counted
// as what it was.
func TestCounters_Exact(t *testing.T) { sized(t, testCountersExact) }

func testCountersExact(t *testing.T, loose bool) {
	ctx := t.Context()
	b := openSized[int, int](t, loose)
	const clients, gets = 4, 30_000
	if err := errors.Join(b.Put(ctx, 0, 0, nil), b.Put(ctx, 1, 1, new(time.Duration(1)))); err != nil {
		t.Fatal(err)
	}
	var reads sync.WaitGroup
	for range clients {
		reads.Go(func() {
			for i := range gets { // first the live entry, then the one that has expired and none
				_, _, _ = b.Get(ctx, min(i/(gets/3), 1+i%2))
			}
		})
	}
	done := make(chan struct{})
	go func() { reads.Wait(); close(done) }()
	for looking := true; looking; {
		select {
		case <-done:
			looking = false
		default:
		}
		if _, err := b.Stats(ctx); err != nil {
			t.Fatal(err)
		}
	}
	s, err := b.Stats(ctx)
	hits, misses := s.Counters[backend.CounterHits], s.Counters[backend.CounterMisses]
	if want := uint64(clients * gets / 3); err != nil || hits != want || hits+misses != clients*gets {
		t.Errorf("%d hits, %d misses, %v, want %d of %d to hit", hits, misses, err, want, clients*gets)
	}
}

// Stats does not look at the entries unless one can have expired.
func TestStats_Concurrent(t *testing.T) {
	ctx := t.Context()
	b := open[int, int](t)
	const keys = 2000
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 5 * keys {
				k := (i*7 + g) % keys
				switch i % 10 {
				case 0:
					_ = backend.InvalidateKey(ctx, b, k)
				case 1:
					_ = b.Put(ctx, k, i, new(time.Duration(i%1000)*time.Microsecond))
				case 2:
					if s, err := b.Stats(ctx); err != nil || s.Size < 0 || s.Size > keys {
						t.Errorf("Stats = %+v, %v", s, err)
					}
				case 3:
					if i%1000 == 3 {
						_ = backend.InvalidateAll(ctx, b)
					}
				default:
					_ = b.Put(ctx, k, i, nil)
				}
			}
		})
	}
	wg.Wait()
	time.Sleep(2 * time.Millisecond)
	live := int64(0)
	for i := range keys {
		if _, hit, _ := b.Get(ctx, i); hit {
			live++
		}
	}
	if s, err := b.Stats(ctx); err != nil || s.Size != live {
		t.Errorf("Stats = %+v, %v, want %d live", s, err, live)
	}
}

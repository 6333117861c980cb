package freecache_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cachepact/cachepact/adapters/freecache"
	"github.com/cachepact/cachepact/adapters/internal/adaptertest"
	"github.com/cachepact/cachepact/backend"
)

func open[K comparable, V any](t *testing.T, size int) *freecache.Backend[K, V] {
	t.Helper()
	b, err := freecache.New[K](size, freecache.Options[V]{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestNew_Refuses(t *testing.T) {
	for _, size := range []int{math.MinInt, -1, 0, 1, freecache.MinBytes - 1, math.MaxInt} {
		if b, err := freecache.New[string](size, freecache.Options[int]{}); err == nil || !strings.HasPrefix(err.Error(), "freecache: new: size") {
			t.Errorf("New(%d) = %v, %v, want an error that names the size", size, b, err)
		}
	}
	if _, err := freecache.New[*int](freecache.MinBytes, freecache.Options[int]{}); !errors.Is(err, backend.ErrKey) {
		t.Errorf("New with pointers for keys = %v, want ErrKey", err)
	}
	type secret struct {
		token string //nolint:unused // New looks at it
	}
	if _, err := freecache.New[int](freecache.MinBytes, freecache.Options[secret]{}); err == nil || !strings.Contains(err.Error(), "secret.token") {
		t.Errorf("New with an unexported field = %v, want an error that names it", err)
	}
	for _, codec := range []freecache.Codec[secret]{freecache.JSON[secret](), freecache.Gob[secret](), freecache.CBOR[secret]()} {
		if _, err := freecache.New[int](freecache.MinBytes, freecache.Options[secret]{Codec: codec}); err != nil {
			t.Errorf("New with %T = %v", codec, err)
		}
	}
}

// What the limits allow is stored, with a TTL too. What they do not allow
// removes nothing but the key's own, which the library would go on serving.
func TestLimits(t *testing.T) {
	ctx := t.Context()
	for _, size := range []int{freecache.MinBytes, freecache.MinBytes + 12_345, 10 << 20, 400 << 20} {
		b := open[string, []byte](t, size)
		maxKey, maxValue := b.Traits().MaxKey, b.Traits().MaxValue
		if room := size/1024 - 24 - 8; maxKey+maxValue > room || maxKey+maxValue < room-1 || maxKey > math.MaxUint16 {
			t.Errorf("%d bytes give keys of %d and values of %d, want %d together", size, maxKey, maxValue, room)
		}
		for round := range 3 {
			for i := range 40 { // which may wrap around the ring
				key, value := strings.Repeat(string(rune('a'+i%26)), maxKey), make([]byte, maxValue)
				value[len(value)-1] = byte(i)
				var ttl *time.Duration
				if (i+round)%2 == 0 {
					ttl = new(time.Hour)
				}
				if err := b.Put(ctx, key, value, ttl); err != nil {
					t.Fatal(err)
				}
				if got, hit, err := b.Get(ctx, key); !hit || err != nil || string(got) != string(value) {
					t.Fatalf("%d bytes: Get of the largest = %d bytes, %v, %v", size, len(got), hit, err)
				}
			}
		}
		t.Run(fmt.Sprint(size), func(t *testing.T) { adaptertest.TooLarge(t, b) })
	}
}

// Size is what a Get would return, whatever is evicted, expires or is removed.
func TestSize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		b := open[int, []byte](t, freecache.MinBytes)
		const keys = 6000
		for round := range 3 {
			for i := range keys {
				var ttl *time.Duration
				if i%3 == round%3 {
					ttl = new(time.Duration(i%7+1) * time.Minute)
				}
				if err := b.Put(ctx, i, make([]byte, i*7919%300), ttl); err != nil {
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
				if err != nil || s.Size != live || live == 0 || live == keys || s.Counters[backend.CounterExpirations] == 0 {
					t.Errorf("Stats = %+v, %v, want %d live, some expired", s, err, live)
				}
			}
		}
	})
}

func TestCounters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		b := open[int, int](t, 8<<20)
		for i := range 100 {
			if err := errors.Join(b.Put(ctx, i, i, new(time.Minute)), b.Put(ctx, i+100, i, nil)); err != nil {
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
			want := map[string]uint64{backend.CounterHits: hits, backend.CounterMisses: misses, backend.CounterExpirations: expirations}
			if s, err := b.Stats(ctx); err != nil || s.Size != size || fmt.Sprint(s.Counters) != fmt.Sprint(want) {
				t.Errorf("Stats = %+v, %v, want %d live and %v", s, err, size, want)
			}
		}
		get()
		if n := len(maps.Collect(b.All())); n != 200 {
			t.Errorf("All yields %d entries, want 200", n)
		}
		check(200, 200, 0, 0)
		time.Sleep(time.Hour)
		get()
		check(100, 300, 100, 100)
		if err := backend.InvalidateAll(ctx, b); err != nil {
			t.Fatal(err)
		}
		check(0, 300, 100, 100)
		get()
		check(0, 300, 300, 100)
	})
}

func TestCodec(t *testing.T) {
	b, err := freecache.New[string](freecache.MinBytes, freecache.Options[string]{Codec: adaptertest.Fickle{}})
	if err != nil {
		t.Fatal(err)
	}
	adaptertest.CodecFails(t, b)
}

// A sweep that finds an entry expired does not remove what is put meanwhile, and
// misses none, although entries come and go around it.
func TestSweep_Concurrent(t *testing.T) {
	ctx := t.Context()
	b := open[int, int](t, 64<<20) // nothing is evicted
	const keys = 3000
	for round := range 20 {
		for k := range keys {
			if err := b.Put(ctx, k, -1, new(time.Nanosecond)); err != nil {
				t.Fatal(err)
			}
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := b.Stats(ctx); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			for k := range keys { // these make the library's entries move
				_ = b.Put(ctx, keys+k, 0, nil)
				_ = backend.InvalidateKey(ctx, b, keys+k)
			}
		})
		for k := range keys / 2 {
			if err := b.Put(ctx, 2*k, round, nil); err != nil {
				t.Error(err)
			}
		}
		wg.Wait()
		for k := range keys / 2 {
			if got, hit, err := b.Get(ctx, 2*k); got != round || !hit || err != nil {
				t.Fatalf("round %d: Get(%d) = %d, %v, %v", round, 2*k, got, hit, err)
			}
		}
		if s, err := b.Stats(ctx); err != nil || s.Size != keys/2 {
			t.Fatalf("round %d: Stats = %+v, %v, want %d live", round, s, err, keys/2)
		}
	}
}

// All yields what is there all the time, each key once, although entries come
// and go around it.
func TestAll_Concurrent(t *testing.T) {
	ctx := t.Context()
	b := open[int, int](t, 64<<20) // nothing is evicted
	const keys = 2000
	for k := range keys {
		if err := b.Put(ctx, k, k, nil); err != nil {
			t.Fatal(err)
		}
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range 500_000 {
			select {
			case <-stop:
				return
			default:
				_ = b.Put(ctx, keys+i%keys, 0, nil)
				_ = backend.InvalidateKey(ctx, b, keys+(i*7)%keys)
			}
		}
	})
	for range 30 {
		seen := map[int]int{}
		for k := range b.All() {
			seen[k]++
		}
		for k := range 2 * keys {
			if seen[k] > 1 || k < keys && seen[k] == 0 {
				t.Fatalf("All yields key %d %d times", k, seen[k])
			}
		}
	}
	close(stop)
	wg.Wait()
}

// Stats looks at the entries only when one can have expired.
func TestStats_Cheap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		b := open[int, int](t, 1<<20)
		for i := range 1000 {
			if err := b.Put(ctx, i, i, new(time.Duration(i+1)*time.Minute)); err != nil {
				t.Fatal(err)
			}
		}
		stats := func() {
			if s, err := b.Stats(ctx); err != nil || s.Size != 990 {
				t.Errorf("Stats = %+v, %v, want 990 live", s, err)
			}
		}
		time.Sleep(10*time.Minute + time.Second)
		stats()
		if got := testing.AllocsPerRun(10, stats); got > 100 {
			t.Errorf("Stats allocates %v times although nothing has expired since the last one", got)
		}
	})
}

package bigcache_test

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cachepact/cachepact/adapters/bigcache"
	"github.com/cachepact/cachepact/adapters/internal/adaptertest"
	"github.com/cachepact/cachepact/backend"
)

// A same is a Hasher under which all keys collide.
type same uint64

func (s same) Sum64(string) uint64 { return uint64(s) }

func colliding(t *testing.T, h same) *bigcache.Backend[string, string] {
	t.Helper()
	config := bigcache.NewConfig(1)
	config.Hasher = h
	b, err := bigcache.New[string](config, bigcache.Options[string]{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Of two keys with one hash the later stays, and nothing done to the earlier one
// touches it. The library corrupts its memory for a hash of zero.
func TestCollisions(t *testing.T) {
	ctx := t.Context()
	for _, h := range []same{0, 1, 1 << 63} {
		b := colliding(t, h)
		check := func(key, want string) {
			t.Helper()
			if got, hit, err := b.Get(ctx, key); got != want || hit != (want != "") || err != nil {
				t.Errorf("hash %d: Get(%q) = %q, %v, %v, want %q", h, key, got, hit, err, want)
			}
		}
		for range 2000 {
			for _, key := range []string{"a", "b"} {
				if err := b.Put(ctx, key, key+strings.Repeat("x", 999), nil); err != nil {
					t.Fatal(err)
				}
			}
		}
		check("a", "")
		if err := backend.InvalidateKey(ctx, b, "a"); err != nil {
			t.Fatal(err)
		}
		if err := b.Put(ctx, "a", "zero", new(time.Duration)); err != nil {
			t.Fatal(err)
		}
		if err := b.Put(ctx, "a", strings.Repeat("x", 1<<20), nil); !errors.Is(err, backend.ErrTooLarge) {
			t.Errorf("hash %d: Put of a megabyte = %v, want ErrTooLarge", h, err)
		}
		check("b", "b"+strings.Repeat("x", 999))
		if err := backend.InvalidateKey(ctx, b, "b"); err != nil {
			t.Fatal(err)
		}
		check("b", "")
		s, err := b.Stats(ctx)
		if err != nil || s.Size != 0 || s.Counters[backend.CounterHits] != 1 || s.Counters[backend.CounterMisses] != 2 {
			t.Errorf("hash %d: Stats = %+v, %v, want 1 hit and 2 misses", h, s, err)
		}
	}
}

// A sweep removes what has expired and leaves what has taken its place.
func TestSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		b := colliding(t, 7)
		for i := range 3 {
			if err := b.Put(ctx, "a", "short", new(time.Duration(i+1))); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.Put(ctx, "b", "long", new(time.Hour)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		for range 2 {
			if s, err := b.Stats(ctx); err != nil || s.Size != 1 || s.Counters[backend.CounterExpirations] != 0 {
				t.Errorf("Stats = %+v, %v, want 1 live entry, none expired", s, err)
			}
		}
		time.Sleep(time.Hour)
		for range 2 {
			if s, err := b.Stats(ctx); err != nil || s.Size != 0 || s.Counters[backend.CounterExpirations] != 1 {
				t.Errorf("Stats = %+v, %v, want none live, 1 expired", s, err)
			}
		}
	})
}

// What the adapter reads for itself is not counted.
func TestCounters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		b, err := bigcache.New[int](bigcache.NewConfig(8), bigcache.Options[int]{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 100 {
			if err := errors.Join(b.Put(ctx, i, i, new(time.Minute)), b.Put(ctx, i+100, i, nil)); err != nil {
				t.Fatal(err)
			}
		}
		seen := 0
		for k := range b.All() {
			seen++
			if err := errors.Join(backend.InvalidateKey(ctx, b, k^1), backend.InvalidateKey(ctx, b, 1000)); err != nil {
				t.Fatal(err)
			}
		}
		if seen != 100 {
			t.Errorf("All yielded %d entries, want one of each pair", seen)
		}
		time.Sleep(time.Hour)
		for i := range 200 {
			if _, _, err := b.Get(ctx, i); err != nil {
				t.Fatal(err)
			}
		}
		s, err := b.Stats(ctx)
		want := map[string]uint64{backend.CounterHits: 50, backend.CounterMisses: 150, backend.CounterExpirations: 50}
		if err != nil || s.Size != 50 || fmt.Sprint(s.Counters) != fmt.Sprint(want) {
			t.Errorf("Stats = %+v, %v, want 50 live and %v", s, err, want)
		}
	})
}

type session struct {
	User  string
	token string
}

func TestCodec(t *testing.T) {
	ctx := t.Context()
	b, err := bigcache.New[string](bigcache.NewConfig(1), bigcache.Options[session]{Codec: bigcache.JSON[session]()})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Put(ctx, "k", session{"Ada", "lost"}, nil); err != nil {
		t.Fatal(err)
	}
	if got, hit, err := b.Get(ctx, "k"); got != (session{User: "Ada"}) || !hit || err != nil {
		t.Errorf("Get = %+v, %v, %v", got, hit, err)
	}

	other, err := bigcache.New[string](bigcache.NewConfig(1), bigcache.Options[string]{Codec: adaptertest.Fickle{}})
	if err != nil {
		t.Fatal(err)
	}
	adaptertest.CodecFails(t, other)
}

// A keeper is a Hasher that keeps the keys it is shown.
type keeper struct{ keys map[string]bool }

func (k keeper) Sum64(key string) uint64 {
	k.keys[key] = true
	return maphash.String(seed, key)
}

func TestHasher(t *testing.T) {
	ctx := t.Context()
	config := bigcache.NewConfig(1)
	config.Hasher = keeper{map[string]bool{}}
	b, err := bigcache.New[float64](config, bigcache.Options[float64]{})
	if err != nil {
		t.Fatal(err)
	}
	for i := 0.0; i < 100; i++ {
		if err := b.Put(ctx, i, i, nil); err != nil {
			t.Fatal(err)
		}
	}
	for i := 0.0; i < 100; i++ {
		if got, hit, err := b.Get(ctx, i); got != i || !hit || err != nil {
			t.Errorf("Get(%v) = %v, %v, %v", i, got, hit, err)
		}
	}
	if _, hit, err := b.Get(ctx, math.NaN()); hit || !errors.Is(err, backend.ErrKey) {
		t.Errorf("Get(NaN) = %v, %v, want ErrKey", hit, err)
	}
}

// A zeroFor is a Hasher that gives one key the hash that the library takes for a
// removed entry.
type zeroFor string

func (z zeroFor) Sum64(key string) uint64 {
	if key == string(z) {
		return 0
	}
	return maphash.String(seed, key)
}

var seed = maphash.MakeSeed()

// A key whose hash is zero is evicted like any other.
func TestZeroHash(t *testing.T) {
	ctx := t.Context()
	config := bigcache.NewConfig(1)
	config.Hasher = zeroFor("zero")
	b, err := bigcache.New[string](config, bigcache.Options[string]{})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Put(ctx, "zero", "0", nil); err != nil {
		t.Fatal(err)
	}
	for i := range 5000 {
		if err := b.Put(ctx, fmt.Sprint(i), strings.Repeat("x", 500+i%100), nil); err != nil {
			t.Fatal(err)
		}
	}
	if got, hit, err := b.Get(ctx, "zero"); hit || err != nil {
		t.Errorf("Get of an evicted key = %q, %v, %v", got, hit, err)
	}
	all := maps.Collect(b.All())
	if s, err := b.Stats(ctx); err != nil || s.Size != int64(len(all)) || len(all) == 0 {
		t.Errorf("Stats = %+v, %v, want the %d entries that All yields", s, err, len(all))
	}
}

// A sweep that finds an entry expired does not remove what is put meanwhile.
func TestSweep_Concurrent(t *testing.T) {
	ctx := t.Context()
	b, err := bigcache.New[int](bigcache.NewConfig(0), bigcache.Options[int]{})
	if err != nil {
		t.Fatal(err)
	}
	const keys = 500
	for round := range 40 {
		for k := range keys {
			if err := b.Put(ctx, k, -1, new(time.Nanosecond)); err != nil {
				t.Fatal(err)
			}
		}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if _, err := b.Stats(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		for k := range keys {
			if err := b.Put(ctx, k, round, nil); err != nil {
				t.Error(err)
			}
		}
		wg.Wait()
		for k := range keys {
			if got, hit, err := b.Get(ctx, k); got != round || !hit || err != nil {
				t.Fatalf("round %d: Get(%d) = %d, %v, %v", round, k, got, hit, err)
			}
		}
	}
}

// Stats looks at the entries only when one can have expired.
func TestStats_Cheap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		b, err := bigcache.New[int](bigcache.NewConfig(8), bigcache.Options[int]{})
		if err != nil {
			t.Fatal(err)
		}
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

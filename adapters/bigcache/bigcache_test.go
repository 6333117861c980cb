package bigcache_test

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cachepact/cachepact/adapters/bigcache"
	"github.com/cachepact/cachepact/adapters/internal/adaptertest"
	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

func TestConformance(t *testing.T) { adaptertest.Run(t, open, open, open, open) }

func open[K comparable, V any](conformance.Options) (backend.Backend[K, V], error) {
	config := bigcache.NewConfig(64)
	config.Shards = 4 // large enough for the largest values
	return bigcache.New[K](config, bigcache.Options[V]{})
}

// must returns a backend with a configuration that change may change.
func must[K comparable, V any](t *testing.T, change func(*bigcache.Config)) backend.Backend[K, V] {
	t.Helper()
	config := bigcache.NewConfig(8)
	change(&config)
	b, err := bigcache.New[K](config, bigcache.Options[V]{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func usual[K comparable, V any](t *testing.T) backend.Backend[K, V] {
	return must[K, V](t, func(*bigcache.Config) {})
}

var shared = adaptertest.ByteCache{
	Name: "bigcache",
	Ints: usual[int, int], Texts: usual[uint64, string], Numbers: usual[string, int], Blobs: usual[string, []byte],
	Failing: func() (backend.Backend[string, string], error) {
		return bigcache.New[string](bigcache.NewConfig(1), bigcache.Options[string]{Codec: adaptertest.FailingCodec{}})
	},
	NewError: func(c adaptertest.Codec) error {
		_, err := bigcache.New[int](bigcache.NewConfig(1), bigcache.Options[adaptertest.Secret]{Codec: c})
		return err
	},
	Codecs: []adaptertest.Codec{
		bigcache.CBOR[adaptertest.Secret](), bigcache.JSON[adaptertest.Secret](), bigcache.Gob[adaptertest.Secret](),
	},
	PointerKeys: func() error {
		_, err := bigcache.New[*int](bigcache.NewConfig(1), bigcache.Options[int]{})
		return err
	},
}

func TestShared(t *testing.T) { shared.Run(t) }
func TestSweeps(t *testing.T) { shared.Sweeps(t) }

// sameHash is a Hasher under which all keys collide.
type sameHash uint64

func (s sameHash) Sum64(string) uint64 { return uint64(s) }

// The library corrupts its memory for a hash of zero.
func TestCollision(t *testing.T) {
	for _, h := range []sameHash{0, 1, 1 << 63} {
		b := must[string, string](t, func(c *bigcache.Config) { *c = bigcache.NewConfig(1); c.Hasher = h })
		adaptertest.Collision(t, b, "a", "b")
	}
}

// A sweep does not remove the entry that has taken the place of an expired entry.
func TestSweep_Collision(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		b := must[string, string](t, func(c *bigcache.Config) { c.Hasher = sameHash(7) })
		for i := range 3 {
			if err := b.Put(ctx, "a", "short", new(time.Duration(i+1))); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.Put(ctx, "b", "long", new(time.Hour)); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			for range 2 {
				s, err := b.Stats(ctx)
				if expired := s.Counters[backend.CounterExpirations]; err != nil || s.Size+int64(expired) != 1 {
					t.Errorf("Stats = %+v, %v, want 1 entry, live or expired", s, err)
				}
			}
			time.Sleep(time.Minute)
		}
		time.Sleep(time.Hour)
		if s, err := b.Stats(ctx); err != nil || s.Size != 0 || s.Counters[backend.CounterExpirations] != 1 {
			t.Errorf("Stats = %+v, %v, want no entry and 1 expiration", s, err)
		}
	})
}

var seed = maphash.MakeSeed()

// keeper is a Hasher that keeps the keys it gets.
type keeper map[string]bool

func (k keeper) Sum64(key string) uint64 {
	k[key] = true
	return maphash.String(seed, key)
}

// A Hasher may keep the keys: their memory is not used again.
func TestHasher(t *testing.T) {
	ctx, kept := t.Context(), keeper{}
	b := must[float64, float64](t, func(c *bigcache.Config) { c.Hasher = kept })
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
	if len(kept) != 100 {
		t.Errorf("the Hasher has kept %d different keys, want 100", len(kept))
	}
	if _, hit, err := b.Get(ctx, math.NaN()); hit || !errors.Is(err, backend.ErrKey) {
		t.Errorf("Get(NaN) = %v, %v, want ErrKey", hit, err)
	}
}

// zeroFor is a Hasher that returns zero for one key. The library reads a hash of zero as a removed entry.
type zeroFor string

func (z zeroFor) Sum64(key string) uint64 {
	if key == string(z) {
		return 0
	}
	return maphash.String(seed, key)
}

// A key whose hash is zero is evicted like any other.
func TestZeroHash(t *testing.T) {
	ctx := t.Context()
	b := must[string, string](t, func(c *bigcache.Config) { *c = bigcache.NewConfig(1); c.Hasher = zeroFor("zero") })
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
	seq, err := backend.All(b)
	if err != nil {
		t.Fatal(err)
	}
	all := maps.Collect(seq)
	if s, err := b.Stats(ctx); err != nil || s.Size != int64(len(all)) || len(all) == 0 {
		t.Errorf("Stats = %+v, %v, want the %d entries that All yields", s, err, len(all))
	}
}

type User struct {
	Name  string
	Roles []string
}

func Example() {
	ctx := context.Background()
	b, err := bigcache.New[int](bigcache.NewConfig(64), bigcache.Options[User]{}) // 64 MB
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

// If the default codec would change a part of the values, New needs a codec.
func ExampleOptions() {
	type event struct {
		Name string
		Data any
	}
	_, err := bigcache.New[string](bigcache.NewConfig(64), bigcache.Options[event]{})
	fmt.Println(err)

	_, err = bigcache.New[string](bigcache.NewConfig(64), bigcache.Options[event]{Codec: bigcache.JSON[event]()})
	fmt.Println(err)
	// Output:
	// bigcache: new: codec: field event.Data: interface {} would lose its dynamic type: unsupported operation
	// <nil>
}

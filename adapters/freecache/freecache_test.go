package freecache_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/cachepact/cachepact/adapters/freecache"
	"github.com/cachepact/cachepact/adapters/internal/adaptertest"
	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

func TestConformance(t *testing.T) { adaptertest.Run(t, open, open, open, open) }

// open makes a small cache: the library allocates and clears all its memory in each check.
func open[K comparable, V any](conformance.Options) (backend.Backend[K, V], error) {
	return freecache.New[K](2<<20, freecache.Options[V]{})
}

func sized[K comparable, V any](t *testing.T, maxBytes int) backend.Backend[K, V] {
	t.Helper()
	b, err := freecache.New[K](maxBytes, freecache.Options[V]{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// usual makes a cache that evicts nothing in the shared tests.
func usual[K comparable, V any](t *testing.T) backend.Backend[K, V] { return sized[K, V](t, 32<<20) }

var shared = adaptertest.ByteCache{
	Name: "freecache",
	Ints: usual[int, int], Texts: usual[uint64, string], Numbers: usual[string, int], Blobs: usual[string, []byte],
	Failing: func() (backend.Backend[string, string], error) {
		return freecache.New[string](freecache.MinBytes, freecache.Options[string]{Codec: adaptertest.FailingCodec{}})
	},
	NewError: func(c adaptertest.Codec) error {
		_, err := freecache.New[int](freecache.MinBytes, freecache.Options[adaptertest.Secret]{Codec: c})
		return err
	},
	Codecs: []adaptertest.Codec{
		freecache.CBOR[adaptertest.Secret](), freecache.JSON[adaptertest.Secret](), freecache.Gob[adaptertest.Secret](),
	},
	PointerKeys: func() error {
		_, err := freecache.New[*int](freecache.MinBytes, freecache.Options[int]{})
		return err
	},
}

func TestShared(t *testing.T) { shared.Run(t) }
func TestSweeps(t *testing.T) { shared.Sweeps(t) }

func TestNew_Size(t *testing.T) {
	adaptertest.Sizes(t, "freecache", freecache.MinBytes, func(maxBytes int) error {
		_, err := freecache.New[string](maxBytes, freecache.Options[int]{})
		return err
	})
}

func TestLimits(t *testing.T) {
	for _, size := range []int{freecache.MinBytes, freecache.MinBytes + 12_345, 10 << 20, 400 << 20} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			b := sized[string, []byte](t, size)
			limits := backend.TraitsOf(b)
			both := limits.MaxKey + limits.MaxValue
			if space := size/1024 - 24 - 8; both > space || both < space-1 || limits.MaxKey > math.MaxUint16 {
				t.Errorf("keys have up to %d bytes and values up to %d, want %d together", limits.MaxKey, limits.MaxValue, space)
			}
			adaptertest.Limits(t, b)
		})
	}
}

func TestSize(t *testing.T) {
	adaptertest.Sized(t, func(t *testing.T) backend.Backend[int, []byte] {
		return sized[int, []byte](t, freecache.MinBytes)
	}, 6000, 300)
}

type User struct {
	Name  string
	Roles []string
}

func Example() {
	ctx := context.Background()
	b, err := freecache.New[int](64<<20, freecache.Options[User]{}) // 64 MB
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

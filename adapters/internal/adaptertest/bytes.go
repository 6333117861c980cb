package adaptertest

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

	"github.com/cachepact/cachepact/adapters/internal/codec"
	"github.com/cachepact/cachepact/backend"
)

// A ByteCache is an adapter of a library that stores bytes, for the tests that all such adapters share. Each function
// makes an empty backend with room for all entries of a test.
type ByteCache struct {
	Name    string // of the package
	Ints    func(t *testing.T) backend.Backend[int, int]
	Texts   func(t *testing.T) backend.Backend[uint64, string]
	Numbers func(t *testing.T) backend.Backend[string, int]
	Blobs   func(t *testing.T) backend.Backend[string, []byte]

	// Failing makes a backend whose codec is [FailingCodec].
	Failing func() (backend.Backend[string, string], error)
	// NewError returns the error of New for values of type Secret and a codec, which may be nil.
	NewError func(Codec) error
	Codecs   []Codec // the package's codecs
	// PointerKeys returns the error of New for keys of type *int.
	PointerKeys func() error
}

// A Codec is the adapters' Codec for a Secret.
type Codec = codec.Codec[Secret]

// A Secret is a value that the default codec cannot encode.
type Secret struct {
	Name  string
	token string
}

// Run runs the tests that all adapters of such libraries share.
func (b ByteCache) Run(t *testing.T) {
	t.Run("types", b.types)
	t.Run("codec", b.codecFails)
	t.Run("counters", b.counters)
}

// types tests which key and value types New rejects, and that the package's codecs lose unexported fields.
func (b ByteCache) types(t *testing.T) {
	err := b.NewError(nil)
	if err == nil || !strings.HasPrefix(err.Error(), b.Name+": new: ") || !strings.Contains(err.Error(), "Secret.token") {
		t.Errorf("New with an unexported field = %v, want an error that names it", err)
	}
	for _, c := range b.Codecs {
		if err := b.NewError(c); err != nil {
			t.Errorf("New with a %T = %v", c, err)
		}
		data, err := c.Append(nil, Secret{"Ada", "lost"})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.Decode(data); got != (Secret{Name: "Ada"}) || err != nil {
			t.Errorf("%T: Decode = %+v, %v, want the exported field", c, got, err)
		}
	}
	if err := b.PointerKeys(); !errors.Is(err, backend.ErrKey) {
		t.Errorf("New with pointers for keys = %v, want ErrKey", err)
	}
}

// FailingCodec cannot write "bad", and cannot read anything. Its errors contain "secret".
type FailingCodec struct{}

var errSecret = errors.New("secret")

// Append implements the adapters' Codec.
func (FailingCodec) Append(dst []byte, s string) ([]byte, error) {
	if s == "bad" {
		return dst, errSecret
	}
	return append(dst, s...), nil
}

// Decode implements the adapters' Codec.
func (FailingCodec) Decode([]byte) (string, error) { return "", errSecret }

// codecFails tests that the backend reports the codec's errors without their texts, which may contain a value.
func (b ByteCache) codecFails(t *testing.T) {
	ctx := t.Context()
	c, err := b.Failing()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = backend.Close(c) }()
	Put(t, c, "k", "v", nil)
	if _, hit, err := c.Get(ctx, "k"); hit || err == nil || strings.Contains(err.Error(), errSecret.Error()) {
		t.Errorf("Get = %v, %v, want an error that does not quote the codec's", hit, err)
	}
	if seq, err := backend.All(c); err == nil {
		if all := maps.Collect(seq); len(all) > 0 {
			t.Errorf("All yielded %q, which cannot be decoded", all)
		}
	}
	if s := Stats(t, c); s.Counters[backend.CounterHits] != 0 || s.Counters[backend.CounterMisses] != 0 {
		t.Errorf("Stats = %+v, want no hit and no miss", s)
	}
	if err := c.Put(ctx, "k", "bad", nil); err == nil || strings.Contains(err.Error(), errSecret.Error()) {
		t.Errorf("Put = %v, want an error that does not quote the codec's", err)
	}
	if s := Stats(t, c); s.Size != 0 {
		t.Errorf("Stats after a failed Put = %+v, want 0 entries", s)
	}
}

// counters tests that Gets are counted as what they were, and that the adapter's own reads are not counted. It also
// tests that Stats and All do not look at expired entries in vain.
func (b ByteCache) counters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, c := context.Background(), b.Ints(t)
		get := func() {
			t.Helper()
			for k := range 200 {
				if _, _, err := c.Get(ctx, k); err != nil {
					t.Fatal(err)
				}
			}
		}
		check := func(size int64, hits, misses, expirations uint64) {
			t.Helper()
			s := Stats(t, c)
			delete(s.Counters, backend.CounterEvictions)
			want := map[string]uint64{
				backend.CounterHits: hits, backend.CounterMisses: misses, backend.CounterExpirations: expirations,
			}
			if s.Size != size || !maps.Equal(s.Counters, want) {
				t.Errorf("Stats = %+v, want %d entries and %v", s, size, want)
			}
		}
		for k := range 100 {
			Put(t, c, k, k, new(time.Minute))
			Put(t, c, k+100, k, nil)
			Put(t, c, k+100, k, nil)
		}
		get()
		check(200, 200, 0, 0)
		if all, err := backend.All(c); err == nil {
			if n := len(maps.Collect(all)); n != 200 {
				t.Errorf("All yields %d entries, want 200", n)
			}
			check(200, 200, 0, 0)
		}
		time.Sleep(time.Hour)
		get()
		check(100, 300, 100, 100)
		Put(t, c, 0, 0, new(time.Minute))
		time.Sleep(time.Hour)
		Put(t, c, 0, 0, nil) // over an expired entry
		if err := errors.Join(backend.InvalidateKey(ctx, c, 0), backend.InvalidateKey(ctx, c, 1000)); err != nil {
			t.Fatal(err)
		}
		s := Stats(t, c)
		if n := s.Counters[backend.CounterExpirations]; n != 100 && n != 101 {
			t.Errorf("%d expirations, want 100 or 101", n)
		}
		if err := backend.InvalidateAll(ctx, c); err != nil {
			t.Fatal(err)
		}
		get()
		check(0, 300, 300, s.Counters[backend.CounterExpirations])
	})
}

// Sized tests, in a full backend, that Size is the number of keys that a Get finds, although entries are evicted,
// expire and are overwritten. Values have up to this many bytes.
func Sized(t *testing.T, open func(t *testing.T) backend.Backend[int, []byte], keys, bytes int) {
	synctest.Test(t, func(t *testing.T) {
		ctx, b := context.Background(), open(t)
		for round := range 3 {
			for k := range keys {
				var ttl *time.Duration
				if k%3 == round%3 {
					ttl = new(time.Duration(k%7+1) * time.Minute)
				}
				Put(t, b, k, make([]byte, k*7919%bytes), ttl)
			}
			for range 3 {
				time.Sleep(2 * time.Minute)
				s, live := Stats(t, b), int64(0)
				for k := range keys {
					if _, hit, _ := b.Get(ctx, k); hit {
						live++
					}
				}
				evictions, counts := s.Counters[backend.CounterEvictions]
				if s.Size != live || s.Counters[backend.CounterExpirations] == 0 || counts && evictions == 0 {
					t.Errorf("Stats = %+v, want %d entries, some evicted and some expired", s, live)
				}
				if live == 0 || live == int64(keys) {
					t.Errorf("%d of %d entries are live, want some", live, keys)
				}
			}
		}
	})
}

// Sweeps tests Stats and All of an adapter that looks for expired entries in the library: it looks only if one may
// have expired, removes no entry that was put meanwhile, and misses none although entries come and go.
func (b ByteCache) Sweeps(t *testing.T) {
	t.Run("cheap", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := b.Ints(t)
			for k := range 1000 {
				Put(t, c, k, k, new(time.Duration(k+1)*time.Minute))
			}
			stats := func() {
				if s := Stats(t, c); s.Size != 990 {
					t.Errorf("Stats = %+v, want 990 entries", s)
				}
			}
			time.Sleep(10*time.Minute + time.Second)
			stats()
			if got := testing.AllocsPerRun(10, stats); got > 100 {
				t.Errorf("Stats allocates %v times although no entry has expired since the last call", got)
			}
		})
	})
	t.Run("concurrent", b.sweepWhilePut)
	t.Run("all", b.allWhilePut)
}

func (b ByteCache) sweepWhilePut(t *testing.T) {
	ctx, c := t.Context(), b.Ints(t)
	const keys = 3000
	for round := range 20 {
		for k := range keys {
			Put(t, c, k, -1, new(time.Nanosecond))
		}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { Stats(t, c) })
		}
		wg.Go(func() {
			for k := range keys { // moves entries within the library
				_ = c.Put(ctx, keys+k, 0, nil)
				_ = backend.InvalidateKey(ctx, c, keys+k)
			}
		})
		for k := range keys / 2 {
			Put(t, c, 2*k, round, nil)
		}
		wg.Wait()
		for k := range keys / 2 {
			if got, hit, err := c.Get(ctx, 2*k); got != round || !hit || err != nil {
				t.Fatalf("round %d: Get(%d) = %d, %v, %v", round, 2*k, got, hit, err)
			}
		}
		if s := Stats(t, c); s.Size != keys/2 {
			t.Fatalf("round %d: Stats = %+v, want %d entries", round, s, keys/2)
		}
	}
}

// allWhilePut tests that All yields each key at most once, and each key that is there all the time.
func (b ByteCache) allWhilePut(t *testing.T) {
	ctx, c := t.Context(), b.Ints(t)
	const keys = 2000
	for k := range keys {
		Put(t, c, k, k, nil)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range 500_000 {
			select {
			case <-stop:
				return
			default:
				_ = c.Put(ctx, keys+i%keys, 0, nil)
				_ = backend.InvalidateKey(ctx, c, keys+(i*7)%keys)
			}
		}
	})
	all, err := backend.All(c)
	if err != nil {
		t.Fatal(err)
	}
	for range 30 {
		seen := map[int]int{}
		for k := range all {
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

// Limits tests entries of the largest key and value, with and without a TTL, and of one byte more: the error wraps
// ErrTooLarge, and the key's earlier entry is removed and no other.
func Limits(t *testing.T, b backend.Backend[string, []byte]) {
	t.Helper()
	ctx, limits := t.Context(), backend.TraitsOf(b)
	for i := range 120 { // may write over the end of a ring
		key, value := strings.Repeat(string(rune('a'+i%26)), limits.MaxKey), make([]byte, limits.MaxValue)
		value[len(value)-1] = byte(i)
		Put(t, b, key, value, []*time.Duration{nil, new(time.Hour)}[i%2])
		if got, hit, err := b.Get(ctx, key); !hit || err != nil || string(got) != string(value) {
			t.Fatalf("Get of the largest entry = %d bytes, %v, %v", len(got), hit, err)
		}
	}
	TooLarge(t, b)
}

// TooLarge is the second half of [Limits].
func TooLarge(t *testing.T, b backend.Backend[string, []byte]) {
	t.Helper()
	ctx, limits := t.Context(), backend.TraitsOf(b)
	Put(t, b, "key", []byte("old"), nil)
	Put(t, b, "other", []byte("kept"), nil)
	if err := b.Put(ctx, "key", make([]byte, limits.MaxValue+1), nil); !errors.Is(err, backend.ErrTooLarge) {
		t.Errorf("Put of %d bytes = %v, want ErrTooLarge", limits.MaxValue+1, err)
	}
	if got, hit, err := b.Get(ctx, "key"); hit || err != nil {
		t.Errorf("Get after a failed Put = %q, %v, want a miss", got, err)
	}
	key := strings.Repeat("k", limits.MaxKey+1)
	_, hit, err := b.Get(ctx, key)
	for call, err := range map[string]error{
		"Get": err, "Put": b.Put(ctx, key, nil, nil), "Invalidate": backend.InvalidateKey(ctx, b, key),
	} {
		if hit || !errors.Is(err, backend.ErrTooLarge) {
			t.Errorf("%s of a key of %d bytes = %v, want ErrTooLarge", call, len(key), err)
		}
	}
	if _, hit, err := b.Get(ctx, "other"); !hit || err != nil {
		t.Errorf("a failed Put has removed another key: %v", err)
	}
}

// Sizes tests that New rejects a size below the smallest and above the largest, and says so.
func Sizes(t *testing.T, name string, minBytes int, open func(size int) error) {
	for _, size := range []int{math.MinInt, -1, 0, 1, minBytes - 1, math.MaxInt} {
		err, want := open(size), fmt.Sprintf("%s: new: size %d: want ", name, size)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("New(%d) = %v, want an error that starts with %q", size, err, want)
		}
	}
}

// Collision tests two keys whose hashes collide: the later Put stays, and no operation on the earlier key changes it.
func Collision(t *testing.T, b backend.Backend[string, string], first, second string) {
	t.Helper()
	ctx := t.Context()
	check := func(key, want string) {
		t.Helper()
		if got, hit, err := b.Get(ctx, key); got != want || hit != (want != "") || err != nil {
			t.Errorf("Get(%q) = %q, %v, %v, want %q", key, got, hit, err, want)
		}
	}
	long := strings.Repeat("x", 999)
	for range 2000 {
		for _, key := range []string{first, second} {
			Put(t, b, key, key+long, nil)
		}
	}
	check(first, "")
	Put(t, b, first, "zero", new(time.Duration))
	if err := backend.InvalidateKey(ctx, b, first); err != nil {
		t.Fatal(err)
	}
	if err := b.Put(ctx, first, strings.Repeat("x", 1<<20), nil); !errors.Is(err, backend.ErrTooLarge) {
		t.Errorf("Put of a megabyte = %v, want ErrTooLarge", err)
	}
	check(second, second+long)
	if err := backend.InvalidateKey(ctx, b, second); err != nil {
		t.Fatal(err)
	}
	check(second, "")
	if err := backend.InvalidateAll(ctx, b); err != nil {
		t.Fatal(err)
	}
	s := Stats(t, b)
	if s.Size != 0 || s.Counters[backend.CounterHits] != 1 || s.Counters[backend.CounterMisses] != 2 {
		t.Errorf("Stats = %+v, want no entry, 1 hit and 2 misses", s)
	}
}

// Allocs tests that a Put does not allocate, and that a hit allocates no more often than the library: this often for
// a number and for bytes. It is of no use under the race detector, where a pool drops some of its memory.
func (b ByteCache) Allocs(t *testing.T, number, bytes float64) {
	t.Helper()
	ctx, key := t.Context(), "key-of-16-bytes!"
	ints, texts, numbers, blobs := b.Ints(t), b.Texts(t), b.Numbers(t), b.Blobs(t)
	value, text := make([]byte, 128), strings.Repeat("x", 128)
	for kind, op := range map[string]struct {
		want     float64
		put, get func()
	}{
		"numbers": {number, func() { _ = numbers.Put(ctx, key, 7, nil) }, func() { _, _, _ = numbers.Get(ctx, key) }},
		"ints":    {number, func() { _ = ints.Put(ctx, 7, 7, nil) }, func() { _, _, _ = ints.Get(ctx, 7) }},
		"blobs":   {bytes, func() { _ = blobs.Put(ctx, key, value, nil) }, func() { _, _, _ = blobs.Get(ctx, key) }},
		"texts":   {bytes, func() { _ = texts.Put(ctx, 7, text, nil) }, func() { _, _, _ = texts.Get(ctx, 7) }},
	} {
		op.put()
		if got := testing.AllocsPerRun(1000, op.put); got > 0 {
			t.Errorf("%s: Put allocates %v times, want 0", kind, got)
		}
		if got := testing.AllocsPerRun(1000, op.get); got > op.want {
			t.Errorf("%s: Get allocates %v times, want the library's %v", kind, got, op.want)
		}
	}
}

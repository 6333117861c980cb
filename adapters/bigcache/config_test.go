package bigcache_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	lib "github.com/allegro/bigcache/v3"

	"github.com/cachepact/cachepact/adapters/bigcache"
	"github.com/cachepact/cachepact/adapters/internal/adaptertest"
	"github.com/cachepact/cachepact/backend"
)

// New returns an error that names the bad field of a configuration.
func TestNew_Config(t *testing.T) {
	for name, change := range map[string]func(*bigcache.Config){
		"Shards 0":             func(c *bigcache.Config) { c.Shards = 0 },
		"Shards 3":             func(c *bigcache.Config) { c.Shards = 3 },
		"Shards -":             func(c *bigcache.Config) { c.Shards = math.MinInt },
		"Shards":               func(c *bigcache.Config) { c.Shards = 1 << 40 },
		"LifeWindow":           func(c *bigcache.Config) { c.LifeWindow = time.Hour },
		"CleanWindow":          func(c *bigcache.Config) { c.CleanWindow = time.Second },
		"MaxEntriesInWindow -": func(c *bigcache.Config) { c.MaxEntriesInWindow = -1 },
		"MaxEntriesInWindow":   func(c *bigcache.Config) { c.MaxEntriesInWindow = math.MaxInt },
		"MaxEntrySize -":       func(c *bigcache.Config) { c.MaxEntrySize = -1 },
		"MaxEntrySize":         func(c *bigcache.Config) { c.MaxEntrySize = math.MaxInt },
		"StatsEnabled":         func(c *bigcache.Config) { c.StatsEnabled = true },
		"Verbose":              func(c *bigcache.Config) { c.Verbose = true },
		"HardMaxCacheSize -":   func(c *bigcache.Config) { c.HardMaxCacheSize = -1 },
		"HardMaxCacheSize":     func(c *bigcache.Config) { c.HardMaxCacheSize = math.MaxInt },
		"HardMaxCacheSize 1":   func(c *bigcache.Config) { c.HardMaxCacheSize, c.Shards = 1, 2048 },
		"OnRemove":             func(c *bigcache.Config) { c.OnRemove = func(string, []byte) {} },
		"OnRemove:":            func(c *bigcache.Config) { c.OnRemoveWithReason = func(string, []byte, lib.RemoveReason) {} },
		"OnRemove: ":           func(c *bigcache.Config) { c.OnRemoveWithMetadata = func(string, []byte, lib.Metadata) {} },
	} {
		config := bigcache.NewConfig(64)
		change(&config)
		b, err := bigcache.New[string](config, bigcache.Options[int]{})
		if err == nil || !strings.HasPrefix(err.Error(), "bigcache: new: "+name) {
			t.Errorf("New with a bad %s = %v, %v, want an error that names it", name, b, err)
		}
	}
	_, err := bigcache.New[string](lib.DefaultConfig(time.Hour), bigcache.Options[int]{})
	for _, name := range []string{"LifeWindow", "CleanWindow", "Verbose"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("New with the library's default = %v, want an error that names %s", err, name)
		}
	}
}

func TestConfig(t *testing.T) {
	for _, mb := range []int{0, 1, 3, 4, 64, 100, 1 << 10, 1 << 20} {
		config := bigcache.NewConfig(mb)
		b, err := bigcache.New[string](config, bigcache.Options[[]byte]{})
		if err != nil {
			t.Errorf("New(NewConfig(%d)) = %v", mb, err)
			continue
		}
		want := backend.BoundApproximate
		if mb == 0 {
			want = backend.BoundNone
		}
		if got := b.Traits(); got.Bound != want || got.MaxKey != 65517 || got.MaxValue < 400_000 {
			t.Errorf("NewConfig(%d) gives %+v", mb, got)
		}
	}
	if _, err := bigcache.New[string](bigcache.NewConfig(-1), bigcache.Options[int]{}); err == nil {
		t.Error("New(NewConfig(-1)) returned no error")
	}
}

// Entries within the limits are stored, however large the shard is and wherever its entries lie.
func TestLimits(t *testing.T) {
	ctx := t.Context()
	for _, config := range []bigcache.Config{
		{Shards: 1, HardMaxCacheSize: 1},
		{Shards: 1, HardMaxCacheSize: 1, MaxEntriesInWindow: 100, MaxEntrySize: 1000},
		{Shards: 1, HardMaxCacheSize: 1, MaxEntriesInWindow: 1, MaxEntrySize: 1 << 16},
		{Shards: 1, HardMaxCacheSize: 1, MaxEntriesInWindow: 1 << 20, MaxEntrySize: 1 << 20},
		{Shards: 1024, HardMaxCacheSize: 1},
		{Shards: 64, HardMaxCacheSize: 1},
	} {
		b, err := bigcache.New[string](config, bigcache.Options[[]byte]{})
		if err != nil {
			t.Fatal(err)
		}
		maxKey, maxValue := b.Traits().MaxKey, b.Traits().MaxValue
		r := rand.New(rand.NewPCG(1, 1))
		size := func(limit int) int {
			return []int{limit, limit - 1, r.IntN(limit), r.IntN(limit), min(limit, r.IntN(300))}[r.IntN(5)]
		}
		for range 150 {
			key := strings.Repeat(string(rune('a'+r.IntN(4))), size(maxKey))
			value := make([]byte, size(maxValue))
			if len(value) > 0 {
				value[len(value)-1] = byte(r.Uint32())
			}
			if err := b.Put(ctx, key, value, nil); err != nil {
				t.Fatalf("%+v: Put of %d and %d bytes = %v, want up to %d and %d stored",
					config, len(key), len(value), err, maxKey, maxValue)
			}
			got, hit, err := b.Get(ctx, key)
			if !hit || err != nil || string(got) != string(value) {
				t.Fatalf("%+v: Get after Put of %d and %d bytes = %d bytes, %v, %v",
					config, len(key), len(value), len(got), hit, err)
			}
		}
		t.Run(fmt.Sprintf("%d shards with entries of %d", config.Shards, config.MaxEntrySize), func(t *testing.T) {
			adaptertest.TooLarge(t, b)
		})
	}
}

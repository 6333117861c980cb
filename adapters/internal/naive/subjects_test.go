package naive

import "github.com/cachepact/cachepact/conformance"

// A subject is a library with the rules that it breaks.
type subject struct {
	name   string
	module string // path of the library's module
	open   func(conformance.Options) (backendOf, error)
	// breaks has pairs of a reason and the rules that are broken for it. A rule has one reason.
	breaks [][2]string
	// sometimes has the rules that are broken in some runs only.
	sometimes string
}

// ristrettoBreaks are the reasons of both major versions, which behave alike.
var ristrettoBreaks = [][2]string{
	{
		"Set queues a new entry: a Get can miss it, a later Set can lose to it, and a full queue drops it",
		"hit/absent hit/put hit/overwrite hit/keys hit/values hit/isolation ttl/expires ttl/overwrite " +
			"ttl/range invalidate/key invalidate/nil invalidate/zerokey concurrent/key concurrent/nil " +
			"error/put ctx/done retain",
	},
	{"a Set with a negative TTL does nothing, and a TTL of zero means none", "ttl/zero"},
	{"each entry costs 56 more than its cost, and Size counts expired but no queued entries", "stats/size"},
	{"Close panics or hangs if another call runs at the same time", "concurrent/race close/idempotent"},
	{"calls after Close return no error", "close/after"},
}

var subjects = []subject{
	{
		name: "bigcache", module: "github.com/allegro/bigcache/v3", open: newBigCache,
		breaks: [][2]string{
			{
				"entries have no lifetimes of their own, so the TTL is ignored",
				"hit/absent ttl/expires ttl/notearly ttl/zero ttl/overwrite ttl/range retain",
			},
			{"all entries have the same lifetime", "ttl/none"},
			{"keys whose hashes collide replace each other, and a long key is cut or panics", "hit/keys"},
			{"Get returns an empty slice for nil", "hit/values hit/overwrite"},
			{
				"Delete of an absent key is an error",
				"hit/put invalidate/key invalidate/nil invalidate/zerokey concurrent/key concurrent/nil " +
					"concurrent/race",
			},
			{"Len counts expired entries, and the number of entries has no bound", "stats/size"},
			{"the second Close panics", "close/idempotent"},
			{"calls after Close work", "close/after"},
		},
		sometimes: "ttl/none ttl/range",
	},
	{name: "ristretto", module: "github.com/dgraph-io/ristretto", open: newRistretto, breaks: ristrettoBreaks},
	{name: "ristretto2", module: "github.com/dgraph-io/ristretto/v2", open: newRistretto2, breaks: ristrettoBreaks},
	{
		name: "golang-lru", module: "github.com/hashicorp/golang-lru/v2", open: newLRU,
		breaks: [][2]string{
			{
				"entries have no lifetimes, so the TTL is ignored",
				"hit/absent hit/put ttl/none ttl/expires ttl/notearly ttl/zero ttl/overwrite ttl/range stats/size " +
					"concurrent/key retain",
			},
			{"the cache keeps the caller's slice", "hit/values"},
		},
	},
	{
		name: "go-cache", module: "github.com/patrickmn/go-cache", open: newGoCache,
		breaks: [][2]string{
			{"the cache keeps the caller's slice", "hit/values"},
			{"entries without a TTL have the default lifetime", "hit/put ttl/none ttl/expires ttl/overwrite"},
			{
				"a TTL of zero means the default lifetime, and a negative TTL means none",
				"ttl/zero concurrent/key",
			},
			{
				"ItemCount counts expired entries, and the number of entries has no bound",
				"stats/size invalidate/nil",
			},
		},
	},
	{
		name: "otter", module: "github.com/maypok86/otter/v2", open: newOtter,
		breaks: [][2]string{
			{"the cache keeps the caller's slice", "hit/values"},
			{"entries without a TTL have the calculator's lifetime", "ttl/none ttl/overwrite"},
			{"SetExpiresAfter ignores a TTL of zero or less, so the entry stays", "ttl/zero concurrent/key"},
			{"EstimatedSize counts expired entries until maintenance removes them", "stats/size"},
			{"calls after StopAllGoroutines work", "close/after concurrent/race"},
		},
		sometimes: "ttl/none",
	},
	{
		name: "theine", module: "github.com/Yiling-J/theine-go", open: newTheine,
		breaks: [][2]string{
			{"the cache keeps the caller's slice", "hit/values"},
			{
				"a Set without a TTL keeps the TTL of the overwritten entry",
				"ttl/expires ttl/overwrite concurrent/key",
			},
			{"a TTL of zero means none", "ttl/zero"},
			{"expired entries take part of the capacity until a timer removes them", "hit/put"},
			{"Len counts expired entries until a timer removes them", "stats/size"},
			{"calls after Close return no error", "close/after concurrent/race"},
		},
	},
	{
		name: "freecache", module: "github.com/coocood/freecache", open: newFreeCache,
		breaks: [][2]string{
			{
				"a TTL below one second means none, and the first second of others is cut short",
				"ttl/notearly ttl/range retain",
			},
			{"a TTL of zero or less means none", "ttl/zero concurrent/key"},
			{"Get returns nil for an empty slice or the reverse", "hit/values hit/overwrite"},
			{
				"a Set of a large entry fails and leaves the earlier value",
				"hit/keys invalidate/key error/put error/text",
			},
			{
				"EntryCount counts expired entries until a Get, and the number of entries has no bound",
				"stats/size invalidate/nil",
			},
		},
	},
	{
		name: "fastcache", module: "github.com/VictoriaMetrics/fastcache", open: newFastCache,
		breaks: [][2]string{
			{
				"entries have no lifetimes, so the TTL is ignored",
				"hit/absent hit/put ttl/none ttl/expires ttl/notearly ttl/zero ttl/overwrite ttl/range " +
					"concurrent/key retain",
			},
			{"Get returns nil for an empty slice or the reverse", "hit/values hit/overwrite"},
			{
				"a Set of a large entry does nothing and leaves the earlier value",
				"hit/keys invalidate/key error/put",
			},
			{
				"EntriesCount counts evicted entries, and the number of entries has no bound",
				"stats/size invalidate/nil",
			},
			{"calls after Close work", "concurrent/race close/after"},
		},
	},
}

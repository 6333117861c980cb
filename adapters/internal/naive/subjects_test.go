package naive

import (
	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
)

// A subject is a library and what is known of it.
type subject struct {
	name, module string
	open         func(conformance.Options) (backend.Backend[string, []byte], error)
	// breaks says how the library breaks which rules, or checks.
	breaks map[string]string
	// unsteady are the rules and checks that fail in some runs only.
	unsteady string
}

var subjects = []subject{
	{
		name: "bigcache", module: "github.com/allegro/bigcache/v3@v3.1.0", open: newBigCache,
		breaks: map[string]string{
			"an entry has no lifetime of its own, so that the TTL is ignored":               "hit/absent ttl/expires ttl/notearly ttl/zero ttl/overwrite ttl/range retain",
			"all entries have one lifetime, which ends those without a TTL too":             "ttl/none hit/put/later",
			"two keys of one hash take each other's place, and a long key is cut or panics": "hit/keys",
			"a nil slice comes back empty":                                                  "hit/values hit/overwrite",
			"it is an error to delete an absent key":                                        "hit/put invalidate/key invalidate/nil invalidate/zerokey stats/size/invalidate concurrent/key concurrent/nil concurrent/race",
			"the expired are counted, and there is no bound in entries":                     "stats/size invalidate/nil/bound-stays",
			"the second Close panics":                                                       "close/idempotent",
			"everything works on after Close":                                               "close/after",
		},
		unsteady: "ttl/none ttl/range",
	},
	{
		name: "ristretto", module: "github.com/dgraph-io/ristretto@v0.2.0", open: newRistretto,
		breaks: map[string]string{
			"Set only queues a new entry: a Get may miss it, a later Set may lose to it, and a full queue drops it": "hit/absent hit/put hit/overwrite hit/keys hit/values hit/isolation " +
				"ttl/expires ttl/overwrite ttl/range invalidate/key invalidate/nil invalidate/zerokey concurrent/key concurrent/nil error/put ctx/done retain",
			"a negative TTL is ignored with the whole Set, so that the earlier entry stays, and one of zero is no TTL": "ttl/zero",
			"each entry costs 56 more than it is given, the expired are counted, and what is queued is not":            "stats/size",
			"Close panics or hangs when anything else is called at the same time":                                      "concurrent/race close/idempotent",
			"calls after Close are ignored in silence":                                                                 "close/after",
		},
		unsteady: "hit/absent/sibling hit/put/each-its-own hit/overwrite/many-times hit/overwrite/leaves-others hit/keys/odd hit/isolation/invalidate-all " +
			"ttl/overwrite/forgotten-by-invalidate ttl/overwrite/forgotten-by-invalidate-all invalidate/key/put-between invalidate/zerokey/only-that " +
			"ttl/overwrite/two-puts-meet concurrent/key/with-stats",
	},
	{
		name: "ristretto2", module: "github.com/dgraph-io/ristretto/v2@v2.4.2", open: newRistretto2,
		breaks: map[string]string{
			"Set only queues a new entry: a Get may miss it, a later Set may lose to it, and a full queue drops it": "hit/absent hit/put hit/overwrite hit/keys hit/values hit/isolation " +
				"ttl/expires ttl/overwrite ttl/range invalidate/key invalidate/nil invalidate/zerokey concurrent/key concurrent/nil error/put ctx/done retain",
			"a negative TTL is ignored with the whole Set, so that the earlier entry stays, and one of zero is no TTL": "ttl/zero",
			"each entry costs 56 more than it is given, the expired are counted, and what is queued is not":            "stats/size",
			"Close panics or hangs when anything else is called at the same time":                                      "concurrent/race close/idempotent",
			"calls after Close are ignored in silence":                                                                 "close/after",
		},
		unsteady: "hit/absent/sibling hit/put/each-its-own hit/overwrite/many-times hit/overwrite/leaves-others hit/keys/odd hit/isolation/invalidate-all " +
			"ttl/overwrite/forgotten-by-invalidate ttl/overwrite/forgotten-by-invalidate-all invalidate/key/put-between invalidate/zerokey/only-that " +
			"ttl/overwrite/two-puts-meet concurrent/key/with-stats",
	},
	{
		name: "golang-lru", module: "github.com/hashicorp/golang-lru/v2@v2.0.7", open: newLRU,
		breaks: map[string]string{
			"an entry has no lifetime, so that the TTL is ignored": "hit/absent ttl/none ttl/expires ttl/notearly ttl/zero ttl/overwrite ttl/range stats/size concurrent/key retain",
			"the cache holds the caller's own slice":               "hit/values",
		},
	},
	{
		name: "go-cache", module: "github.com/patrickmn/go-cache@v2.1.0+incompatible", open: newGoCache,
		breaks: map[string]string{
			"the cache holds the caller's own slice":                         "hit/values",
			"the default lifetime ends entries without a TTL":                "hit/put ttl/none ttl/expires ttl/overwrite",
			"a TTL of zero is the default lifetime, and a negative one none": "ttl/zero concurrent/key",
			"the expired are counted, and there is no bound in entries":      "stats/size invalidate/nil",
		},
	},
	{
		name: "otter", module: "github.com/maypok86/otter/v2@v2.4.0", open: newOtter,
		breaks: map[string]string{
			"the cache holds the caller's own slice":                                          "hit/values",
			"the calculator's lifetime ends entries without a TTL":                            "ttl/none ttl/overwrite",
			"SetExpiresAfter ignores zero and less, so that the value lives on":               "ttl/zero concurrent/key",
			"the expired are counted for a while, and so is what should not have been stored": "stats/size",
			"everything works on after the goroutines are stopped":                            "close/after concurrent/race",
		},
		unsteady: "ttl/none/unread",
	},
	{
		name: "theine", module: "github.com/Yiling-J/theine-go@v0.6.3", open: newTheine,
		breaks: map[string]string{
			"the cache holds the caller's own slice":                        "hit/values",
			"an entry that is put again without a TTL keeps the one it had": "ttl/expires ttl/overwrite concurrent/key",
			"a TTL of zero is none":                                         "ttl/zero",
			"the expired are counted for a while":                           "stats/size",
			"calls after Close are ignored in silence":                      "close/after concurrent/race",
		},
	},
	{
		name: "freecache", module: "github.com/coocood/freecache@v1.2.7", open: newFreeCache,
		breaks: map[string]string{
			"a TTL of less than a second is none, and of others the first second is cut short": "ttl/notearly ttl/range retain",
			"a TTL of zero or less is none":                                                 "ttl/zero concurrent/key",
			"a nil or empty slice comes back as the other":                                  "hit/values hit/overwrite",
			"a large entry is refused, and the earlier value served on":                     "hit/keys invalidate/key error/put error/text",
			"the expired are counted until they are read, and there is no bound in entries": "stats/size invalidate/nil",
		},
		unsteady: "ttl/notearly/any-offset ttl/range/59.9s ttl/range/24.9d ttl/range/49.8d ttl/range/136y retain/ttl",
	},
	{
		name: "fastcache", module: "github.com/VictoriaMetrics/fastcache@v1.13.0", open: newFastCache,
		breaks: map[string]string{
			"an entry has no lifetime, so that the TTL is ignored":                 "hit/absent ttl/none ttl/expires ttl/notearly ttl/zero ttl/overwrite ttl/range concurrent/key retain",
			"a nil slice comes back empty, or an empty one nil":                    "hit/values hit/overwrite",
			"a large entry is dropped in silence, and the earlier value served on": "hit/keys invalidate/key error/put",
			"the evicted are counted, and there is no bound in entries":            "stats/size invalidate/nil",
			"everything works on after Close":                                      "concurrent/race close/after",
		},
	},
}

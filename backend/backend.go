// Package backend defines the contract that every cachepact backend keeps.
//
// The contract is one interface of four methods, [Backend], and a table of rules
// in docs/contract.md. Each rule has an id such as hit/put or ttl/zero. The
// comments here name the rule behind each guarantee. The ids do not change: the
// conformance suite's subtests and messages use them.
//
// # Nil pointers
//
// Put takes a pointer to a TTL, and Invalidate takes a pointer to a key. A nil
// TTL means "never expires", and a nil key means "all keys". A pointer to a zero
// value means that value: a TTL of zero removes the entry, and a pointer to ""
// names the empty key.
//
//	err := b.Put(ctx, "k", v, new(5*time.Minute))
//	err = b.Put(ctx, "k", v, nil) // never expires
//
// Call [InvalidateKey] and [InvalidateAll] rather than the method. A forgotten
// nil check then cannot turn one into the other.
//
// # Optional interfaces
//
// Backend is frozen at four methods. Each further capability is a small interface:
// [io.Closer], [Syncer], [Ranger], [EntryGetter], [Batcher] and [Describer]. The
// functions [Close], [Sync], [All], [GetEntry], [GetMany], [PutMany] and [TraitsOf]
// accept every Backend and say what they do without the interface. [As] finds an
// interface behind decorators.
//
// # Testing
//
// Package conformance of this module tests an implementation against every rule.
// Package memory is a complete implementation to copy.
package backend

import (
	"context"
	"errors"
	"time"
)

// A Backend is a cache: it maps keys to values, and it may evict any entry at any
// time. It never returns a value that was overwritten, invalidated or has expired,
// and an entry that was evicted does not come back.
//
// Any number of goroutines may call any method at once, Close included
// (concurrent/race). Each key is a linearizable register that may lose its value
// (concurrent/key, concurrent/nil).
//
// Two calls of a constructor return backends that share nothing (hit/isolation).
//
// A backend that does I/O returns ctx's error promptly once ctx is done. A backend
// that lives in the process may ignore ctx (ctx/done).
//
// # Keys
//
// Two keys are equal exactly when Go's == says so (hit/keys). The zero key is a
// valid key, and so is a nil of an interface or pointer type (invalidate/zerokey).
//
// Some values cannot be keys: NaN, an interface that holds an uncomparable value
// and, in a backend that encodes keys, a value of an unsupported type. Every method
// that takes such a key returns an error that wraps [ErrKey] and changes nothing.
// New rejects a key type that has no valid value (error/key). [KeyChecker] checks
// keys of any comparable type.
//
// # Errors
//
// An error starts with the name of its package and wraps its cause. It contains no
// key and no value, because they may be secret or huge (error/text).
//
// After Close every method returns an error that wraps [ErrClosed] (close/after).
// Close itself returns nil, the second time too, and returns when every goroutine
// of the backend has ended (close/idempotent).
type Backend[K comparable, V any] interface {
	// Get returns the value of key and reports whether there is one.
	//
	// On a miss, Get returns the zero V, false and a nil error (hit/absent). An error
	// means that Get cannot tell whether the key has an entry.
	//
	// After Put has returned, every Get that starts later hits, on any goroutine,
	// until the entry is overwritten, invalidated, expired or evicted (hit/put). The
	// value equals the one that was put (hit/values). [Traits.Values] declares
	// whether both values share memory.
	//
	// Get does not return an entry whose TTL has passed (ttl/expires), and it does
	// not extend the lifetime (ttl/overwrite).
	Get(ctx context.Context, key K) (value V, hit bool, err error)

	// Put stores value under key for the duration *ttl. If ttl is nil the entry
	// never expires (ttl/none).
	//
	// Put replaces the value and the lifetime of an earlier entry (hit/overwrite,
	// ttl/overwrite). A TTL of zero or less removes the earlier entry, stores
	// nothing and returns nil (ttl/zero). Every other TTL is kept exactly, within
	// [Traits.ExpiryLag]; the largest Duration means never (ttl/range). The entry
	// does not expire early (ttl/notearly).
	//
	// A Put that fails leaves no earlier value of key readable, unless the backend
	// could not be reached. If the key or value is over a declared limit, the error
	// wraps [ErrTooLarge] (error/put).
	//
	// Put does not keep the pointer ttl (retain).
	Put(ctx context.Context, key K, value V, ttl *time.Duration) error

	// Invalidate removes the entry of *key, or every entry if key is nil.
	//
	// After it has returned, no later Get sees an entry whose Put returned before
	// the call (invalidate/key, invalidate/nil). An absent key is not an error. A
	// pointer to the zero key removes only that entry (invalidate/zerokey).
	//
	// Invalidate does not keep the pointer key (retain).
	Invalidate(ctx context.Context, key *K) error

	// Stats returns the number of live entries and the backend's counters. It has no
	// side effect that a caller can see (stats/size, stats/counters).
	Stats(ctx context.Context) (Stats, error)
}

// Stats describes a backend at one moment.
type Stats struct {
	// Size is the number of live entries: those that a Get would return now. Expired
	// entries are not counted after [Traits.SizeLag] (stats/size).
	Size int64

	// Counters holds the events that the backend counts, under the Counter names of
	// this package. If a name is missing, the backend does not count the event. A
	// counter never decreases, and it is exact if one goroutine uses the backend
	// (stats/counters). The map belongs to the caller and may be nil.
	Counters map[string]uint64
}

// The names under which [Stats.Counters] reports.
const (
	// CounterHits counts the Gets that returned a value.
	CounterHits = "hits"
	// CounterMisses counts the Gets that returned neither a value nor an error.
	CounterMisses = "misses"
	// CounterEvictions counts the live entries that were removed to make room.
	CounterEvictions = "evictions"
	// CounterExpirations counts the entries that were removed because their TTL had
	// passed.
	CounterExpirations = "expirations"
	// CounterRejections counts the Puts that the admission policy rejected.
	CounterRejections = "rejections"
	// CounterCollisions counts the Gets that found another key with the same hash
	// and returned a miss.
	CounterCollisions = "collisions"
)

// Errors that the errors of a Backend wrap. Test for them with [errors.Is].
var (
	// ErrClosed means that the backend has been closed.
	ErrClosed = errors.New("backend: closed")
	// ErrKey means that the backend cannot take the key, or any key of its type.
	ErrKey = errors.New("backend: invalid key")
	// ErrTooLarge means that the key or value is larger than the backend can hold.
	ErrTooLarge = errors.New("backend: entry too large")
)

// InvalidateKey removes the entry of key from b.
func InvalidateKey[K comparable, V any](ctx context.Context, b Backend[K, V], key K) error {
	return b.Invalidate(ctx, &key)
}

// InvalidateAll removes every entry of b.
func InvalidateAll[K comparable, V any](ctx context.Context, b Backend[K, V]) error {
	return b.Invalidate(ctx, nil)
}

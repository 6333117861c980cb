// Package backend defines the contract every cachepact cache keeps.
//
// The contract is one interface of four methods, [Backend], and the rules in
// its comments. Each rule has an id such as hit/put or ttl/zero. The ids are
// stable: the conformance suite's subtests, its messages and the documentation
// use them.
//
// Go's cache libraries disagree about what a TTL of zero means, whether a write
// can be seen when it returns, whether two keys may collide and what a size
// counts. A Backend answers each of these in one way only.
//
// # Pointers for absence
//
// Put takes a pointer to a TTL and Invalidate a pointer to a key. Both follow
// one rule: nil says what no value can say. A nil TTL never expires and a nil
// key means every key. A pointer to a zero value is that value: a TTL of zero
// is already over, and a pointer to "" names the empty key.
//
//	err := b.Put(ctx, "k", v, new(5*time.Minute))
//	err = b.Put(ctx, "k", v, nil) // never expires
//
// Use [InvalidateKey] and [InvalidateAll] rather than the method, so that a
// forgotten nil check cannot turn one into the other.
//
// # Optional interfaces
//
// Backend is frozen. What only some caches can do is a small interface of its
// own: [io.Closer], [Syncer], [Ranger], [EntryGetter], [Batcher] and
// [Describer]. The functions [Close], [Sync], [All], [GetEntry], [GetMany],
// [PutMany] and [TraitsOf] work with any Backend and say what they do when the
// interface is missing. [As] finds an interface behind decorators.
//
// # Testing
//
// Package conformance of this module tests an implementation against every rule
// written here, and package memory is a complete implementation to copy.
package backend

import (
	"context"
	"errors"
	"time"
)

// A Backend holds values by key. It is a cache: it may drop any entry at any
// time, but it never returns a value that has been replaced, removed or has
// expired, and what it once dropped does not come back.
//
// Every method may be called by any number of goroutines at once, Close
// included, without a data race, panic, deadlock or hang (concurrent/race). For
// each key any concurrent history is linearizable as a register that may lose
// its value at any time but never regains it (concurrent/key); an Invalidate of
// all keys takes part in the history of each (concurrent/nil).
//
// Two backends made by two calls of a constructor share nothing. Remote ones
// share what their namespace names (hit/isolation).
//
// A backend that does I/O returns ctx's error promptly when ctx is done, and
// the next call works. A backend that lives in the process may ignore ctx
// (ctx/done).
//
// # Keys
//
// Two keys are the same exactly when Go's == says so. No two different keys ever
// share an entry, whatever their hash, length, bytes or dynamic type. The zero
// key is a key, and so is a nil of an interface or pointer type (hit/keys).
//
// A key that cannot be one (NaN, an interface that holds an uncomparable type
// or, where keys are encoded, an unsupported one) gets an error that wraps
// [ErrKey] from every method that takes it. Such a call stores nothing and
// leaves no lock held. A type of which no value can be a key is refused by the
// constructor (error/key). [KeyChecker] does this for any comparable type.
//
// # Errors
//
// An error starts with the name of its package and wraps its cause. It never
// contains a key or a value, which may be secret or huge (error/text).
//
// After Close every method returns an error that wraps [ErrClosed], and Get
// returns the zero value and false with it (close/after). Close itself returns
// nil each time it is called, and returns once every goroutine of the backend
// has ended (close/idempotent).
type Backend[K comparable, V any] interface {
	// Get returns the value stored under key and reports whether there is one.
	//
	// A miss is the zero V, false and nil. A miss is never an error and an error
	// is never a miss; a miss creates nothing (hit/absent). An error means that
	// the backend cannot tell.
	//
	// Once Put has returned, a Get that starts later on any goroutine hits with
	// that value, as often as asked, until the entry is replaced, removed,
	// expires, or is dropped by the capacity policy (hit/put).
	//
	// The value equals the one put: zero values, nil, empty as opposed to nil
	// slices, all bytes, large values (hit/values). Whether it shares memory with
	// the one put is declared in [Traits.Values].
	//
	// No Get that starts after an entry's TTL has passed returns it
	// (ttl/expires). Get does not extend the lifetime (ttl/overwrite).
	Get(ctx context.Context, key K) (value V, hit bool, err error)

	// Put stores value under key for *ttl, or for ever when ttl is nil
	// (ttl/none), whatever default lifetime the library behind has.
	//
	// Put replaces both value and lifetime. No Get that starts after Put has
	// returned sees the earlier value, also when nothing was read between two
	// Puts (hit/overwrite). The lifetime is that of the last Put, which may
	// extend, shorten, add or remove it, and nothing of it survives Invalidate
	// (ttl/overwrite).
	//
	// A TTL of zero or less is already over: Put removes the earlier entry,
	// stores nothing and returns nil (ttl/zero). Any other TTL from one
	// nanosecond to the largest Duration is kept without truncation, rounding
	// beyond [Traits.ExpiryLag], or overflow; the largest acts as never
	// (ttl/range). Time alone never removes an entry before *ttl has passed
	// (ttl/notearly). At the very instant of the deadline either answer is right.
	//
	// A Put that fails leaves no earlier value of key readable, unless the error
	// says that the backend could not be reached. What exceeds a declared limit
	// gets an error that wraps [ErrTooLarge] (error/put).
	//
	// Put does not keep the pointer ttl (retain).
	Put(ctx context.Context, key K, value V, ttl *time.Duration) error

	// Invalidate removes the entry under *key, or every entry when key is nil.
	//
	// With a key it removes that entry and no other. When it has returned, no
	// later Get sees an entry put before it. An absent key is no error and has
	// no effect (invalidate/key). A pointer to the zero key removes only that
	// entry, and a nil-valued key of an interface or pointer type is a key
	// (invalidate/zerokey).
	//
	// With nil it removes every entry of this backend and nothing else. When it
	// has returned, no later Get sees an entry whose Put returned before it
	// started. The backend is fully usable afterwards (invalidate/nil).
	//
	// Invalidate does not keep the pointer key (retain).
	Invalidate(ctx context.Context, key *K) error

	// Stats returns the number of live entries and what the library counts. It
	// has no side effect that a caller can see (stats/size, stats/counters).
	Stats(ctx context.Context) (Stats, error)
}

// Stats describes a backend at one moment.
type Stats struct {
	// Size is the number of live entries: those a Get would return now. It is 0
	// for a new backend, counts distinct keys, is not changed by an overwrite, a
	// Get or a miss, and follows Invalidate at once. Expired entries are not
	// counted beyond [Traits.SizeLag]. It is never negative and, once writes
	// have settled, never above a declared capacity (stats/size).
	Size int64

	// Counters holds what the library itself counts, under the Counter names of
	// this package. A name that is absent is not counted; one that is present is
	// exact when a single goroutine uses the backend, and never falls
	// (stats/counters). The map belongs to the caller. It may be nil.
	Counters map[string]uint64
}

// The names under which [Stats.Counters] reports.
const (
	// CounterHits counts the Gets that returned a value.
	CounterHits = "hits"
	// CounterMisses counts the Gets that returned neither a value nor an error.
	CounterMisses = "misses"
	// CounterEvictions counts the live entries removed to make room.
	CounterEvictions = "evictions"
	// CounterExpirations counts the entries removed because their TTL had
	// passed.
	CounterExpirations = "expirations"
	// CounterRejections counts the Puts that the admission policy refused.
	CounterRejections = "rejections"
	// CounterCollisions counts the Gets that found another key of the same hash
	// and answered with a miss.
	CounterCollisions = "collisions"
)

// Errors that the errors of a Backend wrap. Test for them with [errors.Is].
var (
	// ErrClosed says that the backend has been closed.
	ErrClosed = errors.New("backend: closed")
	// ErrKey says that the key, or its type, cannot be a key of this backend.
	ErrKey = errors.New("backend: invalid key")
	// ErrTooLarge says that the key or value exceeds what the backend can hold.
	ErrTooLarge = errors.New("backend: entry too large")
)

// InvalidateKey removes the entry under key from b and no other.
func InvalidateKey[K comparable, V any](ctx context.Context, b Backend[K, V], key K) error {
	return b.Invalidate(ctx, &key)
}

// InvalidateAll removes every entry of b.
func InvalidateAll[K comparable, V any](ctx context.Context, b Backend[K, V]) error {
	return b.Invalidate(ctx, nil)
}

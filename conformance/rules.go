package conformance

import "slices"

// A Rule is one promise of the contract.
type Rule struct {
	// ID names the rule for ever, as in "hit/overwrite".
	ID string
	// Text is the promise in words.
	Text string
}

// Rules returns the rules of the contract in its order.
func Rules() []Rule { return slices.Clone(rules) }

var rules = []Rule{
	{"hit/absent", "Get of a key never put misses: the zero value, false, nil. A miss is never an error, an error is never a miss, and a miss creates nothing."},
	{"hit/put", "When Put has returned, a Get by any goroutine that starts later hits with that value, as often as asked, until it is replaced, removed, expired or dropped by the capacity policy."},
	{"hit/overwrite", "Put replaces value and lifetime. No Get that starts after Put returned sees the earlier value, also when nothing was read between two Puts."},
	{"hit/keys", "Keys are equal exactly when Go's == says so. No two different keys ever share an entry, whatever their hash, length, bytes or dynamic type; the zero key is a key."},
	{"hit/values", "The value returned equals the value put: zero values, nil, empty versus nil slices, all bytes, large values, what a codec would lose."},
	{"hit/isolation", "Two backends from two New calls share nothing."},
	{"ttl/none", "A nil TTL never expires, whatever the library's own default lifetime is."},
	{"ttl/expires", "No Get that starts after the TTL has passed returns the entry, and no view shows it. At the very instant, anything goes."},
	{"ttl/notearly", "Time alone never removes an entry before its TTL has passed."},
	{"ttl/zero", "A TTL of zero or less is already over: Put removes the earlier entry, stores nothing and returns nil."},
	{"ttl/overwrite", "The lifetime is that of the last Put: extended, shortened, added or removed by it. Nothing of it survives Invalidate, and Get does not extend it."},
	{"ttl/range", "A TTL is kept from 1 ns to the largest Duration: no truncation, no rounding in either direction beyond the declared lag, no overflow; the largest acts as never."},
	{"invalidate/key", "Invalidate of a key removes that entry and no other; when it has returned, no later Get sees an entry put before it. An absent key is no error and has no effect."},
	{"invalidate/nil", "Invalidate of nil removes every entry of this backend and nothing else; when it has returned, no later Get sees an entry whose Put returned before it started. The backend is fully usable after."},
	{"invalidate/zerokey", "A pointer to the zero key removes only that entry; a nil-valued key of an interface or pointer type is a key."},
	{"stats/size", "Size is 0 when new, counts distinct live keys, is not changed by overwrite, Get or a miss, follows Invalidate at once, does not count the expired beyond the declared lag, and is never negative or above a declared capacity once settled. Stats has no side effect."},
	{"stats/counters", "A counter that is reported is right: exact when single-threaded, monotone otherwise."},
	{"concurrent/key", "Per key, any history is linearizable as a register that may lose its value at any time but never regains it."},
	{"concurrent/nil", "Invalidate of nil takes part in each key's history as an invalidation of that key."},
	{"concurrent/race", "Every method may be called by any number of goroutines at once, Close included: no data race, panic, deadlock or hang."},
	{"close/idempotent", "Close returns nil the second time too, and returns once every goroutine of the backend has ended."},
	{"close/after", "After Close every method returns an error that wraps ErrClosed; Get returns the zero value and false with it."},
	{"error/key", "A key that cannot be a key gets an error that wraps ErrKey from every method that takes it: no panic, no leak, no lock left held. A type that never can be one is refused by New."},
	{"error/put", "A Put that fails leaves no earlier value of that key readable. Too large: an error that wraps ErrTooLarge."},
	{"error/text", "Errors start with their package, wrap their cause and never contain a key or a value."},
	{"ctx/done", "A backend that does I/O returns ctx's error promptly when ctx is done, and the next call works. In-process backends may ignore ctx."},
	{"retain", "Put does not keep the ttl pointer, Invalidate not the key pointer."},
}

// ruleText returns the text of the rule with that id.
func ruleText(id string) string {
	for _, r := range rules {
		if r.ID == id {
			return r.Text
		}
	}
	return ""
}

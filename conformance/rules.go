package conformance

import "slices"

// A Rule is one rule of the contract.
type Rule struct {
	// ID identifies the rule, as in "hit/overwrite". It never changes.
	ID string
	// Text states the rule.
	Text string
}

// Rules returns the rules of the contract in its order.
func Rules() []Rule { return slices.Clone(rules) }

// rules are the rules of the contract in its order. docs/contract.md shows them: after a change, run
// go generate ./internal/layout.
var rules = []Rule{
	{
		"hit/absent",
		"Get of an absent key returns the zero value, false and a nil error. A miss is never an error, and " +
			"an error is never a miss. A miss creates no entry.",
	},
	{
		"hit/put",
		"After Put has returned, every Get that starts later, on any goroutine, hits with that value until " +
			"the entry is overwritten, invalidated, expired or evicted.",
	},
	{
		"hit/overwrite",
		"Put replaces the value and the lifetime. A Get that starts after Put has returned never sees the " +
			"earlier value, even if nothing was read between the two Puts.",
	},
	{
		"hit/keys",
		"Two keys are equal exactly when Go's == says so. Different keys never share an entry, whatever " +
			"their hash, length, bytes or dynamic type. The zero key is a valid key.",
	},
	{
		"hit/values",
		"Get returns a value equal to the one that was put. This includes zero values, large values and " +
			"arbitrary bytes. A nil slice stays nil, and an empty slice stays empty.",
	},
	{
		"hit/isolation",
		"Backends made by two calls of New share nothing. Remote backends share data only if they name the " +
			"same namespace. A namespace has one key type, one value type and one codec, and New rejects another " +
			"combination.",
	},
	{
		"ttl/none",
		"An entry with a nil TTL never expires, whatever default lifetime the library has.",
	},
	{
		"ttl/expires",
		"A Get that starts after the TTL has passed does not return the entry, and neither Stats nor All " +
			"shows it. Exactly at the deadline either answer is correct.",
	},
	{
		"ttl/notearly",
		"An entry does not expire before its TTL has passed.",
	},
	{
		"ttl/zero",
		"A TTL of zero or less removes the earlier entry, stores nothing and returns nil.",
	},
	{
		"ttl/overwrite",
		"The lifetime is that of the last Put, which may extend, shorten, add or remove the earlier lifetime. " +
			"Invalidate removes the lifetime. Get does not extend it.",
	},
	{
		"ttl/range",
		"Every TTL from 1 ns to the largest Duration is kept without truncation, rounding beyond the " +
			"declared lag, or overflow. The largest Duration means never.",
	},
	{
		"invalidate/key",
		"Invalidate with a key removes that entry and no other. After it has returned, no later Get sees an " +
			"entry that was put before the call. An absent key is not an error.",
	},
	{
		"invalidate/nil",
		"Invalidate with nil removes all entries of this backend and nothing else. After it has returned, " +
			"no later Get sees an entry whose Put returned before the call. The backend remains usable.",
	},
	{
		"invalidate/zerokey",
		"A pointer to the zero key removes only that entry. A nil value of an interface or pointer key type " +
			"is a key.",
	},
	{
		"stats/size",
		"Size is 0 for a new backend and counts distinct live keys. Overwrites, Gets and misses do not " +
			"change it; Invalidate changes it at once. Expired entries are not counted beyond the declared lag. " +
			"It is never negative, and never above a declared capacity once writes have settled. Stats has no " +
			"visible side effect.",
	},
	{
		"stats/counters",
		"A reported counter never decreases. It is exact if one goroutine uses the backend; if writes settle " +
			"later, counters settle with them. An expired entry that is overwritten before it was removed counts " +
			"as an expiration or not at all, never as an eviction.",
	},
	{
		"concurrent/key",
		"For each key, every concurrent history is linearizable as a register that may lose its value at " +
			"any time and never regains a lost value.",
	},
	{
		"concurrent/nil",
		"Invalidate(nil) is linearized as one invalidation of each key.",
	},
	{
		"concurrent/race",
		"Any number of goroutines may call any method at once, Close included, without a data race, panic, " +
			"deadlock or hang.",
	},
	{
		"close/idempotent",
		"Close returns nil, the second time too, and returns when every goroutine of the backend has ended.",
	},
	{
		"close/after",
		"After Close every method returns an error that wraps ErrClosed. Get returns the zero value and " +
			"false with the error. If the key is invalid, an error that wraps ErrKey is correct too.",
	},
	{
		"error/key",
		"If a key is invalid, every method that takes the key returns an error that wraps ErrKey. Invalid keys are " +
			"NaN, an interface that holds an uncomparable value and, if the backend encodes keys, a value of an " +
			"unsupported type. Nothing panics, leaks or stays locked. New rejects a key type that has no valid " +
			"value.",
	},
	{
		"error/put",
		"A Put that fails leaves no earlier value of that key readable, unless the backend could not be " +
			"reached. A Put of an entry over a limit returns an error that wraps ErrTooLarge.",
	},
	{
		"error/text",
		"An error starts with the package's name, wraps its cause with %w, and contains no key and no " +
			"value.",
	},
	{
		"ctx/done",
		"A backend that does I/O returns ctx's error promptly once ctx is done, and the next call works. " +
			"In-process backends may ignore ctx.",
	},
	{
		"retain",
		"Put does not keep the ttl pointer, and Invalidate does not keep the key pointer.",
	},
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

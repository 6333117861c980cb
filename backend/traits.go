package backend

import "time"

// Traits is what a backend declares about itself.
//
// The zero Traits is the strictest promise. Each field that is set relaxes one
// rule by a stated amount, and the conformance suite tests the relaxed rule as
// it tests the strict one: a backend that declares [ByReference] must really
// share its values, and one that declares a ExpiryLag must still expire.
type Traits struct {
	// ExpiryLag is how long after its deadline an entry may still be returned.
	ExpiryLag time.Duration

	// SizeLag is how long after its deadline an entry may still be counted in
	// [Stats.Size].
	SizeLag time.Duration

	// Values says whether the backend copies values or shares them with callers.
	Values Ownership

	// Bound says how strictly the backend keeps a bound on its entries.
	Bound Bound

	// Rejects says that an admission policy may refuse a Put that would need
	// room. A refused Put returns nil; it leaves neither the new value nor an
	// earlier one readable. Where nothing needs room it may still refuse a few,
	// but not one that is put again and again, and an entry that a Get has
	// returned stays as it would without the policy.
	Rejects bool

	// MaxKey and MaxValue are the largest key and value in bytes, as encoded.
	// Put answers more with an error that wraps [ErrTooLarge], and so do Get and
	// Invalidate for a key. Zero means no limit.
	MaxKey, MaxValue int

	// NeedsSync says that writes may become visible only after [Sync]. Until
	// then a Get may miss or answer with an earlier value.
	NeedsSync bool
}

// Ownership says who may change the memory a value refers to.
type Ownership uint8

const (
	// ByValue means that changing a value after Put, or one that Get returned,
	// changes nothing in the backend.
	ByValue Ownership = iota
	// ByReference means that the backend holds the very value it was given:
	// memory that the value points to is shared with every caller.
	ByReference
)

// String returns the name of the constant.
func (o Ownership) String() string {
	return name([]string{"ByValue", "ByReference"}, int(o))
}

// Bound says how a backend keeps its number of entries within a capacity.
type Bound uint8

const (
	// BoundExact means that the number of entries never exceeds the capacity
	// once writes have settled, and that below it nothing is evicted.
	BoundExact Bound = iota
	// BoundApproximate means that the number of entries is bounded, but not at
	// exactly the capacity: by bytes, per shard, or by sampling.
	BoundApproximate
	// BoundNone means that the backend grows until entries expire or are
	// removed.
	BoundNone
)

// String returns the name of the constant.
func (b Bound) String() string {
	return name([]string{"BoundExact", "BoundApproximate", "BoundNone"}, int(b))
}

func name(names []string, i int) string {
	if i < len(names) {
		return names[i]
	}
	return "unknown"
}

// A Describer declares its traits. They do not change during its life.
type Describer interface {
	Traits() Traits
}

// TraitsOf returns what b declares, looking behind decorators, or the zero
// Traits, the strictest promise, if b is no [Describer].
func TraitsOf[K comparable, V any](b Backend[K, V]) Traits {
	if d, ok := As[Describer](b); ok {
		return d.Traits()
	}
	return Traits{}
}

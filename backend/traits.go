package backend

import "time"

// Traits declares which rules a backend relaxes.
//
// The zero Traits relaxes nothing. Each field relaxes one rule by a stated amount,
// and the conformance suite tests the relaxed rule: a backend that declares
// [ByReference] must really share its values, and a backend that declares an
// ExpiryLag must still expire its entries.
type Traits struct {
	// ExpiryLag is how long after its deadline an entry may still be returned.
	ExpiryLag time.Duration

	// SizeLag is how long after its deadline an entry may still be counted in
	// [Stats.Size].
	SizeLag time.Duration

	// Values declares whether the backend copies values or shares them with callers.
	Values Ownership

	// Bound declares how strictly the backend bounds its number of entries.
	Bound Bound

	// Rejects means that an admission policy may reject a Put that needs room. A
	// rejected Put returns nil and leaves neither the new value nor an earlier one
	// readable. Below its capacity the backend may reject a few Puts, but not the
	// same key again and again, and it does not drop an entry that a Get returned.
	Rejects bool

	// MaxKey and MaxValue are the largest key and value in bytes, as encoded. If the
	// key or value is larger, Put returns an error that wraps [ErrTooLarge]. If the
	// key is larger, Get and Invalidate return such an error too. Zero means no
	// limit.
	MaxKey, MaxValue int

	// NeedsSync means that writes may become visible only after [Sync]. Until then a
	// Get may miss or return an earlier value.
	NeedsSync bool
}

// Ownership declares who may change the memory that a value refers to.
type Ownership uint8

const (
	// ByValue means that the backend copies values. A change to a value after Put, or
	// to a value that Get returned, does not change the stored value.
	ByValue Ownership = iota
	// ByReference means that the backend holds the value itself: every caller shares
	// the memory that the value points to.
	ByReference
)

// String returns the name of the constant.
func (o Ownership) String() string {
	return name([]string{"ByValue", "ByReference"}, int(o))
}

// Bound declares how strictly a backend keeps to its capacity.
type Bound uint8

const (
	// BoundExact means that the number of entries never exceeds the capacity once
	// writes have settled, and that nothing is evicted below the capacity.
	BoundExact Bound = iota
	// BoundApproximate means that the number of entries is bounded near the capacity,
	// for example by bytes, per shard, or by sampling.
	BoundApproximate
	// BoundNone means that there is no capacity bound.
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

// A Describer is a backend that declares its traits. The traits never change.
type Describer interface {
	Traits() Traits
}

// TraitsOf returns the traits of b, or of the backend that b decorates. If neither
// is a [Describer], TraitsOf returns the zero Traits, which relaxes nothing.
func TraitsOf[K comparable, V any](b Backend[K, V]) Traits {
	if d, ok := As[Describer](b); ok {
		return d.Traits()
	}
	return Traits{}
}

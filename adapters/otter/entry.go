package otter

import (
	"reflect"
	"sync/atomic"

	"github.com/cachepact/cachepact/adapters/internal/expiry"
)

// An entry is the value that the library stores under a key. A Put over the entry replaces its current version, without
// a write of the library.
type entry[K comparable, V any] struct {
	current atomic.Pointer[version[K, V]] // nil once the entry is removed or has expired
	first   version[K, V]                 // often the current one; saves an allocation
}

// A version is the value and the deadline of one Put. It does not change.
type version[K comparable, V any] struct {
	value V
	timer *expiry.Node[due[K, V]] // nil: never expires
}

// due is the entry to remove when its deadline has passed.
type due[K comparable, V any] struct {
	key   K
	entry *entry[K, V]
}

func (v *version[K, V]) deadline() int64 {
	if v.timer == nil {
		return expiry.Never
	}
	return v.timer.Deadline
}

// newEntry returns an entry in one allocation, or in two if split. An entry that is overwritten repeatedly must be
// split if V has pointers. Otherwise its first version would keep the memory alive that the first value points to.
func newEntry[K comparable, V any](key K, value V, deadline int64, split bool) *entry[K, V] {
	if split {
		e := new(entry[K, V])
		e.current.Store(newVersion(e, key, value, deadline))
		return e
	}
	if deadline == expiry.Never {
		e := &entry[K, V]{first: version[K, V]{value: value}}
		e.current.Store(&e.first)
		return e
	}
	t := &struct {
		entry entry[K, V]
		timer expiry.Node[due[K, V]]
	}{timer: expiry.Node[due[K, V]]{Deadline: deadline}}
	e := &t.entry
	t.timer.Key = due[K, V]{key, e}
	e.first = version[K, V]{value, &t.timer}
	e.current.Store(&e.first)
	return e
}

// newVersion returns another version for e.
func newVersion[K comparable, V any](e *entry[K, V], key K, value V, deadline int64) *version[K, V] {
	if deadline == expiry.Never {
		return &version[K, V]{value: value}
	}
	t := &struct {
		version version[K, V]
		timer   expiry.Node[due[K, V]]
	}{timer: expiry.Node[due[K, V]]{Key: due[K, V]{key, e}, Deadline: deadline}}
	t.version = version[K, V]{value, &t.timer}
	return &t.version
}

// hasPointers reports whether a value of t can keep other memory alive.
func hasPointers(t reflect.Type) bool {
	switch k := t.Kind(); k {
	case reflect.Array:
		return hasPointers(t.Elem())
	case reflect.Struct:
		for f := range t.Fields() {
			if hasPointers(f.Type) {
				return true
			}
		}
		return false
	default:
		return k < reflect.Bool || k > reflect.Complex128
	}
}

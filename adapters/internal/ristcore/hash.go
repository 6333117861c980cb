package ristcore

import (
	"hash/maphash"
	"reflect"
	"unsafe"
)

// hasher returns a hash function for keys. Equal keys have the same hash, and collisions of different keys are very
// unlikely. The hash of an integer is the integer itself, as in the library (z/z.go, KeyToHash). So integers never
// collide, and consecutive integers have consecutive hashes.
//
// For a key in an interface, Go's own hash does not depend on the dynamic type: int(1), int64(1) and uint(1) collide
// (runtime/alg.go, nilinterhash). A map holds all three, because it compares the keys. This cache holds one entry for
// each hash, and so the three would evict each other.
func hasher[K comparable]() func(K) uint64 {
	if of := integer[K](); of != nil {
		return of
	}
	seed := maphash.MakeSeed()
	if !holdsInterface(reflect.TypeFor[K]()) {
		return func(key K) uint64 { return maphash.Comparable(seed, key) }
	}
	ints, others := maphash.MakeSeed(), maphash.MakeSeed() // keys of different types may have the same bytes
	return func(key K) uint64 {
		switch k := any(key).(type) { // the most common types need no reflection
		case string:
			return maphash.String(seed, k)
		case int:
			return maphash.Comparable(ints, k)
		}
		var h maphash.Hash
		h.SetSeed(others)
		writeTypes(&h, reflect.ValueOf(&key).Elem())
		maphash.WriteComparable(&h, key)
		return h.Sum64()
	}
}

// integer returns the conversion of K to uint64, or nil if K is not an integer type.
func integer[K comparable]() func(K) uint64 {
	switch t := reflect.TypeFor[K](); t.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		switch t.Size() {
		case 1:
			return func(key K) uint64 { return uint64(*(*uint8)(unsafe.Pointer(&key))) }
		case 2:
			return func(key K) uint64 { return uint64(*(*uint16)(unsafe.Pointer(&key))) }
		case 4:
			return func(key K) uint64 { return uint64(*(*uint32)(unsafe.Pointer(&key))) }
		case 8:
			return func(key K) uint64 { return *(*uint64)(unsafe.Pointer(&key)) }
		}
	}
	return nil
}

func holdsInterface(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.Array:
		return holdsInterface(t.Elem())
	case reflect.Struct:
		for f := range t.Fields() {
			if holdsInterface(f.Type) {
				return true
			}
		}
	}
	return false
}

// writeTypes adds to h the dynamic types of the interfaces in v.
func writeTypes(h *maphash.Hash, v reflect.Value) {
	switch v.Kind() {
	case reflect.Interface:
		if !v.IsNil() {
			maphash.WriteComparable(h, v.Elem().Type())
			writeTypes(h, v.Elem())
		}
	case reflect.Array:
		for i := range v.Len() {
			writeTypes(h, v.Index(i))
		}
	case reflect.Struct:
		for f, field := range v.Fields() {
			if f.Name != "_" { // == ignores blank fields
				writeTypes(h, field)
			}
		}
	}
}

package ristcore

import (
	"encoding/binary"
	"hash/maphash"
	"math"
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
		write(&h, reflect.ValueOf(&key).Elem())
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

// write adds a comparable value to a hash. For an interface it adds the dynamic type too.
func write(h *maphash.Hash, v reflect.Value) {
	switch v.Kind() {
	case reflect.Interface:
		if v.IsNil() {
			_ = h.WriteByte(0) // never fails
			return
		}
		maphash.WriteComparable(h, v.Elem().Type())
		write(h, v.Elem())
	case reflect.Array:
		for i := range v.Len() {
			write(h, v.Index(i))
		}
	case reflect.Struct:
		for f, field := range v.Fields() {
			if f.Name != "_" { // == ignores blank fields
				write(h, field)
			}
		}
	case reflect.String:
		word(h, uint64(v.Len()))
		_, _ = h.WriteString(v.String()) // never fails
	case reflect.Float32, reflect.Float64:
		number(h, v.Float())
	case reflect.Complex64, reflect.Complex128:
		number(h, real(v.Complex()))
		number(h, imag(v.Complex()))
	case reflect.Bool:
		if v.Bool() {
			word(h, 1)
		} else {
			word(h, 0)
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		word(h, uint64(v.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		word(h, v.Uint())
	default: // pointers and channels
		word(h, uint64(v.Pointer()))
	}
}

func number(h *maphash.Hash, f float64) {
	word(h, math.Float64bits(f+0)) // the two zeros are equal
}

func word(h *maphash.Hash, n uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], n)
	_, _ = h.Write(b[:]) // never fails
}

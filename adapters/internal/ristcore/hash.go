package ristcore

import (
	"encoding/binary"
	"hash/maphash"
	"math"
	"reflect"
	"unsafe"
)

// hasher returns a hash of keys that is equal for equal keys, and for others as
// good as never. An integer is its own hash, as it is to the library (z/z.go,
// KeyToHash): neighbours stay neighbours, and no two share one.
//
// The hash that Go itself has for what an interface holds does not depend on its
// type, so that int(1), int64(1) and uint(1) share it (runtime/alg.go,
// nilinterhash). A map compares the keys and holds them all; here, where a hash
// has one entry, they would drive each other out.
func hasher[K comparable]() func(K) uint64 {
	if of := integer[K](); of != nil {
		return of
	}
	seed := maphash.MakeSeed()
	if !holdsInterface(reflect.TypeFor[K]()) {
		return func(key K) uint64 { return maphash.Comparable(seed, key) }
	}
	ints, others := maphash.MakeSeed(), maphash.MakeSeed() // what one seed hashes are bytes, which may agree
	return func(key K) uint64 {
		switch k := any(key).(type) { // spares the most usual keys reflection
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

// integer returns the conversion of an integer type to uint64, nil if K is none.
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

// write adds a comparable value to a hash, with the type of what an interface
// holds.
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
			if f.Name != "_" { // == does not look there
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

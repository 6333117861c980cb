package backend

import (
	"fmt"
	"reflect"
)

// A KeyChecker tells whether a value of a comparable type can be a key. Some
// cannot: a NaN, which equals nothing and could never be found or removed again,
// and an interface that holds an uncomparable value, which panics when hashed.
//
// Call [NewKeyChecker] once. Its Check costs nothing for types of which every
// value is a key, such as strings and integers. The zero KeyChecker is slower
// but right.
type KeyChecker[K comparable] struct {
	safe bool // every value of K is a key
}

// NewKeyChecker looks at the type K once and returns its checker.
func NewKeyChecker[K comparable]() KeyChecker[K] {
	return KeyChecker[K]{safe: alwaysKey(reflect.TypeFor[K]())}
}

// Check returns nil if key can be a key, and otherwise an error that wraps
// [ErrKey]. It never panics, and the error does not contain the key.
func (c KeyChecker[K]) Check(key K) error {
	if c.safe {
		return nil
	}
	return checkKey(key)
}

func checkKey[K comparable](key K) (err error) {
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("%w: uncomparable dynamic type", ErrKey)
		}
	}()
	if key != key { //nolint:gocritic // only NaN differs from itself
		return fmt.Errorf("%w: NaN", ErrKey)
	}
	return nil
}

// alwaysKey reports whether each value of t equals itself and can be compared.
func alwaysKey(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128, reflect.Interface:
		return false
	case reflect.Array:
		return alwaysKey(t.Elem())
	case reflect.Struct:
		for f := range t.Fields() {
			if !alwaysKey(f.Type) {
				return false
			}
		}
	}
	return true
}

package backend

import (
	"fmt"
	"reflect"
)

// A KeyChecker reports whether a value of a comparable type can be a key. NaN
// cannot be a key: it does not equal itself, so no call could find or remove its
// entry. An interface that holds an uncomparable value cannot be a key, because
// hashing it panics.
//
// Call [NewKeyChecker] once. Its Check costs nothing if every value of the type can
// be a key, as for strings and integers. The zero KeyChecker is correct but slower.
type KeyChecker[K comparable] struct {
	safe bool // every value of K can be a key
}

// NewKeyChecker returns a checker for keys of type K.
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

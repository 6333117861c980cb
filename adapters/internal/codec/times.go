package codec

import (
	"fmt"
	"reflect"
	"time"
)

// times is the places of times in a type, so that Append can reject times that RFC 3339 cannot express. It is nil if
// there are none.
type times struct {
	path    string
	pointer bool   // a pointer to the zero time would be decoded as nil
	in      []part // of a struct; nil for other types
	elem    *times // of a slice, an array or a map
}

type part struct {
	index []int
	times *times
}

// under returns the times of a type whose elements have the times t.
func (t *times) under(path string) *times {
	if t == nil {
		return nil
	}
	return &times{path: path, elem: t}
}

func (t *times) check(v reflect.Value) error {
	if t == nil {
		return nil
	}
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	switch {
	case v.Type() == timeType:
		return t.instant(v)
	case v.Kind() == reflect.Map:
		for it := v.MapRange(); it.Next(); {
			if err := t.elem.check(it.Value()); err != nil {
				return err
			}
		}
	case t.elem != nil:
		for i := range v.Len() {
			if err := t.elem.check(v.Index(i)); err != nil {
				return err
			}
		}
	}
	for _, p := range t.in {
		if err := p.times.check(v.FieldByIndex(p.index)); err != nil {
			return err
		}
	}
	return nil
}

func (t *times) instant(v reflect.Value) error {
	x := v.Interface().(time.Time)
	if x.IsZero() {
		if t.pointer {
			return fmt.Errorf("codec: encode: field %s: a pointer to the zero time", t.path)
		}
		return nil
	}
	if _, offset := x.Zone(); offset%60 != 0 {
		return fmt.Errorf("codec: encode: field %s: the offset from UTC is not in whole minutes", t.path)
	}
	return nil
}

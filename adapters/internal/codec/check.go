package codec

import (
	"encoding"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// check returns the places of times in t, or an error that names the part of t that CBOR would change.
func check(t reflect.Type) (*times, error) {
	root := t.Name()
	if root == "" {
		root = t.String()
	}
	c := checker{root: root, within: map[reflect.Type]bool{}}
	return c.value(t, root)
}

type checker struct {
	root   string                // the start of each path
	within map[reflect.Type]bool // the types that contain the current one
	key    bool                  // within a map key
}

var (
	timeType   = reflect.TypeFor[time.Time]()
	bigIntType = reflect.TypeFor[big.Int]()
)

func (c *checker) value(t reflect.Type, path string) (*times, error) {
	if c.within[t] {
		return nil, c.refuse(path, "type %s contains itself", t)
	}
	c.within[t] = true
	defer delete(c.within, t)
	if err := c.embedded(t, path); err != nil {
		return nil, err
	}
	if t == timeType {
		if c.key {
			return nil, c.refuse(path, "a time within a map key is compared with its zone")
		}
		return &times{path: path}, nil
	}
	if own, err := c.encodesItself(t, path); own || err != nil {
		return nil, err
	}
	switch t.Kind() {
	case reflect.Bool, reflect.String, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return nil, nil
	case reflect.Slice, reflect.Array:
		elem, err := c.value(t.Elem(), path+"[]")
		return elem.under(path), err
	case reflect.Pointer:
		return c.pointer(t, path)
	case reflect.Map:
		return c.mapping(t, path)
	case reflect.Struct:
		all := &times{path: path}
		err := c.fields(t, path, nil, map[string]string{}, all)
		if len(all.in) == 0 {
			all = nil
		}
		return all, err
	case reflect.Interface:
		return nil, c.refuse(path, "%s would lose its dynamic type", t)
	}
	return nil, c.refuse(path, "type %s cannot be encoded", t)
}

func (c *checker) pointer(t reflect.Type, path string) (*times, error) {
	if c.key {
		return nil, c.refuse(path, "a pointer within a map key is compared by address")
	}
	switch t.Elem().Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return nil, c.refuse(path, "a nil and a pointer to nil would be the same")
	}
	elem, err := c.value(t.Elem(), path)
	if elem != nil && t.Elem() == timeType {
		elem.pointer = true
	}
	return elem, err
}

func (c *checker) mapping(t reflect.Type, path string) (*times, error) {
	key := checker{root: c.root, within: c.within, key: true}
	if _, err := key.value(t.Key(), path+"[key]"); err != nil {
		return nil, err
	}
	elem, err := c.value(t.Elem(), path+"[]")
	return elem.under(path), err
}

// fields checks the fields of a struct and of the structs embedded in it, because all of them become members of one
// map. It adds their names to names and their times to all. The index is that of t in the outermost struct.
func (c *checker) fields(t reflect.Type, path string, index []int, names map[string]string, all *times) error {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Name == "_" {
			continue // not encoded, and ignored by ==
		}
		path, index := path+"."+f.Name, append(slices.Clip(index), i)
		tag := parseTag(f)
		flat := f.Anonymous && tag.name == "" && f.Type.Kind() == reflect.Struct
		switch {
		case tag.skip:
			return c.refuse(path, "its tag leaves it out")
		case f.Anonymous && (f.Type.Kind() == reflect.Pointer || f.Type.Kind() == reflect.Interface):
			return c.refuse(path, "an embedded %s may be nil", f.Type.Kind())
		case !f.IsExported() && !flat:
			return c.refuse(path, "unexported")
		case flat:
			if err := c.fields(f.Type, path, index, names, all); err != nil {
				return err
			}
			continue
		}
		name := tag.nameOf(f)
		if other, ok := names[name]; ok {
			return c.refuse(path, "has the same name as %s", other)
		}
		names[name] = path
		if tag.omitEmpty && (marshals(f.Type) || !emptyIsZero(f.Type)) {
			return c.refuse(path, "its tag's omitempty would change an empty value")
		}
		if tag.omitZero && f.Type != timeType && hasMethod(f.Type, "IsZero") {
			return c.refuse(path, "its tag's omitzero would change what IsZero takes for zero")
		}
		below, err := c.value(f.Type, path)
		if err != nil {
			return err
		}
		if below != nil {
			all.in = append(all.in, part{index, below})
		}
	}
	return nil
}

// embedded rejects a struct that encodes itself by the methods of an embedded field, if the field can be nil or if
// the methods would leave out other fields.
func (c *checker) embedded(t reflect.Type, path string) error {
	if t.Kind() != reflect.Struct {
		return nil
	}
	for f := range t.Fields() {
		if f.Anonymous && (t.NumField() > 1 || f.Type.Kind() != reflect.Struct) && marshals(f.Type) {
			return c.refuse(path+"."+f.Name, "embedded, it would encode itself in place of %s", path)
		}
	}
	return nil
}

// marshals reports whether t has a method that the library uses to encode it.
func marshals(t reflect.Type) bool {
	for _, i := range []reflect.Type{reflect.TypeFor[cbor.Marshaler](), reflect.TypeFor[encoding.BinaryMarshaler]()} {
		if t.Implements(i) || reflect.PointerTo(t).Implements(i) {
			return true
		}
	}
	return false
}

// encodesItself reports whether the library encodes t with t's own methods.
func (c *checker) encodesItself(t reflect.Type, path string) (bool, error) {
	switch {
	case t == bigIntType:
		return true, nil // the library encodes it
	case t == reflect.TypeFor[cbor.RawMessage]():
		return false, c.refuse(path, "a nil %s would not stay nil", t)
	case t.Kind() == reflect.Pointer:
		return false, nil // its element type may
	}
	p := reflect.PointerTo(t)
	for _, m := range []struct {
		enc, dec reflect.Type
		name     string
	}{
		{reflect.TypeFor[cbor.Marshaler](), reflect.TypeFor[cbor.Unmarshaler](), "CBOR"},
		{reflect.TypeFor[encoding.BinaryMarshaler](), reflect.TypeFor[encoding.BinaryUnmarshaler](), "Binary"},
	} {
		enc, dec := p.Implements(m.enc), p.Implements(m.dec)
		if enc != dec {
			return false, c.refuse(path, "type %s has only one of Marshal%s and Unmarshal%[2]s", t, m.name)
		}
		if enc {
			return true, nil
		}
	}
	return false, nil
}

// emptyIsZero reports whether omitempty leaves out only the zero value of t.
func emptyIsZero(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Bool, reflect.String, reflect.Pointer,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return true
	}
	return false
}

func hasMethod(t reflect.Type, name string) bool {
	_, ok := t.MethodByName(name)
	_, pointer := reflect.PointerTo(t).MethodByName(name)
	return ok || pointer
}

// A tag is the part of a field's tag that the library reads.
type tag struct {
	name                                string
	skip, omitEmpty, omitZero, keyAsInt bool
}

func parseTag(f reflect.StructField) tag {
	text := f.Tag.Get("cbor")
	if text == "" {
		text = f.Tag.Get("json")
	}
	name, options, _ := strings.Cut(text, ",")
	t := tag{name: name, skip: text == "-"}
	for o := range strings.SplitSeq(options, ",") {
		switch o {
		case "omitempty":
			t.omitEmpty = true
		case "omitzero":
			t.omitZero = true
		case "keyasint":
			t.keyAsInt = true
		}
	}
	return t
}

// nameOf returns the field's name in the encoded struct.
func (t tag) nameOf(f reflect.StructField) string {
	if t.name == "" {
		return f.Name
	}
	if n, err := strconv.Atoi(t.name); t.keyAsInt && err == nil {
		return "integer " + strconv.Itoa(n)
	}
	return t.name
}

// refuse returns the error for the part of the type at path.
func (c *checker) refuse(path, format string, args ...any) error {
	what := "type"
	if strings.Contains(path[len(c.root):], ".") {
		what = "field"
	}
	return fmt.Errorf("%s %s: %s: %w", what, path, fmt.Sprintf(format, args...), errors.ErrUnsupported)
}

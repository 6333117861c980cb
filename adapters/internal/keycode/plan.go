package keycode

import (
	"fmt"
	"reflect"
	"sync"
	"unsafe"

	"github.com/cachepact/cachepact/backend"
)

// A plan describes how to encode the memory of one type.
type plan struct {
	op    op
	bool  bool // an op8 that is 0 or 1
	fixed int  // the bytes of a scalar or an opBytes; 0 for other types
	size  uintptr
	typ   reflect.Type

	fields []field // of an opStruct, in order, without the blank ones
	elem   *plan   // of an opArray or opBytes
	length int
}

type field struct {
	offset uintptr
	plan   *plan
}

type op uint8

const (
	opString op = iota
	op8
	op16
	op32
	op64
	opFloat32
	opFloat64
	opStruct // complex numbers too
	opArray
	opBytes // an array of 8-bit integers
	opInterface
)

// compile returns the plan of t. The path is that of t in K, for errors.
func compile(t reflect.Type, path string) (*plan, error) {
	p := &plan{typ: t, size: t.Size()}
	switch t.Kind() {
	case reflect.String:
		p.op = opString
	case reflect.Bool:
		p.bool = true
		p.integer()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		p.integer()
	case reflect.Float32:
		p.op, p.fixed = opFloat32, 4
	case reflect.Float64:
		p.op, p.fixed = opFloat64, 8
	case reflect.Complex64:
		part := &plan{op: opFloat32, fixed: 4}
		p.op, p.fields = opStruct, []field{{0, part}, {4, part}}
	case reflect.Complex128:
		part := &plan{op: opFloat64, fixed: 8}
		p.op, p.fields = opStruct, []field{{0, part}, {8, part}}
	case reflect.Interface:
		p.op = opInterface
	case reflect.Array:
		elem, err := compile(t.Elem(), path+"[]")
		if err != nil {
			return nil, err
		}
		p.op, p.elem, p.length = opArray, elem, t.Len()
		if elem.op == op8 && !elem.bool {
			p.op, p.fixed = opBytes, t.Len()
		}
	case reflect.Struct:
		p.op = opStruct
		for f := range t.Fields() {
			if f.Name == "_" {
				continue
			}
			fp, err := compile(f.Type, path+"."+f.Name)
			if err != nil {
				return nil, err
			}
			p.fields = append(p.fields, field{f.Offset, fp})
		}
	default:
		return nil, fmt.Errorf("%w: %s: type %s cannot be encoded", backend.ErrKey, path, t)
	}
	return p, nil
}

func (p *plan) integer() {
	p.fixed = int(p.size)
	p.op = map[int]op{1: op8, 2: op16, 4: op32, 8: op64}[p.fixed]
}

// A registry numbers the dynamic types of the interfaces that an encoder encodes.
type registry struct {
	known sync.Map // reflect.Type to *dynamicType

	mu  sync.Mutex
	all []*dynamicType // the type with id i+1 at i
}

type dynamicType struct {
	id   uint64
	plan *plan
}

// nilID stands for the type of a nil interface.
const nilID = 0

func (r *registry) lookup(t reflect.Type) (*dynamicType, error) {
	if d, ok := r.known.Load(t); ok {
		return d.(*dynamicType), nil
	}
	if !t.Comparable() {
		return nil, fmt.Errorf("%w: uncomparable dynamic type %s", backend.ErrKey, t)
	}
	p, err := compile(t, "dynamic type "+t.String())
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if d, ok := r.known.Load(t); ok {
		return d.(*dynamicType), nil
	}
	d := &dynamicType{id: uint64(len(r.all) + 1), plan: p}
	r.all = append(r.all, d)
	r.known.Store(t, d)
	return d, nil
}

func (r *registry) byID(id uint64) *dynamicType {
	r.mu.Lock()
	defer r.mu.Unlock()
	if id == nilID || id > uint64(len(r.all)) {
		return nil
	}
	return r.all[id-1]
}

// dynamic returns the value in the interface of type t.typ at p.
func dynamic(t *plan, p unsafe.Pointer) any {
	if t.typ.NumMethod() == 0 {
		return *(*any)(p)
	}
	v := reflect.NewAt(t.typ, noescape(p)).Elem().Elem()
	if !v.IsValid() {
		return nil
	}
	return v.Interface()
}

// data returns the address of the value in v. An interface stores a pointer-shaped value directly, without an
// address; compile rejects all such types.
func data(v any) unsafe.Pointer {
	return (*[2]unsafe.Pointer)(unsafe.Pointer(&v))[1]
}

// noescape hides p from escape analysis. Otherwise every key would move to the heap, because reflection could keep
// its address; here it does not. checkptr is off, because its call could move the stack while the address is only in
// u.
//
//go:nocheckptr
func noescape(p unsafe.Pointer) unsafe.Pointer {
	u := uintptr(p)
	return *(*unsafe.Pointer)(unsafe.Pointer(&u))
}

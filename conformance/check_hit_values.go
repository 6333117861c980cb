package conformance

import (
	"errors"
	"reflect"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// valueBytes returns the length of a value that is its own encoding, and 0 for other values.
func valueBytes[V any](v V) int {
	x := reflect.ValueOf(&v).Elem()
	if x.Kind() == reflect.String || x.Kind() == reflect.Slice && x.Type().Elem().Kind() == reflect.Uint8 {
		return x.Len()
	}
	return 0
}

// putLarge puts a value that may be too large, and reports whether the backend stored it.
func (p *probe[K, V]) putLarge(k K, v V) bool {
	err := p.tryPut(k, v, nil)
	limit := p.r.traits.MaxValue
	switch {
	case limit == 0 && err != nil:
		p.failf("Put of a value of %d bytes = error %q", valueBytes(v), err)("nil: the backend declares no largest value")
	case limit > 0 && valueBytes(v) > limit && err == nil:
		p.failf("Put of a value of %d bytes = nil", valueBytes(v))(
			"an error that wraps ErrTooLarge: the backend declares Traits.MaxValue = %d", limit)
	case err != nil && !errors.Is(err, backend.ErrTooLarge):
		p.failf("Put of a value of %d bytes = error %q", valueBytes(v), err)("nil, or an error that wraps ErrTooLarge")
	}
	return err == nil
}

// aliased checks that a change through another reference is visible under k exactly if the subject declares
// ByReference.
func (p *probe[K, V]) aliased(k K, mutated V, how, hint string) {
	v, hit, err := p.b.Get(p.ctx, k)
	p.note(op[K, V]{kind: opGet, key: k, val: v, hit: hit, err: err})
	c := p.cell(k)
	c.has, c.put0, c.put1, c.ttl = true, time.Now(), time.Now(), 0
	if err != nil || !hit {
		c.lose("it was dropped")
		if err != nil || !p.r.traits.Rejects {
			p.failf("Get(%s) = %v, %v", show(k), hit, err)("a hit")
		}
		return
	}
	changed := p.same(v, mutated)
	switch {
	case p.r.traits.Values == backend.ByValue && changed:
		p.hinted(hint, show(p.r.values.At(1))+": values are held by copy", "Get(%s) = hit %s after %s", show(k), show(v), how)
	case p.r.traits.Values == backend.ByReference && !changed:
		p.hinted("remove Traits.Values: the backend copies",
			"the changed value: the backend declares that it shares values", "Get(%s) = hit %s after %s", show(k), show(v), how)
	case changed:
		c.val = v
	default:
		c.val = p.r.values.At(1)
	}
}

func noSlices[K comparable, V any](r *runner[K, V]) string {
	if v := r.values.At(1); reflect.TypeFor[V]().Kind() != reflect.Slice || reflect.ValueOf(v).Len() == 0 {
		return "values of this type are no slices"
	}
	return ""
}

// partOfLarger returns the slice v in a larger array, like a part of a buffer, and a function that reports whether the
// array is unchanged.
func partOfLarger[V any](v V) (_ V, unchanged func() bool) {
	x := reflect.ValueOf(v)
	n := x.Len()
	array, before := reflect.MakeSlice(x.Type(), 2*n+64, 2*n+64), reflect.MakeSlice(x.Type(), 2*n+64, 2*n+64)
	for i := range array.Len() {
		array.Index(i).Set(x.Index(i % n))
		before.Index(i).Set(x.Index(i % n))
	}
	part, _ := reflect.TypeAssert[V](array.Slice(0, n))
	return part, func() bool { return same(array, before, 0) }
}

// overrun writes behind the slice v within its capacity, as append does.
func overrun[V any](v V) {
	x := reflect.ValueOf(v)
	if x.Len() == x.Cap() || x.Len() == 0 {
		return
	}
	for i, all := x.Len(), x.Slice(0, x.Cap()); i < min(x.Cap(), 2*x.Len()+64); i++ {
		all.Index(i).SetZero()
	}
}

func checkHitValuesZero[K comparable, V any](p *probe[K, V]) {
	var zero V
	p.putValue(p.key(0), zero, nil)
	p.hit(p.key(0)) // a stored zero is a hit
	p.wantSize(1)
	p.putValue(p.key(1), zero, new(p.unit()*1000))
	p.hit(p.key(1))
}

func checkHitValuesOdd[K comparable, V any](p *probe[K, V]) {
	for i, v := range p.r.values.Odd() {
		k := p.key(i % min(p.r.keys.N, 500))
		if p.putLarge(k, v) {
			p.hit(k)
			p.hit(k)
		}
	}
	p.settle()
	for i := range p.r.values.Odd() {
		p.get(p.key(i % min(p.r.keys.N, 500)))
	}
}

func checkHitValuesOneByOne[K comparable, V any](p *probe[K, V]) {
	for _, v := range p.r.values.Odd() {
		if p.putLarge(p.key(0), v) {
			p.hit(p.key(0))
		}
		p.invalidate(p.key(0))
	}
}

func checkHitValuesMutateAfterPut[K comparable, V any](p *probe[K, V]) {
	const hint = "copy the value in Put, or declare Traits.Values = backend.ByReference"
	for _, ttl := range []*time.Duration{nil, new(100 * p.unit()), nil} { // new, and over an earlier one
		given := p.r.values.At(1)
		p.putValue(p.key(0), given, ttl)
		p.cell(p.key(0)).val = p.r.values.At(1)
		p.r.values.Mutate(&given)
		p.aliased(p.key(0), given, "the caller changed the value it had put", hint)
	}
	if p.r.has.batcher {
		given := p.r.values.At(1)
		if err := p.putMany([]backend.Item[K, V]{{Key: p.key(0), Value: given}}); err != nil {
			p.failf("PutMany = error %q", err)("nil")
		}
		p.r.values.Mutate(&given)
		p.aliased(p.key(0), given, "the caller changed a value it had put with PutMany", hint)
	}
}

func checkHitValuesMutateAfterGet[K comparable, V any](p *probe[K, V]) {
	const hint = "copy the value where it is returned, or declare Traits.Values = backend.ByReference"
	for _, view := range []struct {
		name string
		get  func() (V, bool)
	}{
		{"Get", func() (V, bool) { return p.get(p.key(0)) }},
		{"GetEntry", func() (V, bool) {
			e, hit, _ := backend.GetEntry(p.ctx, p.b, p.key(0))
			return e.Value, hit
		}},
		{"GetMany", func() (V, bool) {
			got, _ := backend.GetMany(p.ctx, p.b, []K{p.key(0)})
			v, hit := got[p.key(0)]
			return v, hit
		}},
		{"All", func() (v V, hit bool) {
			if seq, err := backend.All(p.b); err == nil {
				for _, v = range seq {
					hit = true
				}
			}
			return v, hit
		}},
	} {
		p.putValue(p.key(0), p.r.values.At(1), nil)
		got, hit := view.get()
		if !hit {
			continue // rejected, or the view is missing
		}
		p.r.values.Mutate(&got)
		p.aliased(p.key(0), got, "the caller changed the value that "+view.name+" returned", hint)
	}
}

func checkHitValuesPutOnlyReads[K comparable, V any](p *probe[K, V]) {
	for i, ttl := range []*time.Duration{nil, new(100 * p.unit()), nil, new(time.Duration)} {
		v, unchanged := partOfLarger(p.r.values.At(i + 1))
		p.putValue(p.key(0), v, ttl)
		if !unchanged() {
			p.failf("Put wrote into the caller's memory: into the value, or behind it in its array")(
				"no change: Put only reads the value it is given")
		}
	}
	if p.r.has.batcher {
		v, unchanged := partOfLarger(p.r.values.At(1))
		if err := p.putMany([]backend.Item[K, V]{{Key: p.key(1), Value: v}}); err != nil {
			p.failf("PutMany = error %q", err)("nil")
		}
		if !unchanged() {
			p.failf("PutMany wrote into the caller's memory: into a value, or behind it in its array")(
				"no change: PutMany only reads the values it is given")
		}
		*p.cell(p.key(1)) = cell[V]{has: true, val: v, put0: time.Now(), put1: time.Now()}
		p.hit(p.key(1))
	}
}

func noCopiedSlices[K comparable, V any](r *runner[K, V]) string {
	if r.traits.Values == backend.ByReference {
		return "values are shared with the caller"
	}
	return noSlices(r)
}

func checkHitValuesAppendAfterGet[K comparable, V any](p *probe[K, V]) {
	for i := range 2 {
		p.putValue(p.key(i), p.r.values.At(i+1), nil)
	}
	var got []V
	of := map[int]int{} // by index in got: the key
	for i := range 6 {
		if v, hit := p.get(p.key(i % 2)); hit {
			of[len(got)] = i % 2
			got = append(got, v)
		}
	}
	if p.r.has.batcher {
		many, _ := backend.GetMany(p.ctx, p.b, []K{p.key(0), p.key(1)})
		for i := range 2 {
			if v, hit := many[p.key(i)]; hit {
				of[len(got)] = i
				got = append(got, v)
			}
		}
	}
	for _, v := range got {
		overrun(v)
	}
	for i, v := range got {
		if want := p.r.values.At(of[i] + 1); !p.same(v, want) {
			p.hinted("the value is a part of a larger buffer: limit its capacity where it is returned, as in buf[i:j:j]",
				show(want)+": a value that Get has returned belongs to the caller",
				"a value that was returned became %s when the caller appended to another", show(v))
		}
	}
	p.get(p.key(0))
	p.get(p.key(1))
}

func checkHitValuesHeldValue[K comparable, V any](p *probe[K, V]) {
	p.putValue(p.key(0), p.r.values.At(1), nil)
	held, hit := p.get(p.key(0))
	if !hit {
		return
	}
	for i := range 20 { // a reused buffer would change the values that were returned earlier
		p.putValue(p.key(0), p.r.values.At(i+2), nil)
		p.get(p.key(0))
		p.putValue(p.key(1), p.r.values.At(i+100), nil)
	}
	p.clear()
	if !p.same(held, p.r.values.At(1)) {
		p.failf("a value that Get returned became %s after later Puts", show(held))(
			"%s: a value that Get has returned belongs to the caller", show(p.r.values.At(1)))
	}
}

func checkHitValuesAll[K comparable, V any](p *probe[K, V]) {
	for i, v := range p.r.values.Odd() {
		p.putLarge(p.key(i%min(p.r.keys.N, 500)), v)
	}
	p.lists()
}

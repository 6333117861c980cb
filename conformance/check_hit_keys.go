package conformance

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// keyBytes returns the length of a key that is its own encoding, and 0 for other keys.
func keyBytes[K comparable](k K) int {
	if v := reflect.ValueOf(&k).Elem(); v.Kind() == reflect.String {
		return v.Len()
	}
	return 0
}

// mayReject reports whether the backend may reject k: because k is longer than the declared limit, or because k is an
// interface whose dynamic type the backend may not support.
func (p *probe[K, V]) mayReject(k K) bool {
	return p.tooLong(k) || k != any(nil) && dynamic(reflect.TypeFor[K]())
}

// dynamic reports whether t is or contains an interface type.
func dynamic(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.Array:
		return dynamic(t.Elem())
	case reflect.Struct:
		for f := range t.Fields() {
			if dynamic(f.Type) {
				return true
			}
		}
	}
	return false
}

func (p *probe[K, V]) tooLong(k K) bool {
	limit := p.r.traits.MaxKey
	if limit == 0 {
		return false
	}
	if v := reflect.ValueOf(&k).Elem(); v.Kind() == reflect.Interface && !v.IsNil() {
		return v.Elem().Kind() == reflect.String && v.Elem().Len() > limit-64
	}
	return keyBytes(k) > limit
}

// putOdd puts an odd key and reports whether the backend stored it. The backend may return the errors that it declares.
func (p *probe[K, V]) putOdd(k K) bool {
	err := p.tryPut(k, p.val(), nil)
	switch {
	case err == nil && keyBytes(k) > p.r.traits.MaxKey && p.r.traits.MaxKey > 0:
		p.failf("Put of a key of %d bytes = nil", keyBytes(k))(
			"an error that wraps ErrTooLarge: the backend declares Traits.MaxKey = %d", p.r.traits.MaxKey)
	case err == nil:
		return true
	case p.tooLong(k) && errors.Is(err, backend.ErrTooLarge):
	case p.mayReject(k) && errors.Is(err, backend.ErrKey):
	default:
		p.failf("Put(%s) = error %q", show(k), err)("nil: it is a valid key")
	}
	if _, hit, _ := p.b.Get(p.ctx, k); hit {
		p.failf("Get(%s) hits after its Put returned an error", show(k))("a miss or an error")
	}
	delete(p.model, k)
	return false
}

const birthday = 160_000 // three collisions of a 32-bit hash on average

func negativeZero() float64 { return math.Copysign(0, -1) }

func second[V any](_ V, _ bool, err error) error { return err }

// mix is the finalizer of SplitMix64 (Steele, Lea, Flood: Fast Splittable
// Pseudorandom Number Generators, OOPSLA 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// mixedKey returns a key whose bits are well mixed. Sequential keys hide weak
// hashes.
func (p *probe[K, V]) mixedKey(i int) K {
	var k K
	switch k := any(&k).(type) {
	case *uint64:
		*k = mix(uint64(i))
		return *any(k).(*K)
	case *string:
		var buf [16]byte
		const digits = "0123456789abcdef"
		for j, x := 0, mix(uint64(i)); j < 16; j, x = j+1, x>>4 {
			buf[j] = digits[x&15]
		}
		*k = string(buf[:])
		return *any(k).(*K)
	}
	v := reflect.ValueOf(&k).Elem()
	switch {
	case v.Kind() == reflect.String:
		v.SetString(time.Duration(mix(uint64(i)) >> 1).String())
	case v.CanInt():
		v.SetInt(int64(mix(uint64(i))))
	default:
		v.SetUint(mix(uint64(i)))
	}
	return k
}

func checkHitKeysDisjointWriters[K comparable, V any](p *probe[K, V]) { parallel(p.disjoint) }

func checkHitKeysZero[K comparable, V any](p *probe[K, V]) {
	var zero K
	p.miss(zero)
	if !p.putOdd(zero) {
		return
	}
	p.hit(zero)
	p.put(zero)
	p.hit(zero)
	p.wantSize(1)
	p.invalidate(zero)
	p.miss(zero)
}

func checkHitKeysOdd[K comparable, V any](p *probe[K, V]) {
	var taken []K
	for _, k := range p.r.keys.Odd {
		if p.putOdd(k) {
			taken = append(taken, k)
		}
	}
	for _, k := range taken {
		p.hit(k)
	}
	p.wantSize(int64(len(taken)))
	for _, k := range slices.Backward(taken) { // overwrite in the other order
		p.put(k)
	}
	for _, k := range taken {
		p.hit(k)
	}
}

func checkHitKeysOddAbsent[K comparable, V any](p *probe[K, V]) {
	for i, k := range p.r.keys.Odd {
		if i%2 == 0 {
			p.putOdd(k)
		}
	}
	for i, k := range p.r.keys.Odd {
		if i%2 == 1 && !p.mayReject(k) {
			p.miss(k)
		}
	}
}

func checkHitKeysOddPairs[K comparable, V any](p *probe[K, V]) {
	odd := p.r.keys.Odd
	for i := 1; i < len(odd); i++ { // the second over the first, alone
		a, b := odd[i-1], odd[i]
		if keyBytes(a) > 70_000 || !p.putOdd(a) {
			continue
		}
		if p.putOdd(b) {
			p.hit(a)
			p.invalidate(a)
			p.hit(b)
			p.invalidate(b)
		}
		p.clear()
	}
}

func noLongestKey[K comparable, V any](r *runner[K, V]) string {
	if r.traits.MaxKey == 0 || reflect.TypeFor[K]().Kind() != reflect.String {
		return "the backend declares no longest key for this type"
	}
	return ""
}

func checkHitKeysLongest[K comparable, V any](p *probe[K, V]) {
	n := p.r.traits.MaxKey
	mk := func(n int, last string) K {
		return reflect.ValueOf(strings.Repeat("k", n-1) + last).Convert(reflect.TypeFor[K]()).Interface().(K)
	}
	a, b := mk(n, "a"), mk(n, "b")
	p.put(a)
	p.miss(b)
	p.put(b)
	p.hit(a)
	p.hit(b)
	p.invalidate(a)
	p.hit(b)
	for _, more := range []int{1, 2, 10, 20, 64, 65536} {
		k := mk(n+more, "a")
		p.putOdd(k)
		for what, err := range map[string]error{
			"Get":        second(p.b.Get(p.ctx, k)),
			"Invalidate": p.b.Invalidate(p.ctx, &k),
		} {
			if err != nil && !errors.Is(err, backend.ErrTooLarge) {
				p.failf("%s of a key of %d bytes = error %q", what, n+more, err)("nil, or an error that wraps ErrTooLarge")
			}
		}
	}
	p.hit(b)
}

func noManyDefaultKeys[K comparable, V any](r *runner[K, V]) string {
	if k := reflect.TypeFor[K]().Kind(); k != reflect.String && k != reflect.Uint64 && k != reflect.Int64 && k != reflect.Int {
		return "the type has too few keys, or no default ones"
	}
	if r.subject.Keys.At != nil || r.keys.N < birthday {
		return "the subject makes its own keys, or few"
	}
	return ""
}

func checkHitKeysBirthday[K comparable, V any](p *probe[K, V]) {
	n := birthday
	if raceEnabled || !p.r.bubble {
		n /= 8
	}
	mixed := func(i int) K { return p.mixedKey(i) }
	vals := make([]V, 16)
	for i := range vals {
		vals[i] = p.r.values.At(i)
	}
	for i := range n {
		if err := p.b.Put(p.ctx, mixed(i), vals[mix(uint64(i))%16], nil); err != nil {
			p.failf("Put = error %q", err)("nil")
		}
		if i%64 == 63 && p.hurried() {
			n = i + 1
			break
		}
	}
	p.settle()
	size := p.size()
	lost := 0
	for i := range n {
		v, hit, err := p.b.Get(p.ctx, mixed(i))
		if err != nil {
			p.failf("Get = error %q", err)("a hit or a miss")
		}
		if !hit {
			lost++
		} else if !p.same(v, vals[mix(uint64(i))%16]) {
			p.hinted("the backend tells keys apart by a hash of too few bits, and does not compare the keys themselves",
				show(vals[mix(uint64(i))%16]), "with %d well-mixed keys, Get(%s) = hit %s", n, show(mixed(i)), show(v))
		}
	}
	if size != int64(n-lost) && !p.r.traits.Rejects {
		p.missized(fmt.Sprintf("%d: that many keys hit", n-lost), "Stats().Size = %d", size)
	}
	if t := p.r.traits; lost > 0 && t.Bound != backend.BoundApproximate && !t.Rejects {
		p.hinted("two keys of one hash cannot be held together", "none: the capacity is as large",
			"of %d well-mixed keys, %d are gone", n, lost)
	}
	p.loose, p.aside = true, true
}

func noPointerKeys[K comparable, V any](*runner[K, V]) string {
	if reflect.TypeFor[K]().Kind() != reflect.Pointer {
		return "keys are no pointers"
	}
	return ""
}

func checkHitKeysPointers[K comparable, V any](p *probe[K, V]) {
	a, b := p.key(0), p.key(1)
	reflect.ValueOf(b).Elem().Set(reflect.ValueOf(a).Elem()) // alike, but not the same
	p.put(a)
	p.miss(b)
	p.put(b)
	p.hit(a)
}

func noFloatKeys[K comparable, V any](*runner[K, V]) string {
	if k := reflect.TypeFor[K]().Kind(); k != reflect.Float64 && k != reflect.Float32 {
		return "keys are no floats"
	}
	return ""
}

func checkHitKeysSignedZero[K comparable, V any](p *probe[K, V]) {
	var zero K
	minus := reflect.New(reflect.TypeFor[K]()).Elem()
	minus.SetFloat(negativeZero())
	p.put(zero)
	p.hit(minus.Interface().(K)) // +0 == -0
	p.put(minus.Interface().(K))
	p.hit(zero)
	p.wantSize(1)
}

func checkHitKeysAll[K comparable, V any](p *probe[K, V]) {
	for _, k := range p.r.keys.Odd {
		p.putOdd(k)
	}
	p.lists()
}

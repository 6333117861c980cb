package conformance

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cachepact/cachepact/backend"
)

// secret is a part of keys and values. No error may contain it.
const secret = "hunter2-8c1f"

func noBadKeys[K comparable, V any](r *runner[K, V]) string {
	if len(r.keys.Bad) == 0 {
		return "every value of this type is a key"
	}
	return ""
}

// errorsOf calls every method that takes a key. It returns the errors by method.
func (p *probe[K, V]) errorsOf(k K) map[string]error {
	v, hit, err := p.b.Get(p.ctx, k)
	if hit || !reflect.ValueOf(&v).Elem().IsZero() {
		p.failf("Get of an invalid key of type %T = %s, %v", any(k), show(v), hit)("the zero value, false and an error")
	}
	return map[string]error{
		"Get":        err,
		"Put":        p.b.Put(p.ctx, k, p.val(), nil),
		"Put (ttl)":  p.b.Put(p.ctx, k, p.val(), new(p.unit())),
		"Put (0)":    p.b.Put(p.ctx, k, p.val(), new(time.Duration)),
		"Invalidate": p.b.Invalidate(p.ctx, &k),
	}
}

// withContext makes every call with a context that is done. Each call must have its full effect or return the context's
// error, and the backend must stay usable.
func (p *probe[K, V]) withContext(ctx context.Context, cause error) {
	p.put(p.key(0))
	p.put(p.key(1))
	p.survey()
	v, hit, err := p.b.Get(ctx, p.key(0))
	p.note(op[K, V]{kind: opGet, key: p.key(0), val: v, hit: hit, err: err, done: true})
	switch {
	case err != nil && !errors.Is(err, cause):
		p.failf("Get with a context that is done = error %q", err)("an answer, or an error that wraps %q", cause)
	case err != nil && (hit || !reflect.ValueOf(&v).Elem().IsZero()):
		p.failf("Get with a context that is done = %s, %v and an error", show(v), hit)(
			"the zero value and false with an error")
	case err == nil && !hit && (!p.r.traits.Rejects || p.cell(p.key(0)).admitted):
		p.failf("Get with a context that is done = a miss")(
			"a hit, or the context's error: a miss would say that the entry is gone")
	}
	value := p.val()
	c, before := p.cell(p.key(0)), time.Now()
	err = p.b.Put(ctx, p.key(0), value, nil)
	p.synced(&err)
	p.note(op[K, V]{kind: opPut, key: p.key(0), val: value, err: err, done: true})
	switch {
	case err == nil:
		c.renew(value, before)
	case errors.Is(err, cause): // either value, or none
		if v, hit, _ := p.b.Get(p.ctx, p.key(0)); !hit {
			c.lose("its Put was cancelled")
		} else if p.same(v, value) {
			c.renew(value, before)
		}
	default:
		p.failf("Put with a context that is done = error %q", err)("nil, or an error that wraps %q", cause)
	}
	k := p.key(1)
	err = p.b.Invalidate(ctx, &k)
	p.synced(&err)
	p.note(op[K, V]{kind: opInvalidate, key: k, err: err, done: true})
	switch {
	case err == nil:
		p.cell(k).lose("it was invalidated")
		p.get(k)
	case !errors.Is(err, cause):
		p.failf("Invalidate with a context that is done = error %q", err)("nil, or an error that wraps %q", cause)
	}
	is, _ := p.b.Stats(p.ctx)
	s, err := p.b.Stats(ctx)
	p.note(op[K, V]{kind: opStats, size: s.Size, err: err, done: true})
	switch {
	case err != nil && !errors.Is(err, cause):
		p.failf("Stats with a context that is done = error %q", err)("nil, or an error that wraps %q", cause)
	case err == nil && s.Size != is.Size:
		p.failf("Stats with a context that is done = Size %d", s.Size)("Size %d, or the context's error", is.Size)
	}
	p.settle()
	if most, size := p.atMost(), p.size(); size > most {
		p.failf("after calls with a context that was done, Stats().Size = %d", size)(
			"at most %d: a call takes full effect, or none", most)
	}
	for i := range min(5, p.r.keys.N) { // and the next calls work
		if i != 1 {
			p.get(p.key(i))
		}
		p.put(p.key(i))
		p.hit(p.key(i))
	}
	p.clear()
	p.wantSize(0)
}

// provoke makes calls that may fail, and returns their errors.
func (p *probe[K, V]) provoke() map[string]error {
	p.loose = true
	out := map[string]error{}
	k := p.key(0)
	if v := reflect.ValueOf(&k).Elem(); v.Kind() == reflect.String {
		v.SetString(secret)
	} else if v.Kind() == reflect.Interface && v.NumMethod() == 0 {
		v.Set(reflect.ValueOf(secret))
	}
	n := 8 << 20
	if limit := p.r.traits.MaxValue; limit > 0 {
		n = limit + 1
	}
	if big, ok := sized[V](n); ok {
		out["Put of a large value"] = p.b.Put(p.ctx, k, big, nil)
	}
	if v := reflect.ValueOf(&k).Elem(); v.Kind() == reflect.String {
		long := reflect.New(v.Type()).Elem()
		long.SetString(strings.Repeat(secret, 200_000/len(secret)))
		kk := long.Interface().(K)
		_, _, err := p.b.Get(p.ctx, kk)
		out["Get of a long key"] = err
		out["Put of a long key"] = p.b.Put(p.ctx, kk, p.val(), nil)
		out["Invalidate of a long key"] = p.b.Invalidate(p.ctx, &kk)
	}
	value, ok := sized[V](40) // as secret as the key
	if !ok {
		value = p.val()
	}
	bad := p.r.keys.Bad
	if v := reflect.ValueOf(&k).Elem(); v.Kind() == reflect.Interface && v.NumMethod() == 0 {
		var x any = []string{secret}
		bad = append(slices.Clip(bad), reflect.ValueOf(&x).Elem().Interface().(K))
		x = struct{ X any }{map[string]string{secret: secret}}
		bad = append(bad, x.(K))
	}
	for i, k := range bad {
		_, _, err := p.b.Get(p.ctx, k)
		out[fmt.Sprintf("Get of invalid key %d", i)] = err
		out[fmt.Sprintf("Put of invalid key %d", i)] = p.b.Put(p.ctx, k, p.val(), nil)
		out[fmt.Sprintf("Invalidate of invalid key %d", i)] = p.b.Invalidate(p.ctx, &k)
	}
	if p.r.has.closer {
		_ = backend.Close(p.b)
		_, _, err := p.b.Get(p.ctx, k)
		out["Get after Close"] = err
		out["Put after Close"] = p.b.Put(p.ctx, k, value, nil)
		out["Put with TTL after Close"] = p.b.Put(p.ctx, k, value, new(p.unit()))
		out["PutMany after Close"] = backend.PutMany(p.ctx, p.b, []backend.Item[K, V]{{Key: k, Value: value}})
		_, out["GetMany after Close"] = backend.GetMany(p.ctx, p.b, []K{k})
		if _, _, err := backend.GetEntry(p.ctx, p.b, k); !errors.Is(err, errors.ErrUnsupported) {
			out["GetEntry after Close"] = err
		}
		out["Sync after Close"] = backend.Sync(p.ctx, p.b)
		out["Invalidate after Close"] = p.b.Invalidate(p.ctx, &k)
		_, err = p.b.Stats(p.ctx)
		out["Stats after Close"] = err
		p.b = nil
	}
	clear(p.model)
	return out
}

// sized returns a value of n bytes that contains the secret, if V is a string or a slice of bytes.
func sized[V any](n int) (V, bool) {
	var v V
	x := reflect.ValueOf(&v).Elem()
	text := func() string { return strings.Repeat(secret, n/len(secret)+1)[:n] }
	switch {
	case x.Kind() == reflect.String:
		x.SetString(text())
	case x.Kind() == reflect.Slice && x.Type().Elem().Kind() == reflect.Uint8:
		x.SetBytes([]byte(text()))
	default:
		return v, false
	}
	return v, true
}

func badness(k any) string {
	switch reflect.ValueOf(k).Kind() {
	case reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
		return "NaN"
	}
	return fmt.Sprintf("a %T", k)
}

func checkErrorKeyEveryMethod[K comparable, V any](p *probe[K, V]) {
	p.put(p.key(0))
	for _, k := range p.r.keys.Bad {
		for what, err := range p.errorsOf(k) {
			if !errors.Is(err, backend.ErrKey) {
				p.failf("%s of a key that holds %s = error %v", what, badness(k), err)("an error that wraps ErrKey")
			}
		}
		if p.r.has.entries {
			if _, _, err := backend.GetEntry(p.ctx, p.b, k); !errors.Is(err, backend.ErrKey) {
				p.failf("GetEntry of a key that holds %s = error %v", badness(k), err)("an error that wraps ErrKey")
			}
		}
		p.hit(p.key(0))
	}
	p.wantSize(1)
}

func checkErrorKeyNoLockHeld[K comparable, V any](p *probe[K, V]) {
	for i, k := range p.r.keys.Bad {
		p.errorsOf(k)
		p.put(p.key(i % p.r.keys.N))
		p.hit(p.key(i % p.r.keys.N))
		p.invalidate(p.key(i % p.r.keys.N))
		p.clear()
		p.wantSize(0)
	}
}

func checkErrorKeyNoLeak[K comparable, V any](p *probe[K, V]) {
	for i := range 300 {
		_ = p.b.Put(p.ctx, p.r.keys.Bad[i%len(p.r.keys.Bad)], p.r.values.At(1), nil)
	}
	p.wantSize(0)
	if seq, err := backend.All(p.b); err == nil {
		for range seq {
			p.failf("All yields an entry under an invalid key")("nothing")
		}
	}
}

func noBatchOfBadKeys[K comparable, V any](r *runner[K, V]) string {
	if why := noBatcher(r); why != "" {
		return why
	}
	return noBadKeys(r)
}

func checkErrorKeyBatch[K comparable, V any](p *probe[K, V]) {
	for _, bad := range p.r.keys.Bad {
		before, after := p.r.values.At(1), p.r.values.At(2)
		err := backend.PutMany(p.ctx, p.b, []backend.Item[K, V]{{Key: p.key(0), Value: before}, {Key: bad, Value: before}, {Key: p.key(1), Value: after}})
		if !errors.Is(err, backend.ErrKey) {
			p.failf("PutMany with a key that holds %s = error %v", badness(bad), err)("an error that wraps ErrKey")
		}
		if err := backend.Sync(p.ctx, p.b); err != nil {
			p.failf("Sync = error %q", err)("nil")
		}
		now := time.Now()
		*p.cell(p.key(0)) = cell[V]{has: true, val: before, put0: now, put1: now}
		*p.cell(p.key(1)) = cell[V]{has: true, val: after, put0: now, put1: now}
		p.hit(p.key(0))
		p.hit(p.key(1)) // every item is tried
		got, err := backend.GetMany(p.ctx, p.b, []K{p.key(0), bad, p.key(1)})
		if !errors.Is(err, backend.ErrKey) {
			p.failf("GetMany with a key that holds %s = error %v", badness(bad), err)("an error that wraps ErrKey")
		}
		for k, v := range got {
			if k != p.key(0) && k != p.key(1) || !p.same(v, p.cell(k).val) {
				p.failf("GetMany: %s = %s", show(k), show(v))("the hits it has, possibly none")
			}
		}
		p.clear()
	}
}

func noLargestValue[K comparable, V any](r *runner[K, V]) string {
	if v, ok := sized[V](1); !ok || r.traits.MaxValue == 0 {
		_ = v
		return "the backend declares no largest value for this type"
	}
	return ""
}

func checkErrorPutTooLarge[K comparable, V any](p *probe[K, V]) {
	limit := p.r.traits.MaxValue
	sizes := []int{limit + 1, 2*limit + 1, limit + 2, limit + 100, 16 * limit}
	if limit > 1<<20 { // making a value takes longer than rejecting it
		sizes = sizes[:2]
	}
	for i, size := range sizes {
		k := p.key(i % p.r.keys.N)
		p.put(p.key(5 % p.r.keys.N))
		p.put(k) // no Get may return it after the next Put has failed
		p.hit(k)
		v, _ := sized[V](size)
		p.putLarge(k, v)
		p.miss(k)
		p.settle()
		p.miss(k)
		p.invalidate(k)
		p.wantSize(p.atMost())
		p.put(k)
		p.hit(k)
	}
	v, _ := sized[V](limit)
	if err := p.tryPut(p.key(0), v, nil); err != nil {
		p.failf("Put of a value of exactly Traits.MaxValue = %d bytes = error %q", limit, err)(
			"nil: up to the declared limit, values fit")
	}
	p.hit(p.key(0))
}

func checkErrorPutOthersSurvive[K comparable, V any](p *probe[K, V]) {
	n := min(50, p.r.keys.N-1)
	for i := range n {
		p.put(p.key(i))
	}
	v, _ := sized[V](p.r.traits.MaxValue + 1)
	_ = p.tryPut(p.key(n), v, nil)
	for i := range n {
		p.hit(p.key(i)) // a Put that fails removes no other entry
	}
}

func checkErrorPutLargeNeverStale[K comparable, V any](p *probe[K, V]) {
	for _, size := range []int{1000, 65000, 66000, 300_000, 2 << 20, 5 << 20} {
		v, ok := sized[V](size)
		if !ok {
			break
		}
		p.put(p.key(0))
		p.putLarge(p.key(0), v)
		p.get(p.key(0)) // the value, a miss, but never the earlier one
		p.invalidate(p.key(0))
		p.miss(p.key(0))
	}
}

func noLongestKeyOrLargestValue[K comparable, V any](r *runner[K, V]) string {
	if _, ok := sized[V](1); !ok || r.traits.MaxValue == 0 || r.traits.MaxKey == 0 || reflect.TypeFor[K]().Kind() != reflect.String {
		return "the backend does not declare both a longest key and a largest value for these types"
	}
	return ""
}

func checkErrorPutLongestWithLargest[K comparable, V any](p *probe[K, V]) {
	k := reflect.ValueOf(strings.Repeat("k", p.r.traits.MaxKey)).Convert(reflect.TypeFor[K]()).Interface().(K)
	v, _ := sized[V](p.r.traits.MaxValue)
	for _, ttl := range []*time.Duration{nil, new(100 * p.unit())} {
		if err := p.tryPut(k, v, ttl); err != nil {
			p.hinted("the limit holds for key and value together: declare the room that the longest key leaves for a value",
				"nil: up to the declared limits, both fit",
				"Put of a value of Traits.MaxValue = %d bytes under a key of Traits.MaxKey = %d = error %q", p.r.traits.MaxValue, p.r.traits.MaxKey, err)
		}
		p.hit(k)
	}
	p.invalidate(k)
	p.miss(k)
}

func checkErrorPutTooLongKey[K comparable, V any](p *probe[K, V]) {
	k := reflect.ValueOf(strings.Repeat("k", p.r.traits.MaxKey+1)).Convert(reflect.TypeFor[K]()).Interface().(K)
	p.put(p.key(0))
	p.putOdd(k)
	p.hit(p.key(0))
	p.wantSize(1)
}

func checkErrorTextNoKeyNoValue[K comparable, V any](p *probe[K, V]) {
	for what, err := range p.provoke() {
		if err == nil {
			continue
		}
		if text := err.Error(); strings.Contains(text, secret) {
			p.failf("%s: the error contains the key or value", what)("neither: they may be secret or huge")
		} else if len(text) > 1000 {
			p.failf("%s: the error is %d bytes long", what, len(text))("a line")
		}
	}
}

func checkErrorTextStartsWithPackage[K comparable, V any](p *probe[K, V]) {
	prefix := regexp.MustCompile(`^[a-zA-Z][\w./-]*: .`)
	for what, err := range p.provoke() {
		if err != nil && !prefix.MatchString(err.Error()) {
			p.failf("%s: the error is %q", what, err)("it starts with the name of its package and a colon")
		}
	}
}

func checkErrorTextWraps[K comparable, V any](p *probe[K, V]) {
	for what, err := range p.provoke() {
		known := []error{backend.ErrClosed, backend.ErrKey, backend.ErrTooLarge, errors.ErrUnsupported, context.Canceled}
		for _, sentinel := range known {
			if err != nil && strings.Contains(err.Error(), sentinel.Error()) && !errors.Is(err, sentinel) {
				p.failf("%s: the error %q does not wrap the one it quotes", what, err)("errors.Is finds the cause: use %%w")
			}
		}
	}
}

package conformance

import (
	"fmt"
	"reflect"
	"strings"
)

// note records an operation.
func (p *probe[K, V]) note(o op[K, V]) {
	const keep = 12
	if len(p.ops) == 2*keep {
		p.ops = append(p.ops[:0], p.ops[keep:]...)
	}
	p.ops = append(p.ops, o)
}

func (p *probe[K, V]) newFault(k kind, what, want string) *fault {
	f := &fault{kind: k, what: what, want: want}
	for _, o := range p.ops[max(0, len(p.ops)-12):] {
		f.done = append(f.done, o.String())
	}
	return f
}

// failf ends the check. The first call has the result, the second one the expected result:
//
//	p.failf("Get = %v", v)("a miss")
func (p *probe[K, V]) failf(what string, args ...any) func(want string, args ...any) {
	f := p.newFault(broke, fmt.Sprintf(what, args...), "")
	return func(want string, args ...any) {
		f.want = fmt.Sprintf(want, args...)
		panic(f)
	}
}

// hinted ends the check like failf, with a hint.
func (p *probe[K, V]) hinted(hint, want, what string, args ...any) {
	f := p.newFault(broke, fmt.Sprintf(what, args...), want)
	f.hint = hint
	panic(f)
}

// show prints a key or value in a few characters.
func show(v any) string {
	s := literal(v)
	switch v := v.(type) {
	case string:
		s = fmt.Sprintf("%q", v[:min(len(v), 60)])
		if len(v) > 60 {
			s += fmt.Sprintf("… (%d bytes)", len(v))
		}
		return s
	case []byte:
		if v != nil {
			s = fmt.Sprintf("[]byte(%q)", v[:min(len(v), 60)])
		}
		if len(v) > 60 {
			s += fmt.Sprintf("… (%d bytes)", len(v))
		}
		return s
	}
	if len(s) > 120 {
		s = strings.ToValidUTF8(s[:120], "") + "…"
	}
	return s
}

// literal prints a value as Go code that has the value's type, even as an argument of type any.
func literal(v any) string {
	t := reflect.TypeOf(v)
	switch {
	case t == nil:
		return "nil"
	case t == reflect.TypeFor[int](), t == reflect.TypeFor[bool](), t == reflect.TypeFor[string]():
	case t.Kind() == reflect.Float64 || t.Kind() == reflect.Float32:
		return fmt.Sprintf("%T(%v)", v, v)
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Uintptr:
		return fmt.Sprintf("%T(%d)", v, v)
	case t.Kind() == reflect.String:
		return fmt.Sprintf("%T(%q)", v, v)
	}
	return fmt.Sprintf("%#v", v)
}

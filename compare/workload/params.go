package workload

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// params are the parameters of a workload, as they are asked for one by one.
type params struct {
	given map[string]string // and not yet asked for
	full  []string          // every parameter with its value
	err   error             // the first
}

// newParams reads name=value, separated by commas. A value alone at the first
// place is that of the kind's own first parameter.
func newParams(list string) (*params, error) {
	p := &params{given: map[string]string{}}
	if list == "" {
		return p, nil
	}
	for i, item := range strings.Split(list, ",") {
		name, value, ok := strings.Cut(item, "=")
		if !ok && i == 0 {
			name, value, ok = "", item, true
		}
		if _, twice := p.given[name]; twice || !ok {
			return nil, fmt.Errorf("parameter %q: expected name=value, each name once", item)
		}
		p.given[name] = value
	}
	return p, nil
}

// take returns the text given for a parameter.
func (p *params) take(name string) (string, bool) {
	text, ok := p.given[name]
	delete(p.given, name)
	return text, ok
}

// own is take for a parameter of the kind: its name may have been left out.
func (p *params) own(name string) (string, bool) {
	if text, ok := p.take(name); ok {
		return text, ok
	}
	return p.take("")
}

// value returns a whole number, or standard if it is not given.
func (p *params) value(name string, standard, least, most uint64) uint64 {
	text, ok := p.take(name)
	if !ok {
		return standard
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n < least || n > most {
		p.fail("%s=%s: expected a whole number from %d to %d", name, text, least, most)
		return standard
	}
	return n
}

// float returns a parameter of the kind and shows it.
func (p *params) float(name string, standard, least, most float64) float64 {
	n := standard
	if text, ok := p.own(name); ok {
		var err error
		n, err = strconv.ParseFloat(text, 64)
		if err != nil || !(n >= least && n <= most) { // also false for NaN
			p.fail("%s=%s: expected a number from %v to %v", name, text, least, most)
			n = standard
		}
	}
	p.show(name, n)
	return n
}

func (p *params) show(name string, value any) {
	p.full = append(p.full, fmt.Sprintf("%s=%v", name, value))
}

func (p *params) shown() string { return strings.Join(p.full, ",") }

func (p *params) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
}

// finish returns the first error. What was given and never asked for is one.
func (p *params) finish() error {
	if p.err == nil && len(p.given) > 0 {
		unknown := slices.Sorted(maps.Keys(p.given))
		p.err = fmt.Errorf("unknown parameter %q", unknown[0])
	}
	return p.err
}

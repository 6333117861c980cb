package workload

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// params are the parameters of a workload. They are read one by one.
type params struct {
	given map[string]string // and not yet asked for
	full  []string          // every parameter with its value, not yet shown
	err   error             // the first
}

// newParams reads a list of name=value, separated by commas. A first value without a name belongs to the kind's own
// first parameter.
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

// take returns the text of a parameter and removes it.
func (p *params) take(name string) (string, bool) {
	text, ok := p.given[name]
	delete(p.given, name)
	return text, ok
}

// whole returns a whole number, or standard if the parameter is missing.
func (p *params) whole(name string, standard, least, most uint64) uint64 {
	n := standard
	if text, ok := p.take(name); ok {
		var err error
		if n, err = strconv.ParseUint(text, 10, 64); err != nil || n < least || n > most {
			p.fail("%s=%s: expected a whole number from %d to %d", name, text, least, most)
			n = standard
		}
	}
	p.show(name, n)
	return n
}

// own returns the kind's own first parameter, whose name is optional.
func (p *params) own(name string, standard, least, most float64) float64 {
	if text, ok := p.take(""); ok {
		if _, twice := p.given[name]; twice {
			p.fail("%s: expected it once", name)
		}
		p.given[name] = text
	}
	return p.number(name, standard, least, most)
}

// number returns a number, or standard if the parameter is missing.
func (p *params) number(name string, standard, least, most float64) float64 {
	n := standard
	if text, ok := p.take(name); ok {
		var err error
		if n, err = strconv.ParseFloat(text, 64); err != nil || !(n >= least && n <= most) { // also if it is NaN
			p.fail("%s=%s: expected a number from %v to %v", name, text, least, most)
			n = standard
		}
	}
	p.show(name, n)
	return n
}

// optional is number for a parameter with the default 0, which String does not show.
func (p *params) optional(name string, most float64) float64 {
	if _, ok := p.given[name]; !ok {
		return 0
	}
	return p.number(name, 0, 0, most)
}

// distribution returns nil if the parameter is missing.
func (p *params) distribution(name string, unit func(string) (float64, error)) distribution {
	text, ok := p.take(name)
	if !ok {
		return nil
	}
	d, err := parseDistribution(text, unit)
	if err != nil {
		p.fail("%s=%s: %w", name, text, err)
	}
	p.show(name, text)
	return d
}

func (p *params) show(name string, value any) {
	p.full = append(p.full, fmt.Sprintf("%s=%v", name, value))
}

// shown returns the parameters that were read since the last call.
func (p *params) shown() []string {
	full := p.full
	p.full = nil
	return full
}

func (p *params) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
}

// finish returns the first error. A parameter that was not read is an error.
func (p *params) finish() error {
	if p.err == nil && len(p.given) > 0 {
		unknown := slices.Sorted(maps.Keys(p.given))
		p.err = fmt.Errorf("unknown parameter %q", unknown[0])
	}
	return p.err
}

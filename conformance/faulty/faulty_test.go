package faulty_test

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cachepact/cachepact/backend"
	"github.com/cachepact/cachepact/conformance"
	"github.com/cachepact/cachepact/conformance/faulty"
)

var (
	only = flag.String("fault", "", "test only faults whose name contains this")
	show = flag.Bool("show", false, "log the message by which each fault is caught")
)

type point struct {
	Name  string
	X, Y  int
	Label string `json:"-"`
	Parts []string
}

type pair struct{ A, B string }

// check runs the suite over the backend of that name, with types that the fault
// needs.
func check(name string, needs faulty.Need, traits backend.Traits) conformance.Report {
	switch needs { // few combinations, for each takes a while to compile
	case faulty.IntKeys, faulty.IntValues:
		return run[int64, int64](name, traits)
	case faulty.FloatKeys, faulty.FloatValues:
		return run[float64, float64](name, traits)
	case faulty.AnyKeys, faulty.AnyValues:
		return run[any, any](name, traits)
	case faulty.StructKeys, faulty.StructValues:
		return run[pair, point](name, traits)
	case faulty.PointerKeys, faulty.PointerValues:
		return run[*int, *point](name, traits)
	case faulty.BytesValues:
		return run[string, []byte](name, traits)
	}
	return run[string, string](name, traits)
}

func run[K comparable, V any](name string, traits backend.Traits) conformance.Report {
	s := conformance.Subject[K, V]{
		Name:    name,
		Timeout: 3 * time.Second,
		New: func(o conformance.Options) (backend.Backend[K, V], error) {
			return faulty.Relaxed[K, V](name, o, traits)
		},
	}
	if !strings.HasPrefix(name, "Key") && !strings.HasPrefix(name, "IntKey") {
		s.Keys.N = 50_000 // spares the check for weak hashes, which is slow
	}
	return conformance.Check(s)
}

func TestFaults(t *testing.T) {
	for _, f := range faulty.Faults() {
		if !strings.Contains(f.Name, *only) || f.Needs == faulty.RaceDetector {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			start := time.Now()
			r := check(f.Name, f.Needs, backend.Traits{})
			took := time.Since(start)
			var rules []string
			var detail string
			for _, c := range r.Failed() {
				if !slices.Contains(rules, c.ID) {
					rules = append(rules, c.ID)
				}
				if c.ID == f.Rule && detail == "" {
					detail = c.Detail
				}
			}
			switch {
			case r.Error != "":
				t.Errorf("the suite could not test it: %s", r.Error)
			case len(rules) == 0:
				t.Errorf("not caught (%v, %s)", took, r.Clock)
			case !slices.Contains(rules, f.Rule):
				t.Errorf("caught by %v, want %s", rules, f.Rule)
				for _, c := range r.Failed()[:1] {
					t.Log(c.Detail)
				}
			}
			if took > time.Second {
				t.Logf("took %v, clock %s", took, r.Clock)
			}
			if *show {
				t.Log(fmt.Sprint(rules) + "\n" + detail)
			}
		})
	}
}

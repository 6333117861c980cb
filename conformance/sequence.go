package conformance

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// A step is one operation of a random sequence.
type step struct {
	kind opKind
	key  int
	ttl  *time.Duration
	d    time.Duration
}

func (r *runner[K, V]) random(o Options, length int) error {
	seeds := 20
	if raceEnabled {
		seeds = 6
	}
	if !r.bubble {
		seeds = 2
	}
	for seed := range uint64(seeds) {
		steps := r.steps(seed, length)
		f := r.replay(o, steps)
		if f == nil || f.kind == leaked || f.kind == unclear {
			continue
		}
		if f.kind == broke || f.kind == panicked {
			steps, f = r.shrink(o, steps, f)
		}
		f.what = fmt.Sprintf("random sequence with seed %d: %s", seed, f.what)
		f.repro = r.repro(o, steps)
		return f
	}
	return nil
}

// sequenceKeys returns a few keys that are easily confused.
func (r *runner[K, V]) sequenceKeys() []K {
	keys := []K{r.keys.At(0), r.keys.At(1)}
	for _, k := range r.keys.Odd {
		if len(keys) < 7 && k != keys[0] && k != keys[1] && keyBytes(k) < 300 {
			keys = append(keys, k)
		}
	}
	return keys
}

func (r *runner[K, V]) steps(seed uint64, n int) []step {
	rng := rand.New(rand.NewPCG(seed, 0))
	keys := len(r.sequenceKeys())
	unit := time.Second
	if !r.bubble {
		unit = 5 * time.Millisecond
	}
	steps := make([]step, 0, n)
	for range n {
		s := step{key: rng.IntN(keys)}
		switch x := rng.IntN(100); {
		case x < 40:
			s.kind = opGet
		case x < 55:
			s.kind = opPut
		case x < 72:
			s.kind = opPut
			s.ttl = new(unit * time.Duration(1+rng.IntN(5)) / time.Duration(1+rng.IntN(2)))
		case x < 75:
			s.kind = opPut
			s.ttl = new(time.Duration(-rng.IntN(2)))
		case x < 83:
			s.kind = opInvalidate
		case x < 85:
			s.kind = opClear
		case x < 90:
			s.kind = opStats
		default:
			s.kind = opSleep
			s.d = time.Duration(rng.IntN(30)) * unit / 10
			if rng.IntN(4) == 0 {
				s.d++
			}
		}
		steps = append(steps, s)
	}
	return steps
}

// replay runs steps against a new backend. The probe judges every answer.
func (r *runner[K, V]) replay(o Options, steps []step) *fault {
	keys := r.sequenceKeys()
	return r.session(o, func(p *probe[K, V]) {
		rejected := map[K]bool{}
		for _, s := range steps {
			k := keys[s.key]
			if rejected[k] {
				continue
			}
			switch s.kind {
			case opGet:
				p.get(k)
			case opPut:
				if p.mayReject(k) && p.cell(k).forgotten == "it was never put" {
					if rejected[k] = !p.putOdd(k); rejected[k] {
						continue
					}
				}
				p.putValue(k, p.val(), s.ttl)
			case opInvalidate:
				p.invalidate(k)
			case opClear:
				p.clear()
			case opStats:
				most, size := p.atMost(), p.size() // this order allows entries to expire in between
				if least := p.atLeast(); size > most || size < least {
					p.missized(fmt.Sprintf("from %d to %d", least, most), "Stats().Size = %d", size)
				}
			case opSleep:
				p.sleep(s.d)
			}
		}
	})
}

// shrink removes steps as long as the sequence still fails, for at most two seconds.
func (r *runner[K, V]) shrink(o Options, steps []step, f *fault) ([]step, *fault) {
	start := time.Now()
	for size := len(steps) / 2; size > 0; {
		smaller := false
		for from := 0; from+size <= len(steps) && time.Since(start) < 2*time.Second; {
			less := append(append([]step(nil), steps[:from]...), steps[from+size:]...)
			if g := r.replay(o, less); g != nil && (g.kind == broke || g.kind == panicked) {
				steps, f, smaller = less, g, true
			} else {
				from += size
			}
		}
		if size > 1 || !smaller {
			size /= 2
		}
	}
	return steps, f
}

// repro prints the steps as Go code.
func (r *runner[K, V]) repro(o Options, steps []step) string {
	var b strings.Builder
	keys := r.sequenceKeys()
	b.WriteString("\tfunc TestRepeat(t *testing.T) {\n\t\tsynctest.Test(t, func(t *testing.T) {\n\t\t\tctx := context.Background()\n")
	fmt.Fprintf(&b, "\t\t\tb, err := New(conformance.Options{Capacity: %d}) // your Subject.New\n", o.Capacity)
	b.WriteString("\t\t\tif err != nil {\n\t\t\t\tt.Fatal(err)\n\t\t\t}\n\t\t\tdefer backend.Close(b)\n")
	n := 0
	for _, s := range steps {
		key := literal(keys[s.key])
		line := ""
		switch s.kind {
		case opGet:
			line = fmt.Sprintf("{ v, hit, err := b.Get(ctx, %s); t.Log(v, hit, err) }", key)
		case opPut:
			n++
			ttl := "nil"
			if s.ttl != nil {
				ttl = fmt.Sprintf("new(time.Duration(%d))", int64(*s.ttl))
			}
			line = fmt.Sprintf("_ = b.Put(ctx, %s, %s, %s)", key, literal(r.values.At(n)), ttl)
		case opInvalidate:
			line = fmt.Sprintf("_ = backend.InvalidateKey(ctx, b, %s)", key)
		case opClear:
			line = "_ = backend.InvalidateAll(ctx, b)"
		case opStats:
			line = "{ s, err := b.Stats(ctx); t.Log(s.Size, err) }"
		case opSleep:
			line = fmt.Sprintf("time.Sleep(%d)", int64(s.d))
		}
		b.WriteString("\t\t\t" + line + "\n")
	}
	asked := map[int]bool{}
	for _, s := range steps { // the probe looks at every key at the end
		if s.kind == opPut && !asked[s.key] {
			asked[s.key] = true
			fmt.Fprintf(&b, "\t\t\t{ v, hit, err := b.Get(ctx, %s); t.Log(v, hit, err) }\n", literal(keys[s.key]))
		}
	}
	b.WriteString("\t\t})\n\t}\n")
	return b.String()
}

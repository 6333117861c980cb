package bench

import "slices"

// A bound is the largest ratio of an adapter's time to its library's that is good
// enough. An empty field means any.
type bound struct {
	kase      string
	libraries []string
	value     string
	goroutine int
	most      float64
}

var (
	byteCaches = []string{"bigcache", "freecache", "fastcache", looseFast}
	ristrettos = []string{"ristretto", "ristretto2"}
)

// bounds are those of the project: the first that fits counts. A throughput of at
// least 0.85 of the raw library's is a time of at most 1/0.85.
var bounds = []bound{
	{kase: getHit, value: "bytes", libraries: byteCaches, most: 1.25},
	{kase: getHit, value: "int", libraries: ristrettos, most: 1.2}, // which also compare the key
	{kase: getHit, value: "int", most: 1.1},
	{kase: getMiss, value: "int", libraries: []string{"freecache", "fastcache", looseFast}, most: 1.8},
	{kase: getMiss, value: "int", libraries: ristrettos, most: 1.2},
	{kase: getMiss, value: "int", most: 1.15},
	{kase: putOverwrite, value: "int", libraries: ristrettos, most: 0.6},
	{kase: putOverwrite, value: "int", libraries: []string{"fastcache", looseFast}, most: 1.5},
	{kase: putOverwrite, value: "int", libraries: []string{"otter"}, most: 1.25},
	{kase: putOverwrite, value: "int", most: 1.15},
	{kase: putNew, value: "int", libraries: ristrettos, most: 1.3},
	{kase: putNew, value: "int", libraries: []string{"otter"}, most: 1.4},
	{kase: putNew, value: "int", most: 1.15},
	{kase: mixed, value: "int", goroutine: 2, most: 1 / 0.85},
}

// boundOf returns the bound on e's ratio, or 0 if there is none.
func boundOf(e Experiment) float64 {
	for _, b := range bounds {
		if b.kase == e.Case.Name &&
			(b.libraries == nil || slices.Contains(b.libraries, e.Library)) &&
			(b.value == "" || b.value == e.Value) &&
			(b.goroutine == 0 || b.goroutine == e.Case.Goroutines) {
			return b.most
		}
	}
	return 0
}

// allocsOf returns how many allocations more than the raw library's an operation
// of c may make: none for a get, one for a put. It is nil for what has no bound.
func allocsOf(c Case) *float64 {
	switch c.Name {
	case getHit, getMiss, getTTL:
		return new(0.0)
	case putNew, putOverwrite, putTTL:
		return new(1.0)
	}
	return nil
}

// slack is what an average of allocations may be off by: other goroutines allocate
// too.
const slack = 0.05

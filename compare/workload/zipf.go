package workload

import (
	"math"
	"math/rand/v2"
)

// zipf draws ranks from 1 to n, rank k with a probability proportional to k⁻ˢ,
// for any s above 0. (math/rand's Zipf needs an s above 1.)
//
// It is rejection-inversion: W. Hörmann and G. Derflinger, Rejection-inversion to
// generate variates from monotone discrete distributions, ACM TOMACS 6(3), 1996.
// The area under the histogram of k⁻ˢ is covered by the area under the curve
// x⁻ˢ, whose integral can be inverted; a draw takes little more than one round
// whatever n and s are.
type zipf struct {
	s, n       float64
	low, high  float64 // the integrals between which a point is drawn
	sureWithin float64 // distance below its rank within which a point is accepted
}

func newZipf(s float64, n uint64) zipf {
	z := zipf{s: s, n: float64(n)}
	z.low = z.integral(1.5) - 1
	z.high = z.integral(z.n + 0.5)
	z.sureWithin = 2 - z.inverse(z.integral(2.5)-z.weight(2))
	return z
}

func (z zipf) draw(rng *rand.Rand) uint64 {
	for {
		u := z.high + rng.Float64()*(z.low-z.high)
		x := z.inverse(u)
		k := min(max(math.Round(x), 1), z.n)
		if k-x <= z.sureWithin || u >= z.integral(k+0.5)-z.weight(k) {
			return uint64(k)
		}
	}
}

func (z zipf) weight(x float64) float64 {
	return math.Exp(-z.s * math.Log(x))
}

// integral is the integral of weight from 1 to x: (x¹⁻ˢ-1)/(1-s), or log x for s = 1. Near s = 1 neither form is
// exact, so both are one function: e to the power of t, minus one, divided by t.
func (z zipf) integral(x float64) float64 {
	logX := math.Log(x)
	if t := (1 - z.s) * logX; t != 0 {
		return math.Expm1(t) / t * logX
	}
	return logX
}

func (z zipf) inverse(u float64) float64 {
	t := max((1-z.s)*u, -1) // rounding may lead below
	if t != 0 {
		return math.Exp(math.Log1p(t) / t * u)
	}
	return math.Exp(u)
}

// gray draws numbers below n with an approximate zipf distribution, like YCSB: J. Gray and others, Quickly generating
// billion-record synthetic databases, SIGMOD 1994. It is exact for the first two numbers, and needs an s below 1.
type gray struct {
	n, s, zeta, eta float64
}

func newGray(s, n float64) gray {
	g := gray{n: n, s: s, zeta: zeta(s, n)}
	g.eta = (1 - math.Pow(2/n, 1-s)) / (1 - zeta(s, 2)/g.zeta)
	return g
}

func (g gray) draw(rng *rand.Rand) uint64 {
	u := rng.Float64()
	switch uz := u * g.zeta; {
	case uz < 1:
		return 0
	case uz < 1+math.Pow(0.5, g.s):
		return 1
	}
	return uint64(g.n * math.Pow(g.eta*u-g.eta+1, 1/(1-g.s)))
}

// zeta is the sum of k⁻ˢ up to n. The tail is computed by the Euler-Maclaurin formula.
func zeta(s, n float64) float64 {
	const exact = 1000
	sum := 0.0
	for k := 1.0; k <= min(n, exact); k++ {
		sum += math.Pow(k, -s)
	}
	if n <= exact {
		return sum
	}
	integral := (math.Pow(n, 1-s) - math.Pow(exact, 1-s)) / (1 - s)
	return sum + integral + (math.Pow(n, -s)-math.Pow(exact, -s))/2 - s*(math.Pow(n, -s-1)-math.Pow(exact, -s-1))/12
}

// Package stat has the statistics of measurements: medians, and intervals for
// them that assume nothing about how the noise is distributed.
package stat

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Median returns the middle of xs, or the mean of the two middle ones. It is NaN
// if there are none.
func Median(xs []float64) float64 { return Quantile(xs, 0.5) }

// Quantile returns the q-th quantile of xs, 0 ≤ q ≤ 1, interpolated linearly
// between the two nearest (type 7 of Hyndman and Fan, The American Statistician
// 50, 1996). It is NaN if there are none.
func Quantile(xs []float64, q float64) float64 {
	return sortedQuantile(slices.Sorted(slices.Values(xs)), q)
}

func sortedQuantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// An Interval is a point estimate with a 95 % confidence interval.
type Interval struct {
	Median float64 `json:"median"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
}

// Contains reports whether x is in the interval, its ends included.
func (i Interval) Contains(x float64) bool { return i.Low <= x && x <= i.High }

// Overlaps reports whether the two intervals have a point in common.
func (i Interval) Overlaps(j Interval) bool { return i.Low <= j.High && j.Low <= i.High }

// resamples is the number of bootstrap samples, of which 2.5 % at each end are
// outside the interval: 50.
const resamples = 2000

// Bootstrap returns the median of xs and its percentile bootstrap interval
// (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, section 13.3).
// Equal xs give equal intervals. It is NaN if there are no xs, and as narrow as
// its point if there is one.
func Bootstrap(xs []float64) Interval {
	if len(xs) == 0 {
		return Interval{math.NaN(), math.NaN(), math.NaN()}
	}
	rng := rand.New(rand.NewPCG(1, uint64(len(xs))))
	medians, sample := make([]float64, resamples), make([]float64, len(xs))
	for i := range medians {
		for j := range sample {
			sample[j] = xs[rng.IntN(len(xs))]
		}
		medians[i] = Median(sample)
	}
	slices.Sort(medians)
	return Interval{Median(xs), sortedQuantile(medians, 0.025), sortedQuantile(medians, 0.975)}
}

// Ratios returns a[i]/b[i] for each round i that both have. What disturbs a
// round disturbs both, and leaves their ratio.
func Ratios(a, b []float64) []float64 {
	n := min(len(a), len(b))
	all := make([]float64, n)
	for i := range all {
		all[i] = a[i] / b[i]
	}
	return all
}

// Paired returns the median ratio of a to b over the rounds that both have, and
// its interval.
func Paired(a, b []float64) Interval { return Bootstrap(Ratios(a, b)) }

package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestQuantile(t *testing.T) {
	tests := []struct {
		xs      []float64
		q, want float64
	}{
		{[]float64{3}, 0.5, 3},
		{[]float64{3, 1, 2}, 0.5, 2},
		{[]float64{4, 1, 3, 2}, 0.5, 2.5},
		{[]float64{4, 1, 3, 2}, 0, 1},
		{[]float64{4, 1, 3, 2}, 1, 4},
		{[]float64{10, 20, 30, 40, 50}, 0.9, 46},
	}
	for _, tt := range tests {
		if got := Quantile(tt.xs, tt.q); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("Quantile(%v, %v) = %v; want %v", tt.xs, tt.q, got, tt.want)
		}
	}
	if got := Median(nil); !math.IsNaN(got) {
		t.Errorf("Median(nil) = %v; want NaN", got)
	}
}

// An interval of 95 % must contain the true median about that often.
func TestBootstrap_Covers(t *testing.T) {
	const trials, rounds = 300, 21
	rng := rand.New(rand.NewPCG(1, 2))
	covered := 0
	for range trials {
		xs := make([]float64, rounds)
		for i := range xs {
			xs[i] = math.Exp(rng.NormFloat64() / 4) // median 1
		}
		if Bootstrap(xs).Contains(1) {
			covered++
		}
	}
	if covered < trials*88/100 || covered == trials {
		t.Errorf("%d of %d intervals contain the median; want about 95 %%", covered, trials)
	}
}

func TestPaired(t *testing.T) {
	a, b := []float64{2, 20, 200, 9}, []float64{1, 10, 100}
	if got := Paired(a, b); got != (Interval{2, 2, 2}) {
		t.Errorf("Paired of doubles = %v; want 2 all over", got)
	}
	if got := Paired(nil, b); !math.IsNaN(got.Median) {
		t.Errorf("Paired(nil, b) = %v; want NaN", got)
	}
}

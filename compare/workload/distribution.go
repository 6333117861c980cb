package workload

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// A distribution maps a hash to a value. Equally likely hashes give values with the wanted probabilities.
type distribution func(hash uint64) float64

// parseDistribution reads VALUE, LEAST-MOST or lognormal:MEDIAN:SIGMA.
func parseDistribution(text string, unit func(string) (float64, error)) (distribution, error) {
	if rest, ok := strings.CutPrefix(text, "lognormal:"); ok {
		first, second, _ := strings.Cut(rest, ":")
		median, err := unit(first)
		if err != nil {
			return nil, err
		}
		sigma, err := strconv.ParseFloat(second, 64)
		if err != nil || !(sigma >= 0 && sigma <= 10) { // also if it is NaN
			return nil, errors.New("expected lognormal:MEDIAN:SIGMA with a SIGMA from 0 to 10")
		}
		return func(hash uint64) float64 {
			normal := math.Sqrt2 * math.Erfinv(2*share(hash)-1)
			return min(math.Round(median*math.Exp(sigma*normal)), most)
		}, nil
	}
	first, second, ranged := strings.Cut(text, "-")
	low, err := unit(first)
	if err != nil {
		return nil, err
	}
	if !ranged {
		return func(uint64) float64 { return low }, nil
	}
	high, err := unit(second)
	if err != nil {
		return nil, err
	}
	if high < low {
		return nil, errors.New("expected LEAST-MOST, the smaller one first")
	}
	return func(hash uint64) float64 { return low + math.Floor(share(hash)*(high-low+1)) }, nil
}

// most is the largest value: 2⁵³ bytes, or a TTL of 104 days.
const most = 1 << 53

// share maps hashes onto the numbers between 0 and 1.
func share(hash uint64) float64 {
	return (float64(hash>>11) + 0.5) / (1 << 53)
}

func parseBytes(text string) (float64, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n > most {
		return 0, errors.New("expected a number of bytes, LEAST-MOST or lognormal:MEDIAN:SIGMA")
	}
	return float64(n), nil
}

func parseTTL(text string) (float64, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 || d > most {
		return 0, errors.New("expected a time such as 90s, LEAST-MOST or lognormal:MEDIAN:SIGMA, up to 104 days")
	}
	return float64(d), nil
}

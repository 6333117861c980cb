package compare

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A Capacity is a number of entries, or a share of a workload's distinct keys.
type Capacity struct {
	entries int
	percent float64 // if entries is 0
}

// ParseCapacities reads a list such as "1%,5%,1000".
func ParseCapacities(list string) ([]Capacity, error) {
	var all []Capacity
	for text := range strings.SplitSeq(list, ",") {
		c, err := parseCapacity(strings.TrimSpace(text))
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

func parseCapacity(text string) (Capacity, error) {
	if share, ok := strings.CutSuffix(text, "%"); ok {
		p, err := strconv.ParseFloat(share, 64)
		if err != nil || !(p > 0 && p <= 100) { // also false for NaN
			return Capacity{}, fmt.Errorf("capacity %q: expected a percentage above 0 and up to 100", text)
		}
		return Capacity{percent: p}, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 || n > math.MaxInt32 {
		return Capacity{}, fmt.Errorf("capacity %q: expected a number of entries from 1 to %d, or a percentage of the distinct keys such as 5%%", text, math.MaxInt32)
	}
	return Capacity{entries: int(n)}, nil
}

// in returns the capacity in entries for a load. A number of entries is scaled to
// the sample that the load is, to the nearest entry. A percentage is that of the
// load's keys, but never none.
func (c Capacity) in(l *load) (int, error) {
	if c.entries == 0 {
		return max(1, int(math.Round(float64(l.distinct)*c.percent/100))), nil
	}
	n := int(math.Round(float64(c.entries) * l.sample()))
	if n == 0 {
		return 0, fmt.Errorf("capacity %v at a sample of %v: expected at least one entry in the sample", c, l.sample())
	}
	return n, nil
}

// String returns what ParseCapacities reads.
func (c Capacity) String() string {
	if c.entries > 0 {
		return strconv.Itoa(c.entries)
	}
	return strconv.FormatFloat(c.percent, 'f', -1, 64) + "%"
}

// resolve returns the capacities in entries, each once, ascending.
func resolve(all []Capacity, l *load) ([]int, error) {
	var entries []int
	for _, c := range all {
		n, err := c.in(l)
		if err != nil {
			return nil, err
		}
		entries = append(entries, n)
	}
	slices.Sort(entries)
	return slices.Compact(entries), nil
}

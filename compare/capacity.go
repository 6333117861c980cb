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

// Entries returns the capacity for a workload of so many distinct keys. A share
// is rounded to the nearest entry, but never to none.
func (c Capacity) Entries(distinct int) int {
	if c.entries > 0 {
		return c.entries
	}
	return max(1, int(math.Round(float64(distinct)*c.percent/100)))
}

// String returns the percentage, or nothing if the capacity is not one.
func (c Capacity) String() string {
	if c.entries > 0 {
		return strconv.Itoa(c.entries)
	}
	return strconv.FormatFloat(c.percent, 'f', -1, 64) + "%"
}

// resolve returns the capacities in entries, each once, ascending.
func resolve(all []Capacity, distinct int) []int {
	var entries []int
	for _, c := range all {
		entries = append(entries, c.Entries(distinct))
	}
	slices.Sort(entries)
	return slices.Compact(entries)
}

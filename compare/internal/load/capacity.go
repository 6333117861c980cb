package load

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/cachepact/cachepact/compare/report"
)

// A Capacity is a number of entries, a share of a workload's distinct keys, or a
// number of bytes.
type Capacity struct {
	entries int
	percent float64 // if entries is 0
	bytes   int64   // if both are
	unit    string  // of bytes, as given
}

// Auto is the list that the word auto stands for: the grid of libCacheSim without its lowest points.
const Auto = "0.1%,0.3%,1%,3%,10%,30%"

// ParseCapacities reads a list such as "1%,5%,1000,64MiB". The word auto stands for
// 0.1, 0.3, 1, 3, 10 and 30 percent.
func ParseCapacities(list string) ([]Capacity, error) {
	if strings.TrimSpace(list) == "auto" {
		list = Auto
	}
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

// capacityUnits are the units of bytes.
var capacityUnits = []struct {
	name  string
	bytes float64
}{
	{"KiB", 1 << 10},
	{"MiB", 1 << 20},
	{"GiB", 1 << 30},
	{"TiB", 1 << 40},
	{"kB", 1e3},
	{"MB", 1e6},
	{"GB", 1e9},
	{"TB", 1e12},
	{"B", 1},
}

func parseCapacity(text string) (Capacity, error) {
	if share, ok := strings.CutSuffix(text, "%"); ok {
		p, err := strconv.ParseFloat(share, 64)
		if err != nil || !(p > 0 && p <= 100) { // also false for NaN
			return Capacity{}, fmt.Errorf("capacity %q: expected a percentage above 0 and up to 100", text)
		}
		return Capacity{percent: p}, nil
	}
	for _, unit := range capacityUnits {
		number, ok := strings.CutSuffix(text, unit.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if n *= unit.bytes; err != nil || !(n >= 1 && n < 1<<50) {
			return Capacity{}, fmt.Errorf("capacity %q: expected a number of bytes from 1B to 1024TiB", text)
		}
		return Capacity{bytes: int64(n), unit: text}, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 || n > math.MaxInt32 {
		return Capacity{}, fmt.Errorf("capacity %q: expected a number of entries from 1 to %d, a percentage of the distinct keys such as 5%%, or bytes such as 64MiB", text, math.MaxInt32)
	}
	return Capacity{entries: int(n)}, nil
}

// String returns what ParseCapacities reads.
func (c Capacity) String() string {
	switch {
	case c.entries > 0:
		return strconv.Itoa(c.entries)
	case c.bytes > 0:
		return c.unit
	}
	return strconv.FormatFloat(c.percent, 'f', -1, 64) + "%"
}

// A Bound is a capacity for one load: a number of entries or, if that is zero, of bytes.
type Bound struct {
	Entries int
	Bytes   int64
}

func (r Bound) String() string {
	if r.Bytes > 0 {
		return report.Bytes(r.Bytes)
	}
	return report.Count(r.Entries) + " entries"
}

// in returns the capacity for a load. A number is scaled to the sample that the
// load is, to the nearest entry or byte. A percentage is that of the load's keys,
// but never none.
func (c Capacity) in(l *Load) (Bound, error) {
	switch {
	case c.bytes > 0:
		return Bound{Bytes: max(1, int64(math.Round(float64(c.bytes)*l.Sample())))}, nil
	case c.entries == 0:
		return Bound{Entries: max(1, int(math.Round(float64(l.Distinct)*c.percent/100)))}, nil
	}
	n := int(math.Round(float64(c.entries) * l.Sample()))
	if n == 0 {
		return Bound{}, fmt.Errorf("capacity %v at a sample of %v: expected at least one entry in the sample", c, l.Sample())
	}
	return Bound{Entries: n}, nil
}

// Resolve returns the capacities for a load without duplicates: first those in entries, then those in bytes, each
// in ascending order.
func Resolve(all []Capacity, l *Load) ([]Bound, error) {
	var bounds []Bound
	for _, c := range all {
		r, err := c.in(l)
		if err != nil {
			return nil, err
		}
		bounds = append(bounds, r)
	}
	slices.SortFunc(bounds, func(a, b Bound) int {
		return cmp.Or(cmp.Compare(a.Bytes, b.Bytes), cmp.Compare(a.Entries, b.Entries))
	})
	return slices.Compact(bounds), nil
}

// ErrNoSizes is the error for a capacity in bytes if the sizes of values are unknown.
var ErrNoSizes = errors.New("a capacity in bytes: the requests have no sizes; expected --value, the size of every value")

package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/cachepact/cachepact/compare/internal/stat"
)

// share writes a ratio as a percentage with two decimals.
func share(x float64) string { return decimals(100*x, 2) + " %" }

// shareRange writes low and high as a range of percentages, or as one if they are equal.
func shareRange(low, high float64) string {
	a, b := decimals(100*low, 1), decimals(100*high, 1)
	if a == b {
		return a + " %"
	}
	return a + "–" + b + " %"
}

// points writes a difference of two ratios in percentage points.
func points(x float64) string { return decimals(100*x, 1) + " points" }

func decimals(x float64, n int) string { return strconv.FormatFloat(x, 'f', n, 64) }

// thousands writes n with a comma between thousands.
func thousands[N ~int | ~int64](n N) string {
	s := strconv.FormatInt(int64(n), 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// figures writes x with three significant figures and without an exponent.
func figures(x float64) string {
	if x == 0 || math.IsNaN(x) || math.IsInf(x, 0) {
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	digits := 2 - int(math.Floor(math.Log10(math.Abs(x))))
	if digits <= 0 {
		return thousands(int64(math.Round(x)))
	}
	return strconv.FormatFloat(x, 'f', digits, 64)
}

// figureRange writes the ends of an interval.
func figureRange(i stat.Interval) string { return figures(i.Low) + "–" + figures(i.High) }

// scaled writes x in the greatest unit that is at most x. Each unit is factor times the
// previous unit.
func scaled(x float64, units []string, factor float64) string {
	i := 0
	for i+1 < len(units) && math.Abs(x) >= factor*(1-0.0005) {
		x /= factor
		i++
	}
	return figures(x) + " " + units[i]
}

// span writes a duration with three significant figures.
func span(d time.Duration) string { return nanoseconds(float64(d)) }

func nanoseconds(ns float64) string {
	if math.Abs(ns) >= float64(time.Minute) {
		return time.Duration(ns).Round(time.Second).String()
	}
	return scaled(ns, []string{"ns", "µs", "ms", "s"}, 1000)
}

// setting writes a duration exactly, for durations that a user chose.
func setting(d time.Duration) string {
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{time.Second, "s"}, {time.Millisecond, "ms"}, {time.Microsecond, "µs"}} {
		if d >= u.unit && d%(u.unit/100) == 0 && d < time.Minute {
			return strconv.FormatFloat(float64(d)/float64(u.unit), 'f', -1, 64) + " " + u.name
		}
	}
	if d < time.Microsecond {
		return strconv.FormatInt(int64(d), 10) + " ns"
	}
	return d.String()
}

// bytesOf writes a number of bytes exactly, for sizes that a user chose.
func bytesOf(n int64) string {
	for i, unit := range []string{"TiB", "GiB", "MiB", "KiB"} {
		if by := int64(1) << (10 * (4 - i)); n >= by && n%by == 0 {
			return thousands(n/by) + " " + unit
		}
	}
	return thousands(n) + " B"
}

// size writes a number of bytes with three significant figures.
func size(bytes float64) string {
	return scaled(bytes, []string{"B", "KiB", "MiB", "GiB", "TiB"}, 1024)
}

// perSecond writes a rate in operations per second.
func perSecond(x float64) string {
	return strings.TrimSpace(scaled(x, []string{"", "k", "M", "G"}, 1000)) + "/s"
}

// list joins names with commas, and the last two with word.
func list(names []string, word string) string {
	switch n := len(names); n {
	case 0:
		return ""
	case 1:
		return names[0]
	default:
		return strings.Join(names[:n-1], ", ") + " " + word + " " + names[n-1]
	}
}

// plural writes n and the noun, which gets an s unless n is 1.
func plural[N ~int | ~int64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return thousands(n) + " " + noun + "s"
}

// choose returns one if n is 1, else many.
func choose(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// at names the table's capacity.
func (t *Table) at() string {
	if t.Bytes > 0 {
		return bytesOf(t.Bytes)
	}
	if t.Capacity == 1 {
		return "1 entry"
	}
	return thousands(t.Capacity) + " entries"
}

// label names the case.
func (c *SpeedCase) label() string {
	return fmt.Sprintf("%s, %s on %s", c.Name, plural(c.Goroutines, "goroutine"), plural(c.Procs, "CPU"))
}

// label names the timed operations and their load.
func (l *Latency) label() string {
	if l.Loop != "open" {
		return l.Class
	}
	if l.Share > 0 {
		return fmt.Sprintf("%s at %.0f %% load", l.Class, 100*l.Share)
	}
	return l.Class + " at " + perSecond(l.Rate)
}

// Percent writes a share with two decimals, such as "39.52 %".
func Percent(x float64) string { return share(x) }

// Count writes n with a comma between thousands.
func Count[N ~int | ~int64](n N) string { return thousands(n) }

// Bytes writes a number of bytes with its unit, such as "64 MiB".
func Bytes[N ~int | ~int64 | ~float64](n N) string { return size(float64(n)) }

// Ratio returns part divided by all, or 0 if all is 0.
func Ratio(part, all int64) float64 {
	if all == 0 {
		return 0
	}
	return float64(part) / float64(all)
}

package report

import (
	"strconv"
	"time"
)

// Percent writes a share with two decimals, such as "39.52 %".
func Percent(share float64) string {
	return strconv.FormatFloat(100*share, 'f', 2, 64) + " %"
}

// Count writes n with a comma between thousands.
func Count[N ~int | ~int64](n N) string {
	s := strconv.FormatInt(int64(n), 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Duration rounds d to three digits.
func Duration(d time.Duration) string {
	unit := time.Nanosecond
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit).String()
}

// Bytes writes a number of bytes in the largest binary unit that keeps it at 1 or
// more, such as "64 MiB".
func Bytes[N ~int | ~int64 | ~float64](n N) string {
	v, unit := float64(n), 0
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	for (v >= 1024 || v <= -1024) && unit+1 < len(units) {
		v, unit = v/1024, unit+1
	}
	decimals := 1
	if unit == 0 || v == float64(int64(v)) {
		decimals = 0
	}
	return strconv.FormatFloat(v, 'f', decimals, 64) + " " + units[unit]
}

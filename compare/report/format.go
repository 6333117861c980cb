package report

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

package conformance

import "testing"

func TestLiteral(t *testing.T) {
	type name string
	type count uint8
	for want, v := range map[string]any{
		"nil": nil, "1": 1, `"1"`: "1", "true": true, "int64(1)": int64(1), "uint64(18)": uint64(18), "float64(1)": 1.0, "float32(0.5)": float32(0.5),
		`conformance.name("a")`: name("a"), "conformance.count(7)": count(7), "[1]int{2}": [1]int{2},
	} {
		if got := literal(v); got != want {
			t.Errorf("literal(%v) = %s, want %s", v, got, want)
		}
	}
}

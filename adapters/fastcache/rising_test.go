package fastcache

import "testing"

func TestRising(t *testing.T) {
	var c rising
	for _, step := range []struct {
		n    int64
		want uint64
	}{{3, 3}, {2, 3}, {-1, 3}, {7, 7}, {0, 7}} {
		if got := c.raise(step.n); got != step.want {
			t.Errorf("raise(%d) = %d, want %d", step.n, got, step.want)
		}
	}
}

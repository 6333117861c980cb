package report

import "time"

// ttl shows the part about lifetimes.
func (t *text) ttl(all *TTL) {
	t.line(plain, "")
	t.line(heading, "lifetimes: how long after its deadline a key was gone, less than the resolution not being seen")
	g := &grid{}
	g.add(heading, "cache", "TTL", "use", "keys", "early", "by up to", "late p50", "p99", "max", "stale", "resolution", "Size 0 after", "memory after")
	for _, r := range all.Rows {
		if r.Failed != "" {
			g.add(wrong, r.Name, "failed")
			continue
		}
		style := plain
		early := ""
		if r.Early > 0 {
			style, early = wrong, Duration(r.Earliest)
		}
		g.add(style, r.Name, r.TTL.String(), r.Use, Count(r.Keys), Count(r.Early), early, latencyTime(r.P50), latencyTime(r.P99), latencyTime(r.Max),
			latencyTime(r.Stale), latencyTime(r.Resolution), lag(r, r.SizeLag), lag(r, r.MemoryLag))
	}
	t.grid(g)
}

// lag writes a time, or that none was seen.
func lag(r TTLRow, d time.Duration) string {
	switch {
	case r.Use != "idle":
		return ""
	case d < 0:
		return "–"
	}
	return latencyTime(d)
}

// latencyTime rounds to three digits.
func latencyTime(d time.Duration) string {
	unit := time.Duration(1)
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit).String()
}

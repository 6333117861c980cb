package report

import "time"

// ttl shows the part about lifetimes: of each cache and TTL the worst of the uses.
func (t *text) ttl(all *TTL) {
	t.line(plain, "")
	t.line(heading, "lifetimes: how long after its deadline a key was gone, in the worst of the uses idle, read and overwrite")
	g := &grid{}
	g.add(heading, "cache", "TTL", "keys", "early", "by up to", "late p50", "p99", "max", "stale", "Size 0 after", "memory after")
	for _, r := range all.worst() {
		if r.Failed != "" {
			g.add(wrong, r.Name, "failed")
			continue
		}
		style, early := plain, ""
		if r.Early > 0 {
			style, early = wrong, span(r.Earliest)
		}
		g.add(style, r.Name, r.TTL.String(), Count(r.Keys), Count(r.Early), early, r.late(r.P50), r.late(r.P99), r.late(r.Max),
			span(r.Stale), lag(r.SizeLag), lag(r.MemoryLag))
	}
	t.grid(g)
	t.line(faint, "<: not seen, as no key was read twice within that time; stale: by how much too late a value was surely returned; –: not seen at all")
}

// worst returns a row for each cache and TTL, with the greatest of what its rows have.
func (t *TTL) worst() []TTLRow {
	var all []TTLRow
	for _, r := range t.Rows {
		n := len(all) - 1
		if n < 0 || all[n].Name != r.Name || all[n].TTL != r.TTL {
			all = append(all, r)
			continue
		}
		w := &all[n]
		w.Keys, w.Early, w.Earliest = w.Keys+r.Keys, w.Early+r.Early, max(w.Earliest, r.Earliest)
		w.P50, w.P99, w.Max = max(w.P50, r.P50), max(w.P99, r.P99), max(w.Max, r.Max)
		w.Stale, w.Resolution = max(w.Stale, r.Stale), max(w.Resolution, r.Resolution)
		w.SizeLag, w.MemoryLag = max(w.SizeLag, r.SizeLag), max(w.MemoryLag, r.MemoryLag)
		w.Failed += r.Failed
	}
	return all
}

// late writes a lateness, or that it is less than what can be seen.
func (r *TTLRow) late(d time.Duration) string {
	if d <= r.Resolution {
		return "<" + span(r.Resolution)
	}
	return span(d)
}

package report

import "time"

// memory writes the table of bytes per entry.
func (t *text) memory(r *Report) {
	m := r.Memory
	if m == nil {
		return
	}
	t.line(plain, "")
	t.line(bold, "memory, values of %s: bytes per entry; kept includes the values", bytesOf(int64(m.Value)))
	g := &textTable{}
	g.add(bold, "cache", "heap", "rss", "kept", "scanned", "fixed", "entries", "present", "full GC", "beyond empty")
	for _, r := range m.Rows {
		name := r.Name
		if r.Numbers {
			name += " (numbers)"
		}
		if r.Failed != "" || len(r.Points) == 0 {
			g.add(red, name, "failed")
			continue
		}
		last := r.Points[len(r.Points)-1]
		g.add(plain, name, figures(r.HeapPerEntry), figures(r.RSSPerEntry), figures(r.KeptPerEntry),
			figures(r.ScanPerEntry), size(r.KeptFixed), thousands(last.Entries),
			share(float64(last.Present)/float64(last.Entries)), collection(last.GC), collection(r.GC))
	}
	t.table(g)
	for _, r := range m.Rows {
		if r.Failed != "" {
			t.line(faint, "%s failed: %s", r.Name, r.Failed)
		}
	}
}

// collection writes the time of a collection. Differences of microseconds are noise.
func collection(d time.Duration) string {
	return d.Round(10 * time.Microsecond).String()
}

// ttl writes the table of expiry, with the worst use of each cache and TTL.
func (t *text) ttl(r *Report) {
	all := r.TTL
	if all == nil {
		return
	}
	t.line(plain, "")
	t.line(bold, "expiry: time from a key's deadline to its first miss, in the worst use of idle, read and overwrite")
	g := &textTable{}
	var failed []string
	g.add(bold, "cache", "TTL", "keys", "early", "by up to", "lag p50", "p99", "max",
		"stale", "Size 0 after", "memory free after")
	for _, r := range all.worst() {
		if r.Failed != "" {
			g.add(red, r.Name, "failed")
			failed = append(failed, r.Name+" failed: "+r.Failed)
			continue
		}
		style, early, by := plain, "", ""
		if r.Early > 0 {
			style, early, by = red, thousands(r.Early), span(r.Earliest)
		}
		g.add(style, r.Name, r.TTL.String(), thousands(r.Keys), early, by, r.late(r.P50), r.late(r.P99), r.late(r.Max),
			unlessZero(r.Stale), lag(r.SizeLag), lag(r.MemoryLag))
	}
	t.table(g)
	for _, line := range failed {
		t.line(faint, "%s", line)
	}
	t.line(faint, "<: shorter than the time between two Gets; stale: longest time after a deadline at which a Get hit")
}

// worst returns a row for each cache and TTL, with the greatest figures over the uses.
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

// unlessZero writes a time, or nothing if it is 0.
func unlessZero(d time.Duration) string {
	return when(d != 0, span(d))
}

// late writes a lag, or "<" and the resolution if the lag is too short to be seen.
func (r *TTLRow) late(d time.Duration) string {
	if d <= r.Resolution {
		return "<" + span(r.Resolution)
	}
	return span(d)
}

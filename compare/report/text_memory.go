package report

import "time"

// memory shows the part about memory.
func (t *text) memory(r *Report) {
	m := r.Memory
	if m == nil {
		return
	}
	t.line(plain, "")
	t.line(bold, "memory of values of %s: bytes per entry, without and with the values that are kept", bytesOf(int64(m.Value)))
	g := &textTable{}
	g.add(bold, "cache", "heap", "rss", "kept", "of which scanned", "fixed", "entries", "present", "full GC", "by the cache")
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
		g.add(plain, name, figures(r.HeapPerEntry), figures(r.RSSPerEntry), figures(r.KeptPerEntry), figures(r.ScanPerEntry), size(r.KeptFixed),
			thousands(last.Entries), share(float64(last.Present)/float64(last.Entries)), collection(last.GC), collection(r.GC))
	}
	t.table(g)
	for _, r := range m.Rows {
		if r.Failed != "" {
			t.line(faint, "%s failed: %s", r.Name, r.Failed)
		}
	}
}

// collection is a time of which microseconds are noise.
func collection(d time.Duration) string {
	return d.Round(10 * time.Microsecond).String()
}

package compare

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/cachepact/cachepact/compare/hits"
	"github.com/cachepact/cachepact/compare/internal/load"
	"github.com/cachepact/cachepact/compare/policy"
	"github.com/cachepact/cachepact/compare/report"
	"github.com/cachepact/cachepact/compare/trace"
)

// stat is what can be said of a load without a cache.
type stat struct {
	ops        [4]int64 // by trace.Op
	counts     []uint32 // requests by id
	sizes      []int64  // the largest size by id
	sized      int64    // requests with a size
	ttls       int64    // requests with a TTL
	least, ttl time.Duration
	first      time.Duration
	last       time.Duration
	timed      bool
}

// newStat reads l once more.
func newStat(l *load.Load) (*stat, error) {
	s := &stat{counts: make([]uint32, l.Distinct), sizes: make([]int64, l.Distinct)}
	for batch, err := range l.Batches() {
		if err != nil {
			return nil, err
		}
		for _, q := range batch {
			id, err := l.Index.ID(q.Key)
			if err != nil {
				return nil, err
			}
			s.add(q, id)
		}
	}
	return s, nil
}

func (s *stat) add(q trace.Request, id uint32) {
	if s.ops == [4]int64{} {
		s.first = q.Time
	}
	s.last, s.timed = q.Time, s.timed || q.Time != 0
	s.ops[q.Op]++
	s.counts[id]++
	if q.Size > 0 {
		s.sized++
		s.sizes[id] = max(s.sizes[id], q.Size)
	}
	if q.TTL > 0 {
		if s.ttls == 0 || q.TTL < s.least {
			s.least = q.TTL
		}
		s.ttls++
		s.ttl = max(s.ttl, q.TTL)
	}
}

// text writes the figures for a terminal.
func (s *stat) text(w io.Writer, l *load.Load) error {
	var out bytes.Buffer
	out.WriteString(l.Describe().String() + "\n")
	tw := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) {
		fmt.Fprintf(tw, "  %s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	of := func(n, all int64) string {
		return fmt.Sprintf("%s, %s", report.Count(n), report.Percent(float64(n)/float64(all)))
	}
	for op, n := range s.ops {
		if n > 0 {
			line("requests to "+trace.Op(op).String(), "%s", of(n, l.Requests))
		}
	}
	counts := slices.Clone(s.counts)
	slices.Sort(counts)
	slices.Reverse(counts)
	once, _ := slices.BinarySearchFunc(counts, 1, func(n uint32, one int) int { return one - int(n) })
	line("keys asked for once", "%s", of(int64(len(counts)-once), int64(len(counts))))
	line("requests for the most popular key", "%s", of(int64(counts[0]), l.Requests))
	if top := len(counts) / 100; top > 1 {
		line("requests for the most popular "+report.Count(int64(top))+" keys", "%s", of(sum(counts[:top]), l.Requests))
	}
	if s.timed {
		line("time", "%v", s.last-s.first)
	}
	if s.sized > 0 {
		var total, keys, largest int64
		for _, size := range s.sizes {
			if size > 0 {
				total, keys, largest = total+size, keys+1, max(largest, size)
			}
		}
		line("requests with a size", "%s", of(s.sized, l.Requests))
		line("bytes of all keys", "%s; mean %s, largest %s", report.Count(total), report.Count(total/keys), report.Count(largest))
	}
	if s.ttls > 0 {
		line("requests with a TTL", "%s; shortest %v, longest %v", of(s.ttls, l.Requests), s.least, s.ttl)
	}
	if refs := hits.NewReferences(l); refs.Gets > 0 {
		onePercent, tenPercent := max(1, (l.Distinct+50)/100), max(1, (l.Distinct+5)/10)
		for _, entries := range slices.Compact([]int{onePercent, tenPercent}) {
			var all []string
			for _, r := range refs.At(entries) {
				all = append(all, r.Name+" "+report.Percent(r.HitRatio))
			}
			line("hit ratio at capacity "+report.Count(entries), "%s", strings.Join(all, ", "))
		}
		endless := int64(policy.LRU(refs.Requests, l.Distinct))
		line("hit ratio without a bound", "%s", report.Percent(report.Ratio(endless, refs.Gets)))
	}
	_ = tw.Flush() // a bytes.Buffer takes everything
	_, err := w.Write(out.Bytes())
	return err
}

func sum(counts []uint32) (n int64) {
	for _, c := range counts {
		n += int64(c)
	}
	return n
}
